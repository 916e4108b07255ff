// A server in memory, as far as the model talks to one: dense logs, idempotent sends, resume by cursor, history
// pages. Tests cut its connections, hold back its answers and lose its pushes.

import type {
  Cursor,
  Entry,
  EntryBody,
  ErrorObject,
  HistoryPage,
  Reason,
  Recalled,
  Resume,
  Room,
  RoomHistoryParams,
  RoomId,
  Seq,
  Session,
  SessionEnd,
  SessionStartParams,
  SessionStartResult,
  StreamId,
  TimelineItem,
  User,
  UserId,
} from '../wire/protocol';
import { ERRORS } from '../wire/protocol';
import type { Wire } from '../wire/socket';
import { FakeWire, type Command } from './wire';

/** A refusal. */
export class Refused extends Error {
  constructor(
    readonly reason: Reason,
    readonly retryAfterMs?: number,
  ) {
    super(reason);
  }
}

interface Socket {
  readonly wire: FakeWire;
  user: UserId | undefined;
}

const EPOCH = 'epoch-1';

/** A server in memory. */
export class FakeServer {
  readonly users = new Map<UserId, User>();
  readonly logs = new Map<StreamId, Entry[]>();
  readonly rooms = new Map<RoomId, { name: string; kind: Room['kind']; members: Set<UserId> }>();
  readonly markers = new Map<string, Seq>();
  readonly drafts = new Map<string, string>();
  readonly #sockets: Socket[] = [];
  /** Every command that was received. */
  readonly received: Command[] = [];
  /** Sockets asked for. */
  opened = 0;
  isDown = false;
  epoch = EPOCH;
  /** Methods whose answers are lost, after they were run. */
  readonly mute = new Set<string>();
  /** How long answers of a method are under way, in milliseconds. */
  readonly delays = new Map<string, number>();
  /** Seqs whose pushes are lost. */
  readonly lost = new Set<Seq>();
  /** Called before a command is run; may throw a refusal. */
  before: (command: Command) => void = () => undefined;
  #now = 1_767_225_600_000;

  user(id: string): User {
    const user: User = { id, username: id, display_name: id.toUpperCase() };
    this.users.set(id, user);
    this.logs.set(`user:${id}`, []);
    return user;
  }

  room(id: string, members: string[], kind: Room['kind'] = 'group'): RoomId {
    this.rooms.set(id, { name: id, kind, members: new Set(members) });
    this.logs.set(`room:${id}`, []);
    this.append(`room:${id}`, members[0] ?? '', { kind: 'room_created', room_kind: kind, name: id });
    return id;
  }

  /** Commits an entry and pushes it to everyone who follows its stream. */
  append(stream: StreamId, sender: UserId, body: EntryBody, key?: string): Entry {
    const log = this.#log(stream);
    this.#now += 1_000;
    const entry: Entry = {
      stream,
      seq: log.length + 1,
      id: `${stream}#${log.length + 1}`,
      at: this.#now,
      sender,
      ...(key === undefined ? {} : { key }),
      ...body,
    };
    log.push(entry);
    if (!this.lost.has(entry.seq)) this.#publish(entry);
    return entry;
  }

  say(room: RoomId, sender: UserId, text: string): Entry {
    return this.append(`room:${room}`, sender, { kind: 'message', text });
  }

  open(): Wire {
    this.opened += 1;
    const wire = new FakeWire(this);
    if (this.isDown) {
      wire.closeWith(1006);
      return wire;
    }
    this.#sockets.push({ wire, user: undefined });
    setTimeout(() => wire.onopen?.call(wire as never, {} as Event));
    return wire;
  }

