import { type RefCallback, useCallback, useRef, useState } from "react";

export interface Seen {
  /** Goes on an element after the last character of what has to be seen. */
  readonly endRef: RefCallback<HTMLElement>;
  /** The end was in sight, of this very thing. */
  readonly hasSeen: boolean;
  /** The end is in sight now. */
  readonly isInSight: () => boolean;
  /** Scrolls it into sight. */
  readonly show: () => void;
}

/**
 * Whether somebody had all of a text in front of them.
 *
 * @param of what it is; another one has not been seen
 */
export function useSeen(of: string): Seen {
  const [seen, setSeen] = useState<string | null>(null);
  const end = useRef<HTMLElement | null>(null);
  const inSight = useRef(false);
  const endRef = useCallback<RefCallback<HTMLElement>>(
    (element) => {
      end.current = element;
      if (element === null) return undefined;
      // Clipped by whatever scrolls around it, so a long text counts when its end was scrolled to.
      const observer = new IntersectionObserver(([entry]) => {
        inSight.current = entry?.isIntersecting === true;
        if (inSight.current) setSeen(of);
      });
      observer.observe(element);
      return () => {
        observer.disconnect();
        inSight.current = false;
        end.current = null;
      };
    },
    [of],
  );
  return {
    endRef,
    hasSeen: seen === of,
    isInSight: () => inSight.current,
    show: () => end.current?.scrollIntoView({ block: "center" }),
  };
}
