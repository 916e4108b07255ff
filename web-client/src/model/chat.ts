// The model's door: every action of the contract.

import { untrack } from 'solid-js';
import { done, failed, localFailure, type Outcome } from '../wire/failure';
import type { MethodName, Methods, Room, RoomCreateParams, RoomId, Seq, UserId } from '../wire/protocol';
import type { Chat, NewRoom } from './contract';
import { Core } from './core';
import { browserEnv, type Env } from './env';
import { persistent } from './persist';
import { quoteKey } from './quotes';

/** Makes the model of this tab. Tests give it other surroundings than the browser. */
export function createChat(env: Env = browserEnv()): Chat {
  const core = new Core(env);
  return {
    state: core.store.state,
    ...accountActions(core),
    ...roomActions(core),
    ...timelineActions(core),
    ...writingActions(core),
    ...peopleActions(core),
    tryNow: () => core.line.tryNow(),
    onNotice: (listener) => core.onNotice(listener),
    dispose: () => core.dispose(),
  };
}

type Some<K extends keyof Chat> = Pick<Chat, K>;

function accountActions(
  core: Core,
): Some<
  | 'loadServer'
  | 'signUp'
  | 'logIn'
  | 'logOut'
  | 'backToSignIn'
  | 'updateProfile'
  | 'listSessions'
  | 'endSession'
> {
  const { store, account } = core;
  return {
    async loadServer() {
      const answer = await core.api.server();
      if (answer.ok) store.set('server', answer.value);
      return nothing(answer);
    },
    signUp: (wanted) => account.signUp(wanted),
    logIn: (username, password) => account.logIn(username, password),
    async logOut({ wipe = false } = {}) {
      const { id } = core.me;
      core.keepNow();
      const told = account.logOut();
      core.signedOut(true);
      if (wipe) core.wipe(id);
      await told;
    },
    backToSignIn({ wipe = false } = {}) {
      const { session } = untrack(() => ({ session: store.state.session }));
      if (session.phase !== 'ended') return;
      if (wipe) core.wipe(session.user.id);
      core.signedOut(false);
    },
    async updateProfile(displayName) {
      const answer = await core.line.call('user.update', { display_name: displayName.trim() });
      if (!answer.ok) return answer;
      core.renamed(answer.value.user);
      return done(answer.value.user);
    },
    async listSessions() {
      store.set('sessions', { status: 'loading', failure: undefined });
      const answer = await account.sessions();
      if (answer.ok) store.set('sessions', { status: 'ready', sessions: answer.value.sessions });
      else store.set('sessions', { status: 'error', failure: answer.failure });
      return nothing(answer);
    },
    async endSession(session) {
      const answer = await account.endSession(session);
      if (answer.ok) store.set('sessions', 'sessions', (all) => all.filter((one) => one.id !== session));
      return nothing(answer);
    },
  };
}

function roomActions(
  core: Core,
): Some<
  | 'openRoom'
  | 'closeRoom'
  | 'createRoom'
  | 'createDirect'
  | 'joinRoom'
  | 'leaveRoom'
  | 'updateRoom'
  | 'addMembers'
  | 'removeMember'
  | 'setRole'
  | 'loadMembers'
  | 'createInvite'
  | 'inviteLink'
  | 'previewInvite'
  | 'browseChannels'
> {
  const entered = (answer: Outcome<{ room: Room }>): Outcome<Room> => {
    if (!answer.ok) return answer;
    const { room } = answer.value;
    if (room.peer) core.store.people([room.peer]);
    core.streams.join(room);
    return done(room);
  };
  const create = async (params: Omit<RoomCreateParams, 'key'>): Promise<Outcome<Room>> => {
    const key = core.env.newKey();
    return entered(await persistent(() => core.line.call('room.create', { key, ...params })));
  };
  const tell = async <M extends MethodName>(method: M, params: Methods[M]['params']): Promise<Outcome<void>> =>
    nothing(await core.line.call(method, params));
  return {
    openRoom(room, at) {
      const before = untrack(() => core.store.state.open);
      if (before !== room) core.markers.flush();
      core.store.set('open', room);
      core.windows.open(room, at);
    },
    closeRoom() {
      core.markers.flush();
      core.windows.close();
      core.store.set('open', undefined);
    },
    createRoom({ kind, name, topic = '', members = [] }: NewRoom) {
      return create({ kind, name: name.trim(), topic: topic.trim(), members: [...members] });
    },
    createDirect: (user: UserId) => create({ kind: 'direct', members: [user] }),
    joinRoom: async (by) => entered(await core.line.call('room.join', by)),
    async leaveRoom(room) {
      const answer = await core.line.call('room.leave', { room });
      if (answer.ok) core.streams.leave(room, false);
      return nothing(answer);
    },
    async updateRoom(room, change) {
      const answer = await core.line.call('room.update', { room, ...change });
      if (answer.ok) {
        const { name, topic } = answer.value.room;
        core.streams.update(room, (summary) => ({ ...summary, room: { ...summary.room, name, topic } }));
      }
      return nothing(answer);
    },
    addMembers: (room, users) => tell('room.add', { room, users: [...users] }),
    removeMember: (room, user) => tell('room.remove', { room, user }),
    setRole: (room, user, role) => tell('room.role', { room, user, role }),
    loadMembers: (room) => core.members.load(room),
    createInvite(room, { expiresInS, maxUses } = {}) {
      const expires = expiresInS === undefined ? {} : { expires_in_s: expiresInS };
      return core.line.call('room.invite', { room, ...expires, ...(maxUses === undefined ? {} : { max_uses: maxUses }) });
    },
    inviteLink: (code) => `${core.env.origin}/invite/${encodeURIComponent(code)}`,
    previewInvite: (code) => core.api.invite(code, core.vault.read()?.accessToken),
    async browseChannels(query = '', after) {
      const prefix = query.trim() === '' ? {} : { query: query.trim() };
      const answer = await core.line.call('room.list', { ...prefix, ...(after === undefined ? {} : { after }) });
      return answer.ok ? done(answer.value.rooms) : answer;
    },
  };
}

