import { describe, expect, test } from 'vitest';
import type { Row } from '../../model';
import { linesOf, type Line, type Window } from './lines';

const noon = new Date(2025, 10, 20, 12, 0).getTime();
const minute = 60_000;

function row(seq: number, sender: string, at: number, rest: Partial<Row> = {}): Row {
  const plain = { kind: 'message', mine: false, text: 'text', replyTo: undefined, mention: false, editedAt: undefined } as const;
  return { id: `r${seq}`, seq, sender, at, recalled: undefined, send: undefined, saving: false, entry: undefined, ...plain, ...rest };
}

function shown(rows: readonly Row[], rest: Partial<Window> = {}): string[] {
  const all = linesOf({ rows, start: false, end: true, reloaded: false, unreadFrom: undefined, ...rest });
  return all.map((line) => (line.type === 'message' ? `${line.id}${line.first ? ' first' : ''}` : line.type));
}

describe('the lines of a timeline', () => {
  test('messages of one person within five minutes are a group', () => {
    const rows = [row(1, 'a', noon), row(2, 'a', noon + 5 * minute), row(3, 'a', noon + 10 * minute + 1), row(4, 'b', noon + 11 * minute)];
    expect(shown(rows)).toEqual(['day', 'r1 first', 'r2', 'r3 first', 'r4 first']);
  });

  test('a reply, a system line, the unread line and midnight begin a group', () => {
    const midnight = new Date(2025, 10, 21).getTime();
    const rows = [
      row(1, 'a', noon),
      row(2, 'a', noon, { replyTo: 1 }),
      row(3, 'a', noon, { kind: 'member_joined' }),
      row(4, 'a', noon),
      row(5, 'a', noon),
      row(6, 'a', midnight - minute),
      row(7, 'a', midnight + minute),
    ];
    expect(shown(rows, { unreadFrom: 5 })).toEqual(['day', 'r1 first', 'r2 first', 'system', 'r4 first', 'new', 'r5 first', 'r6 first', 'day', 'r7 first']);
  });

  test('the unread line stands above the first row after its place', () => {
    expect(shown([row(1, 'a', noon), row(4, 'b', noon)], { unreadFrom: 3 })).toEqual(['day', 'r1 first', 'new', 'r4 first']);
    expect(shown([row(1, 'a', noon)], { unreadFrom: 3 })).toEqual(['day', 'r1 first']);
  });

  test('several recalled messages in a row fold to one line, one alone stays in its group', () => {
    const recalled = { by: 'a', at: noon };
    const rows = [row(1, 'a', noon), row(2, 'a', noon, { recalled }), row(3, 'a', noon), row(4, 'a', noon, { recalled }), row(5, 'b', noon, { recalled }), row(6, 'b', noon, { recalled })];
    const all = linesOf({ rows, start: true, end: true, reloaded: true, unreadFrom: undefined });
    expect(all.map(({ id, type }) => `${id} ${type}`)).toEqual(['start start', expect.stringMatching(/^day:/), 'r1 message', 'r2 message', 'r3 message', 'r4 gone', 'reloaded reloaded']);
    expect(all.find((line) => line.type === 'gone')).toMatchObject({ count: 3 });
  });

  test('lines that did not change are the same objects, so that nothing is drawn again', () => {
    const rows = [row(1, 'a', noon), row(2, 'a', noon)];
    const window: Window = { rows, start: true, end: true, reloaded: false, unreadFrom: undefined };
    const before = linesOf(window);
    const known = new Map<string, Line>(before.map((line) => [line.id, line]));
    const after = linesOf({ ...window, rows: [...rows, row(3, 'a', noon)] }, known);
    expect(after.slice(0, -1).every((line, index) => line === before[index])).toBe(true);
  });

  test('a row that is there twice is drawn once', () => {
    expect(shown([row(1, 'a', noon), row(1, 'a', noon)])).toEqual(['day', 'r1 first']);
  });
});
