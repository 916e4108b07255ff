// Texts that are being written: on this device 300 ms after the last change, on the server after 2 s, so that they
// are there on the next device. The newer text wins; what it replaces is kept as the earlier draft.

import type { Outcome } from '../wire/failure';
import type { Draft, DraftResult, DraftSetParams, RoomId, Seq } from '../wire/protocol';
import { readJson, type Shelf } from '../wire/shelf';

/** How long after the last change a draft is on the device, in milliseconds. */
export const KEEP_MS = 300;
/** How long after the last change it is on the server. */
export const SEND_MS = 2_000;

/** A draft as this device keeps it. */
export interface LocalDraft {
  readonly text: string;
  readonly replyTo: Seq | undefined;
  /** When it was last changed, by the server's clock as far as it is known. */
  readonly at: number;
  readonly earlier: string | undefined;
  /** Rises when it was changed from outside. */
  readonly version: number;
  /** The server has not heard of it yet. */
  readonly dirty: boolean;
}

/** What drafts need from their surroundings. */
export interface DraftsHost {
  readonly shelf: Shelf;
  /** The server's clock as far as it is known. */
  now(): number;
  send(params: DraftSetParams): Promise<Outcome<DraftResult>>;
  changed(room: RoomId, draft: LocalDraft | undefined): void;
  /** The device cannot keep it. */
  notKept(): void;
}

interface Timers {
  keep: ReturnType<typeof setTimeout> | undefined;
  send: ReturnType<typeof setTimeout> | undefined;
}

/** The drafts of one account on this device. */
export class Drafts {
  readonly #host: DraftsHost;
  #prefix = '';
  readonly #drafts = new Map<RoomId, LocalDraft>();
  readonly #timers = new Map<RoomId, Timers>();
  /** The text last given to the server: its echo is not news. */
  readonly #given = new Map<RoomId, string>();

  constructor(host: DraftsHost) {
    this.#host = host;
  }

