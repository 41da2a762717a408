import { useEffect, useState } from "react";

/** A change under the pointer must not turn a click into another decision. */
const LOCK_MS = 1_000;

/** Whether buttons are locked: for a second after `key` changed. */
export function useLock(key: string): boolean {
  const [unlocked, setUnlocked] = useState<string | null>(null);
  useEffect(() => {
    const timer = setTimeout(() => setUnlocked(key), LOCK_MS);
    return () => clearTimeout(timer);
  }, [key]);
  return unlocked !== key;
}
