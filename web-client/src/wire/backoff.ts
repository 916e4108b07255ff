// When to try again: doubling from 1 s to 30 s, with full jitter, so that many clients do not come back together.

/** First bound of the back-off. */
export const BACK_OFF_LEAST_MS = 1_000;
/** Last bound of the back-off. */
export const BACK_OFF_MOST_MS = 30_000;
/** Jitter of a return that need not wait. */
export const RESUME_JITTER_MS = 400;

/**
 * How long to wait after `failures` tries in a row (1 or more), in milliseconds. `random` is in 0..1. A
 * `retryAfterMs` of the server is obeyed, with the jitter on top of it.
 */
export function backOffMs(failures: number, random: number, retryAfterMs = 0): number {
  const bound = Math.min(BACK_OFF_MOST_MS, BACK_OFF_LEAST_MS * 2 ** Math.max(0, failures - 1));
  return Math.max(0, retryAfterMs) + Math.round(random * bound);
}
