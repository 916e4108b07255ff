// A command with a key may be sent again without harm: this does so while the server is busy or silent.

import type { Failure, Outcome } from '../wire/failure';

const TRIES = 3;
const PAUSE_MS = 1_000;
/** A longer wait is told to the person instead. */
const PATIENCE_MS = 5_000;

/** Sends a command up to three times. Its params must carry the same idempotency key each time. */
export async function persistent<T>(ask: () => Promise<Outcome<T>>): Promise<Outcome<T>> {
  for (let tries = 1; ; tries += 1) {
    const answer = await ask();
    if (answer.ok || tries >= TRIES || !canWait(answer.failure)) return answer;
    await new Promise((resolve) => {
      setTimeout(resolve, answer.failure.retryAfterMs ?? PAUSE_MS * tries);
    });
  }
}

function canWait(failure: Failure): boolean {
  const isBusy = ['timed_out', 'too_frequent', 'unavailable'].includes(failure.reason);
  return isBusy && (failure.retryAfterMs ?? 0) <= PATIENCE_MS;
}
