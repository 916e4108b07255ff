// Timelines in memory: at most 8 rooms, each a window of its history that pages and live entries grow.

import { localFailure, type Failure, type Outcome } from '../wire/failure';
import {
  LIMITS,
  type Entry,
  type HistoryPage,
  type RoomHistoryParams,
  type RoomId,
  type Seq,
} from '../wire/protocol';
import type { RowsMade } from './rows';
import { covers, EMPTY, lineAt, trimmed, withEntry, withPage, type PagePlace, type Timeline } from './timeline';
import type { EdgeView, TimelineView } from './view';

/** Timelines kept in memory; the one opened longest ago goes first. */
export const WINDOWS_LIMIT = 8;
/** Items of a page. */
export const PAGE = LIMITS.page_default;
/** With more unread than this a room opens around its unread line instead of at the end. */
const UNREAD_AT_END = PAGE - 10;
/** Pause before the page of a timeline that shows what the device kept is asked for again, in milliseconds. */
const AGAIN_MS = 5_000;

/** A timeline and what is under way in it. */
export interface Window {
  timeline: Timeline;
  status: TimelineView['status'];
  failure: Failure | undefined;
  older: EdgeView;
  newer: EdgeView;
  unreadFrom: Seq | undefined;
  unreadCount: number;
  target: Seq | undefined;
  jump: number;
  generation: number;
  reloaded: boolean;
  following: boolean;
  /** Edits and recalls of mine under way. */
  changes: Map<Seq, { text: string | undefined }>;
  /** Rows that were made of it. */
  readonly made: RowsMade;
  /** Rises when the window is replaced: pages asked for before are of no use. */
  epoch: number;
}

/** How the list stands to a room. */
export interface Standing {
  readonly markerSeq: Seq;
  readonly unread: number;
  /** The newest entry applied, and the newest ones in order. */
  readonly applied: Seq;
  readonly recent: readonly Entry[];
}

/** What windows need from their surroundings. */
export interface WindowsHost {
  history(params: RoomHistoryParams): Promise<Outcome<HistoryPage>>;
  connected(): boolean;
  /** Undefined for a room that is not known. */
  standing(room: RoomId): Standing | undefined;
  /** What came after `head` is to be applied once more. */
  rewind(room: RoomId, head: Seq): void;
  cached(room: RoomId): Promise<HistoryPage | undefined>;
  keep(room: RoomId, page: HistoryPage): void;
  /** Show it soon (within the frame), or at once. */
  changed(room: RoomId, atOnce: boolean): void;
}

/** All timelines in memory. */
export class Windows {
  readonly #host: WindowsHost;
  /** Least recently opened first. */
  readonly #windows = new Map<RoomId, Window>();
  #open: RoomId | undefined;

  constructor(host: WindowsHost) {
    this.#host = host;
  }

  get(room: RoomId): Window | undefined {
    return this.#windows.get(room);
  }

  /** Whether a timeline is shown from the server's pages, so that it wants every entry. */
  loaded(room: RoomId): boolean {
    return this.#windows.get(room)?.status === 'ready';
  }

  /** Shows a room, at its unread line or at a seq. */
  open(room: RoomId, at?: Seq): void {
    this.#open = room;
    const standing = this.#host.standing(room);
    const window = this.#windows.get(room) ?? newWindow();
    this.#windows.delete(room);
    this.#windows.set(room, window);
    this.#makeRoom();
    if (standing) placeUnreadLine(window, standing);
    const target = at ?? (window.status === 'ready' && window.unreadCount > 0 ? window.unreadFrom : undefined);
    if (window.status !== 'ready') void this.#first(room, window, at);
    else if (target !== undefined && !reaches(window.timeline, target)) void this.#load(room, window, target);
    if (at !== undefined) aim(window, at);
    this.#host.changed(room, true);
  }

  /** No room is shown. */
  close(): void {
    this.#open = undefined;
  }

  /** Forgets a room, or all. */
  forget(room?: RoomId): void {
    for (const [id, window] of this.#windows) {
      if (room !== undefined && id !== room) continue;
      window.epoch += 1;
      this.#windows.delete(id);
      this.#host.changed(id, true);
    }
    if (room === undefined) this.#open = undefined;
  }

