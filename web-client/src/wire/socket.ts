// One connection to a node, kept up for as long as somebody is signed in: connect, start the session, heartbeat, and
// after each close what the close code asks for.

import { backOffMs, RESUME_JITTER_MS } from './backoff';
import { Calls, CALL_MS } from './calls';
import { failed, type Failure, type Outcome } from './failure';
import { decodeFrame, unreachable } from './frame';
import {
  nextAfter,
  SUBPROTOCOL,
  type Cursor,
  type EndReason,
  type MethodName,
  type Methods,
  type Push,
  type SessionEnd,
  type SessionStartResult,
  type StreamId,
} from './protocol';

/** Longest time for the WebSocket to open. */
const OPEN_MS = 10_000;
/** A connection that lived shorter than this counts as a failed try, so that no close code can make a hot loop. */
const LIVED_MS = 5_000;
/** How long a ping may take when the device says that the network went away. */
const PROBE_MS = 1_500;

/** The part of a WebSocket that is used. */
export type Wire = Pick<WebSocket, 'send' | 'close' | 'onopen' | 'onmessage' | 'onclose' | 'onerror'>;

/** What the connection is doing; the view's words are made of it. */
export interface SocketState {
  /** `stopped`: nobody is signed in · `trying`: a try is under way · `waiting`: for the next try. */
  readonly phase: 'stopped' | 'trying' | 'open' | 'waiting' | 'ended';
  /** Since when there is no started session; undefined while open or stopped. */
  readonly lostAt: number | undefined;
  /** When the next try begins. */
  readonly nextTryAt: number | undefined;
  /** Tries that failed in a row. */
  readonly failures: number;
}

/** What a connection needs from its surroundings. */
export interface SocketHost {
  open(subprotocol: string): Wire;
  /** The newest access token; undefined when nobody is signed in. */
  token(): string | undefined;
  /** Renews a token that was refused. */
  refresh(stale: string): Promise<Outcome<unknown>>;
  cursors(): Record<StreamId, Cursor>;
  started(result: SessionStartResult): void;
  push(push: Push): void;
  changed(state: SocketState): void;
  /** The session is over for good; nothing will be tried again. */
  ended(end: SessionEnd): void;
  /** 0..1. */
  random(): number;
}

/** The connection's state machine. */
export class Socket {
  readonly #host: SocketHost;
  #state: SocketState = { phase: 'stopped', lostAt: undefined, nextTryAt: undefined, failures: 0 };
  #wire: Wire | undefined;
  #calls: Calls | undefined;
  #openedAt = 0;
  #tryTimer: ReturnType<typeof setTimeout> | undefined;
  #openTimer: ReturnType<typeof setTimeout> | undefined;
  #beatTimer: ReturnType<typeof setInterval> | undefined;
  #refused: string | undefined;

  constructor(host: SocketHost) {
    this.#host = host;
  }

  get state(): SocketState {
    return this.#state;
  }