  /** Closes all connections. */
  cut(code = 1006): void {
    for (const { wire } of this.#sockets) wire.closeWith(code);
  }

  /** Ends all sessions: the push, then the close. */
  end(end: SessionEnd, code: number): void {
    for (const { wire } of this.#sockets) {
      wire.deliver({ jsonrpc: '2.0', method: 'session.ended', params: end });
      wire.closeWith(code);
    }
  }

  signal(params: unknown): void {
    for (const { wire } of this.#sockets) wire.deliver({ jsonrpc: '2.0', method: 'signal', params });
  }

  /** Pushes an entry again, or one that was lost. */
  push(entry: Entry): void {
    this.#publish(entry);
  }

  get connections(): number {
    return this.#sockets.length;
  }

  gone(wire: FakeWire): void {
    const at = this.#sockets.findIndex((socket) => socket.wire === wire);
    if (at >= 0) this.#sockets.splice(at, 1);
  }

  receive(wire: FakeWire, command: Command): void {
    const socket = this.#sockets.find((one) => one.wire === wire);
    if (!socket) return;
    this.received.push(command);
    try {
      this.before(command);
      const result = this.#run(socket, command);
      const afterMs = this.delays.get(command.method) ?? 0;
      if (!this.mute.has(command.method)) wire.deliver({ jsonrpc: '2.0', id: command.id, result }, afterMs);
      if (command.method === 'session.start') this.#catchUp(socket, command.params as unknown as SessionStartParams);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      wire.deliver({ jsonrpc: '2.0', id: command.id, error: errorObject(error) });
    }
  }

  /** The texts of a room's messages, in order. */
  texts(room: RoomId): string[] {
    return this.#log(`room:${room}`).flatMap((entry) => (entry.kind === 'message' ? [entry.text] : []));
  }

  history(room: RoomId, params: Omit<RoomHistoryParams, 'room'> = {}): HistoryPage {
    const log = this.#log(`room:${room}`);
    const items = fold(log);
    const limit = params.limit ?? 50;
    const from = (index: number): HistoryPage => {
      const first = Math.max(0, index);
      const page = items.slice(first, Math.max(0, index + limit));
      return { items: page, head: log.length, start: first === 0, end: first + page.length >= items.length };
    };
    const indexOf = (seq: Seq): number => items.filter((item) => item.seq < seq).length;
    if (params.before !== undefined) {
      const end = indexOf(params.before);
      const first = Math.max(0, end - limit);
      return { items: items.slice(first, end), head: log.length, start: first === 0, end: end === items.length };
    }
    if (params.after !== undefined) return from(indexOf(params.after + 1));
    if (params.around !== undefined) return from(Math.max(0, indexOf(params.around) - Math.floor(limit / 2)));
    return from(items.length - limit);
  }

  #run(socket: Socket, { method, params }: Command): unknown {
    if (method === 'session.start') return this.#start(socket, params as unknown as SessionStartParams);
    const me = socket.user;
    if (me === undefined) throw new Refused('unauthenticated');
    const room = params['room'] as RoomId;
    switch (method) {
      case 'ping':
        return { now: this.#now };
      case 'room.history':
        this.#require(room, me);
        return this.history(room, params);
      case 'room.read': {
        this.#require(room, me);
        const log = this.#log(`room:${room}`);
        const after = Number(params['after'] ?? 0);
        return { epoch: this.epoch, entries: log.slice(after, after + Number(params['limit'] ?? 50)), head: log.length };
      }
      case 'room.leave':
        return this.#leave(room, me);
      case 'message.send':
        return this.#write(me, room, params, { kind: 'message', text: String(params['text']) });
      case 'message.edit':
        return this.#write(me, room, params, { kind: 'edit', target: params['seq'] as Seq, text: String(params['text']) });
      case 'message.recall':
        return this.#write(me, room, params, { kind: 'recall', target: params['seq'] as Seq });
      case 'message.get': {
        const seqs = new Set(params['seqs'] as Seq[]);
        return { messages: fold(this.#log(`room:${room}`)).filter((item) => seqs.has(item.seq)) };
      }
      case 'marker.set': {
        const seq = Math.max(this.markers.get(`${room}/${me}`) ?? 0, params['seq'] as Seq);
        this.markers.set(`${room}/${me}`, seq);
        const marker = { seq, unread: this.#unread(room, seq) };
        this.append(`user:${me}`, me, { kind: 'marker_moved', room, marker });
        return marker;
      }
      case 'draft.set':
        this.drafts.set(`${room}/${me}`, String(params['text']));
        return { at: this.#now };
      case 'typing.set':
        return {};
      case 'user.get':
        return { users: (params['users'] as UserId[]).flatMap((id) => this.users.get(id) ?? []) };
      default:
        throw new Refused('unknown_method');
    }
  }

  #start(socket: Socket, { token, cursors = {} }: SessionStartParams): SessionStartResult {
    const user = this.users.get(token.split(' ')[0] ?? '');
    if (!user) throw new Refused('unauthenticated');
    socket.user = user.id;
    const resumed: Record<StreamId, Resume> = {};
    for (const [stream, cursor] of Object.entries(cursors) as [StreamId, Cursor][]) {
      const log = this.logs.get(stream);
      if (!log || !this.#follows(user.id, stream)) resumed[stream] = { outcome: 'gone' };
      else if (cursor.epoch !== this.epoch) resumed[stream] = { outcome: 'reload', head: log.length, why: 'epoch' };
      else resumed[stream] = { outcome: 'following', head: log.length };
    }
    return {
      user,
      session: sessionOf(user.id),
      epoch: this.epoch,
      head: this.#log(`user:${user.id}`).length,
      rooms: [...this.rooms].flatMap(([id, room]) => (room.members.has(user.id) ? [this.roomOf(id, user.id)] : [])),
      resumed,
      drafts: [...this.drafts].flatMap(([key, text]) => {
        const [room = '', owner] = key.split('/');
        return owner === user.id && text !== '' ? [{ room, text, at: this.#now }] : [];
      }),
      limits: { frame_bytes: 65_536, text_bytes: 16_384, commands_per_s: 20, commands_burst: 100 },
      heartbeat_ms: 20_000,
      now: Date.now(),
    };
  }

  roomOf(id: RoomId, me: UserId): Room {
    const room = this.rooms.get(id);
    const log = this.#log(`room:${id}`);
    const last = fold(log).findLast((item) => item.kind === 'message');
    const seq = this.markers.get(`${id}/${me}`) ?? 0;
    return {
      id,
      kind: room?.kind ?? 'group',
      name: room?.name ?? '',
      topic: '',
      role: 'member',
      member_count: room?.members.size ?? 0,
      head: log.length,
      marker: { seq, unread: this.#unread(id, seq) },
      ...(last?.kind === 'message' ? { last: { seq: last.seq, sender: last.sender, text: last.text, at: last.at } } : {}),
      created_at: log[0]?.at ?? 0,
    };
  }

  #catchUp(socket: Socket, { cursors = {} }: SessionStartParams): void {
    for (const [stream, cursor] of Object.entries(cursors) as [StreamId, Cursor][]) {
      if (cursor.epoch !== this.epoch || !this.#follows(socket.user ?? '', stream)) continue;
      for (const entry of this.#log(stream).slice(cursor.seq)) {
        socket.wire.deliver({ jsonrpc: '2.0', method: 'entry', params: entry });
      }
    }
  }

  #write(me: UserId, room: RoomId, params: Record<string, unknown>, body: EntryBody): unknown {
    this.#require(room, me);
    const key = String(params['key']);
    const known = this.#log(`room:${room}`).find((entry) => entry.key === key && entry.sender === me);
    const reply = params['reply_to'] === undefined ? {} : { reply_to: params['reply_to'] as Seq };
    const { seq, id, at } = known ?? this.append(`room:${room}`, me, { ...body, ...reply }, key);
    return { seq, id, at };
  }

  #leave(room: RoomId, me: UserId): unknown {
    const user = this.users.get(me);
    if (!user) throw new Refused('unknown_user');
    const { seq } = this.append(`room:${room}`, me, { kind: 'member_left', user });
    this.rooms.get(room)?.members.delete(me);
    this.append(`user:${me}`, me, { kind: 'room_left', room, removed: false });
    return { seq };
  }

  #require(room: RoomId, user: UserId): void {
    if (!this.rooms.get(room)?.members.has(user)) throw new Refused('not_a_member');
  }

  #follows(user: UserId, stream: StreamId): boolean {
    return stream === `user:${user}` || this.rooms.get(stream.slice('room:'.length))?.members.has(user) === true;
  }

  #publish(entry: Entry): void {
    for (const { wire, user } of this.#sockets) {
      if (user !== undefined && this.#follows(user, entry.stream)) {
        wire.deliver({ jsonrpc: '2.0', method: 'entry', params: entry });
      }
    }
  }

  #unread(room: RoomId, seq: Seq): number {
    return this.#log(`room:${room}`).filter((entry) => entry.kind === 'message' && entry.seq > seq).length;
  }

  #log(stream: StreamId): Entry[] {
    const log = this.logs.get(stream);
    if (!log) throw new Refused('unknown_room');
    return log;
  }
}

/** The timeline that a log makes. */
export function fold(log: readonly Entry[]): TimelineItem[] {
  const items = new Map<Seq, TimelineItem>();
  for (const entry of log) {
    const target = 'target' in entry ? items.get(entry.target) : undefined;
    if (entry.kind === 'edit' && target?.kind === 'message' && !target.recalled) {
      items.set(target.seq, { ...target, text: entry.text, edited_at: entry.at });
    } else if (entry.kind === 'recall' && target?.kind === 'message') {
      const recalled: Recalled = { by: entry.sender, at: entry.at };
      items.set(target.seq, { ...target, text: '', recalled });
    } else if (entry.kind !== 'edit' && entry.kind !== 'recall') {
      items.set(entry.seq, entry);
    }
  }
  return [...items.values()];
}

/** A session of a test. */
export function sessionOf(user: UserId): Session {
  const device = { id: `device-${user}`, class: 'desktop', name: 'Test' } as const;
  return { id: `session-${user}`, device, place: '127.0.0.0', started_at: 1, used_at: 1, current: true };
}

function errorObject({ reason, retryAfterMs }: Refused): ErrorObject {
  const retry = retryAfterMs === undefined ? {} : { retry_after_ms: retryAfterMs };
  return { code: ERRORS[reason].code, message: ERRORS[reason].title, data: { reason, ...retry } };
}
