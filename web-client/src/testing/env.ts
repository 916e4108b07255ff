// Surroundings for tests: one browser with as many tabs as wanted, in memory.

import { expect, vi } from 'vitest';
import type { Env } from '../model/env';
import type { Cache, CachedRooms } from '../model/cache';
import type { HistoryPage } from '../wire/protocol';
import type { Channel } from '../wire/line';
import { memoryShelf, type Shelf } from '../wire/shelf';
import { FakeServer, sessionOf } from './server';

/** A browser: what its tabs share. */
export class FakeBrowser {
  readonly server: FakeServer;
  readonly shelf: Shelf = memoryShelf(true);
  readonly cache = memoryCache();
  readonly #channels = new Set<FakeChannel>();
  readonly locks = new FakeLocks();
  isOnline = true;
  #keys = 0;
  readonly #listeners = new Set<Parameters<Env['listen']>[0]>();

  constructor(server = new FakeServer()) {
    this.server = server;
  }

  /** Signs a person of the server in, as if they had done so before. */
  signIn(user: string): void {
    const found = this.server.users.get(user);
    const login = { user: found, session: sessionOf(user), accessToken: `${user} 1`, refreshToken: `${user} r1` };
    this.shelf.set('hubbub.session', JSON.stringify(login));
  }

  tab(changes: Partial<Env> = {}): Env {
    const channel = new FakeChannel(this.#channels);
    return {
      fetch: () => Promise.reject(new Error('no HTTP in this test')),
      open: () => this.server.open(),
      locks: this.locks as unknown as LockManager,
      channel,
      shelf: this.shelf,
      cache: this.cache,
      device: { id: 'device', class: 'desktop', name: 'Test' },
      origin: 'http://test',
      newKey: () => `key-${(this.#keys += 1)}`,
      random: () => 0.5,
      online: () => this.isOnline,
      frame: (run) => void setTimeout(run, 16),
      listen: (events) => {
        this.#listeners.add(events);
        return () => void this.#listeners.delete(events);
      },
      ...changes,
    };
  }

  /** The network comes or goes. */
  network(isOnline: boolean): void {
    this.isOnline = isOnline;
    for (const { network } of this.#listeners) network();
  }

  /** The page is hidden or closed. */
  leave(): void {
    for (const { leaving } of this.#listeners) leaving();
  }
}

class FakeChannel implements Channel {
  onmessage: Channel['onmessage'] = null;
  readonly #all: Set<FakeChannel>;

  constructor(all: Set<FakeChannel>) {
    this.#all = all;
    all.add(this);
  }

  postMessage(message: unknown): void {
    // What cannot be cloned fails here as it does in a browser.
    const data: unknown = structuredClone(message);
    for (const other of this.#all) {
      if (other !== this) setTimeout(() => other.onmessage?.call(other as never, { data } as MessageEvent));
    }
  }

  close(): void {
    this.#all.delete(this);
  }
}

class FakeLocks {
  readonly #held = new Map<string, Promise<unknown>>();

  request(name: string, ...rest: unknown[]): Promise<unknown> {
    const run = rest.at(-1) as () => unknown;
    const { signal } = (rest.length > 1 ? rest[0] : {}) as { signal?: AbortSignal };
    const before = this.#held.get(name) ?? Promise.resolve();
    const turn = before.then(() => {
      if (signal?.aborted === true) throw new DOMException('aborted', 'AbortError');
      return run();
    });
    this.#held.set(
      name,
      turn.catch(() => undefined),
    );
    return turn;
  }
}

function memoryCache(): Cache {
  const rooms = new Map<string, CachedRooms>();
  const pages = new Map<string, HistoryPage>();
  return {
    rooms: (account) => Promise.resolve(rooms.get(account)),
    keepRooms: (account, value) => void rooms.set(account, structuredClone(value)),
    page: (account, room) => Promise.resolve(pages.get(`${account}/${room}`)),
    keepPage: (account, room, page) => void pages.set(`${account}/${room}`, structuredClone(page)),
    dropPage: (account, room) => void pages.delete(`${account}/${room}`),
    wipe: (account) => {
      rooms.delete(account);
      for (const key of pages.keys()) if (key.startsWith(`${account}/`)) pages.delete(key);
    },
  };
}

/** Lets time pass, a little at a time, until a condition holds; fails when it does not within `limitMs`. */
export async function until(condition: () => boolean, limitMs = 60_000): Promise<void> {
  for (let passed = 0; passed < limitMs && !condition(); passed += 20) await vi.advanceTimersByTimeAsync(20);
  expect(condition(), condition.toString()).toBe(true);
}

/** The answer of a promise that needs time to pass. */
export async function settled<T>(promise: Promise<T>): Promise<T> {
  let isDone = false;
  void promise.then(() => {
    isDone = true;
  });
  await until(() => isDone);
  return promise;
}
