// The parts of the model, put together: who gets what from the connection, and who shows what.

import { batch, untrack } from 'solid-js';
import { unwrap } from 'solid-js/store';
import { createApi, type Api } from '../wire/api';
import { Line } from '../wire/line';
import {
  type Limits,
  type Push,
  type RoomId,
  type Seq,
  type Session,
  type SessionEnd,
  type SessionStartResult,
  type User,
} from '../wire/protocol';
import { browserExclusive, Vault, type Login } from '../wire/vault';
import { Account } from './account';
import { signalCame } from './arrivals';
import { Connection } from './connection';
import { Display } from './display';
import { Drafts, keptDrafts, wipeDrafts } from './drafts';
import type { Env } from './env';
import { Frames } from './frames';
import { Markers } from './markers';
import { Members } from './members';
import { kept, Outbox, wipeUnsent } from './outbox';
import { People } from './people';
import { Quotes } from './quotes';
import { withMarker } from './rooms';
import { createChatStore, type ChatStore } from './store';
import { DEFAULT_LIMITS, newStreams, newWindows, noteCame, type Note } from './parts';
import type { Streams } from './streams';
import { unreadAfter } from './timeline';
import { Typing } from './typing';
import type { Kept, Notice } from './view';
import type { Windows } from './windows';

const NO_USER: User = { id: '', username: '', display_name: '' };
const LAST_USERNAME = 'hubbub.username';
/** The whole model of one tab, without its door. */
export class Core {
  readonly env: Env;
  readonly store: ChatStore = createChatStore();
  readonly api: Api;
  readonly vault: Vault;
  readonly account: Account;
  readonly line: Line<Note>;
  readonly connection: Connection;
  readonly streams: Streams;
  readonly windows: Windows;
  readonly outbox: Outbox;
  readonly drafts: Drafts;
  readonly markers: Markers;
  readonly typing: Typing;
  readonly people: People;
  readonly members: Members;
  readonly quotes: Quotes;
  readonly display: Display;
  readonly #frames: Frames;
  readonly listeners = new Set<(notice: Notice) => void>();
  #me: User = NO_USER;
  #session: Session | undefined;
  #limits: Limits = DEFAULT_LIMITS;
  #heartbeatMs = 0;
  #leads = false;
  /** Whether the server has told how things stand since the connection opened. */
  #isSynced = false;
  /** Server's clock minus this device's. */
  #clockAheadMs = 0;
  readonly #unlisten: () => void;

  constructor(env: Env) {
    this.env = env;
    this.#frames = new Frames(env.frame);
    this.api = createApi(env.fetch);
    this.vault = new Vault(env.shelf, browserExclusive(env.locks));
    this.account = new Account({
      api: this.api,
      vault: this.vault,
      device: env.device,
      entered: (login) => {
        this.enter(login);
        this.line.tell({ type: 'signed_in' });
      },
    });
    this.line = this.#newLine();
    const { line } = this;
    this.connection = new Connection({
      online: () => env.online(),
      behind: () => !this.#isSynced || this.streams.behind(),
      changed: (view) => {
        this.store.set('connection', { ...view });
        if (view.state === 'reconnecting' || view.state === 'offline') this.windows.lost();
      },
    });
    this.streams = newStreams(this);
    this.windows = newWindows(this, this.#frames);
    this.outbox = new Outbox({
      shelf: env.shelf,
      newKey: () => env.newKey(),
      send: (params) => line.call('message.send', params),
      leads: () => this.#leads,
      connected: () => this.isOpen,
      shows: (room, seq) => {
        const timeline = this.windows.get(room)?.timeline;
        return timeline !== undefined && timeline.end && timeline.upTo < seq;
      },
      changed: (room) => {
        this.#frames.add(`rows ${room}`, () => this.display.rows(room));
        this.listChanged();
      },
      tell: (key, item) => line.tell({ type: 'unsent', key, item }),
    });
    this.drafts = new Drafts({
      shelf: env.shelf,
      now: () => this.serverNow(),
      send: async (params) => {
        const answer = await line.call('draft.set', params);
        if (answer.ok) line.tell({ type: 'draft', draft: { ...params, at: answer.value.at } });
        return answer;
      },
      changed: (room, draft) => {
        const { text, replyTo, at, earlier, version } = draft ?? {};
        const isShown = draft && (draft.text !== '' || draft.version > 0 || earlier !== undefined);
        const view = { text: text ?? '', replyTo, at: at ?? 0, earlier, version: version ?? 0 };
        this.store.byRoom('drafts', room, isShown ? view : undefined);
        this.listChanged();
      },
      notKept: () => this.notice({ type: 'not_kept' }),
    });
    this.markers = new Markers({
      send: (params) => line.call('marker.set', params),
      answered: (room, marker) => this.marked(room, marker.seq, marker.unread),
    });
    this.typing = new Typing({
      send: (room) => void line.call('typing.set', { room }),
      changed: (room, users) => this.store.byRoom('typing', room, users.length > 0 ? users : undefined),
    });
    this.people = new People({
      get: (users) => line.call('user.get', { users }),
      put: (users) => this.store.people(users),
    });
    this.members = new Members({
      get: (params) => line.call('room.members', params),
      changed: (room, view) => {
        if (view) this.store.people(view.members.map((member) => member.user));
        this.store.byRoom('members', room, view);
      },
    });
    this.quotes = new Quotes({
      get: (params) => line.call('message.get', params),
      known: (room) => this.windows.get(room)?.timeline,
      put: (key, item) => this.store.set('quotes', key, { ...item }),
    });
    this.display = new Display(this, (name, job) => this.#frames.addSlow(name, job));
    this.#unlisten = env.listen({
      network: () => this.#networkChanged(),
      seen: () => this.line.probe(),
      leaving: () => this.keepNow(),
    });
    const login = this.vault.read();
    if (login) this.enter(login);
    else this.#showSignedOut();
  }

