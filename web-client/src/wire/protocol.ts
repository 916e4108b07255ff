// Stand-in for the generated file.
export type UserId = string;
export type RoomId = string;
export type SessionId = string;
export type EntryId = string;
export type Epoch = string;
export type StreamId = string;
export type Seq = number;
export type Cursor = { epoch: Epoch; seq: Seq };
export type User = { id: UserId; username: string; display_name: string };
export type DeviceClass = 'desktop' | 'phone' | 'tablet' | 'bot';
export type Device = { id: string; class: DeviceClass; name: string };
export type Session = { id: SessionId; device: Device; place: string; started_at: number; used_at: number; current: boolean };
export type EndReason = 'displaced' | 'logged_out' | 'password_changed' | 'banned' | 'account_deleted' | 'expired' | 'token_reused';
export type SessionEnd = { reason: EndReason; device?: Device; place?: string; at: number };
export type RoomKind = 'direct' | 'group' | 'channel';
export type Role = 'member' | 'admin' | 'owner';
export type Marker = { seq: Seq; unread: number };
export type Preview = { seq: Seq; sender: UserId; text?: string; at: number };
export type Room = {
  id: RoomId; kind: RoomKind; name: string; topic: string; role: Role; member_count: number; peer?: User;
  head: Seq; marker: Marker; last?: Preview; created_at: number;
};
export type PublicRoom = { id: RoomId; kind: RoomKind; name: string; topic: string; member_count: number; joined: boolean };
export type Member = { user: User; role: Role; joined_at: number };
export type EntryBody =
  | { kind: 'message'; text: string; reply_to?: Seq }
  | { kind: 'edit'; target: Seq; text: string }
  | { kind: 'recall'; target: Seq }
  | { kind: 'room_created'; room_kind: RoomKind; name: string }
  | { kind: 'room_updated'; name: string; topic: string }
  | { kind: 'member_joined'; user: User }
  | { kind: 'member_added'; user: User }
  | { kind: 'member_left'; user: User }
  | { kind: 'member_removed'; user: User }
  | { kind: 'role_changed'; user: UserId; role: Role }
  | { kind: 'room_joined'; room: Room }
  | { kind: 'room_left'; room: RoomId; removed: boolean }
  | { kind: 'marker_moved'; room: RoomId; marker: Marker }
  | { kind: 'session_started'; session: Session }
  | { kind: 'profile_changed'; user: User };
export type Entry = { stream: StreamId; seq: Seq; id: EntryId; at: number; sender: UserId; key?: string } & EntryBody;
export type Recalled = { by: UserId; at: number };
export type TimelineItem = Entry & { edited_at?: number; recalled?: Recalled };
export type Draft = { room: RoomId; text: string; reply_to?: Seq; at: number };
export type Invite = { code: string; room: RoomId; expires_at: number; uses_left?: number };
export type InviteInfo = { room_name: string; member_count: number; invited_by: User; expires_at: number };
export type PasswordRules = { least: number; most: number };
export type ServerInfo = {
  name: string; version: string; sign_up: boolean; sign_in: 'password'[]; session_policy: 'takeover'; session_scope: 'account';
  password: PasswordRules;
};
export type Limits = { frame_bytes: number; text_bytes: number; commands_per_s: number; commands_burst: number };
export type Reason =
  | 'malformed_json' | 'invalid_request' | 'unknown_method' | 'invalid_params' | 'internal' | 'missing_parameter' | 'too_frequent'
  | 'unauthenticated' | 'invalid_credentials' | 'session_ended' | 'already_started' | 'not_allowed' | 'not_a_member'
  | 'foreign_origin' | 'not_found' | 'unknown_room' | 'unknown_user' | 'unknown_message' | 'unknown_session' | 'unknown_invite'
  | 'key_conflict' | 'username_taken' | 'last_owner' | 'recalled' | 'too_large' | 'method_not_allowed' | 'unsupported_media_type'
  | 'unavailable';
