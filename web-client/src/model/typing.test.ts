// Typing signals.

import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Typing } from './typing';

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

describe('typing', () => {
  test('is sent at most every 3 s and shown for 5 s', async () => {
    const send = vi.fn<(room: string) => void>();
    const shown: string[][] = [];
    const typing = new Typing({ send, changed: (_, users) => shown.push([...users]) });
    for (let n = 0; n < 10; n += 1) {
      typing.wrote('tea');
      await vi.advanceTimersByTimeAsync(500);
    }
    expect(send).toHaveBeenCalledTimes(2);
    typing.heard('tea', 'bea');
    await vi.advanceTimersByTimeAsync(4_000);
    typing.heard('tea', 'bea');
    await vi.advanceTimersByTimeAsync(4_999);
    expect(shown).toEqual([['bea']]);
    await vi.advanceTimersByTimeAsync(1);
    expect(shown.at(-1)).toEqual([]);
  });
});
