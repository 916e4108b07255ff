/** What lies over the page: one dialog, one menu, some toasts. Any part may ask for one; `Overlays.tsx` draws them. */
import { createSignal } from 'solid-js';
import type { Member, RoomView, Row } from '../model';
import type { IconName } from './parts/Icon';

interface OfRoom {
  readonly room: RoomView;
}
interface DialogParts {
  create: object;
  browse: object;
  direct: object;
  jump: object;
  keys: object;
  'sign-out': object;
  invite: OfRoom;
  leave: OfRoom;
  recall: OfRoom & { readonly row: Row };
  remove: OfRoom & { readonly member: Member };
  owner: OfRoom & { readonly member: Member };
}
export type DialogView = { [Kind in keyof DialogParts]: { readonly kind: Kind } & DialogParts[Kind] }[keyof DialogParts];

const [dialog, setDialog] = createSignal<DialogView>();
export { dialog };

export function openDialog(view: DialogView): void {
  closeMenu();
  setDialog(view);
}
export function closeDialog(): void {
  setDialog(undefined);
}

export interface MenuItem {
  readonly icon: IconName;
  readonly label: string;
  readonly keys?: string;
  readonly bad?: boolean;
  readonly act: () => void;
}
export interface MenuView {
  readonly label: string;
  readonly items: readonly MenuItem[];
  /** Where it opens: at an element, or at a point in it. */
  readonly at: HTMLElement;
  readonly point?: { readonly x: number; readonly y: number };
  /** A finger opened it and is still down: lifting it chooses nothing. */
  readonly byFinger?: boolean;
  readonly onClose?: () => void;
}

const [menu, setMenu] = createSignal<MenuView>();
export { menu };

export function openMenu(view: MenuView): void {
  closeMenu();
  setMenu(view);
}
export function closeMenu(): void {
  const open = menu();
  if (!open) return;
  setMenu(undefined);
  open.onClose?.();
}

export interface Toast {
  readonly id: number;
  readonly text: string;
  readonly action?: { readonly label: string; readonly act: () => void };
}

const [toasts, setToasts] = createSignal<readonly Toast[]>([]);
export { toasts };
let lastToast = 0;

/** Says something once, above the composer. With an action it stays until it is closed. */
export function toast(text: string, action?: Toast['action']): void {
  lastToast += 1;
  const next: Toast = action ? { id: lastToast, text, action } : { id: lastToast, text };
  setToasts((open) => [...open.filter((other) => other.text !== text).slice(-2), next]);
}
export function closeToast(id: number): void {
  setToasts((open) => open.filter((other) => other.id !== id));
}


/** What holds the focus when a layer's opener is gone: the composer registers itself here. */
let fallback: (() => void) | undefined;
export function setFocusFallback(focus: (() => void) | undefined): void {
  fallback = focus;
}

/** Gives the focus back to what opened a layer; if that is gone, to the composer. */
export function giveFocusBack(opener: Element | null): void {
  if (opener instanceof HTMLElement && opener.isConnected && opener !== document.body) opener.focus();
  else fallback?.();
}
