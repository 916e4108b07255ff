// The streams this client follows: rooms and the user's own. Entries are taken in by seq; a hole is read before what
// comes after it is shown (G4); what was missed while away is counted down until all of it has been applied.

import type { Outcome } from '../wire/failure';
import type {
  Cursor,
  EntriesPage,
  Entry,
  Epoch,
  Resume,
  Room,
  RoomId,
  RoomReadParams,
  Seq,
  SessionStartResult,
  StreamId,
  User,
} from '../wire/protocol';
import { hasHole, intakeAfter, take, type Intake } from './intake';
import { summaryOf, withRoomEntry, type Summary } from './rooms';
import { RECENT_LIMIT } from './timeline';

/** A hole of more entries is not read: the timeline is loaded anew. */
const HOLE_LIMIT = 1_000;
/** Entries asked for at once. */
const PAGE = 200;
/** Pause before a hole is asked for again, in milliseconds. */
const AGAIN_MS = 2_000;
/** Entries kept of a room that is not known yet. */
const STRAY_LIMIT = 50;

/** What is known of one room. */
export interface RoomLog {
  summary: Summary;
  /** Undefined until a session was started: what is shown comes from the device. */
  intake: Intake | undefined;
  /** The newest entries taken in, ascending and dense. */
  recent: Entry[];
  reading: boolean;
  /** What was missed reaches up to here; undefined when nothing is missing. */
  missingTo: Seq | undefined;
}

/** What the streams need from their surroundings. */
export interface StreamsHost {
  me(): User;
  read(params: RoomReadParams): Promise<Outcome<EntriesPage>>;
  /** Whether a timeline of this room is in memory, which wants every entry. */
  loaded(room: RoomId): boolean;
  /** Entries of a room came, in order; the summary has them already. */
  applied(room: RoomId, entries: readonly Entry[]): void;
  /** The timeline cannot be continued; `told`: the server said so. Answers when it has been loaded anew. */
  reload(room: RoomId, told: boolean): Promise<void>;
  /** I am in a room that was not known before. */
  joined(room: RoomId): void;
  /** I am out of a room. */
  left(summary: Summary, removed: boolean): void;
  /** Something of the list has changed. */
  changed(): void;
  /** Something of what was missed has arrived. */
  progress(): void;
  /** An entry of my own stream that is about no room. */
  own(entry: Entry): void;
  /** Entries of my own stream are missing, and it cannot be read: come back with cursors. */
  resume(): void;
}

/** All streams of one account. */
export class Streams {
  readonly #host: StreamsHost;
  readonly rooms = new Map<RoomId, RoomLog>();
  #epoch: Epoch | undefined;
  #own: Intake | undefined;
  /** My own stream's newest entry when the session started: older ones are history, the rooms tell the present. */
  #ownHead: Seq = 0;
  /** Rooms that were mine before this session started; my own stream tells why they are not. */
  readonly #gone = new Map<RoomId, Summary>();
  readonly #strays = new Map<RoomId, Entry[]>();
  #reloading = 0;

  constructor(host: StreamsHost) {
    this.#host = host;
  }

