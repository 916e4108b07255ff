// The larger parts of the model, made with what they need of the others.

import { LIMITS, type Draft, type Limits } from '../wire/protocol';
import { entriesCame, ownEntryCame } from './arrivals';
import type { Core } from './core';
import type { Frames } from './frames';
import type { Unsent } from './outbox';
import { titleOf } from './store';
import { Streams } from './streams';
import { Windows } from './windows';

/** What tabs tell each other beside the connection. */
export type Note =
  | { readonly type: 'signed_in' | 'signed_out' }
  | { readonly type: 'unsent'; readonly key: string; readonly item: Unsent | undefined }
  | { readonly type: 'draft'; readonly draft: Draft };

/** What a server allows, until it has told. */
export const DEFAULT_LIMITS: Limits = {
  frame_bytes: LIMITS.frame_bytes,
  text_bytes: LIMITS.text_bytes,
  commands_per_s: 0,
  commands_burst: 0,
};

/** Another tab said something. */
export function noteCame(core: Core, note: Note): void {
  const isIn = core.me.id !== '';
  switch (note.type) {
    case 'signed_in': {
      const login = core.vault.read();
      if (login && login.session.id !== core.session?.id) core.enter(login);
      return;
    }
    case 'signed_out':
      if (isIn) core.signedOut(false);
      return;
    case 'unsent':
      if (isIn) core.outbox.told(note.key, note.item);
      return;
    case 'draft':
      if (isIn) core.drafts.heard(note.draft);
      return;
    default:
  }
}

/** The streams of the person signed in. */
export function newStreams(core: Core): Streams {
  return new Streams({
    me: () => core.me,
    read: (params) => core.line.call('room.read', params),
    loaded: (room) => core.windows.loaded(room),
    applied: (room, entries) => entriesCame(core, room, entries),
    reload: (room, told) => core.windows.reload(room, told),
    joined: (room) => {
      if (core.store.state.open === room && !core.windows.loaded(room)) core.windows.open(room);
    },
    left: (summary, removed) => {
      const { id } = summary.room;
      core.windows.forget(id);
      core.markers.forget(id);
      core.members.forget(id);
      core.env.cache.dropPage(core.me.id, id);
      if (removed) core.notice({ type: 'removed', room: id, title: titleOf(summary.room) });
    },
    changed: () => core.listChanged(),
    progress: () => core.connection.refresh(),
    own: (entry) => ownEntryCame(core, entry),
    resume: () => core.line.resume(),
  });
}

/** The timelines in memory. */
export function newWindows(core: Core, frames: Frames): Windows {
  return new Windows({
    history: (params) => core.line.call('room.history', params),
    connected: () => core.isOpen,
    standing: (room) => {
      const log = core.streams.rooms.get(room);
      if (!log) return undefined;
      const { marker } = log.summary.room;
      const applied = (log.intake?.next ?? 1) - 1;
      return { markerSeq: marker.seq, unread: marker.unread, applied, recent: log.recent };
    },
    rewind: (room, head) => core.streams.rewind(room, head),
    cached: (room) => core.env.cache.page(core.me.id, room),
    keep: (room, page) => {
      const { id } = core.me;
      frames.addSlow(`page ${room}`, () => core.env.cache.keepPage(id, room, page));
    },
    changed: (room, atOnce) => {
      frames.add(`rows ${room}`, () => core.display.rows(room));
      if (atOnce) frames.runNow(`rows ${room}`);
    },
  });
}
