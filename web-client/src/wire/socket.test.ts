// The connection's state machine, with a clock of its own.

import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { backOffMs } from './backoff';
import type { Outcome } from './failure';
import { CLOSE_CODES, type EndReason, type Push, type SessionEnd, type SessionStartResult } from './protocol';
import { Socket, type SocketHost, type SocketState, type Wire } from './socket';

const START = { user: { id: 'ann' }, heartbeat_ms: 10_000 } as unknown as SessionStartResult;

/** One end of a connection that the test plays. */
class Peer implements Wire {
  onopen: Wire['onopen'] = null;
  onmessage: Wire['onmessage'] = null;
  onclose: Wire['onclose'] = null;
  onerror: Wire['onerror'] = null;
  readonly sent: { id: number; method: string; params: Record<string, unknown> }[] = [];
  isClosed = false;

  send(data: string): void {
    this.sent.push(JSON.parse(data) as Peer['sent'][number]);
  }

  close(): void {
    this.isClosed = true;
  }

  open(): void {
    this.onopen?.call(this as never, {} as Event);
  }

  say(frame: unknown): void {
    this.onmessage?.call(this as never, { data: JSON.stringify(frame) } as MessageEvent);
  }

  shut(code: number): void {
    this.onclose?.call(this as never, { code } as CloseEvent);
  }

  answer(result: unknown, method?: string): void {
    const command = this.sent.findLast((one) => method === undefined || one.method === method);
    this.say({ jsonrpc: '2.0', id: command?.id, result });
  }

  refuse(reason: string, retry_after_ms?: number, end?: unknown): void {
    const data = { reason, ...(retry_after_ms === undefined ? {} : { retry_after_ms }), ...(end === undefined ? {} : { end }) };
    this.say({ jsonrpc: '2.0', id: this.sent.at(-1)?.id, error: { code: 1, message: '', data } });
  }
}

let peers: Peer[];
let states: SocketState[];
let ends: SessionEnd[];
let pushes: Push[];
let token: string | undefined;
let refresh: SocketHost['refresh'];
let socket: Socket;

beforeEach(() => {
  vi.useFakeTimers();
  [peers, states, ends, pushes] = [[], [], [], []];
  token = 'token-1';
  refresh = vi.fn<SocketHost['refresh']>(() => {
    token = 'token-2';
    return Promise.resolve<Outcome<unknown>>({ ok: true, value: undefined });
  });
  socket = new Socket({
    open: () => {
      const peer = new Peer();
      peers.push(peer);
      return peer;
    },
    token: () => token,
    refresh: (stale) => refresh(stale),
    cursors: () => ({ 'room:tea': { epoch: 'e', seq: 7 } }),
    started: () => undefined,
    push: (push) => pushes.push(push),
    changed: (state) => states.push(state),
    ended: (end) => ends.push(end),
    random: () => 1,
  });
});

afterEach(() => {
  socket.stop();
  vi.useRealTimers();
});

function peer(): Peer {
  const last = peers.at(-1);
  if (!last) throw new Error('nothing was opened');
  return last;
}

/** Connects, starts the session, and lets it live long enough to be taken for a good one. */
async function live(): Promise<Peer> {
  socket.start();
  peer().open();
  peer().answer(START);
  await vi.advanceTimersByTimeAsync(5_000);
  return peer();
}

async function opened(passMs: number): Promise<boolean> {
  const before = peers.length;
  await vi.advanceTimersByTimeAsync(passMs);
  return peers.length > before;
}

test('the session is started with the token and the cursors', async () => {
  const one = await live();
  expect(one.sent[0]).toMatchObject({
    method: 'session.start',
    params: { token: 'token-1', cursors: { 'room:tea': { epoch: 'e', seq: 7 } } },
  });
  expect(socket.state.phase).toBe('open');
});

test('the back-off doubles from 1 s to 30 s, with full jitter, and obeys the server', () => {
  expect([1, 2, 3, 4, 5, 6, 7, 50].map((failures) => backOffMs(failures, 1))).toEqual([
    1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000,
  ]);
  expect(backOffMs(3, 0)).toBe(0);
  expect(backOffMs(1, 0.5, 7_000)).toBe(7_500);
});