  /** What the device kept; nothing is followed yet. */
  restore(summaries: readonly Summary[]): void {
    // The server was faster: what it did not name is not mine any more.
    if (this.#epoch !== undefined) return;
    for (const summary of summaries) {
      if (!this.rooms.has(summary.room.id)) this.rooms.set(summary.room.id, newLog(summary, undefined));
    }
    this.#host.changed();
  }

  /** Forgets everything. */
  clear(): void {
    this.rooms.clear();
    this.#strays.clear();
    this.#gone.clear();
    this.#epoch = undefined;
    this.#own = undefined;
    this.#reloading = 0;
  }

  /** How far each stream has been read that is to be continued. */
  cursors(): Record<StreamId, Cursor> {
    const cursors: Record<StreamId, Cursor> = {};
    const epoch = this.#epoch;
    if (epoch === undefined) return cursors;
    if (this.#own) cursors[`user:${this.#host.me().id}`] = { epoch, seq: this.#own.next - 1 };
    for (const [room, log] of this.rooms) {
      if (log.intake && this.#host.loaded(room)) cursors[`room:${room}`] = { epoch, seq: log.intake.next - 1 };
    }
    return cursors;
  }

  /** A session was started: the server's account of all rooms. Missed entries follow. */
  started(result: SessionStartResult): void {
    const renewed = this.#epoch !== undefined && this.#epoch !== result.epoch;
    this.#epoch = result.epoch;
    this.#ownHead = result.head;
    const own = result.resumed[`user:${result.user.id}`];
    if (!this.#own || renewed || own?.outcome !== 'following') this.#own = intakeAfter(result.head);
    const present = new Set(result.rooms.map((room) => room.id));
    this.#gone.clear();
    for (const [id, log] of this.rooms) {
      if (present.has(id)) continue;
      this.#gone.set(id, log.summary);
      this.#drop(id, log, false);
    }
    for (const room of result.rooms) this.#meet(room, result.resumed[`room:${room.id}`], renewed);
    this.#host.changed();
    this.#host.progress();
  }

  /** How things stand, for a tab that follows this one. */
  snapshot(): Pick<SessionStartResult, 'epoch' | 'head' | 'rooms' | 'resumed'> | undefined {
    if (this.#epoch === undefined || !this.#own) return undefined;
    const rooms = [...this.rooms.values()].map((log) => log.summary.room);
    return { epoch: this.#epoch, head: this.#own.next - 1, rooms, resumed: {} };
  }

  /** Whether something that was missed has not been applied yet. */
  behind(): boolean {
    if (this.#reloading > 0) return true;
    for (const log of this.rooms.values()) if (log.missingTo !== undefined) return true;
    return false;
  }

  /** An entry came. */
  entry(entry: Entry): void {
    const [kind, id = ''] = entry.stream.split(':');
    if (kind === 'user') return this.#takeOwn(entry);
    const log = this.rooms.get(id);
    if (!log) return this.#stray(id, entry);
    this.#take(id, log, entry);
    this.#settle(id, log);
  }

  /** I am in a room: from a reply or from my own stream, whichever came first. */
  join(room: Room): void {
    const log = this.rooms.get(room.id);
    if (log?.intake) return;
    this.rooms.set(room.id, newLog(summaryOf(room, log?.summary), intakeAfter(room.head)));
    const strays = this.#strays.get(room.id) ?? [];
    this.#strays.delete(room.id);
    for (const entry of strays) this.entry(entry);
    this.#host.joined(room.id);
    this.#host.changed();
  }

  /** I am out of a room. */
  leave(room: RoomId, removed: boolean): void {
    const log = this.rooms.get(room);
    if (log) this.#drop(room, log, removed);
    this.#host.changed();
  }

  /** A page was read at `head`, and what came after it is no longer at hand: it is read and applied once more. */
  rewind(room: RoomId, head: Seq): void {
    const log = this.rooms.get(room);
    if (!log?.intake || log.intake.next <= head + 1) return;
    log.missingTo = Math.max(log.missingTo ?? 0, log.intake.next - 1);
    log.intake = { next: head + 1, held: log.intake.held };
    log.recent = [];
    void this.#readHole(room, log);
  }

  /** Replaces what the list shows of a room. */
  update(room: RoomId, change: (summary: Summary) => Summary): void {
    const log = this.rooms.get(room);
    if (!log) return;
    const summary = change(log.summary);
    if (summary === log.summary) return;
    log.summary = summary;
    this.#host.changed();
  }

  #meet(room: Room, outcome: Resume | undefined, renewed: boolean): void {
    const log = this.rooms.get(room.id);
    if (!log) {
      this.rooms.set(room.id, newLog(summaryOf(room), intakeAfter(room.head)));
      return this.#host.joined(room.id);
    }
    const before = log.intake;
    log.summary = summaryOf(room, log.summary);
    const isLoaded = before !== undefined && this.#host.loaded(room.id);
    if (isLoaded && !renewed && outcome?.outcome === 'following') {
      this.#miss(log, outcome.head);
      return;
    }
    // Without a cursor (the tab that leads did not have this timeline) the hole is read; a large one is not.
    const applied = (before?.next ?? 1) - 1;
    if (isLoaded && !renewed && outcome === undefined && room.head >= applied && room.head - applied <= HOLE_LIMIT) {
      this.#miss(log, room.head);
      if (log.missingTo !== undefined) void this.#readHole(room.id, log);
      return;
    }
    log.intake = intakeAfter(outcome?.outcome === 'reload' ? outcome.head : room.head);
    log.recent = [];
    log.missingTo = undefined;
    if (isLoaded) void this.#reload(room.id, outcome?.outcome === 'reload');
  }

  #miss(log: RoomLog, head: Seq): void {
    log.missingTo = log.intake && head >= log.intake.next ? head : undefined;
  }

  async #reload(room: RoomId, told: boolean): Promise<void> {
    this.#reloading += 1;
    await this.#host.reload(room, told);
    this.#reloading = Math.max(0, this.#reloading - 1);
    this.#host.progress();
  }

  #take(id: RoomId, log: RoomLog, entry: Entry): void {
    if (!log.intake) return;
    const { intake, ready } = take(log.intake, entry);
    // Too many wait behind a hole: this one is read with it.
    if (entry.seq > intake.next && !intake.held.has(entry.seq)) {
      log.missingTo = Math.max(log.missingTo ?? 0, entry.seq);
    }
    log.intake = intake;
    if (ready.length === 0) return;
    const me = this.#host.me();
    const isNews = (one: Entry): boolean => one.seq > log.summary.room.head;
    const out = ready.find((one) => isNews(one) && putsOut(one, me.id));
    for (const one of ready) log.summary = withRoomEntry(log.summary, one, me);
    log.recent = [...log.recent, ...ready].slice(-RECENT_LIMIT);
    this.#host.applied(id, ready);
    this.#host.changed();
    if (out) this.leave(id, out.kind === 'member_removed');
  }

  /** After entries were taken in: reads the hole that may be left, and counts down what was missed. */
  #settle(id: RoomId, log: RoomLog): void {
    if (!log.intake) return;
    if (hasHole(log.intake)) void this.#readHole(id, log);
    if (log.missingTo !== undefined && log.intake.next > log.missingTo) {
      log.missingTo = undefined;
      this.#host.progress();
    }
  }

  async #readHole(id: RoomId, log: RoomLog): Promise<void> {
    if (log.reading) return;
    log.reading = true;
    try {
      while (this.rooms.get(id) === log && log.intake) {
        const after = log.intake.next - 1;
        const wanted = hasHole(log.intake) || (log.missingTo !== undefined && after < log.missingTo);
        if (!wanted) break;
        const answer = await this.#host.read({ room: id, after, limit: PAGE });
        if (this.rooms.get(id) !== log) return;
        if (!answer.ok) {
          if (NOT_MINE.has(answer.failure.reason)) this.#giveUp(log);
          if (NOT_AGAIN.has(answer.failure.reason) || NOT_MINE.has(answer.failure.reason)) return;
          setTimeout(() => this.#settle(id, log), answer.failure.retryAfterMs ?? AGAIN_MS);
          return;
        }
        for (const entry of answer.value.entries) this.#take(id, log, entry);
        // Nothing came although something is missing. A hole is never passed over: what is shown is loaded anew.
        if (log.intake.next - 1 === after) this.#startOver(id, log, answer.value.head);
      }
    } finally {
      log.reading = false;
    }
    this.#settle(id, log);
  }

  #giveUp(log: RoomLog): void {
    log.missingTo = undefined;
    this.#host.progress();
  }

  #startOver(id: RoomId, log: RoomLog, head: Seq): void {
    log.intake = intakeAfter(head);
    log.recent = [];
    log.missingTo = undefined;
    void this.#reload(id, false);
  }

