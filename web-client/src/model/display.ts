// From the model's parts to the store that the view reads.

import { batch } from 'solid-js';
import type { RoomId } from '../wire/protocol';
import type { Core } from './core';
import { rowsOf } from './rows';
import { roomView } from './store';
import type { RoomView } from './view';

const NONE = { waiting: 0, refused: 0 } as const;

/** Shows what the parts of the model hold. */
export class Display {
  readonly #core: Core;
  readonly #later: (name: string, job: () => void) => void;

  constructor(core: Core, later: (name: string, job: () => void) => void) {
    this.#core = core;
    this.#later = later;
  }

  /** The timeline of a room. */
  rows(room: RoomId): void {
    const { windows, outbox, store, me } = this.#core;
    const window = windows.get(room);
    if (!window) return store.timeline(room, undefined, []);
    if (window.timeline.end) outbox.seen(room, window.timeline.upTo);
    store.timeline(room, window, rowsOf(window.timeline, outbox.of(room), window.changes, me, window.made));
  }

  /** The list of rooms, newest activity first, and what is counted over them. */
  list(): void {
    const { streams, drafts, outbox, store } = this.#core;
    const counts = outbox.countsByRoom();
    const rooms: RoomView[] = [...streams.rooms.values()]
      .map(({ summary }) => roomView(summary, drafts.get(summary.room.id), counts.get(summary.room.id) ?? NONE))
      .toSorted((a, b) => b.activeAt - a.activeAt || (a.id < b.id ? 1 : -1));
    let attention = 0;
    for (const room of rooms) attention += room.kind === 'direct' ? room.unread : room.mentions;
    batch(() => {
      store.rooms(rooms);
      store.set({ attention, unsent: outbox.counts().waiting });
    });
    this.#later('rooms', () => this.keep());
  }

  /** Keeps the list on the device for the next start. */
  keep(): void {
    const { me, streams, store, env } = this.#core;
    if (me.id === '' || !store.state.roomsKnown) return;
    const rooms = [...streams.rooms.values()].map((log) => log.summary);
    const people = Object.values(store.state.people).map((person) => ({ ...person }));
    env.cache.keepRooms(me.id, { rooms, people });
  }
}
