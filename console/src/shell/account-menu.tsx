import { DropdownMenu } from "radix-ui";
import { type ReactNode, useState } from "react";
import { Visible } from "../text/visible.tsx";
import { useSession, useSigningOut } from "./session.tsx";
import { chooseTheme, chosenTheme, type Theme } from "./theme.ts";

const ITEM =
  "flex items-center justify-between gap-6 rounded-md px-3 py-2 outline-none data-highlighted:bg-hover cursor-pointer";
const THEMES: readonly (readonly [Theme, string])[] = [
  ["system", "Theme of the system"],
  ["light", "Light"],
  ["dark", "Dark"],
];

/** Who is signed in, how the screen looks, and the ways out. */
export function AccountMenu(): ReactNode {
  const { person } = useSession();
  const leave = useSigningOut();
  const [theme, setTheme] = useState(chosenTheme);
  const choose = (value: string) => {
    const chosen = THEMES.find(([known]) => known === value)?.[0] ?? "system";
    chooseTheme(chosen);
    setTheme(chosen);
  };
  return (
    <DropdownMenu.Root modal={false}>
      <DropdownMenu.Trigger className="flex max-w-44 min-w-0 items-center gap-2 rounded-lg px-2 py-1 hover:bg-hover">
        <span className="truncate">
          <Visible text={person.id} />
        </span>
        <span aria-hidden="true" className="text-quiet">
          ▾
        </span>
      </DropdownMenu.Trigger>
      <DropdownMenu.Content
        align="end"
        sideOffset={6}
        className="z-40 min-w-56 rounded-xl border border-line bg-surface p-1.5 shadow-lg"
      >
        <DropdownMenu.Label className="px-3 py-1.5 text-quiet">{person.roles.join(", ")}</DropdownMenu.Label>
        <DropdownMenu.Separator className="my-1 h-px bg-line" />
        <DropdownMenu.RadioGroup value={theme} onValueChange={choose} aria-label="Theme">
          {THEMES.map(([value, words]) => (
            <DropdownMenu.RadioItem key={value} value={value} className={ITEM}>
              {words}
              <DropdownMenu.ItemIndicator aria-hidden="true">✓</DropdownMenu.ItemIndicator>
            </DropdownMenu.RadioItem>
          ))}
        </DropdownMenu.RadioGroup>
        <DropdownMenu.Separator className="my-1 h-px bg-line" />
        <DropdownMenu.Item className={ITEM} onSelect={() => void leave.here()}>
          Sign out
        </DropdownMenu.Item>
        <DropdownMenu.Item className={ITEM} onSelect={() => void leave.everywhere()}>
          Sign out everywhere
        </DropdownMenu.Item>
      </DropdownMenu.Content>
    </DropdownMenu.Root>
  );
}
