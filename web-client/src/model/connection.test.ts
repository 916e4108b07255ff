// What the strip says.

import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Connection } from './connection';
import type { ConnectionView } from './view';

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

describe('the connection, in words', () => {
  function setUp() {
    const facts = { online: true, behind: false };
    const views: ConnectionView[] = [];
    const connection = new Connection({
      online: () => facts.online,
      behind: () => facts.behind,
      changed: (view) => views.push(view),
    });
    const lost = (failures = 1): void => {
      connection.socket({ phase: 'waiting', lostAt: Date.now(), nextTryAt: Date.now() + 4_000, failures });
    };
    const open = (): void => connection.socket({ phase: 'open', lostAt: undefined, nextTryAt: undefined, failures: 0 });
    return { facts, views, connection, lost, open, states: () => views.map(({ state }) => state) };
  }

  test('a blip of under 2 s shows nothing', async () => {
    const { lost, open, states, connection } = setUp();
    lost();
    await vi.advanceTimersByTimeAsync(1_900);
    open();
    expect(states()).toEqual(['blip', 'connected']);
    expect(connection.view.caughtUp).toBe(false);
  });

  test('then it reconnects, is offline after three tries, and tells the return when all is there', async () => {
    const { lost, open, facts, states, connection } = setUp();
    lost();
    await vi.advanceTimersByTimeAsync(2_000);
    expect(connection.view).toMatchObject({ state: 'reconnecting', nextTryAt: Date.now() + 2_000 });
    lost(3);
    await vi.advanceTimersByTimeAsync(4_000);
    facts.behind = true;
    open();
    expect(connection.view).toMatchObject({ state: 'catching_up', caughtUp: false });
    facts.behind = false;
    connection.refresh();
    expect(connection.view).toMatchObject({ state: 'connected', caughtUp: true });
    await vi.advanceTimersByTimeAsync(3_000);
    expect(connection.view.caughtUp).toBe(false);
    expect(states()).toEqual(['blip', 'reconnecting', 'offline', 'catching_up', 'connected', 'connected']);
  });

  test('a device without a network is offline at once', () => {
    const { lost, facts, connection } = setUp();
    facts.online = false;
    lost();
    expect(connection.view.state).toBe('offline');
  });
});
