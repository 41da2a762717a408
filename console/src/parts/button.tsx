import type { ComponentProps, ReactNode } from "react";

const LOOKS = {
  /** A choice; all choices of one question look the same. */
  choice: "border-edge bg-surface hover:bg-hover px-4 min-h-11 font-medium",
  /** What a form does. */
  main: "border-accent bg-accent text-on-accent hover:opacity-90 px-4 min-h-11 font-medium",
  /** What stops something, in the last of its steps. */
  grave: "border-grave bg-grave text-surface hover:opacity-90 px-4 min-h-11 font-medium",
  small: "border-line bg-surface hover:bg-hover px-2.5 min-h-8 text-[0.87rem]",
  bare: "border-transparent hover:bg-hover px-2.5 min-h-8 text-[0.87rem]",
} as const;

export interface ButtonProps extends ComponentProps<"button"> {
  readonly look?: keyof typeof LOOKS;
  /** The key that does the same. */
  readonly shortcut?: string;
}

export function Button({
  look = "choice",
  shortcut,
  className = "",
  children,
  ...rest
}: ButtonProps): ReactNode {
  return (
    <button
      type="button"
      className={`inline-flex items-center justify-center gap-2 rounded-lg border disabled:cursor-not-allowed disabled:border-line disabled:bg-sunken disabled:text-quiet ${LOOKS[look]} ${className}`}
      {...(shortcut !== undefined && { "aria-keyshortcuts": shortcut })}
      {...rest}
    >
      <span>{children}</span>
      {shortcut !== undefined && (
        <kbd aria-hidden="true" className="key hidden lg:inline-block">
          {shortcut}
        </kbd>
      )}
    </button>
  );
}
