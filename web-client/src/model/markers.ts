// Read markers on their way to the server: only forward, each room at most every 2 s, and at once on leaving.

import type { Outcome } from '../wire/failure';
import type { Marker, MarkerSetParams, RoomId, Seq } from '../wire/protocol';

/** Least time between two marks of one room, in milliseconds. */
export const MARK_MS = 2_000;

/** What markers need from their surroundings. */
export interface MarkersHost {
  send(params: MarkerSetParams): Promise<Outcome<Marker>>;
  /** The server's count came. */
  answered(room: RoomId, marker: Marker): void;
}

interface Waiting {
  /** The newest seq that the server has not heard of; 0 for none. */
  seq: Seq;
  /** The newest one it was told. */
  told: Seq;
  timer: ReturnType<typeof setTimeout> | undefined;
  sending: boolean;
}

/** The markers of one account. */
export class Markers {
  readonly #host: MarkersHost;
  readonly #rooms = new Map<RoomId, Waiting>();

  constructor(host: MarkersHost) {
    this.#host = host;
  }

  /** The reader has seen everything up to `seq`. */
  set(room: RoomId, seq: Seq): void {
    const waiting = this.#rooms.get(room) ?? { seq: 0, told: 0, timer: undefined, sending: false };
    this.#rooms.set(room, waiting);
    if (seq <= waiting.told || seq <= waiting.seq) return;
    waiting.seq = seq;
    if (waiting.timer === undefined && !waiting.sending) void this.#send(room, waiting);
  }

  /** Sends what waits, without waiting: on leaving a room, or when a session was started. */
  flush(): void {
    for (const [room, waiting] of this.#rooms) {
      if (waiting.seq > waiting.told && !waiting.sending) void this.#send(room, waiting);
    }
  }

  /** The newest seq that the server may not know yet; 0 for none. */
  pending(room: RoomId): Seq {
    const waiting = this.#rooms.get(room);
    return waiting && waiting.seq > waiting.told ? waiting.seq : 0;
  }

  /** Forgets a room, or all. */
  forget(room?: RoomId): void {
    for (const each of room === undefined ? [...this.#rooms.keys()] : [room]) {
      clearTimeout(this.#rooms.get(each)?.timer);
      this.#rooms.delete(each);
    }
  }

  async #send(room: RoomId, waiting: Waiting): Promise<void> {
    clearTimeout(waiting.timer);
    waiting.timer = setTimeout(() => {
      waiting.timer = undefined;
      if (waiting.seq > waiting.told && !waiting.sending) void this.#send(room, waiting);
    }, MARK_MS);
    const { seq } = waiting;
    waiting.sending = true;
    const answer = await this.#host.send({ room, seq });
    waiting.sending = false;
    if (this.#rooms.get(room) !== waiting) return;
    if (answer.ok) {
      waiting.told = Math.max(waiting.told, seq);
      this.#host.answered(room, answer.value);
    } else if (answer.failure.reason === 'unreachable') {
      // The next start sends it.
      clearTimeout(waiting.timer);
      waiting.timer = undefined;
      return;
    } else if (!AGAIN.has(answer.failure.reason)) {
      waiting.told = Math.max(waiting.told, seq);
    }
    // The answer took longer than the pause, and there is more to say.
    if (waiting.seq > waiting.told && waiting.timer === undefined) void this.#send(room, waiting);
  }
}

/** Failures after which the same marker is sent again; what was refused otherwise is not asked twice. */
const AGAIN = new Set<string>(['timed_out', 'too_frequent', 'unavailable']);
