/** Shortcuts that work everywhere on the page. */
import { onCleanup, type Accessor } from 'solid-js';
import type { RoomView } from '../model';
import { useChat } from './chat';
import type { Desk } from './desk';
import { isCommand, isOurs, isTyping } from './keys';
import { closeDialog, dialog, menu, openDialog } from './layers';
import { closePanel, go, isWide, panel, paths } from './route';

interface Parts {
  readonly room: Accessor<RoomView | undefined>;
  readonly desk: Accessor<Desk | undefined>;
}

/** What can hold the focus in a region. */
const stops = '[aria-current=page], .tl, textarea, a[href]:not([tabindex="-1"]), button:not([tabindex="-1"]), input';

/** Moves the focus to the next, or previous, region of the page. */
function moveRegion(by: number): void {
  const regions = [...document.querySelectorAll<HTMLElement>('[data-region]')].filter((region) => region.checkVisibility());
  const at = regions.findIndex((region) => region.contains(document.activeElement));
  for (let tries = 1; tries <= regions.length; tries += 1) {
    const next = regions[(at + by * tries + regions.length * 2) % regions.length];
    const found = [...(next?.querySelectorAll<HTMLElement>(stops) ?? [])].filter((element) => element.checkVisibility());
    const target = found.find((element) => element.matches('[aria-current=page], .tl, textarea')) ?? found[0];
    if (target) return target.focus();
  }
}

export function createShortcuts({ room, desk }: Parts): void {
  const chat = useChat();

  const moveRoom = (by: number, unreadOnly: boolean): void => {
    const all = [...chat.state.rooms.filter((one) => one.kind !== 'direct'), ...chat.state.rooms.filter((one) => one.kind === 'direct')];
    const at = all.findIndex((one) => one.id === room()?.id);
    for (let tries = 1; tries <= all.length; tries += 1) {
      const next = all[(Math.max(at, by > 0 ? -1 : 0) + by * tries + all.length * 2) % all.length];
      if (next && (!unreadOnly || next.unread > 0)) return go(paths.room(next.id));
    }
  };
  const escape = (): boolean => {
    const now = room();
    if (panel() && !isWide()) closePanel();
    else if (desk()?.editing()) desk()?.stopEdit();
    else if (now && desk()?.replyTo() !== undefined) desk()?.reply(undefined);
    else if (now) {
      chat.clearUnreadLine(now.id);
      desk()?.toEnd();
    } else return false;
    return true;
  };

  const onCommand = (event: KeyboardEvent): boolean => {
    const key = event.key.toLowerCase();
    if (key === 'k') {
      if (dialog()?.kind === 'jump') closeDialog();
      else openDialog({ kind: 'jump' });
    } else if (key === '/') openDialog({ kind: 'keys' });
    else if (key === ',') go(paths.settings('profile'));
    else return false;
    return true;
  };
  const onKey = (event: KeyboardEvent): boolean => {
    if (isCommand(event)) return onCommand(event);
    if (dialog() || menu()) return false;
    if (event.altKey && (event.key === 'ArrowUp' || event.key === 'ArrowDown')) {
      moveRoom(event.key === 'ArrowUp' ? -1 : 1, event.shiftKey);
      return true;
    }
    if (event.key === 'F6') {
      moveRegion(event.shiftKey ? -1 : 1);
      return true;
    }
    if (event.key === '?' && !isTyping(event.target)) {
      openDialog({ kind: 'keys' });
      return true;
    }
    return event.key === 'Escape' && escape();
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (!event.defaultPrevented && isOurs(event) && onKey(event)) event.preventDefault();
  };
  // Pasting while a message has the focus goes where typing goes.
  const onPaste = (event: ClipboardEvent): void => {
    const text = event.clipboardData?.getData('text/plain');
    const target = event.target instanceof Element ? event.target.closest('.tl') : null;
    const now = desk();
    if (!text || !target || !now) return;
    event.preventDefault();
    now.write(now.text() + text);
    now.focus();
  };

  document.addEventListener('keydown', onKeyDown);
  document.addEventListener('paste', onPaste);
  onCleanup(() => {
    document.removeEventListener('keydown', onKeyDown);
    document.removeEventListener('paste', onPaste);
  });
}
