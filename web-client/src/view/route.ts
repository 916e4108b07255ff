/**
 * Where the page stands: the address, and on narrow screens the panel, which is a history entry there so that the
 * system's back gesture closes it.
 */
import { createMemo, createRoot, createSignal } from 'solid-js';
import type { RoomId, Seq } from '../model';
import { keep, kept } from './preferences';

export type Panel = 'members' | 'room';
export type SettingsPage = 'menu' | 'profile' | 'appearance' | 'keyboard' | 'sessions';
export type Route =
  | { readonly page: 'home' }
  | { readonly page: 'sign-up' }
  | { readonly page: 'room'; readonly room: RoomId; readonly seq: Seq | undefined }
  | { readonly page: 'invite'; readonly code: string }
  | { readonly page: 'settings'; readonly tab: SettingsPage };

const tabs: readonly SettingsPage[] = ['profile', 'appearance', 'keyboard', 'sessions'];

function parse(path: string): Route {
  const [first = '', second = '', third = ''] = path.split('/').slice(1).map(decodeURIComponent);
  if (first === 'rooms' && second) {
    const seq = Number(third);
    return { page: 'room', room: second, seq: Number.isSafeInteger(seq) && seq > 0 ? seq : undefined };
  }
  if (first === 'invite' && second) return { page: 'invite', code: second };
  if (first === 'settings') return { page: 'settings', tab: tabs.find((tab) => tab === second) ?? 'menu' };
  if (first === 'sign-up') return { page: 'sign-up' };
  return { page: 'home' };
}

interface Place {
  readonly path: string;
  readonly panel: Panel | undefined;
}

function here(): Place {
  const state: unknown = history.state;
  const panel = typeof state === 'object' && state !== null && 'panel' in state ? state.panel : undefined;
  return { path: location.pathname, panel: panel === 'members' || panel === 'room' ? panel : undefined };
}

const [place, setPlace] = createSignal<Place>(here(), { equals: (a, b) => a.path === b.path && a.panel === b.panel });
addEventListener('popstate', () => setPlace(here()));

/** The address, read. */
export const route = createRoot(() => createMemo(() => parse(place().path)));

const [invited, setInvited] = createSignal<string>();

/** The code of the invitation that brought the person here; it stays while they sign in or sign up. */
export function invitation(): string | undefined {
  const now = route();
  return now.page === 'invite' ? now.code : invited();
}

/** The invitation was used, or put aside. */
export function forgetInvitation(): void {
  setInvited(undefined);
}

/** The address of a place. */
export const paths = {
  home: '/',
  signUp: '/sign-up',
  room: (room: RoomId): string => `/rooms/${room}`,
  message: (room: RoomId, seq: Seq): string => `/rooms/${room}/${seq}`,
  settings: (tab?: SettingsPage): string => (tab && tab !== 'menu' ? `/settings/${tab}` : '/settings'),
};

/** Goes to an address of this page. */
export function go(path: string, options: { replace?: boolean } = {}): void {
  const now = route();
  if (now.page === 'invite') setInvited(now.code);
  if (options.replace) history.replaceState(null, '', path);
  else if (path !== location.pathname || place().panel) history.pushState({ inside: true }, '', path);
  setPlace(here());
}

/** Back to where the person came from, or to `fallback` when that is outside of this page. */
export function goBack(fallback: string): void {
  const state: unknown = history.state;
  if (typeof state === 'object' && state !== null && ('inside' in state || 'panel' in state)) history.back();
  else go(fallback, { replace: true });
}

/** Follows a plain click on a link of ours without loading the page. */
export function follow(event: MouseEvent): void {
  const link = event.currentTarget;
  if (!(link instanceof HTMLAnchorElement) || event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  go(link.pathname);
}

function matching(query: string): () => boolean {
  const media = matchMedia(query);
  const [matches, setMatches] = createSignal(media.matches);
  media.addEventListener('change', () => setMatches(media.matches));
  return matches;
}

/** One pane at a time. */
export const isPhone = matching('(max-width: 759px)');
/** Room for the panel beside the timeline. */
export const isWide = matching('(min-width: 1100px)');

const [beside, setBeside] = createSignal<Panel | undefined>(keptPanel());
const [over, setOver] = createSignal<Panel>();

function keptPanel(): Panel | undefined {
  const last = kept('hubbub.panel') ?? 'members';
  return last === 'members' || last === 'room' ? last : undefined;
}

/** The open panel. Beside the timeline its last state is remembered. */
export function panel(): Panel | undefined {
  if (isPhone()) return place().panel;
  return isWide() ? beside() : over();
}

export function openPanel(next: Panel): void {
  if (isPhone()) {
    history.pushState({ panel: next }, '');
    setPlace(here());
  } else if (isWide()) {
    keep('hubbub.panel', next);
    setBeside(next);
  } else setOver(next);
}

export function closePanel(): void {
  if (isPhone()) {
    if (place().panel) history.back();
  } else if (isWide()) {
    keep('hubbub.panel', 'none');
    setBeside(undefined);
  } else setOver(undefined);
}
