/**
 * What a person chooses for this device: theme, language, how Enter and reading aloud behave. Kept in local storage;
 * `public/theme.js` reads the same places before the first paint.
 */
import { createSignal } from 'solid-js';
import { setLanguage, type Language } from '../words';

export type Theme = 'system' | 'light' | 'dark';

const keys = {
  theme: 'hubbub.theme',
  language: 'hubbub.language',
  ctrlEnter: 'hubbub.ctrl-enter',
  announce: 'hubbub.announce',
  singleKeys: 'hubbub.single-keys',
} as const;

/** What was kept under `name` on this device, if anything. */
export function kept(name: string): string | null {
  try {
    return localStorage.getItem(name);
  } catch {
    return null; // a browser that forbids storage still chats
  }
}

/** Keeps a choice on this device. */
export function keep(name: string, value: string): void {
  try {
    localStorage.setItem(name, value);
  } catch {
    // it lasts until the page is left
  }
}

const themes: readonly Theme[] = ['system', 'light', 'dark'];
const [theme, setThemeSignal] = createSignal<Theme>(themes.find((known) => known === kept(keys.theme)) ?? 'system');
export { theme };

export function setTheme(next: Theme): void {
  keep(keys.theme, next);
  setThemeSignal(next);
  if (next === 'system') delete document.documentElement.dataset['theme'];
  else document.documentElement.dataset['theme'] = next;
}

export function chooseLanguage(next: Language): void {
  keep(keys.language, next);
  void setLanguage(next);
}

function toggle(name: string, initial: boolean): [() => boolean, (on: boolean) => void] {
  const [on, setOn] = createSignal((kept(name) ?? String(initial)) === 'true');
  return [
    on,
    (next) => {
      keep(name, String(next));
      setOn(next);
    },
  ];
}

/** Ctrl + Enter sends, Enter breaks the line. */
export const [ctrlEnter, setCtrlEnter] = toggle(keys.ctrlEnter, false);
/** New messages of the open room are read to screen readers. */
export const [announce, setAnnounce] = toggle(keys.announce, true);
/** Single letters act on the message that has the focus. */
export const [singleKeys, setSingleKeys] = toggle(keys.singleKeys, true);
