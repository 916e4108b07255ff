// What the list shows of a room, as plain data: the server's account of it at `head`, and the entries since.

import type { Entry, Marker, Preview, Room, Seq } from '../wire/protocol';

/** Characters of a preview, as the server cuts it. */
const PREVIEW_CHARS = 120;

/** A room and what this device has seen of it. */
export interface Summary {
  readonly room: Room;
  /** Unread messages that name me, ascending, as far as seen. */
  readonly mentions: readonly Seq[];
  /** When something last happened that moves it up in the list. */
  readonly activeAt: number;
}

/** A room as the server tells it, keeping what this device saw of the same room before. */
export function summaryOf(room: Room, before?: Summary): Summary {
  // A marker moved here that the server has not heard of yet stays.
  const marker = before && before.room.marker.seq > room.marker.seq ? before.room.marker : room.marker;
  return {
    room: { ...room, marker },
    mentions: (before?.mentions ?? []).filter((seq) => seq > marker.seq),
    activeAt: room.last?.at ?? before?.activeAt ?? room.created_at,
  };
}

/** Takes in the next entry of the room's stream; entries up to the room's `head` are in it already. */
export function withRoomEntry(summary: Summary, entry: Entry, me: { id: string; username: string }): Summary {
  if (entry.seq <= summary.room.head) return summary;
  const room: Room = { ...summary.room, head: entry.seq };
  switch (entry.kind) {
    case 'message':
      return withMessage({ ...summary, room }, entry, me);
    case 'edit':
      return { ...summary, room: withPreview(room, entry.target, entry.text) };
    case 'recall':
      return {
        ...summary,
        room: withPreview(room, entry.target, undefined),
        mentions: summary.mentions.filter((seq) => seq !== entry.target),
      };
    case 'room_updated':
      return { ...summary, room: { ...room, name: entry.name, topic: entry.topic } };
    case 'member_joined':
    case 'member_added':
      return { ...summary, room: { ...room, member_count: room.member_count + 1 } };
    case 'member_left':
    case 'member_removed':
      return { ...summary, room: { ...room, member_count: Math.max(0, room.member_count - 1) } };
    case 'role_changed':
      return { ...summary, room: entry.user === me.id ? { ...room, role: entry.role } : room };
    default:
      return { ...summary, room };
  }
}

/** Moves the marker forward; backward it never goes. `unread` is how many messages follow it. */
export function withMarker(summary: Summary, marker: Marker): Summary {
  if (marker.seq < summary.room.marker.seq) return summary;
  return {
    ...summary,
    room: { ...summary.room, marker },
    mentions: summary.mentions.filter((seq) => seq > marker.seq),
  };
}

/** Whether a text names a person: `@name` or `@everyone`, not as a part of another word. */
export function mentions(text: string, username: string): boolean {
  if (!text.includes('@') && !text.includes('＠')) return false;
  const lower = text.toLowerCase();
  return [username, 'everyone'].some((name) => {
    for (let at = lower.indexOf(name); at > 0; at = lower.indexOf(name, at + 1)) {
      const sign = lower[at - 1];
      const before = lower[at - 2] ?? ' ';
      // A dot or dash that ends a sentence is not part of a name.
      const after = /^[.-]*(.?)/su.exec(lower.slice(at + name.length, at + name.length + 8))?.[1] ?? '';
      if ((sign === '@' || sign === '＠') && !/[a-z0-9_]/u.test(before) && !/[a-z0-9_]/u.test(after)) return true;
    }
    return false;
  });
}

function withMessage(summary: Summary, entry: Entry & { kind: 'message' }, me: { id: string; username: string }): Summary {
  const mine = entry.sender === me.id;
  const { marker } = summary.room;
  const last: Preview = { seq: entry.seq, sender: entry.sender, text: preview(entry.text), at: entry.at };
  const unread = mine || entry.seq <= marker.seq ? marker.unread : marker.unread + 1;
  const named = !mine && entry.seq > marker.seq && mentions(entry.text, me.username);
  return {
    room: { ...summary.room, last, marker: { seq: marker.seq, unread } },
    mentions: named ? [...summary.mentions, entry.seq] : summary.mentions,
    activeAt: entry.at,
  };
}

function withPreview(room: Room, target: Seq, text: string | undefined): Room {
  if (room.last?.seq !== target) return room;
  const { text: _, ...rest } = room.last;
  return { ...room, last: text === undefined || text === '' ? rest : { ...rest, text: preview(text) } };
}

function preview(text: string): string {
  // By characters, not by halves of them.
  return Array.from(text.slice(0, PREVIEW_CHARS * 2)).slice(0, PREVIEW_CHARS).join('');
}
