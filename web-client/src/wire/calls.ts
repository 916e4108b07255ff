// Commands under way on one connection: each is answered once, by the server, by its time limit or by the end of the
// connection.

import { encodeCommand, timedOut, unreachable } from './frame';
import { failed, type Outcome } from './failure';
import type { MethodName, Methods } from './protocol';

/** Longest time for an answer, in milliseconds (G8). */
export const CALL_MS = 5_000;

interface Waiting {
  readonly answer: (outcome: Outcome<unknown>) => void;
  readonly timer: ReturnType<typeof setTimeout>;
}

/** The commands of one connection. */
export class Calls {
  #next = 1;
  readonly #waiting = new Map<number, Waiting>();
  readonly #write: (frame: string) => void;

  constructor(write: (frame: string) => void) {
    this.#write = write;
  }

  /** Sends a command and waits for its answer. */
  call<M extends MethodName>(
    method: M,
    params: Methods[M]['params'],
    limitMs = CALL_MS,
  ): Promise<Outcome<Methods[M]['result']>> {
    const id = this.#next++;
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.settle(id, failed(timedOut)), limitMs);
      // The server answers a method with the result of that method; PROTOCOL.md and the golden frames hold it to it.
      this.#waiting.set(id, { answer: resolve as (outcome: Outcome<unknown>) => void, timer });
      try {
        this.#write(encodeCommand(id, method, params));
      } catch {
        this.settle(id, failed(unreachable));
      }
    });
  }

  /** Answers a command; an answer to none (it came too late) is passed over. */
  settle(id: number, outcome: Outcome<unknown>): void {
    const waiting = this.#waiting.get(id);
    if (!waiting) return;
    this.#waiting.delete(id);
    clearTimeout(waiting.timer);
    waiting.answer(outcome);
  }

  /** Answers all that wait: the connection is gone, and whether they were done is not known. */
  abandon(): void {
    for (const id of this.#waiting.keys()) this.settle(id, failed(unreachable));
  }
}
