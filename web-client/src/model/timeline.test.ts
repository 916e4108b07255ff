// Any arrival of the same log, on any road, draws one timeline.

import { describe, expect, test } from 'vitest';
import { fold } from '../testing/server';
import type { Entry, HistoryPage, Seq } from '../wire/protocol';
import { intakeAfter, take, type Intake } from './intake';
import { covers, EMPTY, lineAt, trimmed, unreadAfter, withEntry, withPage, type Timeline } from './timeline';

/** Random numbers that are the same in each run of the same seed. */
function dice(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state * 1_664_525 + 1_013_904_223) % 4_294_967_296;
    return Math.floor((state / 4_294_967_296) * below);
  };
}

/** A log of a room: messages, joins, edits and recalls of earlier ones, and a kind from the future. */
function randomLog(roll: (below: number) => number, length: number): Entry[] {
  const log: Entry[] = [];
  for (let seq = 1; seq <= length; seq += 1) {
    const base = { stream: 'room:r', seq, id: `e${seq}`, at: seq * 10, sender: `u${roll(3)}` } as const;
    const target = 1 + roll(seq);
    const user = { id: base.sender, username: base.sender, display_name: base.sender };
    const bodies = [
      { kind: 'message', text: `text ${seq}` },
      { kind: 'message', text: `text ${seq}` },
      { kind: 'edit', target, text: `edited at ${seq}` },
      { kind: 'recall', target },
      { kind: 'member_joined', user },
      { kind: 'poll_opened' },
    ] as Entry[];
    log.push({ ...base, ...(seq === 1 ? { kind: 'message', text: 'first' } : bodies[roll(bodies.length)]) } as Entry);
  }
  return log;
}

function pageOf(log: readonly Entry[], head: Seq, from: number, size: number): HistoryPage {
  const items = fold(log.slice(0, head)).filter((item) => (item.kind as string) !== 'poll_opened');
  const first = Math.max(0, Math.min(from, items.length - 1));
  const page = items.slice(first, first + size);
  return { items: page, head, start: first === 0, end: first + page.length >= items.length };
}

function shuffled<T>(roll: (below: number) => number, values: readonly T[]): T[] {
  const out = [...values];
  for (let at = out.length - 1; at > 0; at -= 1) {
    const other = roll(at + 1);
    [out[at], out[other]] = [out[other] as T, out[at] as T];
  }
  return out;
}

function shown(timeline: Timeline): unknown[] {
  return timeline.lines.map(({ item }) => ({
    seq: item.seq,
    text: item.kind === 'message' ? item.text : item.kind,
    recalled: item.recalled?.at,
    edited: item.recalled ? undefined : item.edited_at,
  }));
}

function whole(log: readonly Entry[]): unknown[] {
  return shown(withPage(EMPTY, pageOf(log, log.length, 0, 1_000), 'replace'));
}

describe('one log draws one timeline', () => {
  test.each(Array.from({ length: 200 }, (_, seed) => seed))('whatever comes first (seed %i)', (seed) => {
    const roll = dice(seed);
    const log = randomLog(roll, 20 + roll(60));
    // The window opens with the newest page at some moment; entries come live, out of order and repeated.
    const opened = 1 + roll(log.length);
    let readAt = opened;
    const size = 5 + roll(10);
    let intake: Intake = intakeAfter(roll(opened + 1));
    let recent: Entry[] = [];
    let timeline: Timeline = EMPTY;
    const arrive = (entry: Entry): void => {
      const taken = take(intake, entry);
      intake = taken.intake;
      recent = [...recent, ...taken.ready];
      timeline = taken.ready.reduce(withEntry, timeline);
    };
    const stray = log.slice(intake.next - 1);
    const arrivals = shuffled(roll, [...stray, ...stray.filter(() => roll(3) === 0)]);
    const pageAt = roll(arrivals.length + 1);
    for (const [index, entry] of arrivals.entries()) {
      if (index === pageAt) timeline = openedBy(Math.max(opened, intake.next - 1));
      arrive(entry);
    }
    if (pageAt >= arrivals.length) timeline = openedBy(log.length);

    function openedBy(head: Seq): Timeline {
      readAt = head;
      const items = fold(log.slice(0, head)).length;
      const page = pageOf(log, head, Math.max(0, items - size), 1_000);
      expect(covers(recent, page.head, intake.next - 1)).toBe(true);
      return withPage(timeline, page, 'replace', recent);
    }

    expect(intake.next).toBe(log.length + 1);
    expect(intake.held.size).toBe(0);
    expect(timeline.end).toBe(true);
    const expected = whole(log);
    expect(shown(timeline)).toEqual(expected.slice(expected.length - timeline.lines.length));
    // Older pages, each read at any later moment than the window was opened.
    while (!timeline.start) {
      const before = timeline.lines[0]?.item.seq ?? 0;
      const head = readAt + roll(log.length - readAt + 1);
      const all = fold(log.slice(0, head)).filter((item) => (item.kind as string) !== 'poll_opened');
      const end = all.filter((item) => item.seq < before).length;
      const first = Math.max(0, end - size);
      const page = { items: all.slice(first, end), head, start: first === 0, end: false };
      timeline = withPage(timeline, page, 'older', log.slice(readAt));
    }
    expect(shown(timeline)).toEqual(expected);
  });

  test('a window up in the history grows to the end', () => {
    const roll = dice(7);
    const log = randomLog(roll, 80);
    let timeline = withPage(EMPTY, pageOf(log, 60, 10, 12), 'replace');
    for (const entry of log.slice(60, 70)) timeline = withEntry(timeline, entry);
    expect(timeline.end).toBe(false);
    for (let guard = 0; guard < 20 && !timeline.end; guard += 1) {
      const last = timeline.lines.at(-1)?.item.seq ?? 0;
      const from = fold(log).filter((item) => (item.kind as string) !== 'poll_opened' && item.seq <= last).length;
      timeline = withPage(timeline, pageOf(log, 80, from, 12), 'newer');
    }
    const expected = whole(log);
    expect(shown(timeline)).toEqual(expected.slice(-timeline.lines.length));
  });
});

