// A window of a room's history as plain data, and the functions that take in what arrives: live entries and history
// pages, on any road, in any order, repeated or not. One log draws one timeline.

import type { Entry, EntryBody, HistoryPage, Recalled, Seq, TimelineItem } from '../wire/protocol';

/** Rows kept in memory for one room. */
export const TIMELINE_LIMIT = 1_500;
/** How far a timeline may pass its limit before it is cut, so that it is not cut for each entry. */
const TIMELINE_SLACK = 100;
/** Entries kept of a room to bring a page up to date that was read before they came. */
export const RECENT_LIMIT = 100;

/** One line of a timeline. `upTo`: the newest entry of the stream that may have changed it and is folded in. */
export interface Line {
  readonly item: TimelineItem;
  readonly upTo: Seq;
}

/** A window of a room's history. */
export interface Timeline {
  /** Ascending, each seq once. */
  readonly lines: readonly Line[];
  /** Nothing older exists. */
  readonly start: boolean;
  /** The window reaches the newest entry, and live ones are added to it. */
  readonly end: boolean;
  /** While `end`: every entry up to here is in it. */
  readonly upTo: Seq;
}

/** A timeline of which nothing is known. */
export const EMPTY: Timeline = { lines: [], start: false, end: false, upTo: 0 };

const SHOWN = new Set<EntryBody['kind']>([
  'message',
  'room_created',
  'room_updated',
  'member_joined',
  'member_added',
  'member_left',
  'member_removed',
  'role_changed',
]);

/** Takes in a live entry of the room's stream. */
export function withEntry(timeline: Timeline, entry: Entry): Timeline {
  if (entry.kind === 'edit' || entry.kind === 'recall') return folded(timeline, entry);
  // A window that does not reach the end will load it later; one that does has everything up to `upTo`.
  if (!timeline.end || entry.seq <= timeline.upTo) return timeline;
  if (!SHOWN.has(entry.kind)) return { ...timeline, upTo: entry.seq };
  return { ...timeline, lines: [...timeline.lines, { item: entry, upTo: entry.seq }], upTo: entry.seq };
}

/** Where a page of history goes. */
export type PagePlace = 'replace' | 'older' | 'newer';

/**
 * Takes in a page of history. `recent` are entries that were applied lately, ascending: those above the page's `head`
 * came after it was read and are applied to it.
 */
export function withPage(
  timeline: Timeline,
  page: HistoryPage,
  place: PagePlace,
  recent: readonly Entry[] = [],
): Timeline {
  const fresh: Timeline = {
    lines: page.items.filter((item) => SHOWN.has(item.kind)).map((item) => ({ item, upTo: page.head })),
    start: page.start,
    end: page.end,
    upTo: page.end ? page.head : 0,
  };
  const current = recent.reduce((known, entry) => (entry.seq > page.head ? withEntry(known, entry) : known), fresh);
  if (place === 'replace') return current;
  const lines = merged(timeline.lines, current.lines);
  return place === 'older'
    ? { ...timeline, lines, start: timeline.start || page.start }
    : { lines, start: timeline.start, end: timeline.end || current.end, upTo: Math.max(timeline.upTo, current.upTo) };
}

/** Cuts a timeline to its limit: old rows go while the reader is at the end, new ones while they read further up. */
export function trimmed(timeline: Timeline, following: boolean, limit = TIMELINE_LIMIT): Timeline {
  const extra = timeline.lines.length - limit;
  if (extra <= Math.min(TIMELINE_SLACK, limit / 10)) return timeline;
  return following
    ? { ...timeline, lines: timeline.lines.slice(extra), start: false }
    : { ...timeline, lines: timeline.lines.slice(0, limit), end: false, upTo: 0 };
}

/** The line of a seq, by halving. */
export function lineAt(timeline: Timeline, seq: Seq): Line | undefined {
  const line = timeline.lines[indexOf(timeline.lines, seq)];
  return line?.item.seq === seq ? line : undefined;
}

/** Messages after a seq that are not of `me`; undefined when the window does not tell. */
export function unreadAfter(timeline: Timeline, seq: Seq, me: string): number | undefined {
  const first = timeline.lines[0]?.item.seq;
  if (!timeline.end || (!timeline.start && (first === undefined || first > seq + 1))) return undefined;
  let count = 0;
  for (let index = timeline.lines.length - 1; index >= 0; index -= 1) {
    const item = timeline.lines[index]?.item;
    if (!item || item.seq <= seq) break;
    if (item.kind === 'message' && item.sender !== me) count += 1;
  }
  return count;
}

/** Whether `recent` (ascending, dense) holds every entry above `head` up to the newest applied one. */
export function covers(recent: readonly Entry[], head: Seq, applied: Seq): boolean {
  return applied <= head || (recent[0] !== undefined && recent[0].seq <= head + 1);
}

function folded(timeline: Timeline, entry: Entry & { kind: 'edit' | 'recall' }): Timeline {
  const upTo = timeline.end ? Math.max(timeline.upTo, entry.seq) : timeline.upTo;
  const index = indexOf(timeline.lines, entry.target);
  const line = timeline.lines[index];
  if (!line || line.item.seq !== entry.target || line.upTo >= entry.seq) return { ...timeline, upTo };
  const item = entry.kind === 'edit' ? edited(line.item, entry.text, entry.at) : recalled(line.item, entry);
  return { ...timeline, lines: timeline.lines.with(index, { item, upTo: entry.seq }), upTo };
}

function edited(item: TimelineItem, text: string, at: number): TimelineItem {
  if (item.kind !== 'message' || item.recalled) return item;
  return { ...item, text, edited_at: at };
}

function recalled(item: TimelineItem, entry: Entry): TimelineItem {
  if (item.kind !== 'message') return item;
  const by: Recalled = { by: entry.sender, at: entry.at };
  return { ...item, text: '', recalled: by };
}

/** Two ascending runs as one; of the same seq the line that has more folded in. */
function merged(left: readonly Line[], right: readonly Line[]): readonly Line[] {
  if (left.length === 0) return right;
  if (right.length === 0) return left;
  const lines: Line[] = [];
  let [l, r] = [0, 0];
  for (;;) {
    const a = left[l];
    const b = right[r];
    if (!a && !b) return lines;
    if (a && (!b || a.item.seq < b.item.seq)) {
      lines.push(a);
      l += 1;
    } else if (b && (!a || b.item.seq < a.item.seq)) {
      lines.push(b);
      r += 1;
    } else if (a && b) {
      lines.push(a.upTo >= b.upTo ? a : b);
      l += 1;
      r += 1;
    }
  }
}

/** The index of the first line at or above a seq. */
export function indexOf(lines: readonly Line[], seq: Seq): number {
  let [low, high] = [0, lines.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((lines[middle]?.item.seq ?? 0) < seq) low = middle + 1;
    else high = middle;
  }
  return low;
}