  /** Takes up what the device keeps for an account. */
  load(account: string): void {
    this.unload();
    this.#prefix = prefixOf(account);
    for (const name of this.#host.shelf.names(this.#prefix)) {
      const draft = readJson<LocalDraft>(this.#host.shelf, name);
      if (typeof draft?.text === 'string') this.#put(name.slice(this.#prefix.length), { ...draft, version: 1 });
    }
  }

  /** Forgets the account; what the device keeps stays, what waits to be kept is kept. */
  unload(): void {
    this.keepNow();
    for (const room of this.#timers.keys()) this.#clear(room);
    this.#timers.clear();
    for (const room of this.#drafts.keys()) this.#put(room, undefined);
    this.#given.clear();
    this.#prefix = '';
  }

  get(room: RoomId): LocalDraft | undefined {
    return this.#drafts.get(room);
  }

  /** What the composer holds now; an empty text without a reply is no draft. */
  set(room: RoomId, text: string, replyTo: Seq | undefined): void {
    const known = this.#drafts.get(room);
    if ((known?.text ?? '') === text && known?.replyTo === replyTo) return;
    const draft: LocalDraft = {
      text,
      replyTo,
      at: this.#host.now(),
      earlier: known?.earlier,
      version: known?.version ?? 0,
      dirty: true,
    };
    this.#put(room, draft);
    const timers = this.#clear(room);
    timers.keep = setTimeout(() => this.#keep(room), KEEP_MS);
    timers.send = setTimeout(() => void this.#give(room), SEND_MS);
  }

  /** The text was sent or given up: the draft is gone, here now and on the server soon. */
  remove(room: RoomId): void {
    if (!this.#drafts.has(room)) return;
    const { version = 0 } = this.#drafts.get(room) ?? {};
    this.#put(room, { text: '', replyTo: undefined, at: this.#host.now(), earlier: undefined, version, dirty: true });
    this.#clear(room);
    this.#keep(room);
    void this.#give(room);
  }

  /** The page goes away: what waits is kept now. */
  keepNow(): void {
    for (const [room, timers] of this.#timers) if (timers.keep !== undefined) this.#keep(room);
  }

  /** The session was started: `drafts` is all that the server has. */
  started(drafts: readonly Draft[]): void {
    const theirs = new Map(drafts.map((draft) => [draft.room, draft]));
    for (const draft of drafts) this.heard(draft);
    for (const [room, mine] of this.#drafts) {
      if (mine.dirty) void this.#give(room);
      else if (!theirs.has(room)) this.#put(room, undefined, true);
    }
  }

  /** A draft of this account, from another device or as an echo of this one. */
  heard(draft: Draft): void {
    const mine = this.#drafts.get(draft.room);
    const same = (mine?.text ?? '') === draft.text && mine?.replyTo === draft.reply_to;
    if (same || this.#given.get(draft.room) === draft.text) {
      if (same && mine) this.#put(draft.room, { ...mine, dirty: false }, true);
      return;
    }
    // Somebody is writing here, or wrote later: this text stays, the other one is kept beside it.
    if (mine && (mine.dirty || mine.at >= draft.at)) {
      if (draft.text !== '') this.#put(draft.room, { ...mine, earlier: draft.text }, true);
      return;
    }
    const earlier = mine && mine.text !== '' && draft.text !== '' ? mine.text : undefined;
    const version = (mine?.version ?? 0) + 1;
    const replyTo = draft.reply_to;
    this.#put(draft.room, { text: draft.text, replyTo, at: draft.at, earlier, version, dirty: false }, true);
  }

  /** All texts, as the server would tell them. */
  all(): Draft[] {
    return [...this.#drafts].map(([room, { text, replyTo, at }]) => ({
      room,
      text,
      at,
      ...(replyTo === undefined ? {} : { reply_to: replyTo }),
    }));
  }

  /** How many texts wait. */
  count(): number {
    return [...this.#drafts.values()].filter((draft) => draft.text !== '').length;
  }

  #put(room: RoomId, draft: LocalDraft | undefined, keep = false): void {
    if (draft) this.#drafts.set(room, draft);
    else this.#drafts.delete(room);
    if (keep) this.#keep(room);
    this.#host.changed(room, draft);
  }

  #keep(room: RoomId): void {
    const timers = this.#timers.get(room);
    if (timers) {
      clearTimeout(timers.keep);
      timers.keep = undefined;
    }
    if (this.#prefix === '') return;
    const draft = this.#drafts.get(room);
    const name = this.#prefix + room;
    // An emptied draft is kept until the server has heard that it is gone.
    if (!draft || (draft.text === '' && !draft.dirty && draft.earlier === undefined)) this.#host.shelf.remove(name);
    else if (!this.#host.shelf.set(name, JSON.stringify(draft))) this.#host.notKept();
  }

  async #give(room: RoomId): Promise<void> {
    const timers = this.#timers.get(room);
    if (timers) timers.send = undefined;
    const draft = this.#drafts.get(room);
    if (!draft?.dirty) return;
    const { text, replyTo } = draft;
    this.#given.set(room, text);
    const answer = await this.#host.send({ room, text, ...(replyTo === undefined ? {} : { reply_to: replyTo }) });
    const now = this.#drafts.get(room);
    if (!now || now.text !== text || now.replyTo !== replyTo) return;
    if (answer.ok) {
      this.#put(room, { ...now, at: answer.value.at, dirty: false }, true);
      return;
    }
    // Without a connection the next start gives it; a refusal (no longer a member) keeps it on this device.
    const { reason, retryAfterMs } = answer.failure;
    if (reason !== 'too_frequent' && reason !== 'unavailable' && reason !== 'timed_out') return;
    const again = this.#timersOf(room);
    clearTimeout(again.send);
    again.send = setTimeout(() => void this.#give(room), Math.max(SEND_MS, retryAfterMs ?? 0));
  }

  #timersOf(room: RoomId): Timers {
    const timers = this.#timers.get(room) ?? { keep: undefined, send: undefined };
    this.#timers.set(room, timers);
    return timers;
  }

  #clear(room: RoomId): Timers {
    const timers = this.#timersOf(room);
    clearTimeout(timers.keep);
    clearTimeout(timers.send);
    timers.keep = undefined;
    timers.send = undefined;
    return timers;
  }
}

/** How many drafts the device keeps of an account. */
export function keptDrafts(shelf: Shelf, account: string): number {
  const drafts = shelf.names(prefixOf(account)).map((name) => readJson<LocalDraft>(shelf, name));
  return drafts.filter((draft) => draft?.text !== undefined && draft.text !== '').length;
}

/** Removes all drafts of an account from the device. */
export function wipeDrafts(shelf: Shelf, account: string): void {
  for (const name of shelf.names(prefixOf(account))) shelf.remove(name);
}

function prefixOf(account: string): string {
  return `hubbub.draft.${account}.`;
}