function timelineActions(
  core: Core,
): Some<
  | 'loadOlder'
  | 'loadNewer'
  | 'jumpTo'
  | 'jumpToLatest'
  | 'setFollowing'
  | 'clearUnreadLine'
  | 'quote'
  | 'setMarker'
> {
  const { windows, store } = core;
  return {
    loadOlder: (room) => windows.older(room),
    loadNewer: (room) => windows.newer(room),
    jumpTo: (room, seq) => windows.jump(room, seq),
    jumpToLatest: (room) => windows.jump(room, undefined),
    setFollowing: (room, following) => windows.steer(room, { following }),
    clearUnreadLine: (room) => windows.steer(room, { unreadFrom: undefined, unreadCount: 0 }),
    quote(room, seq) {
      const item = store.state.quotes[quoteKey(room, seq)];
      if (!item) untrack(() => core.quotes.want(room, seq));
      return item;
    },
    setMarker(room, seq) {
      const summary = core.streams.rooms.get(room)?.summary;
      if (!summary || seq <= summary.room.marker.seq) return;
      core.marked(room, seq, summary.room.marker.unread);
      core.markers.set(room, seq);
    },
  };
}

function writingActions(
  core: Core,
): Some<'send' | 'retry' | 'discard' | 'editUnsent' | 'edit' | 'recall' | 'setDraft' | 'typing'> {
  const change = async (
    room: RoomId,
    seq: Seq,
    text: string | undefined,
    ask: () => Promise<Outcome<unknown>>,
  ): Promise<Outcome<void>> => {
    const shown = { text };
    core.windows.change(room, seq, shown);
    const answer = await persistent(ask);
    if (answer.ok) {
      // The entry brings the change; it may have come before the answer.
      setTimeout(() => core.windows.unchange(room, seq, shown), ENTRY_MS);
      return done(undefined);
    }
    core.windows.unchange(room, seq, shown);
    const { failure } = answer;
    core.notice(
      text === undefined
        ? { type: 'recall_refused', room, seq, failure }
        : { type: 'edit_refused', room, seq, text, failure },
    );
    return answer;
  };
  return {
    send(room, text, replyTo) {
      const trimmed = withoutEdges(text);
      if (trimmed === '') return false;
      const item = core.outbox.add(room, trimmed, replyTo);
      // What cannot be kept is sent all the same, but the person is told.
      if (!item) core.notice({ type: 'not_kept' });
      core.drafts.remove(room);
      core.typing.sent(room);
      core.windows.changedNow(room);
      return true;
    },
    retry: (key) => core.outbox.retry(key),
    discard: (key) => void core.outbox.discard(key),
    editUnsent(key) {
      const item = core.outbox.discard(key);
      return item && { text: item.text, replyTo: item.replyTo };
    },
    edit(room, seq, text) {
      const trimmed = withoutEdges(text);
      if (trimmed === '') return Promise.resolve(failed(localFailure('invalid_params')));
      const key = core.env.newKey();
      return change(room, seq, trimmed, () => core.line.call('message.edit', { room, key, seq, text: trimmed }));
    },
    recall(room, seq) {
      const key = core.env.newKey();
      return change(room, seq, undefined, () => core.line.call('message.recall', { room, key, seq }));
    },
    setDraft: (room, text, replyTo) => core.drafts.set(room, text, replyTo),
    typing: (room) => core.typing.wrote(room),
  };
}

/** How long an acknowledged change of mine is shown before its entry must have come (G5). */
const ENTRY_MS = 5_000;

function peopleActions(core: Core): Some<'person' | 'findPeople'> {
  return {
    person(user) {
      const known = core.store.state.people[user];
      if (!known) untrack(() => core.people.want(user));
      return known;
    },
    async findPeople(query, limit) {
      const answer = await core.line.call('user.find', { query, ...(limit === undefined ? {} : { limit }) });
      if (!answer.ok) return answer;
      core.store.people(answer.value.users);
      return done(answer.value.users);
    },
  };
}

function nothing(answer: Outcome<unknown>): Outcome<void> {
  return answer.ok ? done(undefined) : answer;
}

/** Without empty lines before and white space after; spaces before the first word may be code. */
function withoutEdges(text: string): string {
  const end = text.trimEnd();
  let start = 0;
  for (let at = 0; at < end.length; at += 1) {
    if (end[at] === '\n') start = at + 1;
    else if (end[at] !== ' ' && end[at] !== '\t' && end[at] !== '\r') break;
  }
  return end.slice(start);
}
