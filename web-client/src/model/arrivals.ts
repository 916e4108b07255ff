// What arrives from the server, and who in the model wants to know.

import type { Entry, RoomId, Seq, Signal } from '../wire/protocol';
import type { Core } from './core';
import { rowsOf } from './rows';

/** Entries of a room, in order; the list has them already. */
export function entriesCame(core: Core, room: RoomId, entries: readonly Entry[]): void {
  core.windows.applied(room, entries);
  core.members.applied(room, entries);
  core.quotes.applied(room, entries);
  for (const entry of entries) {
    core.typing.stopped(room, entry.sender);
    if ('user' in entry && typeof entry.user === 'object') core.store.people([entry.user]);
    if (entry.sender !== core.me.id) continue;
    if (entry.key !== undefined) core.outbox.committed(entry.key);
    if (entry.kind === 'message') wrote(core, room, entry.seq);
  }
  announce(core, room, entries);
}

/** An entry of my own stream that is about no room I come into or leave. */
export function ownEntryCame(core: Core, entry: Entry): void {
  switch (entry.kind) {
    case 'marker_moved':
      return core.marked(entry.room, entry.marker.seq, entry.marker.unread);
    case 'profile_changed':
      return core.renamed(entry.user);
    case 'session_started':
      if (entry.session.id !== core.session?.id) {
        core.notice({ type: 'signed_in_elsewhere', device: entry.session.device });
      }
      return;
    default:
  }
}

/** Something that may be missed. */
export function signalCame(core: Core, signal: Signal): void {
  switch (signal.type) {
    case 'typing':
      if (signal.user !== core.me.id) core.typing.heard(signal.room, signal.user);
      return;
    case 'read': {
      const before = core.store.state.reads[signal.room]?.[signal.user] ?? 0;
      if (signal.user === core.me.id || signal.seq <= before) return;
      return core.store.byRoom('reads', signal.room, { [signal.user]: signal.seq });
    }
    case 'draft':
      return core.drafts.heard(signal.draft);
    default:
  }
}

/** Who writes has read what was there, if nothing was unread. */
function wrote(core: Core, room: RoomId, seq: Seq): void {
  const marker = core.streams.rooms.get(room)?.summary.room.marker;
  if (!marker || marker.unread > 0 || marker.seq >= seq) return;
  core.marked(room, seq, 0);
  core.markers.set(room, seq);
}

/** New messages of others, for the announcer; what was missed is not news. */
function announce(core: Core, room: RoomId, entries: readonly Entry[]): void {
  if (core.listeners.size === 0 || core.streams.behind()) return;
  const isOpen = core.store.state.open === room;
  const news = entries.filter((entry) => entry.kind === 'message' && entry.sender !== core.me.id);
  if (news.length === 0 || (isOpen && !core.windows.get(room)?.timeline.end)) return;
  const lines = news.map((item) => ({ item, upTo: item.seq }));
  for (const row of rowsOf({ lines, start: false, end: false, upTo: 0 }, [], new Map(), core.me)) {
    if (isOpen || row.mention) core.notice({ type: 'message', room, row, open: isOpen });
  }
}