  /** Begins to connect; does nothing when it has begun. */
  start(): void {
    if (this.#state.phase !== 'stopped') return;
    this.#refused = undefined;
    this.#change({ phase: 'trying', lostAt: Date.now(), nextTryAt: undefined, failures: 0 });
    this.#connect();
  }

  /** Ends it without a word to the host; `start` begins anew. */
  stop(): void {
    this.#drop(1000);
    clearTimeout(this.#tryTimer);
    this.#change({ phase: 'stopped', lostAt: undefined, nextTryAt: undefined, failures: 0 });
  }

  /** Tries now instead of at the next time ([Try now], the network came back, the page is seen again). */
  tryNow(): void {
    if (this.#state.phase !== 'waiting') return;
    clearTimeout(this.#tryTimer);
    this.#connect();
  }

  /** Asks whether the connection still lives; when it does not, it comes back. */
  probe(): void {
    if (this.#state.phase === 'open') void this.#ping(PROBE_MS);
    else this.tryNow();
  }

  /** Comes back with cursors: an entry of a stream that cannot be read otherwise is missing. */
  resume(): void {
    if (this.#state.phase === 'open') this.#lost(1000);
  }

  /** Sends a command; `unreachable` at once while no session is started. */
  call<M extends MethodName>(method: M, params: Methods[M]['params']): Promise<Outcome<Methods[M]['result']>> {
    if (this.#state.phase !== 'open' || !this.#calls) return Promise.resolve(failed(unreachable));
    const answer = this.#calls.call(method, params);
    // A command that is not answered is the first sign of a dead connection.
    void answer.then((outcome) => {
      if (!outcome.ok && outcome.failure.reason === 'timed_out') void this.#ping(PROBE_MS);
    });
    return answer;
  }

  #connect(): void {
    if (this.#host.token() === undefined) return this.stop();
    this.#change({ ...this.#state, phase: 'trying', nextTryAt: undefined });
    let wire: Wire;
    try {
      wire = this.#host.open(SUBPROTOCOL);
    } catch {
      return this.#retry(this.#failures() + 1);
    }
    const calls = new Calls((frame) => wire.send(frame));
    this.#wire = wire;
    this.#calls = calls;
    wire.onopen = () => void this.#begin(calls);
    wire.onmessage = (event: MessageEvent<unknown>) => {
      if (typeof event.data === 'string') this.#receive(calls, event.data);
    };
    wire.onclose = (event) => this.#lost(event.code);
    wire.onerror = () => undefined; // A close follows, and says more.
    this.#openTimer = setTimeout(() => this.#lost(1006), OPEN_MS);
  }

  async #begin(calls: Calls): Promise<void> {
    clearTimeout(this.#openTimer);
    const token = this.#host.token();
    if (token === undefined) return this.stop();
    const answer = await calls.call('session.start', { token, cursors: this.#host.cursors() });
    if (this.#calls !== calls) return;
    if (!answer.ok) return this.#startRefused(answer.failure, token);
    this.#refused = undefined;
    this.#openedAt = Date.now();
    // A connection that closes again soon is one more failed try, so the count stands until it has lived.
    this.#change({ ...this.#state, phase: 'open', lostAt: undefined, nextTryAt: undefined });
    // A little early, so that a late timer does not miss the beat.
    const everyMs = Math.max(1_000, answer.value.heartbeat_ms * 0.8);
    this.#beatTimer = setInterval(() => void this.#ping(CALL_MS), everyMs);
    this.#host.started(answer.value);
  }

  #startRefused(failure: Failure, token: string): void {
    switch (failure.reason) {
      case 'session_ended':
        return this.#finish(failure.end ?? { reason: 'expired', at: Date.now() });
      case 'unauthenticated':
        this.#drop(1000);
        return void this.#renew(token);
      default:
        this.#drop(1000);
        this.#retry(this.#failures() + 1, failure.retryAfterMs);
    }
  }

  #receive(calls: Calls, text: string): void {
    const frame = decodeFrame(text);
    if (frame?.type === 'reply') calls.settle(frame.id, frame.outcome);
    if (frame?.type !== 'push') return;
    if (frame.push.method === 'session.ended') this.#finish(frame.push.params);
    else this.#host.push(frame.push);
  }

  async #ping(limitMs: number): Promise<void> {
    const calls = this.#calls;
    const answer = await calls?.call('ping', {}, limitMs);
    if (this.#calls !== calls || !answer || answer.ok) return;
    if (answer.failure.reason === 'timed_out') this.#lost(1006);
  }

  /** The connection is gone, by the server's close, by ours, or because nothing answers. */
  #lost(code: number): void {
    const lived = this.#state.phase === 'open' && Date.now() - this.#openedAt >= LIVED_MS;
    const wasOpen = this.#state.phase === 'open';
    const token = this.#host.token();
    this.#drop(1000);
    if (wasOpen) this.#change({ ...this.#state, lostAt: Date.now(), failures: lived ? 0 : this.#state.failures });
    const next = nextAfter(code);
    if (next === 'stop') return this.#finish({ reason: endReason(code), at: Date.now() });
    if (next === 'refresh' && token !== undefined) return void this.#renew(token);
    const atOnce = next === 'resume' && wasOpen && this.#failures() === 0;
    // The count goes up even when it comes back at once; a connection that lives sets it to nought again.
    if (atOnce) this.#wait(this.#host.random() * RESUME_JITTER_MS, lived ? 0 : 1);
    else this.#retry(this.#failures() + 1);
  }

  async #renew(token: string): Promise<void> {
    // A fresh token that is refused again will not get better by refreshing.
    if (this.#refused !== undefined) {
      this.#refused = undefined;
      return this.#retry(this.#failures() + 1);
    }
    this.#change({ ...this.#state, phase: 'trying', nextTryAt: undefined });
    const answer = await this.#host.refresh(token);
    if (this.#state.phase !== 'trying' || this.#wire) return;
    if (answer.ok) {
      this.#refused = token;
      return this.#connect();
    }
    const { reason, retryAfterMs, end } = answer.failure;
    if (REFRESH_ENDS.has(reason)) return this.#finish(end ?? { reason: 'expired', at: Date.now() });
    this.#retry(this.#failures() + 1, retryAfterMs);
  }

  #retry(failures: number, retryAfterMs?: number): void {
    this.#wait(backOffMs(failures, this.#host.random(), retryAfterMs), failures);
  }

  #wait(delayMs: number, failures: number): void {
    clearTimeout(this.#tryTimer);
    this.#tryTimer = setTimeout(() => this.#connect(), delayMs);
    this.#change({ ...this.#state, phase: 'waiting', nextTryAt: Date.now() + delayMs, failures });
  }

  #finish(end: SessionEnd): void {
    this.#drop(1000);
    clearTimeout(this.#tryTimer);
    this.#change({ phase: 'ended', lostAt: undefined, nextTryAt: undefined, failures: 0 });
    this.#host.ended(end);
  }

  /** Lets go of the wire and answers what waits on it. */
  #drop(code: number): void {
    const wire = this.#wire;
    const calls = this.#calls;
    this.#wire = undefined;
    this.#calls = undefined;
    clearTimeout(this.#openTimer);
    clearInterval(this.#beatTimer);
    if (wire) {
      wire.onopen = wire.onmessage = wire.onclose = wire.onerror = null;
      try {
        wire.close(code);
      } catch {
        // It was closed already.
      }
    }
    calls?.abandon();
  }

  #failures(): number {
    return this.#state.failures;
  }

  #change(state: SocketState): void {
    this.#state = state;
    this.#host.changed(state);
  }
}

const END_REASONS: Readonly<Record<number, EndReason>> = {
  4400: 'displaced',
  4401: 'logged_out',
  4402: 'password_changed',
  4403: 'banned',
  4404: 'account_deleted',
  4405: 'expired',
  4406: 'token_reused',
};

/** Refusals of a refresh after which only a person can sign in again. */
const REFRESH_ENDS = new Set<string>(['session_ended', 'unauthenticated', 'invalid_credentials', 'not_found']);

/** Why a session ended, by the number of the close; an unknown terminal number is a time-out to the reader. */
function endReason(code: number): EndReason {
  return END_REASONS[code] ?? 'expired';
}
