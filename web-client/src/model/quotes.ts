// Messages that replies quote: from the timeline where they are in it, else asked for together, and kept up when they
// are edited or recalled.

import type { Outcome } from '../wire/failure';
import {
  LIMITS,
  type Entry,
  type MessageGetParams,
  type MessagesResult,
  type RoomId,
  type Seq,
  type TimelineItem,
} from '../wire/protocol';
import { EMPTY, lineAt, withEntry, type Line, type Timeline } from './timeline';

const GATHER_MS = 20;

/** What quotes need from their surroundings. */
export interface QuotesHost {
  get(params: MessageGetParams): Promise<Outcome<MessagesResult>>;
  /** The timeline of a room in memory. */
  known(room: RoomId): Timeline | undefined;
  put(key: string, item: TimelineItem): void;
}

/** The name of a quote in the store. */
export function quoteKey(room: RoomId, seq: Seq): string {
  return `${room}/${seq}`;
}

/** Quoted messages. */
export class Quotes {
  readonly #host: QuotesHost;
  readonly #shown = new Map<string, Line>();
  readonly #wanted = new Map<RoomId, Set<Seq>>();
  readonly #asked = new Set<string>();
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(host: QuotesHost) {
    this.#host = host;
  }

  /** A quote is to be shown that the store does not have. */
  want(room: RoomId, seq: Seq): void {
    const key = quoteKey(room, seq);
    if (this.#shown.has(key) || this.#asked.has(key)) return;
    this.#asked.add(key);
    const seqs = this.#wanted.get(room) ?? new Set();
    this.#wanted.set(room, seqs.add(seq));
    this.#timer ??= setTimeout(() => void this.#ask(), GATHER_MS);
  }

  /** Entries of a room came: quotes follow their messages. */
  applied(room: RoomId, entries: readonly Entry[]): void {
    for (const entry of entries) {
      if (entry.kind !== 'edit' && entry.kind !== 'recall') continue;
      const line = this.#shown.get(quoteKey(room, entry.target));
      const [changed] = line ? withEntry({ ...EMPTY, lines: [line] }, entry).lines : [];
      if (changed && changed !== line) this.#show(room, changed);
    }
  }

  /** A session was started: what could not be asked for is asked for now, what is shown may have changed. */
  started(): void {
    for (const key of this.#shown.keys()) {
      const [room = '', seq] = key.split('/');
      this.#wanted.set(room, (this.#wanted.get(room) ?? new Set()).add(Number(seq)));
    }
    if (this.#wanted.size > 0) this.#timer ??= setTimeout(() => void this.#ask(), GATHER_MS);
  }

  /** Forgets everything. */
  clear(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#shown.clear();
    this.#wanted.clear();
    this.#asked.clear();
  }

  async #ask(): Promise<void> {
    this.#timer = undefined;
    const wanted = [...this.#wanted];
    this.#wanted.clear();
    for (const [room, seqs] of wanted) {
      const missing = [...seqs].filter((seq) => !this.#fromTimeline(room, seq));
      for (let at = 0; at < missing.length; at += LIMITS.users_per_command) {
        await this.#fetch(room, missing.slice(at, at + LIMITS.users_per_command));
      }
    }
  }

  #fromTimeline(room: RoomId, seq: Seq): boolean {
    const timeline = this.#host.known(room);
    const line = timeline && lineAt(timeline, seq);
    if (line) this.#show(room, line);
    return line !== undefined;
  }

  async #fetch(room: RoomId, seqs: Seq[]): Promise<void> {
    const answer = await this.#host.get({ room, seqs });
    if (!answer.ok) {
      // Asked again when the next session starts.
      const again = this.#wanted.get(room) ?? new Set();
      for (const seq of seqs) again.add(seq);
      this.#wanted.set(room, again);
      return;
    }
    for (const item of answer.value.messages) {
      const known = this.#shown.get(quoteKey(room, item.seq));
      // An entry that came while the answer was under way may be newer than it; the recall of a message always is.
      if (!known?.item.recalled) this.#show(room, { item, upTo: known?.upTo ?? item.seq });
    }
  }

  #show(room: RoomId, line: Line): void {
    const key = quoteKey(room, line.item.seq);
    this.#shown.set(key, line);
    this.#host.put(key, line.item);
  }
}
