/** Moves the read marker: to the newest message that stood half in view for a while, in a window someone looks at. */
import { createEffect, onCleanup, type Accessor } from 'solid-js';
import type { RoomId } from '../../model';
import { useChat } from '../chat';
import type { Line } from './lines';
import type { Viewport } from './viewport';

/** So long a line must be in view to count as read. */
const readAfterMs = 500;

interface Parts {
  readonly room: RoomId;
  readonly lines: Accessor<ReadonlyMap<string, Line>>;
  readonly view: Accessor<undefined>;
  readonly viewport: Viewport;
}

export function createReading({ room, lines, view, viewport }: Parts): void {
  const chat = useChat();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let seen: ReadonlySet<string> = new Set();

  const isLookedAt = (): boolean => document.visibilityState === 'visible' && document.hasFocus();
  const look = (): void => {
    timer = undefined;
    if (!isLookedAt()) return;
    const now = viewport.inView();
    let newest = 0;
    for (const id of now) {
      const line = seen.has(id) ? lines().get(id) : undefined;
      if (line && 'row' in line) newest = Math.max(newest, line.row.seq);
    }
    if (newest > 0) chat.setMarker(room, newest);
    const hasNew = now.some((id) => !seen.has(id));
    seen = new Set(now);
    if (hasNew) timer = setTimeout(look, readAfterMs);
  };
  const begin = (): void => {
    if (timer !== undefined || !isLookedAt()) return;
    seen = new Set(viewport.inView());
    timer = setTimeout(look, readAfterMs);
  };

  createEffect(() => {
    view();
    lines();
    begin();
  });
  addEventListener('focus', begin);
  document.addEventListener('visibilitychange', begin);
  onCleanup(() => {
    clearTimeout(timer);
    removeEventListener('focus', begin);
    document.removeEventListener('visibilitychange', begin);
  });
}
