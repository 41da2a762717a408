import {
  createContext,
  type ReactNode,
  useCallback,
  useContext,
  useEffect,
  useLayoutEffect,
  useMemo,
  useRef,
  useState,
} from "react";

/** Every key of the console, in the order of the list that `?` shows. */
export const SHORTCUTS = {
  j: "Next case",
  k: "Previous case",
  Enter: "Open the case that has the focus",
  a: "Approve; first shows the arguments if they are out of sight",
  r: "Reject, with a reason",
  e: "Edit the arguments and approve",
  x: "Take the case, or release it",
  u: "Undo an approval that has not run",
  "/": "Search",
  Escape: "One step back",
  "?": "This list",
} as const;
export type ShortcutKey = keyof typeof SHORTCUTS;

type Handlers = Partial<Record<ShortcutKey, () => void>>;

interface Shortcuts {
  /** Single keys can be switched off, for those who speak or whose hands slip (WCAG 2.2, 2.1.4). */
  readonly areOn: boolean;
  readonly switchTo: (areOn: boolean) => void;
  readonly add: (handlers: () => Handlers) => () => void;
}

const ShortcutContext = createContext<Shortcuts | null>(null);
const STORED = "atlas.shortcuts";

export function ShortcutProvider({ children }: { readonly children: ReactNode }): ReactNode {
  const [areOn, setOn] = useState(() => localStorage.getItem(STORED) !== "off");
  const [handlers] = useState(() => new Set<() => Handlers>());
  useEffect(() => {
    if (!areOn) return undefined;
    const onKey = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || isBusy(event.target)) return;
      const all = [...handlers].toReversed().flatMap((of) => Object.entries(of()));
      const found = all.find(([key]) => key === event.key)?.[1];
      if (found === undefined) return;
      event.preventDefault();
      found();
    };
    addEventListener("keydown", onKey);
    return () => removeEventListener("keydown", onKey);
  }, [areOn, handlers]);
  const switchTo = useCallback((on: boolean) => {
    localStorage.setItem(STORED, on ? "on" : "off");
    setOn(on);
  }, []);
  const add = useCallback(
    (added: () => Handlers) => {
      handlers.add(added);
      return () => void handlers.delete(added);
    },
    [handlers],
  );
  const shortcuts = useMemo(() => ({ areOn, switchTo, add }), [areOn, switchTo, add]);
  return <ShortcutContext value={shortcuts}>{children}</ShortcutContext>;
}

/** Somebody types, or a dialog is open and has keys of its own. */
function isBusy(target: EventTarget | null): boolean {
  if (document.querySelector('[role="dialog"], [role="menu"]') !== null) return true;
  return target instanceof Element && target.matches("input, textarea, select, [contenteditable]");
}

export function useShortcutSwitch(): Pick<Shortcuts, "areOn" | "switchTo"> {
  const shortcuts = useContext(ShortcutContext);
  if (shortcuts === null) throw new Error("The app is wrapped in a ShortcutProvider.");
  return shortcuts;
}

/** Keys that do something while the caller is mounted; those of the parts that came last go first. `Enter` is left to what has the focus. */
export function useShortcuts(handlers: Handlers): void {
  const add = useContext(ShortcutContext)?.add;
  const latest = useRef(handlers);
  useLayoutEffect(() => {
    latest.current = handlers;
  });
  useEffect(() => add?.(() => latest.current), [add]);
}
