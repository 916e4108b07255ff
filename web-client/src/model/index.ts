// The model of the web client: everything but pixels. The view reads `chat.state` (a Solid store) and calls actions.
//
// Promises never reject: an action answers an `Outcome`. What happens without being asked comes through `onNotice`.

export { createChat } from './chat';
export { parseText, plainText } from './text';
export type { Block, Inline } from './text';
export type * from './contract';
export type * from './view';
export type * from '../wire/failure';
export type {
  Device,
  DeviceClass,
  EndReason,
  EntryBody,
  Invite,
  InviteInfo,
  Member,
  PublicRoom,
  Role,
  Room,
  RoomId,
  RoomKind,
  Seq,
  ServerInfo,
  Session,
  SessionEnd,
  SessionId,
  TimelineItem,
  User,
  UserId,
} from '../wire/protocol';
