/** The rows under keyboard, pointer and finger: moving between them, their toolbar, their menu. */
import type { Row } from '../../model';
import { useDesk } from '../desk';
import { isLetter, isOurs } from '../keys';
import { singleKeys } from '../preferences';
import type { Actions } from './actions';
import type { Line } from './lines';
import type { Viewport } from './viewport';

/** A press this long opens the menu on a touch screen; moving further cancels it. */
const longPressMs = 450;
const longPressPx = 8;

interface Parts {
  readonly lines: () => readonly Line[];
  readonly viewport: Viewport;
  readonly actions: Actions;
  readonly toEnd: () => void;
}

type RowLine = Extract<Line, { row: Row }>;
type Handlers = Record<'onFocusIn' | 'onFocusOut', (event: FocusEvent) => void> &
  Record<'onPointerOver' | 'onPointerLeave' | 'onPointerDown', (event: PointerEvent) => void> & {
    readonly onKeyDown: (event: KeyboardEvent) => void;
    readonly onContextMenu: (event: MouseEvent) => void;
  };

function rowOf(target: EventTarget | null): HTMLElement | undefined {
  return target instanceof Element ? (target.closest<HTMLElement>('[data-row]') ?? undefined) : undefined;
}

/** Opens what is inside a row to Tab, or closes it again. */
function setInside(row: HTMLElement, open: boolean): void {
  for (const element of row.querySelectorAll<HTMLElement>('.b a, .b button')) element.tabIndex = open ? 0 : -1;
}

export function createRowKeys({ lines, viewport, actions, toEnd }: Parts): Handlers {
  const desk = useDesk();
  const rows = (): RowLine[] => lines().filter((line): line is RowLine => 'row' in line);
  const lineOf = (id: string | undefined): RowLine | undefined => rows().find((line) => line.id === id);

  const focusRow = (line: RowLine | undefined): void => {
    if (!line) return;
    actions.setCurrent(line.id);
    queueMicrotask(() => {
      const element = viewport.element(line.id)?.querySelector<HTMLElement>('[data-row]');
      element?.focus({ preventScroll: true });
      element?.scrollIntoView({ block: 'nearest' });
    });
  };
  const step = (from: string | undefined, by: number): void => {
    const all = rows();
    const at = all.findIndex((line) => line.id === from);
    if (at < 0) focusRow(all.findLast((line) => viewport.inView().includes(line.id)) ?? all.at(-1));
    else focusRow(all[Math.max(0, Math.min(all.length - 1, at + by))]);
  };

  /** Keys that act on the focused row. True when it was one. */
  const act = (event: KeyboardEvent, element: HTMLElement, line: RowLine): boolean => {
    const { row } = line;
    if (event.key === 'ContextMenu' || (event.key === 'F10' && event.shiftKey)) {
      actions.menu(row, element, { point: menuPoint(element) });
      return true;
    }
    if (event.key === 'Enter') {
      setInside(element, true);
      element.querySelector<HTMLElement>('.b a, .b button')?.focus();
      return true;
    }
    if (!singleKeys() || event.ctrlKey || event.metaKey || event.altKey) return false;
    const letter = event.key.toLowerCase();
    if (letter === 'r' && actions.canReply(row)) desk.reply(row.seq);
    else if (letter === 'e' && actions.canEdit(row)) desk.edit(row);
    else if ((event.key === 'Backspace' || event.key === 'Delete') && actions.canRecall(row)) actions.recall(row);
    else return false;
    return true;
  };
  const move = (event: KeyboardEvent, from: string | undefined): boolean => {
    if (event.altKey || event.ctrlKey || event.metaKey) return false;
    if (event.key === 'ArrowUp') step(from ?? actions.current(), -1);
    else if (event.key === 'ArrowDown') step(from ?? actions.current(), 1);
    else if (event.key === 'Home') focusRow(rows()[0]);
    else if (event.key === 'End') {
      toEnd();
      focusRow(rows().at(-1));
    } else return false;
    return true;
  };

  let press: { x: number; y: number; timer: ReturnType<typeof setTimeout> } | undefined;
  const cancelPress = (): void => {
    clearTimeout(press?.timer);
    press = undefined;
    removeEventListener('pointermove', watchPress);
    removeEventListener('pointerup', cancelPress);
    removeEventListener('pointercancel', cancelPress);
  };
  const watchPress = (event: PointerEvent): void => {
    if (press && Math.hypot(event.clientX - press.x, event.clientY - press.y) > longPressPx) cancelPress();
  };

  return {
    onKeyDown(event) {
      if (!isOurs(event)) return;
      const element = rowOf(event.target);
      const line = lineOf(element?.dataset['row']);
      const onRow = element !== undefined && event.target === element;
      let taken = false;
      if (element && !onRow) {
        if (event.key === 'Escape') {
          setInside(element, false);
          element.focus();
          taken = true;
        }
      } else taken = (onRow && line !== undefined && act(event, element as HTMLElement, line)) || move(event, line?.id);
      if (taken) {
        event.preventDefault();
        event.stopPropagation();
      } else if ((onRow || event.target === event.currentTarget) && isLetter(event) && event.key !== ' ') desk.focus();
    },
    onFocusIn(event) {
      const id = rowOf(event.target)?.dataset['row'];
      if (id !== undefined) {
        actions.setCurrent(id);
        actions.setActive(id);
      }
    },
    onFocusOut(event) {
      const row = rowOf(event.target);
      if (row && !row.contains(event.relatedTarget as Node | null)) {
        setInside(row, false);
        if (!rowOf(event.relatedTarget)) actions.setActive(undefined);
      }
    },
    onPointerOver(event) {
      if (event.pointerType === 'mouse') actions.setActive(rowOf(event.target)?.dataset['row']);
    },
    onPointerLeave(event) {
      if (event.pointerType === 'mouse') actions.setActive(undefined);
    },
    onPointerDown(event) {
      const element = rowOf(event.target);
      const line = lineOf(element?.dataset['row']);
      if (event.pointerType !== 'touch' || !element || !line) return;
      cancelPress();
      const timer = setTimeout(() => {
        cancelPress();
        actions.menu(line.row, element, { byFinger: true });
      }, longPressMs);
      press = { x: event.clientX, y: event.clientY, timer };
      addEventListener('pointermove', watchPress);
      addEventListener('pointerup', cancelPress);
      addEventListener('pointercancel', cancelPress);
    },
    onContextMenu(event) {
      // A long press and the menu key open our menu; the right button keeps the browser's, for links and selected text.
      const isMouse = 'pointerType' in event && event.pointerType === 'mouse' && event.button === 2;
      if (!isMouse && rowOf(event.target)) event.preventDefault();
    },
  };
}

function menuPoint(element: HTMLElement): { x: number; y: number } {
  const box = element.getBoundingClientRect();
  return { x: box.left + 60, y: Math.max(box.top, 0) + 30 };
}