test('tries that fail are repeated with the back-off; the next time is told', async () => {
  socket.start();
  for (const waitMs of [1_000, 2_000, 4_000, 8_000]) {
    peer().shut(1006);
    expect(socket.state).toMatchObject({ phase: 'waiting', nextTryAt: Date.now() + waitMs });
    expect(await opened(waitMs - 1)).toBe(false);
    expect(await opened(1)).toBe(true);
  }
  expect(socket.state.failures).toBe(4);
});

test('[Try now] tries now', () => {
  socket.start();
  peer().shut(1006);
  socket.tryNow();
  expect(peers).toHaveLength(2);
  socket.tryNow();
  expect(peers, 'not while a try is under way').toHaveLength(2);
});

test('a WebSocket that never opens is given up after 10 s', async () => {
  socket.start();
  await vi.advanceTimersByTimeAsync(10_000);
  expect(socket.state).toMatchObject({ phase: 'waiting', failures: 1 });
  expect(peer().isClosed).toBe(true);
});

describe('after a close', () => {
  const table = Object.entries(CLOSE_CODES).map(([word, { code, next }]) => ({ word, code, next }));
  const other = [
    { word: 'no close frame', code: 1006, next: 'resume' },
    { word: 'unknown 40xx', code: 4050, next: 'resume' },
    { word: 'unknown 41xx', code: 4150, next: 'back_off' },
    { word: 'unknown 42xx', code: 4250, next: 'refresh' },
    { word: 'unknown 44xx', code: 4450, next: 'stop' },
    { word: 'unknown range', code: 4999, next: 'back_off' },
  ] as const;

  test.each([...table, ...other])('$word ($code): $next', async ({ code, next }) => {
    const one = await live();
    one.shut(code);
    switch (next) {
      case 'resume':
        expect(await opened(400), 'at once, with jitter').toBe(true);
        break;
      case 'back_off':
        expect(await opened(999)).toBe(false);
        expect(await opened(1)).toBe(true);
        break;
      case 'refresh':
        expect(await opened(0)).toBe(true);
        expect(refresh).toHaveBeenCalledWith('token-1');
        peer().open();
        expect(peer().sent[0]?.params).toMatchObject({ token: 'token-2' });
        break;
      default:
        expect(ends).toHaveLength(1);
        socket.tryNow();
        socket.probe();
        socket.resume();
        expect(await opened(600_000), 'never again by itself').toBe(false);
        expect(vi.getTimerCount()).toBe(0);
    }
  });

  test.each([
    ['displaced', 4400],
    ['logged_out', 4401],
    ['password_changed', 4402],
    ['banned', 4403],
    ['account_deleted', 4404],
    ['expired', 4405],
    ['token_reused', 4406],
  ] satisfies [EndReason, number][])('%s is told by %i alone', async (reason, code) => {
    const one = await live();
    one.shut(code);
    expect(ends).toMatchObject([{ reason }]);
  });

  test('a server that closes right after each start is not hammered', async () => {
    socket.start();
    const gaps: number[] = [];
    for (let round = 0; round < 6; round += 1) {
      peer().open();
      peer().answer(START);
      await vi.advanceTimersByTimeAsync(10);
      const closedAt = Date.now();
      peer().shut(4000);
      for (let passed = 0; passed < 60_000 && socket.state.phase === 'waiting'; passed += 10) {
        await vi.advanceTimersByTimeAsync(10);
      }
      gaps.push(Date.now() - closedAt);
    }
    expect(gaps[0]).toBeLessThanOrEqual(400);
    expect(gaps.at(-1), 'the pauses grow').toBeGreaterThanOrEqual(8_000);
  });
});

test('the push that ends the session says why, once, and stops everything', async () => {
  const one = await live();
  const end: SessionEnd = { reason: 'displaced', device: { id: 'x', class: 'phone', name: 'Pixel' }, at: 5 };
  one.say({ jsonrpc: '2.0', method: 'session.ended', params: end });
  one.shut(4400);
  expect(ends).toEqual([end]);
  expect(await opened(600_000)).toBe(false);
});

