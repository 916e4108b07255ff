// The last known rooms and pages, on the device, for a start without waiting and for reading offline. A cache: what
// cannot be read or written is done without.

import type { HistoryPage, RoomId, User } from '../wire/protocol';
import type { Summary } from './rooms';

const DATABASE = 'hubbub';
const STORE = 'cache';
/** Raised when what is kept looks otherwise; older content is dropped. */
const VERSION = 1;

/** The rooms of an account as they were last seen. */
export interface CachedRooms {
  readonly rooms: readonly Summary[];
  readonly people: readonly User[];
}

/** What the device keeps for a quick start. */
export interface Cache {
  rooms(account: string): Promise<CachedRooms | undefined>;
  keepRooms(account: string, rooms: CachedRooms): void;
  page(account: string, room: RoomId): Promise<HistoryPage | undefined>;
  keepPage(account: string, room: RoomId, page: HistoryPage): void;
  dropPage(account: string, room: RoomId): void;
  /** Removes everything of an account. */
  wipe(account: string): void;
}

/** The cache in the browser's database; without one nothing is kept. */
export function openCache(factory: IDBFactory | undefined): Cache {
  let database: Promise<IDBDatabase | undefined> | undefined;
  const opened = (): Promise<IDBDatabase | undefined> => (database ??= open(factory));

  const read = async <T>(key: string): Promise<T | undefined> => {
    const db = await opened();
    if (!db) return undefined;
    return new Promise((resolve) => {
      try {
        const request = db.transaction(STORE).objectStore(STORE).get(key);
        request.onsuccess = () => resolve(request.result as T | undefined);
        request.onerror = () => resolve(undefined);
      } catch {
        resolve(undefined);
      }
    });
  };
  const write = async (change: (store: IDBObjectStore) => void): Promise<void> => {
    const db = await opened();
    if (!db) return;
    try {
      change(db.transaction(STORE, 'readwrite', { durability: 'relaxed' }).objectStore(STORE));
    } catch {
      // The page goes away, or the device is full: the next start waits for the server.
    }
  };

  return {
    rooms: (account) => read(`${account}/rooms`),
    keepRooms: (account, rooms) => void write((store) => store.put(rooms, `${account}/rooms`)),
    page: (account, room) => read(`${account}/page/${room}`),
    keepPage: (account, room, page) => void write((store) => store.put(page, `${account}/page/${room}`)),
    dropPage: (account, room) => void write((store) => store.delete(`${account}/page/${room}`)),
    // '0' is the character after '/'.
    wipe: (account) => void write((store) => store.delete(IDBKeyRange.bound(`${account}/`, `${account}0`))),
  };
}

function open(factory: IDBFactory | undefined): Promise<IDBDatabase | undefined> {
  if (!factory) return Promise.resolve(undefined);
  return new Promise((resolve) => {
    try {
      const request = factory.open(DATABASE, VERSION);
      request.onupgradeneeded = () => {
        const db = request.result;
        if (db.objectStoreNames.contains(STORE)) db.deleteObjectStore(STORE);
        db.createObjectStore(STORE);
      };
      request.onsuccess = () => {
        // Another tab with a newer version wants in: let it.
        request.result.onversionchange = () => request.result.close();
        resolve(request.result);
      };
      request.onerror = () => resolve(undefined);
      request.onblocked = () => resolve(undefined);
    } catch {
      resolve(undefined);
    }
  });
}
