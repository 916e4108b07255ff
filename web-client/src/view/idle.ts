/** Where a browser does not tell when it is idle. */
const idleMs = 2000;

/** Does something that nobody waits for, once there is nothing else to do. */
export function whenIdle(run: () => void): void {
  if ('requestIdleCallback' in globalThis) requestIdleCallback(run);
  else setTimeout(run, idleMs);
}
