// Messages that are not sent yet. Each is stored on the device before it is shown, goes out in the order of its room,
// one at a time, and under the same key until the server has said yes or no, over lost connections, reloads and
// displacement. Only the tab that leads sends; the others show what it tells.

import type { Failure, Outcome } from '../wire/failure';
import type { MessageSendParams, RoomId, Seq, Sent } from '../wire/protocol';
import { readJson, type Shelf } from '../wire/shelf';

/** First and longest pause before something that found the server busy is sent again. */
const AGAIN_LEAST_MS = 1_000;
const AGAIN_MOST_MS = 30_000;

/** A message that is not sent yet. */
export interface Unsent {
  readonly key: string;
  readonly room: RoomId;
  readonly text: string;
  readonly replyTo: Seq | undefined;
  /** When Enter was pressed. */
  readonly at: number;
  /** Its place among the others, rising. */
  readonly order: number;
  /** `sent`: acknowledged, but its entry has not come yet. */
  readonly state: 'queued' | 'sending' | 'waiting' | 'delayed' | 'refused' | 'sent';
  /** When it began to be sent. */
  readonly since: number;
  /** When it goes by itself, while `delayed`. */
  readonly goesAt: number;
  readonly failure: Failure | undefined;
  readonly seq: Seq | undefined;
  readonly sentAt: number | undefined;
  /** Tries that the server was too busy for. */
  readonly tries: number;
}

/** What an outbox needs from its surroundings. */
export interface OutboxHost {
  readonly shelf: Shelf;
  newKey(): string;
  /** Sends; `unreachable` at once without a connection. */
  send(params: MessageSendParams): Promise<Outcome<Sent>>;
  /** Whether this is the tab that sends. */
  leads(): boolean;
  /** Whether a session is started. */
  connected(): boolean;
  /** Whether the room's newest entries are on screen, so that an acknowledged message is kept until its entry comes. */
  shows(room: RoomId, seq: Seq): boolean;
  changed(room: RoomId): void;
  /** For the other tabs: added, changed or (undefined) gone. */
  tell(key: string, item: Unsent | undefined): void;
}

/** The unsent messages of one account on this device. */
export class Outbox {
  readonly #host: OutboxHost;
  #prefix = '';
  readonly #items = new Map<string, Unsent>();
  readonly #timers = new Map<string, ReturnType<typeof setTimeout>>();
  #lastOrder = 0;

  constructor(host: OutboxHost) {
    this.#host = host;
  }

