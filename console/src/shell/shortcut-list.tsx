import { type ReactNode, useState } from "react";
import { Button } from "../parts/button.tsx";
import { Dialog } from "../parts/dialog.tsx";
import { SHORTCUTS, useShortcutSwitch, useShortcuts } from "./shortcuts.tsx";

/** The button that shows every key, and the key that does the same. */
export function ShortcutList(): ReactNode {
  const [isOpen, setOpen] = useState(false);
  const { areOn, switchTo } = useShortcutSwitch();
  useShortcuts({ "?": () => setOpen(true) });
  return (
    <>
      <span className="hidden md:inline">
        <Button look="bare" shortcut="?" onClick={() => setOpen(true)}>
          Keys
        </Button>
      </span>
      <Dialog title="Keys" isOpen={isOpen} onClose={() => setOpen(false)}>
        <dl className="grid grid-cols-[4.5rem_1fr] gap-y-2">
          {Object.entries(SHORTCUTS).map(([key, words]) => (
            <div key={key} className="contents">
              <dt>
                <kbd className="key">{key}</kbd>
              </dt>
              <dd>{words}</dd>
            </div>
          ))}
        </dl>
        <label className="mt-5 flex items-center gap-2">
          <input type="checkbox" checked={areOn} onChange={(event) => switchTo(event.target.checked)} />
          Use single keys
        </label>
        <p className="mt-4 text-right">
          <Button onClick={() => setOpen(false)}>Close</Button>
        </p>
      </Dialog>
    </>
  );
}
