// The outbox, with a connection that the test plays.

import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { done, failed, localFailure } from '../wire/failure';
import { memoryShelf } from '../wire/shelf';
import { kept, Outbox, type OutboxHost, type Unsent } from './outbox';

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

describe('the outbox', () => {
  function setUp(shelf = memoryShelf(true)) {
    const told: (readonly [string, Unsent | undefined])[] = [];
    const host = {
      shelf,
      leads: true,
      open: true,
      send: vi.fn<OutboxHost['send']>(() => new Promise(() => undefined)),
    };
    let keys = 0;
    const outbox = new Outbox({
      shelf,
      newKey: () => `k${(keys += 1)}`,
      send: (params) => host.send(params),
      leads: () => host.leads,
      connected: () => host.open,
      shows: () => true,
      changed: () => undefined,
      tell: (key, item) => told.push([key, item]),
    });
    outbox.load('ann');
    return { outbox, host, told, shelf };
  }

  test('is on the device before anything is sent', () => {
    const { outbox, host, shelf } = setUp();
    host.send.mockImplementation(() => {
      expect(kept(shelf, 'ann')).toMatchObject([{ text: 'hi', room: 'tea', key: 'k1' }]);
      return new Promise(() => undefined);
    });
    outbox.add('tea', 'hi', undefined);
    expect(host.send).toHaveBeenCalledTimes(1);
  });

  test('sends one at a time in a room, rooms beside each other', () => {
    const { outbox, host } = setUp();
    for (const [room, text] of [['tea', 'one'], ['tea', 'two'], ['den', 'three']] as const) outbox.add(room, text, undefined);
    expect(host.send.mock.calls.map(([{ text }]) => text)).toEqual(['one', 'three']);
  });

  test('no answer: waits, and goes again under its key after a growing pause', async () => {
    const { outbox, host } = setUp();
    host.send.mockResolvedValue(failed(localFailure('timed_out')));
    outbox.add('tea', 'hi', undefined);
    await vi.advanceTimersByTimeAsync(0);
    expect(outbox.of('tea')).toMatchObject([{ state: 'waiting' }]);
    await vi.advanceTimersByTimeAsync(1_000 + 2_000 + 4_000);
    expect(host.send).toHaveBeenCalledTimes(4);
    expect(new Set(host.send.mock.calls.map(([{ key }]) => key)).size).toBe(1);
    // A new connection does not wait for the pause.
    outbox.lost();
    outbox.pump();
    expect(host.send).toHaveBeenCalledTimes(5);
  });

  test('the entry may come before the answer, or instead of it', async () => {
    const { outbox, host, shelf } = setUp();
    outbox.add('tea', 'one', undefined);
    outbox.add('tea', 'two', undefined);
    outbox.committed('k1');
    expect(host.send.mock.calls.map(([{ text }]) => text)).toEqual(['one', 'two']);
    expect(kept(shelf, 'ann').map(({ key }) => key)).toEqual(['k2']);
  });

  test('an acknowledged one stays in sight until its entry comes', async () => {
    const { outbox, host, shelf } = setUp();
    host.send.mockResolvedValue(done({ seq: 5, id: 'e', at: 1 }));
    outbox.add('tea', 'hi', undefined);
    await vi.advanceTimersByTimeAsync(0);
    expect(outbox.of('tea')).toMatchObject([{ state: 'sent', seq: 5 }]);
    expect(kept(shelf, 'ann')).toEqual([]);
    expect(outbox.counts()).toEqual({ waiting: 0, refused: 0 });
    outbox.seen('tea', 5);
    expect(outbox.of('tea')).toEqual([]);
  });

  test('order and reasons survive a reload', async () => {
    const { outbox, host, shelf } = setUp();
    host.send.mockResolvedValueOnce(failed(localFailure('not_allowed')));
    for (const text of ['a', 'b', 'c']) outbox.add('tea', text, 3);
    await vi.advanceTimersByTimeAsync(0);
    const again = setUp(shelf);
    expect(again.outbox.of('tea').map(({ text, state, replyTo }) => [text, state, replyTo])).toEqual([
      ['a', 'refused', 3],
      ['b', 'sending', 3],
      ['c', 'queued', 3],
    ]);
  });

  test('a tab that follows adds, and the one that leads sends', () => {
    const [lead, follow] = [setUp(), setUp()];
    follow.host.leads = false;
    follow.outbox.add('tea', 'hi', undefined);
    expect(follow.host.send).not.toHaveBeenCalled();
    const [key, item] = follow.told[0] ?? ['', undefined];
    lead.outbox.told(key, item);
    expect(lead.host.send).toHaveBeenCalledTimes(1);
    for (const [changed, state] of lead.told) follow.outbox.told(changed, state);
    expect(follow.outbox.of('tea')).toMatchObject([{ state: 'sending' }]);
  });
});