  /** A session was started: what could not be loaded is loaded now. */
  started(): void {
    const window = this.#open === undefined ? undefined : this.#windows.get(this.#open);
    if (this.#open === undefined || !window) return;
    if (!this.#host.standing(this.#open)) {
      window.status = 'error';
      window.failure = localFailure('not_a_member');
      return this.#host.changed(this.#open, false);
    }
    const place = window.target ?? this.#firstPlace(this.#open, window);
    if (window.status !== 'ready') void this.#load(this.#open, window, place);
    if (window.older === 'offline' || window.older === 'error') window.older = 'idle';
    if (window.newer === 'offline' || window.newer === 'error') window.newer = 'idle';
    this.#host.changed(this.#open, false);
  }

  /** The connection is gone for longer than a blip: what has nothing to show says so. */
  lost(): void {
    for (const [room, window] of this.#windows) {
      if (window.status !== 'loading') continue;
      window.status = 'error';
      window.failure = localFailure('unreachable');
      this.#host.changed(room, false);
    }
  }

  /** Entries of the room's stream, in order. */
  applied(room: RoomId, entries: readonly Entry[]): void {
    const window = this.#windows.get(room);
    // What the device kept may end before a hole: it waits for the server's page, which has these.
    if (window?.status !== 'ready') return;
    const timeline = entries.reduce(withEntry, window.timeline);
    if (timeline === window.timeline && window.changes.size === 0) return;
    for (const entry of entries) {
      if (entry.kind === 'edit' || entry.kind === 'recall') window.changes.delete(entry.target);
    }
    window.timeline = trimmed(timeline, window.following);
    this.#host.changed(room, false);
    this.#keep(room, window);
  }

  /** The stream cannot be continued: the open timeline is loaded anew, the others when they are opened. */
  async reload(room: RoomId, told: boolean): Promise<void> {
    const window = this.#windows.get(room);
    if (!window) return;
    if (room !== this.#open) return this.forget(room);
    window.reloaded ||= told;
    // Until the page comes this is what the device knows, not what the server says.
    window.status = 'cached';
    await this.#load(room, window, undefined);
  }

  /** The page before the first row. */
  async older(room: RoomId): Promise<void> {
    const window = this.#windows.get(room);
    const first = window?.timeline.lines[0]?.item.seq;
    if (!window || first === undefined || window.timeline.start || window.older === 'loading') return;
    await this.#edge(room, window, 'older', { room, before: first, limit: PAGE });
  }

  /** The page after the last row. */
  async newer(room: RoomId): Promise<void> {
    const window = this.#windows.get(room);
    const last = window?.timeline.lines.at(-1)?.item.seq;
    if (!window || last === undefined || window.timeline.end || window.newer === 'loading') return;
    await this.#edge(room, window, 'newer', { room, after: last, limit: PAGE });
  }

  /** Goes to a seq, or with none to the end. */
  async jump(room: RoomId, seq: Seq | undefined): Promise<Outcome<void>> {
    const window = this.#windows.get(room);
    if (!window) return { ok: false, failure: localFailure('unknown_room') };
    const here = seq === undefined ? window.timeline.end : reaches(window.timeline, seq);
    if (!here || window.status !== 'ready') {
      const failure = await this.#load(room, window, seq);
      if (failure) return { ok: false, failure };
    }
    aim(window, seq);
    this.#host.changed(room, true);
    return { ok: true, value: undefined };
  }

  /** Shows a change of mine before it is answered. */
  change(room: RoomId, seq: Seq, change: { text: string | undefined }): void {
    this.#windows.get(room)?.changes.set(seq, change);
    this.#host.changed(room, true);
  }

  /** Takes a change back, unless another one of the same message came since. */
  unchange(room: RoomId, seq: Seq, change: { text: string | undefined }): void {
    const changes = this.#windows.get(room)?.changes;
    if (changes?.get(seq) !== change) return;
    changes.delete(seq);
    this.#host.changed(room, true);
  }

  /** Something outside of the timeline that is shown in it has changed by an act of the person here. */
  changedNow(room: RoomId): void {
    this.#host.changed(room, true);
  }

  /** Changes what the view steers. */
  steer(room: RoomId, change: Partial<Pick<Window, 'following' | 'unreadFrom' | 'unreadCount'>>): void {
    const window = this.#windows.get(room);
    if (!window) return;
    Object.assign(window, change);
    if (!('following' in change)) this.#host.changed(room, true);
  }

  /** Something to show at once: what the device kept, while the server is asked. */
  async #first(room: RoomId, window: Window, at: Seq | undefined): Promise<void> {
    window.failure = undefined;
    if (window.status === 'error') window.status = 'loading';
    if (window.status === 'loading') void this.#fromCache(room, window);
    const place = at ?? this.#firstPlace(room, window);
    if (this.#host.connected()) await this.#load(room, window, place);
  }

  async #fromCache(room: RoomId, window: Window): Promise<void> {
    const page = await this.#host.cached(room);
    if (!page || (window.status !== 'loading' && window.status !== 'error')) return;
    if (this.#windows.get(room) !== window || window.timeline.lines.length > 0) return;
    window.timeline = withPage(EMPTY, page, 'replace');
    window.status = 'cached';
    window.failure = undefined;
    this.#host.changed(room, true);
  }

  /** Where a room opens: around its unread line, or (undefined) at its end. */
  #firstPlace(room: RoomId, window: Window): Seq | undefined {
    const standing = this.#host.standing(room);
    if (!standing) return undefined;
    placeUnreadLine(window, standing);
    return window.unreadCount > UNREAD_AT_END ? window.unreadFrom : undefined;
  }

  /** Replaces the window by the page around a seq, or the newest one. Answers what went wrong. */
  async #load(room: RoomId, window: Window, around: Seq | undefined): Promise<Failure | undefined> {
    window.epoch += 1;
    const { epoch } = window;
    const page = await this.#host.history({ room, limit: PAGE, ...(around === undefined ? {} : { around }) });
    if (this.#windows.get(room) !== window || window.epoch !== epoch) return undefined;
    if (!page.ok) {
      const isGone = !this.#host.connected() && page.failure.reason === 'unreachable';
      if (window.timeline.lines.length === 0 && !isGone) {
        window.status = 'error';
        window.failure = page.failure;
      } else if (window.status !== 'ready' && !isGone) {
        setTimeout(() => {
          if (window.epoch === epoch && this.#host.connected()) void this.#load(room, window, around);
        }, AGAIN_MS);
      }
      this.#host.changed(room, false);
      return page.failure;
    }
    this.#merge(room, window, page.value, 'replace');
    window.status = 'ready';
    window.failure = undefined;
    window.older = 'idle';
    window.newer = 'idle';
    window.generation += 1;
    this.#host.changed(room, true);
    this.#keep(room, window);
    return undefined;
  }

  async #edge(room: RoomId, window: Window, side: 'older' | 'newer', params: RoomHistoryParams): Promise<void> {
    if (!this.#host.connected()) {
      window[side] = 'offline';
      return this.#host.changed(room, false);
    }
    const { epoch } = window;
    window[side] = 'loading';
    this.#host.changed(room, false);
    const page = await this.#host.history(params);
    if (this.#windows.get(room) !== window || window.epoch !== epoch) return;
    window[side] = page.ok ? 'idle' : page.failure.reason === 'unreachable' ? 'offline' : 'error';
    if (page.ok) this.#merge(room, window, page.value, side);
    this.#host.changed(room, true);
  }

  #merge(room: RoomId, window: Window, page: HistoryPage, place: PagePlace): void {
    const { recent = [], applied = 0 } = this.#host.standing(room) ?? {};
    const isWhole = covers(recent, page.head, applied);
    const timeline = withPage(window.timeline, page, place, isWhole ? recent : []);
    window.timeline = place === 'replace' ? timeline : trimmed(timeline, place === 'newer');
    if (!isWhole) this.#host.rewind(room, page.head);
  }

  #keep(room: RoomId, window: Window): void {
    const { timeline } = window;
    if (!timeline.end || window.status !== 'ready') return;
    const lines = timeline.lines.slice(-PAGE);
    const start = timeline.start && lines.length === timeline.lines.length;
    this.#host.keep(room, { items: lines.map((line) => line.item), head: timeline.upTo, start, end: true });
  }

