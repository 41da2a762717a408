/** What one connection may bring for ever; reading more would take the time of other upstreams' calls. */
const BYTES_PER_SECOND = 32 * 1024 * 1024;

/** What it may bring at once, so that one large answer is not slowed. */
const BURST_BYTES = 64 * 1024 * 1024;

/**
 * Keeps a flooding upstream from keeping the process busy: a token bucket over what one connection brings. Not reading
 * for a while makes the other side wait; nothing is lost.
 *
 * @param nowMs monotonic time
 * @returns how many milliseconds to stop reading after this many bytes; 0 for not at all
 */
export function createFlowLimit(nowMs: () => number = () => performance.now()): (bytes: number) => number {
  let allowance = BURST_BYTES;
  let lastMs = nowMs();
  return (bytes) => {
    const now = nowMs();
    allowance = Math.min(BURST_BYTES, allowance + ((now - lastMs) / 1_000) * BYTES_PER_SECOND) - bytes;
    lastMs = now;
    return allowance >= 0 ? 0 : Math.ceil((-allowance / BYTES_PER_SECOND) * 1_000);
  };
}
