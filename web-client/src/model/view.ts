// What the view may read: plain data in Solid stores, never written by the view.

import type {
  Device,
  Draft,
  EntryId,
  Limits,
  Member,
  Preview,
  PublicRoom,
  Recalled,
  Role,
  RoomId,
  RoomKind,
  Seq,
  ServerInfo,
  Session,
  SessionEnd,
  TimelineItem,
  User,
  UserId,
} from '../wire/protocol';
import type { Failure } from '../wire/failure';

/** Milliseconds since 1970, by the clock of this device unless said otherwise. */
export type Millis = number;

/** Whether somebody is signed in on this device. */
export type SessionView =
  /** Reading what the device keeps; lasts a few milliseconds, show nothing. */
  | { readonly phase: 'starting' }
  /** Nobody; `username` is who was last, to fill the field. */
  | { readonly phase: 'signed_out'; readonly username: string | undefined }
  /** Somebody. The cached rooms are there at once, before any connection. `limits` are the server's once known. */
  | { readonly phase: 'in'; readonly user: User; readonly session: Session; readonly limits: Limits }
  /**
   * The session was ended elsewhere: the whole page says so. Tokens are wiped and nothing reconnects (G11).
   * `backToSignIn()` leaves this phase.
   */
  | { readonly phase: 'ended'; readonly end: SessionEnd; readonly user: User; readonly kept: Kept };

/** What stays on this device for the person who was signed in. */
export interface Kept {
  readonly unsent: number;
  readonly drafts: number;
}

/** The one state that feeds the strip (UX §3). */
export interface ConnectionView {
  /**
   * `idle`: nobody signed in · `connected` · `blip`: away for less than 2 s, also the first connect; show nothing ·
   * `reconnecting` · `offline`: the device is offline or 3 tries failed · `catching_up`: connected, missed entries
   * still arriving (show after 400 ms) · `ended`.
   */
  readonly state: 'idle' | 'connected' | 'blip' | 'reconnecting' | 'offline' | 'catching_up' | 'ended';
  /** When this state began. */
  readonly since: Millis;
  /** When the next try begins; undefined while one is under way or none is planned. */
  readonly nextTryAt: Millis | undefined;
  /** True for 3 s after ≥ 5 s away, once everything missed has been applied: "Back online. All caught up." */
  readonly caughtUp: boolean;
}

/** One room in the list. Sorted by last activity in `ChatState.rooms`. */
export interface RoomView {
  readonly id: RoomId;
  readonly kind: RoomKind;
  /** What to show: the name, or for a direct room the peer's display name. */
  readonly title: string;
  readonly name: string;
  readonly topic: string;
  readonly role: Role;
  readonly memberCount: number;
  readonly peer: User | undefined;
  readonly head: Seq;
  /** The newest entry read, 0 for none. */
  readonly markerSeq: Seq;
  /** Messages after the marker. */
  readonly unread: number;
  /** Messages after the marker that name me, as far as this device has seen them. */
  readonly mentions: number;
  /** The newest message; `text` is undefined when it was recalled. */
  readonly last: Preview | undefined;
  /** Time of the last activity, by the server's clock. */
  readonly activeAt: Millis;
  readonly createdAt: Millis;
  /** Whether a draft waits here. */
  readonly draft: boolean;
  /** Messages of mine that are not sent yet; `refused` ones among them. */
  readonly unsent: number;
  readonly refused: number;
}

/** How far a message of mine has come. */
export type SendView =
  /** Stored on this device, behind another one of the same room. */
  | { readonly state: 'queued' }
  /** Under way since `since`: show nothing for 400 ms, then the clock. */
  | { readonly state: 'sending'; readonly since: Millis }
  /** No connection or no answer in 5 s: "Waiting for connection". */
  | { readonly state: 'waiting' }
  /** Too many at once: "Sends in {time}", then it goes by itself. */
  | { readonly state: 'delayed'; readonly goesAt: Millis }
  /** Refused for good. Offer `editUnsent` and `discard`; `retry` only where `canRetry`. */
  | { readonly state: 'refused'; readonly failure: Failure; readonly canRetry: boolean };

/** Kinds of rows; those that are no message are system lines. A kind this client does not know is never a row. */
export type RowKind = Exclude<RoomEntryKind, 'edit' | 'recall'>;

/** Entry kinds that a room's stream holds. */
export type RoomEntryKind =
  | 'message'
  | 'edit'
  | 'recall'
  | 'room_created'
  | 'room_updated'
  | 'member_joined'
  | 'member_added'
  | 'member_left'
  | 'member_removed'
  | 'role_changed';

/** One row of a timeline, committed or not sent yet. `id` never changes: becoming sent keeps the DOM node. */
export interface Row {
  /** The idempotency key for messages of mine, else the entry's id. Use it as the key of the DOM node. */
  readonly id: string;
  /** The place in the room's stream; 0 while not sent. */
  readonly seq: Seq;
  readonly kind: RowKind;
  /** The server's clock; this device's while not sent. */
  readonly at: Millis;
  readonly sender: UserId;
  readonly mine: boolean;
  /** The present text (an edit of mine that is under way is in it); empty for system lines and recalled ones. */
  readonly text: string;
  /** The message it answers: `chat.quote(room, seq)`. */
  readonly replyTo: Seq | undefined;
  /** Whether it names me. */
  readonly mention: boolean;
  readonly editedAt: Millis | undefined;
  readonly recalled: Recalled | undefined;
  /** Undefined once committed (G1: only then show it as sent). */
  readonly send: SendView | undefined;
  /** An edit or recall of it is under way. */
  readonly saving: boolean;
  /** The committed entry, for system lines (who joined, what it is called now …). */
  readonly entry: TimelineItem | undefined;
}

