/** Where the view stands when a room opens, after a jump, and on the way to the end and back. */
import { createEffect, createSignal, on, onCleanup, untrack, type Accessor } from 'solid-js';
import type { RoomId, TimelineView } from '../../model';
import { useChat } from '../chat';
import type { Line } from './lines';
import type { Viewport } from './viewport';

interface Place {
  readonly id: string;
  readonly px: number;
}

/** Where each room was left, in this tab. */
const left = new Map<RoomId, Place>();

export interface Placing {
  /** The view is on the page. */
  readonly begin: () => void;
  /** The person moved the view: it is not placed anew unless the rows are replaced. */
  readonly touched: () => void;
  /** To the newest line; remembers where the view stood. */
  readonly toEnd: () => void;
  /** To the newest line, with no way back: I sent a message, or marked the room read. */
  readonly toNewest: () => void;
  /** To the unread line. */
  readonly toUnread: () => void;
  /** The place before `toEnd`, while there is one to go back to. */
  readonly canGoBack: Accessor<boolean>;
  readonly goBack: () => void;
}

interface Parts {
  readonly timeline: Accessor<TimelineView>;
  readonly lines: Accessor<ReadonlyMap<string, Line>>;
  readonly viewport: Viewport;
  readonly room: RoomId;
  readonly flash: (row: string) => void;
}

export function createPlacing({ timeline, lines, viewport, room, flash }: Parts): Placing {
  const chat = useChat();
  let begun = false;
  let moved = false;
  const [back, setBack] = createSignal<Place & { readonly seq: number | undefined }>();
  const third = (): number => Math.round(viewport.height() / 3);

  const rowAt = (seq: number): string | undefined => timeline().rows.find((row) => row.seq >= seq)?.id;
  const toTarget = (): boolean => {
    const { target } = timeline();
    const id = target === undefined ? undefined : rowAt(target);
    if (id === undefined) return false;
    viewport.place(id, third());
    flash(id);
    return true;
  };
  const toStart = (): void => {
    if (toTarget()) return;
    const saved = left.get(room);
    if (lines().has('new')) viewport.place('new', third());
    else if (saved && lines().has(saved.id)) viewport.place(saved.id, saved.px);
    else viewport.follow();
  };

  createEffect(
    on([() => timeline().generation, () => timeline().rows.length > 0, () => timeline().unreadFrom], ([generation], before) => {
      if (!begun) return;
      if (!before || generation !== before[0]) moved = false;
      if (!moved) untrack(toStart);
    }),
  );
  createEffect(on(() => timeline().jump, () => begun && void toTarget(), { defer: true }));
  onCleanup(() => {
    const here = viewport.here();
    if (viewport.following || !here) left.delete(room);
    else left.set(room, here);
  });

  const toNewest = (): void => {
    moved = true;
    viewport.follow();
    if (!timeline().end) void chat.jumpToLatest(room);
  };

  return {
    begin() {
      begun = true;
      toStart();
    },
    touched() {
      moved = true;
      if (!viewport.following) setBack(undefined);
    },
    toEnd() {
      const here = viewport.here();
      const line = here && lines().get(here.id);
      setBack(here && !viewport.following ? { ...here, seq: line && 'row' in line ? line.row.seq : undefined } : undefined);
      toNewest();
    },
    toNewest() {
      setBack(undefined);
      toNewest();
    },
    toUnread() {
      moved = true;
      viewport.place('new', third());
    },
    canGoBack: () => back() !== undefined,
    goBack() {
      const place = back();
      setBack(undefined);
      if (!place) return;
      if (lines().has(place.id)) viewport.place(place.id, place.px);
      else if (place.seq) void chat.jumpTo(room, place.seq);
    },
  };
}
