// The golden frames of the protocol, which the server's tests read too: every one is taken in here.

import { describe, expect, test } from 'vitest';
import { withRoomEntry, summaryOf } from '../model/rooms';
import { EMPTY, withEntry, withPage } from '../model/timeline';
import { decodeFrame, encodeCommand } from './frame';
import {
  CLOSE_CODES,
  ERRORS,
  METHODS,
  nextAfter,
  type Entry,
  type HistoryPage,
  type MethodName,
  type Next,
  type Reason,
  type Room,
} from './protocol';

interface Golden {
  readonly name: string;
  readonly direction: 'client' | 'server';
  readonly frame?: Record<string, unknown> & { id?: number; method?: string; params?: never; result?: never };
  readonly method?: MethodName;
  readonly known?: boolean;
  readonly raw?: string;
  readonly closes?: readonly { code: number; reason: string; next: Next }[];
}

const files = import.meta.glob<Golden>('../../../protocol/golden/*.json', { eager: true, import: 'default' });
const golden = Object.values(files);

const ROOM: Room = {
  id: 'room',
  kind: 'group',
  name: '',
  topic: '',
  role: 'member',
  member_count: 3,
  head: 0,
  marker: { seq: 0, unread: 0 },
  created_at: 0,
};

/** Every kind of frame that is known has a test below; a new kind fails until it has one. */
function kindOf({ name, direction, frame, closes }: Golden): string {
  if (closes) return 'closes';
  if (direction === 'client') return 'request';
  if (frame && 'error' in frame) return 'error';
  if (frame && 'result' in frame) return 'reply';
  if (frame?.method === 'entry') return 'entry';
  if (frame?.method === 'signal') return 'signal';
  if (frame?.method === 'session.ended') return 'end';
  if (frame?.method !== undefined) return 'push';
  return `unknown: ${name}`;
}

test('there are golden frames, of every kind', () => {
  const kinds = new Set(golden.map(kindOf));
  expect([...kinds].toSorted()).toEqual(['closes', 'end', 'entry', 'error', 'push', 'reply', 'request', 'signal']);
});

function all(kind: string): Golden[] {
  return golden.filter((one) => kindOf(one) === kind);
}

function decoded(one: Golden): ReturnType<typeof decodeFrame> {
  return decodeFrame(JSON.stringify(one.frame));
}

describe('golden frames', () => {
  test.each(all('closes'))('$name: the table of closes is the generated one', (one) => {
    for (const { code, reason, next } of one.closes ?? []) {
      expect(CLOSE_CODES[reason as keyof typeof CLOSE_CODES], reason).toMatchObject({ code, next });
      expect(nextAfter(code), reason).toBe(next);
    }
  });

  test.each(all('request'))('$name is what this client writes', (one) => {
    const { id = 0, method, params = {} as never } = one.frame ?? {};
    expect(METHODS).toContain(method);
    expect(JSON.parse(encodeCommand(id, method as MethodName, params))).toEqual(one.frame);
  });

  test.each(all('reply'))('$name answers a command', (one) => {
    const result: unknown = one.frame?.['result'];
    expect(decoded(one)).toEqual({ type: 'reply', id: one.frame?.id, outcome: { ok: true, value: result } });
    if (one.method === 'room.history') {
      const page = result as HistoryPage;
      expect(withPage(EMPTY, page, 'replace').lines.map(({ item }) => item)).toEqual(page.items);
    }
    if (one.method === 'session.start') {
      for (const room of (result as { rooms: Room[] }).rooms) expect(summaryOf(room).room).toEqual(room);
    }
  });

  test.each(all('error'))('$name is a failure with its reason', (one) => {
    const { code, data } = (one.frame ?? {})['error'] as unknown as { code: number; data: { reason: Reason; retry_after_ms?: number } };
    const frame = decoded(one);
    const failure = frame?.type === 'stray' ? frame.failure : frame?.type === 'reply' && !frame.outcome.ok && frame.outcome.failure;
    expect(failure).toMatchObject({ reason: data.reason, code, retryAfterMs: data.retry_after_ms });
    expect(ERRORS[data.reason].code).toBe(code);
  });

  test.each(all('entry'))('$name is taken in, or passed over when its kind is not known', (one) => {
    const entry = one.frame?.['params'] as unknown as Entry;
    expect(decoded(one)).toEqual({ type: 'push', push: { method: 'entry', params: entry } });
    const { lines, upTo } = withEntry({ ...EMPTY, start: true, end: true, upTo: entry.seq - 1 }, entry);
    expect(upTo).toBe(entry.seq);
    if (!entry.stream.startsWith('room:')) return;
    const isRow = one.known !== false && entry.kind !== 'edit' && entry.kind !== 'recall';
    expect(lines).toHaveLength(isRow ? 1 : 0);
    const after = withRoomEntry(summaryOf({ ...ROOM, head: entry.seq - 1 }), entry, { id: 'me', username: 'me' });
    expect(after.room.head).toBe(entry.seq);
  });

  test.each([...all('signal'), ...all('end')])('$name is a push', (one) => {
    expect(decoded(one)).toEqual({ type: 'push', push: { method: one.frame?.method, params: one.frame?.params } });
  });

  test.each(all('push'))('$name is passed over', (one) => {
    expect(decoded(one)).toEqual({ type: 'unknown', method: one.frame?.method });
  });
});

test('what is no frame is passed over', () => {
  for (const text of ['', '{', '[]', '7', 'null', '{"id":1}', '{"method":"entry","params":{"stream":"room:x"}}']) {
    expect(decodeFrame(text)?.type ?? 'none', text).toMatch(/^(none|unknown)$/u);
  }
});
