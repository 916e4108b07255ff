/** Where the view stands when a room opens, after a jump, and on the way to the end and back. */
import { createEffect, createMemo, createSignal, on, onCleanup, untrack, type Accessor } from 'solid-js';
import type { RoomId, TimelineView } from '../../model';
import { useChat } from '../chat';
import type { Line } from './lines';
import type { Viewport } from './viewport';

interface Place {
  readonly id: string;
  readonly px: number;
}

/** Where each room was left, in this tab, and the newest jump in it that was followed. */
const left = new Map<RoomId, Place>();
const followed = new Map<RoomId, number>();

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
  let toEndWanted = false;
  const [back, setBack] = createSignal<Place & { readonly seq: number | undefined }>();
  const third = (): number => Math.round(viewport.height() / 3);

  /** Goes where the newest jump leads. False when there is none that was not followed yet, or its rows are on the way. */
  const followJump = (): boolean => {
    const { jump, target, rows } = timeline();
    if (jump === (followed.get(room) ?? 0)) return false;
    const id = target === undefined ? undefined : rows.find((row) => row.seq >= target)?.id;
    if (target !== undefined && id === undefined) return false;
    followed.set(room, jump);
    if (id === undefined) viewport.follow();
    else {
      toEndWanted = false;
      viewport.place(id, third());
      flash(id);
    }
    return true;
  };
  const toStart = (): void => {
    const saved = left.get(room);
    if (toEndWanted) viewport.follow();
    else if (lines().has('new')) viewport.place('new', third());
    else if (saved && lines().has(saved.id)) viewport.place(saved.id, saved.px);
    else viewport.follow();
  };

  const generation = createMemo(() => timeline().generation);
  const hasRows = createMemo(() => timeline().rows.length > 0);
  const unreadFrom = createMemo(() => timeline().unreadFrom);
  const jump = createMemo(() => timeline().jump);
  createEffect(
    on([generation, hasRows, unreadFrom, jump], ([generation], before) => {
      if (!begun) return;
      if (before && generation !== before[0]) moved = false;
      untrack(() => followJump() || moved || toStart());
    }),
  );
  const touched = (): void => {
    moved = true;
    viewport.release();
  };
  // Whatever the person does first, the place that was chosen for them is theirs from then on.
  addEventListener('keydown', touched);
  onCleanup(() => removeEventListener('keydown', touched));
  onCleanup(() => {
    const here = viewport.here();
    if (viewport.following || !here) left.delete(room);
    else left.set(room, here);
  });

  const toNewest = (): void => {
    moved = true;
    toEndWanted = true;
    viewport.follow();
    if (!timeline().end) void chat.jumpToLatest(room);
  };

  return {
    begin() {
      begun = true;
      if (!followJump()) toStart();
    },
    touched() {
      touched();
      if (!viewport.following) setBack(undefined);
    },
    toEnd() {
      const here = viewport.here();
      const all = [...lines().values()];
      const line = all.slice(all.findIndex((one) => one.id === here?.id)).find((one) => 'row' in one);
      setBack(here && !viewport.following ? { ...here, seq: line && 'row' in line ? line.row.seq : undefined } : undefined);
      toNewest();
    },
    toNewest() {
      setBack(undefined);
      toNewest();
    },
    toUnread() {
      moved = true;
      toEndWanted = false;
      viewport.place('new', third());
    },
    canGoBack: () => back() !== undefined,
    goBack() {
      const place = back();
      setBack(undefined);
      toEndWanted = false;
      if (!place) return;
      if (lines().has(place.id)) viewport.place(place.id, place.px);
      else if (place.seq) void chat.jumpTo(room, place.seq);
    },
  };
}
