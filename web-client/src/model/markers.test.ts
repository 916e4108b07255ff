// Read markers on their way to the server.

import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { done, failed, localFailure, type Failure } from '../wire/failure';
import type { Marker, MarkerSetParams } from '../wire/protocol';
import { Markers } from './markers';

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

describe('read markers', () => {
  function setUp(answer: () => ReturnType<typeof done<Marker>> | ReturnType<typeof failed>) {
    const sent: MarkerSetParams[] = [];
    const answered = vi.fn<(room: string, marker: Marker) => void>();
    const markers = new Markers({
      send: (params) => {
        sent.push(params);
        return Promise.resolve(answer());
      },
      answered,
    });
    return { markers, sent, answered };
  }

  test('go at once, then at most every 2 s, only forward', async () => {
    const { markers, sent, answered } = setUp(() => done({ seq: 9, unread: 0 }));
    for (const seq of [3, 5, 4, 7]) markers.set('tea', seq);
    await vi.advanceTimersByTimeAsync(1_999);
    expect(sent).toEqual([{ room: 'tea', seq: 3 }]);
    await vi.advanceTimersByTimeAsync(1);
    expect(sent.at(-1)).toEqual({ room: 'tea', seq: 7 });
    markers.set('tea', 6);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(sent).toHaveLength(2);
    expect(answered).toHaveBeenCalledTimes(2);
  });

  test('on leaving what waits goes at once', async () => {
    const { markers, sent } = setUp(() => done({ seq: 9, unread: 0 }));
    markers.set('tea', 3);
    await vi.advanceTimersByTimeAsync(10);
    markers.set('tea', 5);
    markers.flush();
    expect(sent.map(({ seq }) => seq)).toEqual([3, 5]);
  });

  test('without a connection they wait for the next', async () => {
    let failure: Failure | undefined = localFailure('unreachable');
    const { markers, sent } = setUp(() => (failure ? failed(failure) : done({ seq: 3, unread: 0 })));
    markers.set('tea', 3);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(sent).toHaveLength(1);
    expect(markers.pending('tea')).toBe(3);
    failure = undefined;
    markers.flush();
    await vi.advanceTimersByTimeAsync(0);
    expect(markers.pending('tea')).toBe(0);
  });

  test('what is refused is not asked twice', async () => {
    const { markers, sent } = setUp(() => failed(localFailure('not_a_member')));
    markers.set('tea', 3);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(sent).toHaveLength(1);
  });
});
