// The tabs of one browser share one connection. The tab that holds the lock leads: it has the socket. The others send
// it their commands and hear its pushes through a broadcast channel. When the leader closes, the lock passes on and
// the next tab connects with its own cursors; to the server it is the same session, so nobody is displaced.
//
// A browser without locks or channels has a connection in each tab: a session may hold several.

import { failed, type Outcome } from './failure';
import { timedOut, unreachable } from './frame';
import type { MethodName, Methods, Push, SessionEnd, SessionStartResult } from './protocol';
import { Socket, type SocketHost, type SocketState } from './socket';

const SOCKET_LOCK = 'hubbub.socket';
/** A follower waits a little longer than the leader, whose own limit tells more. */
const RELAY_MS = 6_000;
/** How often a follower without a leader's word asks again. */
const HELLO_MS = 1_000;

/** A channel between the tabs. */
export type Channel = Pick<BroadcastChannel, 'postMessage' | 'close' | 'onmessage'>;

/** What a tab needs from its surroundings. */
export interface LineHost<Note> extends Omit<SocketHost, 'started' | 'changed'> {
  /** The session was started, or, in a follower, the leader told how things stand now. */
  started(result: SessionStartResult): void;
  changed(state: SocketState): void;
  /** How things stand now, for a follower; undefined while not known. Only asked of the leader. */
  snapshot(): SessionStartResult | undefined;
  /** Whether this tab leads has changed. */
  leads(leads: boolean): void;
  /** Another tab said something of its own. */
  note(note: Note): void;
}

type Message<Note> =
  | { readonly type: 'hello'; readonly from: string }
  | { readonly type: 'leading' }
  | { readonly type: 'welcome'; readonly to: string; readonly result: SessionStartResult }
  | { readonly type: 'started'; readonly result: SessionStartResult }
  | { readonly type: 'state'; readonly state: SocketState }
  | { readonly type: 'push'; readonly push: Push }
  | { readonly type: 'call'; readonly from: string; readonly id: number; readonly method: MethodName; readonly params: unknown }
  | { readonly type: 'reply'; readonly to: string; readonly id: number; readonly outcome: Outcome<unknown> }
  | { readonly type: 'ask'; readonly what: 'try_now' | 'resume' }
  | { readonly type: 'ended'; readonly end: SessionEnd }
  | { readonly type: 'note'; readonly note: Note };

interface Relayed {
  readonly answer: (outcome: Outcome<unknown>) => void;
  readonly timer: ReturnType<typeof setTimeout>;
}

/** One tab's share in the connection. `Note` is what tabs tell each other beside it. */
export class Line<Note> {
  readonly #host: LineHost<Note>;
  readonly #socket: Socket;
  readonly #locks: LockManager | undefined;
  readonly #channel: Channel | undefined;
  readonly #tab: string;
  readonly #relayed = new Map<number, Relayed>();
  #nextId = 1;
  #state: SocketState;
  #running = false;
  #leads = false;
  #release: (() => void) | undefined;
  #queued: AbortController | undefined;
  #hello: ReturnType<typeof setInterval> | undefined;

