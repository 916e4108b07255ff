// What the strip says about the connection (UX §3), from what the socket does and what is still missing.

import type { SocketState } from '../wire/socket';
import type { ConnectionView } from './view';

/** Shorter absences are never shown, in milliseconds. */
export const BLIP_MS = 2_000;
/** After this much absence the return is told. */
export const AWAY_MS = 5_000;
/** How long the return is told. */
export const BACK_MS = 3_000;
/** So many failed tries mean offline. */
export const OFFLINE_TRIES = 3;

/** What the view of the connection is made of. */
export interface ConnectionHost {
  online(): boolean;
  /** Whether entries that were missed have not all been applied yet. */
  behind(): boolean;
  changed(view: ConnectionView): void;
}

/** Nobody is signed in. */
export const IDLE: ConnectionView = { state: 'idle', since: 0, nextTryAt: undefined, caughtUp: false };

/** Follows the socket and tells the view. */
export class Connection {
  readonly #host: ConnectionHost;
  #socket: SocketState = { phase: 'stopped', lostAt: undefined, nextTryAt: undefined, failures: 0 };
  #view: ConnectionView = IDLE;
  /** When the absence began that the next return ends. */
  #awaySince: number | undefined;
  #blipTimer: ReturnType<typeof setTimeout> | undefined;
  #backTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(host: ConnectionHost) {
    this.#host = host;
  }

  get view(): ConnectionView {
    return this.#view;
  }

  /** The socket does something else. */
  socket(state: SocketState): void {
    this.#socket = state;
    if (state.lostAt !== undefined) this.#awaySince ??= state.lostAt;
    if (state.phase === 'stopped' || state.phase === 'ended') this.#awaySince = undefined;
    this.refresh();
  }

  /** Something that the view depends on has changed. */
  refresh(): void {
    const state = this.#stateNow();
    const isBack = state === 'connected' && this.#awaySince !== undefined;
    let caughtUp = state === 'connected' && this.#view.caughtUp;
    if (isBack) {
      caughtUp ||= Date.now() - (this.#awaySince ?? 0) >= AWAY_MS;
      this.#awaySince = undefined;
      if (caughtUp) this.#endOfBack();
    }
    const nextTryAt = this.#socket.phase === 'waiting' ? this.#socket.nextTryAt : undefined;
    const before = this.#view;
    if (before.state === state && before.nextTryAt === nextTryAt && before.caughtUp === caughtUp) return;
    const since = before.state === state ? before.since : Date.now();
    this.#view = { state, since, nextTryAt, caughtUp };
    this.#host.changed(this.#view);
  }

  /** Ends the timers. */
  dispose(): void {
    clearTimeout(this.#blipTimer);
    clearTimeout(this.#backTimer);
  }

  #stateNow(): ConnectionView['state'] {
    clearTimeout(this.#blipTimer);
    switch (this.#socket.phase) {
      case 'stopped':
        return 'idle';
      case 'ended':
        return 'ended';
      case 'open':
        return this.#host.behind() ? 'catching_up' : 'connected';
      default: {
        if (!this.#host.online()) return 'offline';
        const awayMs = Date.now() - (this.#awaySince ?? Date.now());
        if (awayMs >= BLIP_MS) return this.#socket.failures >= OFFLINE_TRIES ? 'offline' : 'reconnecting';
        this.#blipTimer = setTimeout(() => this.refresh(), BLIP_MS - awayMs);
        return 'blip';
      }
    }
  }

  #endOfBack(): void {
    clearTimeout(this.#backTimer);
    this.#backTimer = setTimeout(() => {
      this.#view = { ...this.#view, caughtUp: false };
      this.#host.changed(this.#view);
    }, BACK_MS);
  }
}