  get me(): User {
    return this.#me;
  }

  get session(): Session | undefined {
    return this.#session;
  }

  /** Whether a session is started, so that commands can go. */
  get isOpen(): boolean {
    return this.line.state.phase === 'open';
  }

  /** The server's clock, as far as it is known. */
  serverNow(): number {
    return Date.now() + this.#clockAheadMs;
  }

  notice(notice: Notice): void {
    for (const listener of this.listeners) listener(notice);
  }

  onNotice(listener: (notice: Notice) => void): () => void {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  }

  /** Somebody is signed in: what the device keeps is shown at once, then the connection begins. */
  enter(login: Login): void {
    if (this.#me.id !== '') this.leave();
    const { user, session } = login;
    this.#me = user;
    this.#session = session;
    this.env.shelf.set(LAST_USERNAME, user.username);
    batch(() => {
      this.store.session({ phase: 'in', user, session, limits: this.#limits });
      this.store.people([user]);
      this.drafts.load(user.id);
      this.outbox.load(user.id);
    });
    void this.#restore(user);
    this.line.start();
  }

  /** Nobody is signed in any more on this tab; what the device keeps stays. */
  leave(): void {
    this.keepNow();
    this.line.stop();
    this.#me = NO_USER;
    this.#session = undefined;
    batch(() => {
      this.drafts.unload();
      this.outbox.unload();
      this.windows.forget();
      this.members.forget();
      this.typing.clear();
      this.store.clear();
    });
    this.streams.clear();
    this.markers.forget();
    this.people.clear();
    this.quotes.clear();
    this.#frames.clear();
  }

  /** Leaves, and shows the sign-in page here and in the other tabs. */
  signedOut(tellOthers: boolean): void {
    this.leave();
    this.#showSignedOut();
    if (tellOthers) this.line.tell({ type: 'signed_out' });
  }

  /** Removes what the device keeps of an account. */
  wipe(account: string): void {
    wipeUnsent(this.env.shelf, account);
    wipeDrafts(this.env.shelf, account);
    this.env.shelf.remove(LAST_USERNAME);
    this.env.cache.wipe(account);
  }

  /** The page may go away: nothing typed or read is lost. */
  keepNow(): void {
    this.drafts.keepNow();
    this.markers.flush();
    this.#frames.runSlow();
    this.display.keep();
  }

  dispose(): void {
    this.keepNow();
    this.#unlisten();
    this.line.close();
    this.connection.dispose();
    this.leave();
  }

  /** I have read up to `seq`; `unread` is the server's count behind it, for when this device cannot count. */
  marked(room: RoomId, seq: Seq, unread: number): void {
    const timeline = this.windows.get(room)?.timeline;
    this.streams.update(room, (summary) => {
      if (seq < summary.room.marker.seq) return summary;
      const counted = seq >= summary.room.head ? 0 : timeline && unreadAfter(timeline, seq, this.#me.id);
      return withMarker(summary, { seq, unread: counted ?? unread });
    });
  }

  /** The list is shown anew with the next frame. */
  listChanged(): void {
    this.#frames.add('list', () => this.display.list());
  }

  /** Another name for me. */
  renamed(user: User): void {
    this.#me = user;
    this.vault.renamed(user);
    this.store.people([user]);
    const { session } = untrack(() => ({ session: unwrap(this.store.state.session) }));
    if (session.phase === 'in') this.store.session({ ...session, user });
  }

  #newLine(): Line<Note> {
    const { env } = this;
    return new Line<Note>(
      {
        open: (subprotocol) => env.open(subprotocol),
        token: () => this.vault.read()?.accessToken,
        refresh: (stale) => this.vault.refresh(this.api, stale),
        cursors: () => this.streams.cursors(),
        random: () => env.random(),
        started: (result) => this.#started(result),
        push: (push) => this.#push(push),
        changed: (state) => {
          if (state.phase !== 'open') {
            this.#isSynced = false;
            this.outbox.lost();
            this.typing.clear();
          }
          this.connection.socket(state);
        },
        ended: (end) => this.#ended(end),
        snapshot: () => this.#snapshot(),
        leads: (leads) => {
          this.#leads = leads;
          // What the tab that led before left unsent is taken over.
          if (leads && this.#me.id !== '') this.outbox.load(this.#me.id);
        },
        note: (note) => noteCame(this, note),
      },
      env.newKey(),
      env.locks,
      env.channel,
    );
  }

  async #restore(user: User): Promise<void> {
    const known = await this.env.cache.rooms(user.id);
    if (this.#me.id !== user.id || !known) return;
    this.store.people(known.people.filter((person) => !this.store.state.people[person.id]));
    this.streams.restore(known.rooms);
    this.store.set('roomsKnown', true);
    this.#frames.runNow('list');
    const { open } = this.store.state;
    if (open !== undefined) this.windows.open(open);
  }

  #started(result: SessionStartResult): void {
    if (result.user.id !== this.#me.id) return;
    this.#isSynced = true;
    this.#clockAheadMs = result.now - Date.now();
    this.#session = result.session;
    this.#limits = result.limits;
    this.#heartbeatMs = result.heartbeat_ms;
    this.#me = result.user;
    this.vault.renamed(result.user);
    batch(() => {
      const { user, session, limits } = result;
      this.store.session({ phase: 'in', user, session, limits });
      this.store.people([user, ...result.rooms.flatMap((room) => (room.peer ? [room.peer] : []))]);
      this.store.set('roomsKnown', true);
      this.streams.started(result);
      this.drafts.started(result.drafts);
      this.windows.started();
    });
    this.#frames.runNow('list');
    this.people.started();
    this.quotes.started();
    this.markers.flush();
    this.outbox.pump();
  }

  #snapshot(): SessionStartResult | undefined {
    const streams = this.streams.snapshot();
    if (!streams || !this.#session) return undefined;
    return {
      ...streams,
      user: this.#me,
      session: this.#session,
      drafts: this.drafts.all(),
      limits: this.#limits,
      heartbeat_ms: this.#heartbeatMs,
      now: Math.round(this.serverNow()),
    };
  }

  #push(push: Push): void {
    if (push.method === 'entry') this.streams.entry(push.params);
    else if (push.method === 'signal') signalCame(this, push.params);
  }

  #ended(end: SessionEnd): void {
    const user = this.#me;
    if (user.id === '') return;
    this.leave();
    this.vault.wipe();
    this.store.session({ phase: 'ended', end, user, kept: this.#keptOf(user.id) });
    this.connection.socket({ phase: 'ended', lostAt: undefined, nextTryAt: undefined, failures: 0 });
  }

  #networkChanged(): void {
    this.connection.refresh();
    this.line.probe();
  }

  #showSignedOut(): void {
    this.store.session({ phase: 'signed_out', username: this.env.shelf.get(LAST_USERNAME) });
  }

  #keptOf(account: string): Kept {
    return { unsent: kept(this.env.shelf, account).length, drafts: keptDrafts(this.env.shelf, account) };
  }
}