test('nothing is shown before what comes before it', () => {
  const log = randomLog(dice(3), 9);
  let intake = intakeAfter(4);
  for (const seq of [6, 8, 9, 6]) {
    const taken = take(intake, log[seq - 1] as Entry);
    expect(taken.ready).toEqual([]);
    intake = taken.intake;
  }
  const five = take(intake, log[4] as Entry);
  expect(five.ready.map(({ seq }) => seq)).toEqual([5, 6]);
  const seven = take(five.intake, log[6] as Entry);
  expect(seven.ready.map(({ seq }) => seq)).toEqual([7, 8, 9]);
  expect(take(seven.intake, log[2] as Entry).ready).toEqual([]);
});

test('what waits behind a hole is bounded', () => {
  let intake = intakeAfter(0);
  for (let seq = 2; seq < 5_000; seq += 1) intake = take(intake, { seq } as Entry).intake;
  expect(intake.held.size).toBe(500);
});

test('an edit that a page has already does not come back over a later one', () => {
  const say: Entry = { stream: 'room:r', seq: 1, id: 'a', at: 1, sender: 'u', kind: 'message', text: 'one' };
  const edit = (seq: Seq, text: string): Entry => ({ ...say, seq, id: `e${seq}`, at: seq, kind: 'edit', target: 1, text });
  const page: HistoryPage = { items: [{ ...say, text: 'three', edited_at: 3 }], head: 3, start: true, end: true };
  const timeline = withEntry(withPage(EMPTY, page, 'replace'), edit(2, 'two'));
  expect(lineAt(timeline, 1)?.item).toMatchObject({ text: 'three' });
  expect(lineAt(withEntry(timeline, edit(4, 'four')), 1)?.item).toMatchObject({ text: 'four', edited_at: 4 });
});

test('a recalled message keeps its seq and never gets a text again', () => {
  const say: Entry = { stream: 'room:r', seq: 1, id: 'a', at: 1, sender: 'u', kind: 'message', text: 'secret' };
  let timeline = withEntry({ ...EMPTY, start: true, end: true }, say);
  timeline = withEntry(timeline, { ...say, seq: 2, id: 'b', at: 2, sender: 'w', kind: 'recall', target: 1 });
  timeline = withEntry(timeline, { ...say, seq: 3, id: 'c', at: 3, kind: 'edit', target: 1, text: 'again' });
  expect(lineAt(timeline, 1)?.item).toMatchObject({ text: '', recalled: { by: 'w', at: 2 } });
});

test('a timeline is cut at the end that the reader is not at', () => {
  const items = Array.from({ length: 40 }, (_, index) => ({ seq: index + 1, kind: 'message' }) as Entry);
  const timeline = withPage(EMPTY, { items, head: 40, start: true, end: true }, 'replace');
  const following = trimmed(timeline, true, 30);
  expect([following.lines[0]?.item.seq, following.lines.at(-1)?.item.seq]).toEqual([11, 40]);
  expect([following.start, following.end]).toEqual([false, true]);
  const reading = trimmed(timeline, false, 30);
  expect([reading.lines[0]?.item.seq, reading.lines.at(-1)?.item.seq]).toEqual([1, 30]);
  expect([reading.start, reading.end]).toEqual([true, false]);
  expect(trimmed(timeline, true, 39), 'not for each entry').toBe(timeline);
});

test('unread messages are counted where the window tells', () => {
  const log: Entry[] = ['ann', 'bea', 'ann', 'bea'].map((sender, index) => ({
    stream: 'room:r',
    seq: index + 1,
    id: `${index}`,
    at: 1,
    sender,
    kind: 'message',
    text: '',
  }));
  const timeline = withPage(EMPTY, { items: log, head: 4, start: true, end: true }, 'replace');
  expect(unreadAfter(timeline, 0, 'ann')).toBe(2);
  expect(unreadAfter(timeline, 2, 'ann')).toBe(1);
  expect(unreadAfter(timeline, 4, 'ann')).toBe(0);
  expect(unreadAfter({ ...timeline, end: false }, 0, 'ann')).toBeUndefined();
  expect(unreadAfter({ ...timeline, start: false, lines: timeline.lines.slice(2) }, 0, 'ann')).toBeUndefined();
});