  #makeRoom(): void {
    for (const room of this.#windows.keys()) {
      if (this.#windows.size <= WINDOWS_LIMIT) return;
      if (room !== this.#open) this.forget(room);
    }
  }
}

function newWindow(): Window {
  return {
    timeline: EMPTY,
    status: 'loading',
    failure: undefined,
    older: 'idle',
    newer: 'idle',
    unreadFrom: undefined,
    unreadCount: 0,
    target: undefined,
    jump: 0,
    generation: 0,
    reloaded: false,
    following: true,
    changes: new Map(),
    made: new WeakMap(),
    epoch: 0,
  };
}

function placeUnreadLine(window: Window, standing: Standing): void {
  window.unreadFrom = standing.unread > 0 ? standing.markerSeq + 1 : undefined;
  window.unreadCount = standing.unread;
}

function aim(window: Window, seq: Seq | undefined): void {
  window.target = seq;
  window.jump += 1;
}

/** Whether a seq lies inside the window (it may itself be no row). */
function reaches(timeline: Timeline, seq: Seq): boolean {
  if (lineAt(timeline, seq)) return true;
  const first = timeline.lines[0]?.item.seq ?? 0;
  const last = timeline.lines.at(-1)?.item.seq ?? 0;
  return (timeline.start || seq > first) && (timeline.end || seq < last);
}
