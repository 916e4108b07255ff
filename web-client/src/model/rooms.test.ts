// What the list shows of a room.

import { describe, expect, test } from 'vitest';
import type { Entry, Room } from '../wire/protocol';
import { mentions, summaryOf, withMarker, withRoomEntry } from './rooms';

describe('rooms', () => {
  const room: Room = {
    id: 'tea',
    kind: 'group',
    name: 'tea',
    topic: '',
    role: 'member',
    member_count: 2,
    head: 5,
    marker: { seq: 3, unread: 1 },
    created_at: 0,
  };
  const say = (seq: number, sender: string, text: string): Entry => {
    return { stream: 'room:tea', seq, id: `${seq}`, at: seq, sender, kind: 'message', text };
  };
  const me = { id: 'ann', username: 'ann' };

  test('entries that the server counted already are not counted again', () => {
    const before = summaryOf(room);
    expect(withRoomEntry(before, say(5, 'bea', 'x'), me)).toBe(before);
    const after = withRoomEntry(before, say(6, 'bea', '@ann'), me);
    expect(after.room).toMatchObject({ head: 6, marker: { unread: 2 }, last: { text: '@ann' } });
    expect(after.mentions).toEqual([6]);
    expect(withRoomEntry(after, say(7, 'ann', 'mine'), me).room.marker.unread, 'what I write I have read').toBe(2);
  });

  test('the marker goes forward only, also when the server has not heard of it', () => {
    const moved = withMarker(withRoomEntry(summaryOf(room), say(6, 'bea', '@ann'), me), { seq: 6, unread: 0 });
    expect(moved).toMatchObject({ mentions: [], room: { marker: { seq: 6, unread: 0 } } });
    expect(withMarker(moved, { seq: 2, unread: 9 })).toBe(moved);
    expect(summaryOf({ ...room, head: 6 }, moved).room.marker.seq).toBe(6);
  });

  test.each([
    ['@ann', true],
    ['hi @Ann!', true],
    ['＠ann，好', true],
    ['@ann.', true],
    ['@everyone look', true],
    ['@anna', false],
    ['@ann.b', false],
    ['x@ann', false],
    ['ann', false],
  ])('%s names ann: %s', (text, expected) => {
    expect(mentions(text, 'ann')).toBe(expected);
  });
});