/** The timeline of a room, a window of its history. */
export interface TimelineView {
  readonly room: RoomId;
  /**
   * `loading`: nothing to show yet · `cached`: what the device kept, the server's comes · `ready` ·
   * `error`: nothing could be loaded, `failure` says why; `openRoom` tries again.
   */
  readonly status: 'loading' | 'cached' | 'ready' | 'error';
  readonly failure: Failure | undefined;
  /** Ascending; rows that are not sent yet come last, and only while `end`. */
  readonly rows: readonly Row[];
  /** Whether nothing older exists. */
  readonly start: boolean;
  /** Whether the window reaches the newest entry; false after a jump: `loadNewer`, or `jumpToLatest`. */
  readonly end: boolean;
  readonly older: EdgeView;
  readonly newer: EdgeView;
  /** The unread line stands above this seq's row or the first after it; set when the room opens, stays until cleared. */
  readonly unreadFrom: Seq | undefined;
  /** How many messages were unread when the room opened. */
  readonly unreadCount: number;
  /** The seq last jumped to; `jump` counts up with each jump so that the same place can be jumped to again. */
  readonly target: Seq | undefined;
  readonly jump: number;
  /** Rises each time the rows were replaced as a whole (jump, reload): place the scroll anew. */
  readonly generation: number;
  /** The server told us to reload this stream: one line says so. */
  readonly reloaded: boolean;
}

/** Loading at one end of a timeline. */
export type EdgeView = 'idle' | 'loading' | 'error' | 'offline';

/** The members of a room. */
export interface MembersView {
  readonly status: 'loading' | 'ready' | 'error';
  readonly members: readonly Member[];
  /** Whether more exist: `loadMembers(room)` again. */
  readonly more: boolean;
  readonly failure: Failure | undefined;
}

/** A text of mine that is not sent yet. */
export interface DraftView {
  readonly text: string;
  readonly replyTo: Seq | undefined;
  /** When it was last changed. */
  readonly at: Millis;
  /** The text of another device that a newer one replaced here: "Earlier draft". */
  readonly earlier: string | undefined;
  /** Rises when the text was changed from outside (other device, other tab): the composer takes it over. */
  readonly version: number;
}

/** Sessions of this account. */
export interface SessionsView {
  readonly status: 'idle' | 'loading' | 'ready' | 'error';
  readonly sessions: readonly Session[];
  readonly failure: Failure | undefined;
}

/** Something to say once, in a toast. */
export type Notice =
  | { readonly type: 'removed'; readonly room: RoomId; readonly title: string }
  | { readonly type: 'edit_refused'; readonly room: RoomId; readonly seq: Seq; readonly text: string; readonly failure: Failure }
  | { readonly type: 'recall_refused'; readonly room: RoomId; readonly seq: Seq; readonly failure: Failure }
  | { readonly type: 'signed_in_elsewhere'; readonly device: Device }
  /** An entry of someone else arrived: for the announcer. `open` = in the open room. */
  | { readonly type: 'message'; readonly room: RoomId; readonly row: Row; readonly open: boolean }
  /** This device's store is full or closed: what is typed may be lost on reload. */
  | { readonly type: 'not_kept' };

/** Everything the view reads. A Solid store: reading a field in a component follows it. */
export interface ChatState {
  /** What the server tells before anyone signs in; undefined until read. */
  readonly server: ServerInfo | undefined;
  readonly session: SessionView;
  readonly connection: ConnectionView;
  /** By last activity, newest first. */
  readonly rooms: readonly RoomView[];
  /** False until rooms are known from the device or the server: show skeletons. */
  readonly roomsKnown: boolean;
  /** The open room. */
  readonly open: RoomId | undefined;
  readonly timelines: Readonly<Record<RoomId, TimelineView>>;
  readonly drafts: Readonly<Record<RoomId, DraftView>>;
  /** Who is writing, without me; at most the last 5 s. */
  readonly typing: Readonly<Record<RoomId, readonly UserId[]>>;
  /** How far others have read, from signals (rooms of ≤ 50 members): room → user → seq. */
  readonly reads: Readonly<Record<RoomId, Readonly<Record<UserId, Seq>>>>;
  readonly members: Readonly<Record<RoomId, MembersView>>;
  readonly sessions: SessionsView;
  /** Messages of mine that wait to be sent, in all rooms, refused ones not counted. */
  readonly unsent: number;
  /** Unread messages in direct rooms plus mentions elsewhere: the number in the title. */
  readonly attention: number;
}

export type { Device, Draft, EntryId, Failure, Limits, Member, Preview, PublicRoom, Recalled };