  constructor(host: LineHost<Note>, tab: string, locks: LockManager | undefined, channel: Channel | undefined) {
    this.#host = host;
    this.#tab = tab;
    // Both or none: a lock without a channel would leave the other tabs deaf.
    this.#locks = locks && channel ? locks : undefined;
    this.#channel = locks ? channel : undefined;
    this.#socket = new Socket({
      ...bound(host),
      started: (result) => {
        this.#post({ type: 'started', result });
        host.started(result);
      },
      push: (push) => {
        this.#post({ type: 'push', push });
        host.push(push);
      },
      changed: (state) => {
        if (!this.#leads) return;
        this.#post({ type: 'state', state });
        this.#changed(state);
      },
      ended: (end) => {
        this.#post({ type: 'ended', end });
        this.#finish(end);
      },
    });
    this.#state = this.#socket.state;
    if (this.#channel) {
      this.#channel.onmessage = (event: MessageEvent<Message<Note>>) => this.#hear(event.data);
    }
  }

  get state(): SocketState {
    return this.#state;
  }

  /** Somebody is signed in: take part. */
  start(): void {
    if (this.#running) return;
    this.#running = true;
    if (!this.#locks) return this.#lead();
    const queued = new AbortController();
    this.#queued = queued;
    this.#locks
      .request(SOCKET_LOCK, { signal: queued.signal }, () => {
        if (this.#queued !== queued || !this.#running) return undefined;
        return new Promise<void>((release) => {
          this.#release = release;
          this.#lead();
        });
      })
      .catch(() => undefined); // Aborted: the tab signed out while it waited.
    this.#changed({ phase: 'trying', lostAt: Date.now(), nextTryAt: undefined, failures: 0 });
    this.#sayHello();
    this.#hello = setInterval(() => this.#sayHello(), HELLO_MS);
  }

  /** Nobody is signed in any more, or the tab goes. */
  stop(): void {
    this.#running = false;
    clearInterval(this.#hello);
    this.#abandon();
    this.#socket.stop();
    this.#queued?.abort();
    this.#queued = undefined;
    this.#release?.();
    this.#release = undefined;
    if (this.#leads) {
      this.#leads = false;
      this.#host.leads(false);
    }
    this.#changed({ phase: 'stopped', lostAt: undefined, nextTryAt: undefined, failures: 0 });
  }

  /** Stops for good and leaves the channel. */
  close(): void {
    this.stop();
    this.#channel?.close();
  }

  /** Sends a command by whichever tab has the socket. */
  call<M extends MethodName>(method: M, params: Methods[M]['params']): Promise<Outcome<Methods[M]['result']>> {
    if (this.#leads) return this.#socket.call(method, params);
    if (!this.#running || this.#state.phase !== 'open') return Promise.resolve(failed(unreachable));
    const id = this.#nextId++;
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#settle(id, failed(timedOut)), RELAY_MS);
      this.#relayed.set(id, { answer: resolve as (outcome: Outcome<unknown>) => void, timer });
      this.#post({ type: 'call', from: this.#tab, id, method, params });
    });
  }

  tryNow(): void {
    if (this.#leads) this.#socket.tryNow();
    else this.#post({ type: 'ask', what: 'try_now' });
  }

  /** The device says that the network may have changed. */
  probe(): void {
    if (this.#leads) this.#socket.probe();
  }

  /** An entry is missing that cannot be read otherwise: come back with cursors. */
  resume(): void {
    if (this.#leads) this.#socket.resume();
    else this.#post({ type: 'ask', what: 'resume' });
  }

  /** Tells the other tabs something of this client's own. */
  tell(note: Note): void {
    this.#post({ type: 'note', note });
  }

  #lead(): void {
    clearInterval(this.#hello);
    this.#leads = true;
    this.#abandon();
    this.#post({ type: 'leading' });
    this.#host.leads(true);
    this.#socket.start();
  }

  #hear(message: Message<Note>): void {
    if (message.type === 'note') return this.#host.note(message.note);
    if (!this.#running) return;
    if (message.type === 'ended') return this.#finish(message.end);
    if (this.#leads) this.#hearAsLeader(message);
    else this.#hearAsFollower(message);
  }

  #hearAsLeader(message: Message<Note>): void {
    switch (message.type) {
      case 'hello': {
        this.#post({ type: 'state', state: this.#state });
        const result = this.#state.phase === 'open' ? this.#host.snapshot() : undefined;
        if (result) this.#post({ type: 'welcome', to: message.from, result });
        return;
      }
      case 'call':
        return void this.#relay(message.from, message.id, message.method, message.params);
      case 'ask':
        if (message.what === 'try_now') this.#socket.tryNow();
        else this.#socket.resume();
        return;
      default:
    }
  }

  async #relay(to: string, id: number, method: MethodName, params: unknown): Promise<void> {
    const outcome = await this.#socket.call(method, params as Methods[MethodName]['params']);
    this.#post({ type: 'reply', to, id, outcome });
  }

  #hearAsFollower(message: Message<Note>): void {
    switch (message.type) {
      case 'leading':
        this.#abandon();
        return this.#sayHello();
      case 'state':
        return this.#changed(message.state);
      case 'welcome':
        if (message.to !== this.#tab) return;
        clearInterval(this.#hello);
        return this.#host.started(message.result);
      case 'started':
        clearInterval(this.#hello);
        return this.#host.started(message.result);
      case 'push':
        return this.#host.push(message.push);
      case 'reply':
        if (message.to === this.#tab) this.#settle(message.id, message.outcome);
        return;
      default:
    }
  }

  #sayHello(): void {
    this.#post({ type: 'hello', from: this.#tab });
  }

  #settle(id: number, outcome: Outcome<unknown>): void {
    const relayed = this.#relayed.get(id);
    if (!relayed) return;
    this.#relayed.delete(id);
    clearTimeout(relayed.timer);
    relayed.answer(outcome);
  }

  #abandon(): void {
    for (const id of this.#relayed.keys()) this.#settle(id, failed(unreachable));
  }

  #finish(end: SessionEnd): void {
    // The lock passes on when the tokens are wiped: no other tab may try with them (G11).
    const release = this.#release;
    this.#release = undefined;
    this.stop();
    this.#host.ended(end);
    release?.();
  }

  #changed(state: SocketState): void {
    this.#state = state;
    this.#host.changed(state);
  }

  #post(message: Message<Note>): void {
    this.#channel?.postMessage(message);
  }
}

/** The host's answers to the socket, bound to it. */
function bound<Note>(host: LineHost<Note>): Pick<SocketHost, 'open' | 'token' | 'refresh' | 'cursors' | 'random'> {
  return {
    open: (subprotocol) => host.open(subprotocol),
    token: () => host.token(),
    refresh: (stale) => host.refresh(stale),
    cursors: () => host.cursors(),
    random: () => host.random(),
  };
}