  /** Takes up what the device keeps for an account, also what another tab added. Nothing in flight is disturbed. */
  load(account: string): void {
    const prefix = prefixOf(account);
    if (this.#prefix !== prefix) this.unload();
    this.#prefix = prefix;
    for (const item of kept(this.#host.shelf, account)) {
      this.#lastOrder = Math.max(this.#lastOrder, item.order);
      const known = this.#items.get(item.key);
      if (!known) this.#items.set(item.key, item);
    }
    this.pump();
  }

  /** Forgets the account; what the device keeps stays. */
  unload(): void {
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
    const rooms = new Set([...this.#items.values()].map((item) => item.room));
    this.#items.clear();
    this.#prefix = '';
    for (const room of rooms) this.#host.changed(room);
  }

  /** Stores a message, then shows it, then sends it. Undefined when the device cannot keep it. */
  add(room: RoomId, text: string, replyTo: Seq | undefined): Unsent | undefined {
    const at = Date.now();
    this.#lastOrder = Math.max(at, this.#lastOrder + 1);
    const state = this.#host.connected() ? 'queued' : 'waiting';
    const item: Unsent = { ...fresh, key: this.#host.newKey(), room, text, replyTo, at, order: this.#lastOrder, state };
    const isKept = this.#store(item);
    this.#items.set(item.key, item);
    this.#host.tell(item.key, item);
    this.#host.changed(room);
    this.pump(room);
    return isKept ? item : undefined;
  }

  /** Sends a refused message once more, under its key. */
  retry(key: string): void {
    const item = this.#items.get(key);
    if (item?.state !== 'refused') return;
    const again: Unsent = { ...item, state: 'queued', failure: undefined, tries: 0 };
    this.#store(again);
    this.#put(again);
    this.pump(item.room);
  }

  /** Takes a message off the device. One that is being sent right now may still arrive. */
  discard(key: string): Unsent | undefined {
    const item = this.#items.get(key);
    if (!item) return undefined;
    this.#drop(item);
    this.#host.tell(key, undefined);
    this.pump(item.room);
    return item;
  }

  /** An entry of mine with this key came: it is committed, whatever became of the answer. */
  committed(key: string): void {
    const item = this.#items.get(key);
    if (!item) return;
    this.#drop(item);
    this.pump(item.room);
  }

  /** The room's timeline has everything up to `upTo`: acknowledged messages up to there are in it. */
  seen(room: RoomId, upTo: Seq): void {
    for (const item of this.of(room)) if (item.state === 'sent' && (item.seq ?? 0) <= upTo) this.#forget(item);
  }

  /** Another tab added, changed or removed a message. */
  told(key: string, item: Unsent | undefined): void {
    const known = this.#items.get(key);
    if (!item) {
      if (known) this.#forget(known);
      return;
    }
    // The tab that sends knows best, but for a message it has not seen, and for [Try again].
    const news = !known || (known.state === 'refused' && item.state === 'queued');
    if (this.#host.leads() && !news) return;
    this.#items.set(key, item);
    this.#lastOrder = Math.max(this.#lastOrder, item.order);
    this.#host.changed(item.room);
    this.pump(item.room);
  }

  /** The unsent messages of a room, in order. */
  of(room: RoomId): Unsent[] {
    return [...this.#items.values()].filter((item) => item.room === room).toSorted((a, b) => a.order - b.order);
  }

  /** Those that wait to be sent, and those that were refused. */
  counts(): { waiting: number; refused: number } {
    const items = [...this.#items.values()];
    const refused = items.filter((item) => item.state === 'refused').length;
    return { refused, waiting: items.filter((item) => item.state !== 'sent').length - refused };
  }

  /** The same by room. */
  countsByRoom(): Map<RoomId, { waiting: number; refused: number }> {
    const counts = new Map<RoomId, { waiting: number; refused: number }>();
    for (const item of this.#items.values()) {
      const count = counts.get(item.room) ?? { waiting: 0, refused: 0 };
      if (item.state === 'refused') count.refused += 1;
      else if (item.state !== 'sent') count.waiting += 1;
      counts.set(item.room, count);
    }
    return counts;
  }

  /** The connection is gone: what was under way waits. */
  lost(): void {
    if (!this.#host.leads()) return;
    for (const item of this.#items.values()) {
      // What the server was too busy for goes at once on the next connection.
      if (item.state === 'waiting') this.#clear(item.key);
      if (item.state === 'queued' || item.state === 'sending') this.#put({ ...item, state: 'waiting' });
    }
  }

  /** Sends what may go, in one room or all. */
  pump(room?: RoomId): void {
    if (!this.#host.leads() || !this.#host.connected()) return;
    const rooms = room === undefined ? new Set([...this.#items.values()].map((item) => item.room)) : [room];
    for (const each of rooms) {
      const [first, ...behind] = this.of(each).filter((item) => item.state !== 'refused' && item.state !== 'sent');
      if (!first) continue;
      for (const item of behind) if (item.state === 'waiting') this.#put({ ...item, state: 'queued' });
      const free = first.state === 'queued' || first.state === 'waiting';
      if (free && !this.#timers.has(first.key)) void this.#send(first);
    }
  }

  async #send(item: Unsent): Promise<void> {
    const sending: Unsent = { ...item, state: 'sending', since: Date.now() };
    this.#put(sending);
    const { room, key, text, replyTo } = item;
    const answer = await this.#host.send({ room, key, text, ...(replyTo === undefined ? {} : { reply_to: replyTo }) });
    const now = this.#items.get(key);
    // Discarded, or committed already; or the connection went, came back, and it is under way anew.
    if (!now || (now.state === 'sending' && now.since !== sending.since)) return;
    if (now.state === 'refused' || now.state === 'sent') return;
    if (answer.ok) this.#acknowledged(now, answer.value);
    else this.#notSent(now, answer.failure);
    this.pump(room);
  }

  #acknowledged(item: Unsent, sent: Sent): void {
    this.#host.shelf.remove(this.#prefix + item.key);
    if (this.#host.shows(item.room, sent.seq)) {
      this.#put({ ...item, state: 'sent', seq: sent.seq, sentAt: sent.at, failure: undefined });
    } else {
      this.#forget(item);
      this.#host.tell(item.key, undefined);
    }
  }

  #notSent(item: Unsent, failure: Failure): void {
    switch (failure.reason) {
      case 'unreachable':
      case 'unauthenticated':
      case 'session_ended':
        return this.#put({ ...item, state: 'waiting' });
      case 'timed_out':
      case 'unavailable':
      case 'internal': {
        const pauseMs = Math.min(AGAIN_MOST_MS, AGAIN_LEAST_MS * 2 ** item.tries);
        this.#put({ ...item, state: 'waiting', tries: item.tries + 1, failure: undefined });
        return this.#later(item.key, failure.retryAfterMs ?? pauseMs);
      }
      case 'too_frequent': {
        const pauseMs = failure.retryAfterMs ?? AGAIN_LEAST_MS;
        this.#put({ ...item, state: 'delayed', goesAt: Date.now() + pauseMs });
        return this.#later(item.key, pauseMs);
      }
      default: {
        const refused: Unsent = { ...item, state: 'refused', failure };
        this.#store(refused);
        return this.#put(refused);
      }
    }
  }

  #later(key: string, pauseMs: number): void {
    this.#clear(key);
    const go = (): void => {
      this.#timers.delete(key);
      const item = this.#items.get(key);
      if (!item) return;
      if (item.state === 'delayed') this.#put({ ...item, state: this.#host.connected() ? 'queued' : 'waiting' });
      this.pump(item.room);
    };
    this.#timers.set(key, setTimeout(go, pauseMs));
  }

  #clear(key: string): void {
    clearTimeout(this.#timers.get(key));
    this.#timers.delete(key);
  }

  #put(item: Unsent): void {
    this.#items.set(item.key, item);
    this.#host.tell(item.key, item);
    this.#host.changed(item.room);
  }

  #drop(item: Unsent): void {
    this.#host.shelf.remove(this.#prefix + item.key);
    this.#forget(item);
  }

  #forget(item: Unsent): void {
    this.#clear(item.key);
    this.#items.delete(item.key);
    this.#host.changed(item.room);
  }

  #store(item: Unsent): boolean {
    const { key, room, text, replyTo, at, order, failure } = item;
    return this.#host.shelf.set(this.#prefix + key, JSON.stringify({ key, room, text, replyTo, at, order, failure }));
  }
}

/** What the device keeps of an account's unsent messages, in order. */
export function kept(shelf: Shelf, account: string): Unsent[] {
  const items: Unsent[] = [];
  for (const name of shelf.names(prefixOf(account))) {
    const item = readJson<Partial<Unsent>>(shelf, name);
    if (typeof item?.key !== 'string' || typeof item.room !== 'string' || typeof item.text !== 'string') continue;
    const { key, room, text, replyTo, failure } = item;
    const state = failure ? 'refused' : 'waiting';
    items.push({ ...fresh, key, room, text, replyTo, at: item.at ?? 0, order: item.order ?? 0, failure, state });
  }
  return items.toSorted((a, b) => a.order - b.order);
}

/** Removes all of an account's unsent messages from the device. */
export function wipeUnsent(shelf: Shelf, account: string): void {
  for (const name of shelf.names(prefixOf(account))) shelf.remove(name);
}

const fresh = {
  state: 'queued',
  replyTo: undefined,
  since: 0,
  goesAt: 0,
  failure: undefined,
  seq: undefined,
  sentAt: undefined,
  tries: 0,
} as const;

function prefixOf(account: string): string {
  return `hubbub.unsent.${account}.`;
}
