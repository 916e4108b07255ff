// What the model takes from the browser, in one place, so that tests can give it something else.

import type { Fetch } from '../wire/api';
import type { Channel } from '../wire/line';
import type { Wire } from '../wire/socket';
import { openShelf, type Shelf } from '../wire/shelf';
import type { Device, DeviceClass } from '../wire/protocol';
import { openCache, type Cache } from './cache';

const DEVICE_KEY = 'hubbub.device';

/** The surroundings of the model. */
export interface Env {
  readonly fetch: Fetch;
  open(subprotocol: string): Wire;
  readonly locks: LockManager | undefined;
  readonly channel: Channel | undefined;
  readonly shelf: Shelf;
  readonly cache: Cache;
  readonly device: Device;
  /** The address of this page's server, without a path. */
  readonly origin: string;
  /** A new name that nobody else has. */
  newKey(): string;
  /** 0..1. */
  random(): number;
  online(): boolean;
  /** Runs something with the next frame, or soon when the page is hidden. */
  frame(run: () => void): void;
  /** Calls back when the network may have come or gone, or the page is seen again; and when the page goes away. */
  listen(events: { network(): void; seen(): void; leaving(): void }): () => void;
}

/** The browser. */
export function browserEnv(): Env {
  const shelf = openShelf(attempt(() => window.localStorage));
  return {
    fetch: (url, init) => fetch(url, init),
    open: (subprotocol) => {
      const url = new URL('/v1/ws', location.href);
      url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
      return new WebSocket(url, subprotocol);
    },
    // Pages without a secure context have no locks; each tab then has a connection of its own.
    locks: navigator.locks as LockManager | undefined,
    channel: attempt(() => new BroadcastChannel('hubbub')),
    shelf,
    cache: openCache(attempt(() => window.indexedDB)),
    device: deviceOf(shelf, navigator.userAgent, navigator.maxTouchPoints),
    origin: location.origin,
    newKey: randomName,
    random: Math.random,
    online: () => navigator.onLine,
    frame: nextFrame,
    listen,
  };
}

/** What this device is called, from how its browser introduces itself; its id is made once and kept. */
export function deviceOf(shelf: Shelf, agent: string, touchPoints: number): Device {
  let id = shelf.get(DEVICE_KEY);
  if (id === undefined || id === '') {
    id = randomName();
    shelf.set(DEVICE_KEY, id);
  }
  return { id, class: deviceClass(agent, touchPoints), name: `${browserName(agent)}, ${systemName(agent)}` };
}

function deviceClass(agent: string, touchPoints: number): DeviceClass {
  if (/iPad|Tablet|PlayBook|Silk/u.test(agent)) return 'tablet';
  // An iPad says that it is a Mac; a Mac has no touch screen.
  if (agent.includes('Macintosh') && touchPoints > 1) return 'tablet';
  if (agent.includes('Android')) return agent.includes('Mobile') ? 'phone' : 'tablet';
  return /iPhone|Mobile/u.test(agent) ? 'phone' : 'desktop';
}

/** First match wins: many browsers name the ones that they are like. */
const BROWSERS: readonly (readonly [RegExp, string])[] = [
  [/Edg(?:e|A|iOS)?\//u, 'Edge'],
  [/OPR\//u, 'Opera'],
  [/SamsungBrowser\//u, 'Samsung Internet'],
  [/(?:Firefox|FxiOS)\//u, 'Firefox'],
  [/(?:Chrome|CriOS|Chromium)\//u, 'Chrome'],
  [/Safari\//u, 'Safari'],
];

const SYSTEMS: readonly (readonly [RegExp, string])[] = [
  [/iPhone/u, 'iPhone'],
  [/iPad/u, 'iPad'],
  [/Android/u, 'Android'],
  [/Windows/u, 'Windows'],
  [/CrOS/u, 'ChromeOS'],
  [/Macintosh/u, 'macOS'],
  [/Linux/u, 'Linux'],
];

function browserName(agent: string): string {
  return BROWSERS.find(([pattern]) => pattern.test(agent))?.[1] ?? 'Browser';
}

function systemName(agent: string): string {
  return SYSTEMS.find(([pattern]) => pattern.test(agent))?.[1] ?? 'unknown system';
}

/** 128 random bits; `randomUUID` is not there on pages without a secure context. */
export function randomName(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

function listen(events: { network(): void; seen(): void; leaving(): void }): () => void {
  const seen = (): void => {
    if (document.visibilityState === 'visible') events.seen();
    else events.leaving();
  };
  const { network, leaving } = events;
  window.addEventListener('online', network);
  window.addEventListener('offline', network);
  window.addEventListener('pagehide', leaving);
  document.addEventListener('visibilitychange', seen);
  return () => {
    window.removeEventListener('online', network);
    window.removeEventListener('offline', network);
    window.removeEventListener('pagehide', leaving);
    document.removeEventListener('visibilitychange', seen);
  };
}

/** A hidden page has no frames, also when it is hidden between asking and getting one. */
function nextFrame(run: () => void): void {
  let isDone = false;
  const once = (): void => {
    if (isDone) return;
    isDone = true;
    clearTimeout(timer);
    run();
  };
  const timer = setTimeout(once, 100);
  requestAnimationFrame(once);
}

function attempt<T>(get: () => T): T | undefined {
  try {
    return get();
  } catch {
    return undefined;
  }
}