  #takeOwn(entry: Entry): void {
    if (!this.#own) return;
    const { intake, ready } = take(this.#own, entry);
    this.#own = intake;
    for (const one of ready) this.#applyOwn(one);
    if (hasHole(intake)) {
      this.#own = { next: intake.next, held: new Map() };
      this.#host.resume();
    }
  }

  #applyOwn(entry: Entry): void {
    const isHistory = entry.seq <= this.#ownHead;
    switch (entry.kind) {
      case 'room_joined':
        if (!isHistory) this.join(entry.room);
        return;
      case 'room_left': {
        const gone = this.#gone.get(entry.room);
        if (!isHistory) this.leave(entry.room, entry.removed);
        else if (gone && entry.removed) this.#host.left(gone, true);
        return;
      }
      default:
        if (!isHistory) this.#host.own(entry);
    }
  }

  #drop(id: RoomId, log: RoomLog, removed: boolean): void {
    this.rooms.delete(id);
    this.#host.left(log.summary, removed);
    this.#host.progress();
  }

  #stray(room: RoomId, entry: Entry): void {
    const strays = this.#strays.get(room) ?? [];
    this.#strays.delete(room);
    this.#strays.set(room, [...strays, entry].slice(-STRAY_LIMIT));
    // Only rooms that are being joined have strays: a handful at once.
    const oldest = this.#strays.keys().next().value;
    if (this.#strays.size > 8 && oldest !== undefined) this.#strays.delete(oldest);
  }
}

/** Without a connection the next start begins with a cursor. */
const NOT_AGAIN = new Set<string>(['unreachable', 'unauthenticated', 'session_ended']);
/** A room that is not mine any more leaves by my own stream; nothing of it is missing. */
const NOT_MINE = new Set<string>(['not_a_member', 'unknown_room']);

function newLog(summary: Summary, intake: Intake | undefined): RoomLog {
  return { summary, intake, recent: [], reading: false, missingTo: undefined };
}

/** Whether an entry of a room puts a person out of it. */
function putsOut(entry: Entry, me: string): boolean {
  return (entry.kind === 'member_removed' || entry.kind === 'member_left') && entry.user.id === me;
}
