// Drafts on the device and on the server.

import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { done, failed, localFailure, type Failure } from '../wire/failure';
import type { DraftSetParams } from '../wire/protocol';
import { memoryShelf } from '../wire/shelf';
import { Drafts, keptDrafts, type LocalDraft } from './drafts';
import { kept } from './outbox';

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

describe('drafts', () => {
  function setUp(shelf = memoryShelf(true)) {
    const sent: DraftSetParams[] = [];
    const shown = new Map<string, LocalDraft | undefined>();
    const notKept = vi.fn<() => void>();
    let failure: Failure | undefined;
    const drafts = new Drafts({
      shelf,
      now: () => Date.now(),
      send: (params) => {
        sent.push(params);
        return Promise.resolve(failure ? failed(failure) : done({ at: Date.now() }));
      },
      changed: (room, draft) => shown.set(room, draft),
      notKept,
    });
    drafts.load('ann');
    return { drafts, sent, shown, shelf, notKept, fail: (reason: Failure | undefined) => (failure = reason) };
  }

  test('survive the page at once when it goes away', () => {
    const { drafts, shelf } = setUp();
    drafts.set('tea', 'half', 7);
    expect(keptDrafts(shelf, 'ann')).toBe(0);
    drafts.keepNow();
    expect(keptDrafts(shelf, 'ann')).toBe(1);
    const again = setUp(shelf);
    expect(again.drafts.get('tea')).toMatchObject({ text: 'half', replyTo: 7, dirty: true });
  });

  test('typing on does not send each letter', async () => {
    const { drafts, sent } = setUp();
    for (const text of ['h', 'he', 'hel', 'hell', 'hello']) {
      drafts.set('tea', text, undefined);
      await vi.advanceTimersByTimeAsync(500);
    }
    expect(sent).toEqual([]);
    await vi.advanceTimersByTimeAsync(2_000);
    expect(sent).toEqual([{ room: 'tea', text: 'hello' }]);
  });

  test('the echo of an older text does not take the letters typed since', async () => {
    const { drafts } = setUp();
    drafts.set('tea', 'hel', undefined);
    await vi.advanceTimersByTimeAsync(2_100);
    drafts.set('tea', 'hello', undefined);
    drafts.heard({ room: 'tea', text: 'hel', at: Date.now() + 5_000 });
    expect(drafts.get('tea')).toMatchObject({ text: 'hello', version: 0 });
  });

  test('of two the newer wins, and the other is kept beside it', async () => {
    const { drafts } = setUp();
    drafts.set('tea', 'mine', undefined);
    await vi.advanceTimersByTimeAsync(2_100);
    drafts.heard({ room: 'tea', text: 'theirs', at: Date.now() + 1_000 });
    expect(drafts.get('tea')).toMatchObject({ text: 'theirs', earlier: 'mine', version: 1 });
    drafts.set('tea', 'mine again', undefined);
    drafts.heard({ room: 'tea', text: 'theirs again', at: Date.now() + 1_000 });
    expect(drafts.get('tea'), 'who writes is not disturbed').toMatchObject({ text: 'mine again', earlier: 'theirs again' });
  });

  test('what was written offline is given when the session starts; what was sent elsewhere goes', async () => {
    const { drafts, sent, fail } = setUp();
    fail(localFailure('unreachable'));
    drafts.set('tea', 'offline', undefined);
    await vi.advanceTimersByTimeAsync(3_000);
    fail(undefined);
    drafts.started([]);
    await vi.advanceTimersByTimeAsync(0);
    expect(sent.at(-1)).toEqual({ room: 'tea', text: 'offline' });
    drafts.started([]);
    expect(drafts.get('tea')).toBeUndefined();
  });

  test('a device that is full is told about', async () => {
    const { drafts, notKept } = setUp(memoryShelf(false));
    drafts.set('tea', 'x', undefined);
    await vi.advanceTimersByTimeAsync(300);
    expect(notKept).toHaveBeenCalled();
  });
});
