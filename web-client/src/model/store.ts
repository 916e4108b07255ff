// The one Solid store behind `chat.state`, and the ways the model writes it: by id, so that a row that stays keeps its
// node, and at most once a frame, so that a burst of entries is one change of the page.

import { batch } from 'solid-js';
import { createStore, produce, reconcile, type SetStoreFunction } from 'solid-js/store';
import type { Room, RoomId, TimelineItem, User, UserId } from '../wire/protocol';
import { IDLE } from './connection';
import type { LocalDraft } from './drafts';
import type { Summary } from './rooms';
import { ShownTimeline, type TimelineFacts } from './shown';
import type { ChatState, Row, RoomView, SessionView, TimelineView } from './view';
import type { Window } from './windows';

/** What the store holds beside what the view reads directly. */
export interface StoreState extends ChatState {
  readonly people: Readonly<Record<UserId, User>>;
  /** Quoted messages by `room/seq`. */
  readonly quotes: Readonly<Record<string, TimelineItem>>;
}

/** The same, for the model, which may write it. */
export type Writable<T> = T extends readonly (infer E)[]
  ? Writable<E>[]
  : T extends object
    ? { -readonly [K in keyof T]: Writable<T[K]> }
    : T;

/** Records by room that the model writes as a whole. */
type ByRoom = 'drafts' | 'typing' | 'members' | 'reads';

/** The store and its writers. */
export interface ChatStore {
  readonly state: StoreState;
  readonly set: SetStoreFunction<Writable<StoreState>>;
  /** Shows who is signed in, or that nobody is. */
  session(view: SessionView): void;
  /** Shows a timeline; undefined when it is no longer in memory. */
  timeline(room: RoomId, window: Window | undefined, rows: readonly Row[]): void;
  /** Shows the list. */
  rooms(rooms: readonly RoomView[]): void;
  /** Shows or removes a value of one of the records by room. */
  byRoom<K extends ByRoom>(what: K, room: RoomId, value: StoreState[K][RoomId] | undefined): void;
  people(users: readonly User[]): void;
  /** Empties everything that belongs to the person who was signed in. */
  clear(): void;
}

/** What the store holds when nobody is signed in. */
function nobody(): Omit<Writable<StoreState>, 'server' | 'session' | 'connection'> {
  return {
    rooms: [],
    roomsKnown: false,
    open: undefined,
    timelines: {},
    drafts: {},
    typing: {},
    reads: {},
    members: {},
    sessions: { status: 'idle', sessions: [], failure: undefined },
    unsent: 0,
    attention: 0,
    people: {},
    quotes: {},
  };
}

/** An empty store. */
export function createChatStore(): ChatStore {
  const [state, set] = createStore<Writable<StoreState>>({
    server: undefined,
    session: { phase: 'starting' },
    connection: { ...IDLE },
    ...nobody(),
  });
  // Instances of a class: the store hands them out as they are, and they follow what is read of them.
  const shown = new Map<RoomId, ShownTimeline>();
  const remove = (record: ByRoom | 'timelines', room: RoomId): void => {
    set(
      produce((all) => {
        delete all[record][room];
      }),
    );
  };
  return {
    state,
    set,
    session(view) {
      // A copy: the store merges in place, and what it is made of belongs to others.
      set('session', reconcile(structuredClone(view) as Writable<SessionView>));
    },
    timeline(room, window, rows) {
      if (!window) {
        shown.delete(room);
        return remove('timelines', room);
      }
      const facts = timelineFacts(room, window);
      const known = shown.get(room) ?? new ShownTimeline(facts);
      known.show(facts, rows);
      if (shown.has(room)) return;
      shown.set(room, known);
      // Only the class writes it; the setter wants a type that the model could write.
      set('timelines', room, known as TimelineView as Writable<TimelineView>);
    },
    rooms(rooms) {
      set('rooms', reconcile(rooms as Writable<RoomView>[], { key: 'id' }));
    },
    byRoom(what, room, value) {
      if (value === undefined) return remove(what, room);
      // One value type for each record, which the signature holds together; the setter's type cannot follow it.
      set(what as 'drafts', room, value as Writable<StoreState['drafts'][RoomId]>);
    },
    people(users) {
      batch(() => {
        for (const user of users) set('people', user.id, { ...user });
      });
    },
    clear() {
      shown.clear();
      set(
        produce((all) => {
          Object.assign(all, nobody());
        }),
      );
    },
  };
}

/** What the list shows of a room. */
export function roomView(
  summary: Summary,
  draft: LocalDraft | undefined,
  unsent: { waiting: number; refused: number },
): RoomView {
  const { room } = summary;
  const { marker } = room;
  return {
    id: room.id,
    kind: room.kind,
    title: titleOf(room),
    name: room.name,
    topic: room.topic,
    role: room.role,
    memberCount: room.member_count,
    // Copies: the store merges in place, and these belong to the summary.
    peer: room.peer && { ...room.peer },
    head: room.head,
    markerSeq: marker.seq,
    unread: marker.unread,
    mentions: Math.min(summary.mentions.length, marker.unread),
    last: room.last && { ...room.last },
    activeAt: summary.activeAt,
    createdAt: room.created_at,
    draft: draft !== undefined && draft.text !== '',
    unsent: unsent.waiting + unsent.refused,
    refused: unsent.refused,
  };
}

/** What a room is called: a direct one by its other person. */
export function titleOf(room: Room): string {
  return room.kind === 'direct' ? (room.peer?.display_name ?? '') : room.name;
}

function timelineFacts(room: RoomId, window: Window): TimelineFacts {
  const { timeline, status, failure, older, newer, unreadFrom, unreadCount } = window;
  const { target, jump, generation, reloaded } = window;
  const { start, end } = timeline;
  const loading = { status, failure, start, end, older, newer };
  const places = { unreadFrom, unreadCount, target, jump, generation, reloaded };
  return { room, ...loading, ...places };
}