describe('a refused start', () => {
  test('busy: obeys retry_after_ms', async () => {
    socket.start();
    peer().open();
    peer().refuse('unavailable', 5_000);
    await vi.advanceTimersByTimeAsync(0);
    expect(await opened(5_999)).toBe(false);
    expect(await opened(1)).toBe(true);
  });

  test('unauthenticated: refreshes once, then backs off', async () => {
    socket.start();
    peer().open();
    peer().refuse('unauthenticated');
    await vi.advanceTimersByTimeAsync(0);
    expect(refresh).toHaveBeenCalledTimes(1);
    peer().open();
    peer().refuse('unauthenticated');
    await vi.advanceTimersByTimeAsync(0);
    expect(refresh).toHaveBeenCalledTimes(1);
    expect(socket.state.phase).toBe('waiting');
  });

  test('a refresh that is refused ends the session; one that cannot be asked does not', async () => {
    refresh = () => Promise.resolve({ ok: false, failure: { reason: 'unreachable' } } as Outcome<unknown>);
    const one = await live();
    one.shut(4200);
    await vi.advanceTimersByTimeAsync(0);
    expect(socket.state.phase).toBe('waiting');
    refresh = () => Promise.resolve({ ok: false, failure: { reason: 'session_ended' } } as Outcome<unknown>);
    await vi.advanceTimersByTimeAsync(1_000);
    peer().open();
    peer().refuse('unauthenticated');
    await vi.advanceTimersByTimeAsync(0);
    expect(ends).toMatchObject([{ reason: 'expired' }]);
  });

  test('session_ended brings the facts, and ends it', async () => {
    socket.start();
    peer().open();
    const end = { reason: 'displaced', device: { id: 'd', class: 'phone', name: 'Pixel' }, at: 1 };
    peer().refuse('session_ended', undefined, end);
    await vi.advanceTimersByTimeAsync(5_000);
    expect(ends).toEqual([end]);
  });

  test('session_ended without facts ends it too', async () => {
    socket.start();
    peer().open();
    peer().refuse('session_ended');
    await vi.advanceTimersByTimeAsync(2_000);
    expect(ends).toHaveLength(1);
  });
});

test('the heart beats, and a connection that does not answer is left', async () => {
  const one = await live();
  await vi.advanceTimersByTimeAsync(3_000);
  expect(one.sent.at(-1)?.method).toBe('ping');
  one.answer({ now: 1 });
  await vi.advanceTimersByTimeAsync(8_000);
  expect(one.sent.filter(({ method }) => method === 'ping')).toHaveLength(2);
  await vi.advanceTimersByTimeAsync(5_400);
  expect(one.isClosed).toBe(true);
  expect(peers).toHaveLength(2);
});

describe('commands', () => {
  test('are answered by id, in any order, or time out after 5 s', async () => {
    const one = await live();
    const first = socket.call('room.get', { room: 'a' });
    const second = socket.call('room.get', { room: 'b' });
    const third = socket.call('room.get', { room: 'c' });
    const [a, b] = one.sent.filter(({ method }) => method === 'room.get');
    one.say({ jsonrpc: '2.0', id: b?.id, result: { room: 'B' } });
    one.say({ jsonrpc: '2.0', id: a?.id, result: { room: 'A' } });
    expect(await first).toEqual({ ok: true, value: { room: 'A' } });
    expect(await second).toEqual({ ok: true, value: { room: 'B' } });
    await vi.advanceTimersByTimeAsync(5_000);
    expect(await third).toMatchObject({ ok: false, failure: { reason: 'timed_out' } });
    expect(one.sent.at(-1)?.method, 'an unanswered command puts the connection to the test').toBe('ping');
  });

  test('fail at once without a connection, and when it goes', async () => {
    expect(await socket.call('ping', {})).toMatchObject({ ok: false, failure: { reason: 'unreachable' } });
    const one = await live();
    const waiting = socket.call('ping', {});
    one.shut(1012);
    expect(await waiting).toMatchObject({ ok: false, failure: { reason: 'unreachable' } });
  });
});

test('stop ends everything, and start begins anew', async () => {
  const one = await live();
  socket.stop();
  expect(one.isClosed).toBe(true);
  expect(await opened(600_000)).toBe(false);
  socket.start();
  expect(peers).toHaveLength(2);
});
