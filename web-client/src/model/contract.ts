// What the model offers the view: a store to read and actions to call.
//
// Promises never reject: an action answers an `Outcome`. What happens without being asked comes through `onNotice`.

import type {
  InviteInfo,
  Invite,
  PublicRoom,
  Role,
  Room,
  RoomId,
  RoomKind,
  Seq,
  SessionId,
  TimelineItem,
  User,
  UserId,
} from '../wire/protocol';
import type { Outcome } from '../wire/failure';
import type { ChatState, Notice } from './view';

/** A new account. */
export interface NewAccount {
  readonly username: string;
  readonly password: string;
  /** The username when absent. */
  readonly displayName?: string;
}

/** A new group or channel. */
export interface NewRoom {
  readonly kind: Exclude<RoomKind, 'direct'>;
  readonly name: string;
  readonly topic?: string;
  readonly members?: readonly UserId[];
}

/** How long and how often an invitation may be used. */
export interface InviteTerms {
  /** 60 s to 30 days; 7 days when absent. */
  readonly expiresInS?: number;
  /** Without limit when absent. */
  readonly maxUses?: number;
}

/** The model. One per tab; `createChat()` makes it and takes up what the device keeps. */
export interface Chat {
  readonly state: ChatState;

  // ---- who is here -----------------------------------------------------------------------------------------------
  /** Reads `GET /v1/server` (again); `state.server` has it. */
  loadServer(): Promise<Outcome<void>>;
  /** Makes an account and logs in. */
  signUp(account: NewAccount): Promise<Outcome<void>>;
  logIn(username: string, password: string): Promise<Outcome<void>>;
  /** Ends this session on the server (best effort, 5 s) and on this device. `wipe` also removes cache, drafts, unsent. */
  logOut(options?: { wipe?: boolean }): Promise<void>;
  /** From `ended` to `signed_out`. `wipe` removes all that the device keeps of that person ("Shared computer?"). */
  backToSignIn(options?: { wipe?: boolean }): void;
  /** Changes what others read as my name. */
  updateProfile(displayName: string): Promise<Outcome<User>>;
  /** Fills `state.sessions`. */
  listSessions(): Promise<Outcome<void>>;
  /** Logs another device out; the row stays until the server has answered (G7). */
  endSession(session: SessionId): Promise<Outcome<void>>;

  // ---- the connection --------------------------------------------------------------------------------------------
  /** [Try now] of the strip. */
  tryNow(): void;

  // ---- rooms -----------------------------------------------------------------------------------------------------
  /** Shows a room: `state.open`, its timeline loaded at the unread line, or at `seq`. */
  openRoom(room: RoomId, at?: Seq): void;
  /** No room is shown (phone: the list). Sends the marker that waits. */
  closeRoom(): void;
  createRoom(room: NewRoom): Promise<Outcome<Room>>;
  /** The direct room with a person, made or found. */
  createDirect(user: UserId): Promise<Outcome<Room>>;
  /** Joins a channel by id, or any room by the code of an invitation. */
  joinRoom(by: { room: RoomId } | { code: string }): Promise<Outcome<Room>>;
  leaveRoom(room: RoomId): Promise<Outcome<void>>;
  updateRoom(room: RoomId, change: { name?: string; topic?: string }): Promise<Outcome<void>>;
  addMembers(room: RoomId, users: readonly UserId[]): Promise<Outcome<void>>;
  removeMember(room: RoomId, user: UserId): Promise<Outcome<void>>;
  setRole(room: RoomId, user: UserId, role: Role): Promise<Outcome<void>>;
  /** Fills `state.members[room]`; called again it loads the next page while `more`. */
  loadMembers(room: RoomId): Promise<Outcome<void>>;
  createInvite(room: RoomId, terms?: InviteTerms): Promise<Outcome<Invite>>;
  /** The address of an invitation's page: `{origin}/invite/{code}`. */
  inviteLink(code: string): string;
  /** What an invitation opens; works signed out. */
  previewInvite(code: string): Promise<Outcome<InviteInfo>>;
  browseChannels(query?: string, after?: string): Promise<Outcome<readonly PublicRoom[]>>;

  // ---- timeline --------------------------------------------------------------------------------------------------
  /** The page before the first row; a second call while one is under way does nothing. */
  loadOlder(room: RoomId): Promise<void>;
  /** The page after the last row, while `end` is false. */
  loadNewer(room: RoomId): Promise<void>;
  /** Loads around a seq unless it is there already, and sets `target`. */
  jumpTo(room: RoomId, seq: Seq): Promise<Outcome<void>>;
  /** Back to the newest entries. */
  jumpToLatest(room: RoomId): Promise<Outcome<void>>;
  /** Whether the view stands at the end: while it does old rows may be let go, else new ones beyond the limit. */
  setFollowing(room: RoomId, following: boolean): void;
  /** Takes the unread line away (on leaving, Esc, sending). */
  clearUnreadLine(room: RoomId): void;
  /** The message that a reply quotes, as far as it is known; asks for it when it is not, and follows it. */
  quote(room: RoomId, seq: Seq): TimelineItem | undefined;
  /** The newest entry seen; only forward, sent at most each 2 s. */
  setMarker(room: RoomId, seq: Seq): void;

  // ---- writing ---------------------------------------------------------------------------------------------------
  /** Stores the message on this device and shows it, then sends. False when it is empty or cannot be kept. */
  send(room: RoomId, text: string, replyTo?: Seq): boolean;
  /** Sends a refused message once more under its key. */
  retry(key: string): void;
  /** Takes a message that is not sent off the device. */
  discard(key: string): void;
  /** Takes a message that is not sent back for the composer: discards it and answers its text. */
  editUnsent(key: string): { text: string; replyTo: Seq | undefined } | undefined;
  /** Optimistic; a refusal brings the old text back and gives a notice with mine. */
  edit(room: RoomId, seq: Seq, text: string): Promise<Outcome<void>>;
  /** Not optimistic to the eye but for `saving`; a refusal gives a notice. */
  recall(room: RoomId, seq: Seq): Promise<Outcome<void>>;
  /** What the composer holds: device after 300 ms, server after 2 s. Empty text removes it. */
  setDraft(room: RoomId, text: string, replyTo?: Seq): void;
  /** The text of this room is changing: tells the others, at most each 3 s. */
  typing(room: RoomId): void;

  // ---- people ----------------------------------------------------------------------------------------------------
  /** A person, from the cache; unknown ones are asked for together. Reactive. */
  person(user: UserId): User | undefined;
  findPeople(query: string, limit?: number): Promise<Outcome<readonly User[]>>;

  /** Called with things to say once. Answers the way to stop. */
  onNotice(listener: (notice: Notice) => void): () => void;
  /** Ends timers and the socket of this tab (tests, hot reload). */
  dispose(): void;
}
