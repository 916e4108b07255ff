// What must not be lost when a tab closes: small texts by name, written at once. `localStorage` holds them because it
// is the only store of a browser that is written before the call returns, also while the page goes away.

/** Small texts by name. */
export interface Shelf {
  get(name: string): string | undefined;
  /** False when it could not be kept: the device is full or keeps nothing. */
  set(name: string, value: string): boolean;
  remove(name: string): void;
  /** All names that begin so. */
  names(prefix: string): string[];
}

/** A shelf over the browser's storage; without one it lasts as long as the page. */
export function openShelf(storage: Storage | undefined): Shelf {
  if (!storage) return memoryShelf();
  return {
    get: (name) => {
      try {
        return storage.getItem(name) ?? undefined;
      } catch {
        return undefined;
      }
    },
    set: (name, value) => {
      try {
        storage.setItem(name, value);
        return true;
      } catch {
        return false;
      }
    },
    remove: (name) => {
      try {
        storage.removeItem(name);
      } catch {
        // Nothing is kept, so nothing is left.
      }
    },
    names: (prefix) => {
      const found: string[] = [];
      for (let index = 0; index < storage.length; index += 1) {
        const name = storage.key(index);
        if (name?.startsWith(prefix)) found.push(name);
      }
      return found;
    },
  };
}

/** A shelf that lasts as long as the page. Its `set` says false: what it holds is not kept. */
export function memoryShelf(keeps = false): Shelf {
  const kept = new Map<string, string>();
  return {
    get: (name) => kept.get(name),
    set: (name, value) => {
      kept.set(name, value);
      return keeps;
    },
    remove: (name) => void kept.delete(name),
    names: (prefix) => [...kept.keys()].filter((name) => name.startsWith(prefix)),
  };
}

/** Reads a JSON value; undefined when it is absent or spoiled. */
export function readJson<T>(shelf: Shelf, name: string): T | undefined {
  const text = shelf.get(name);
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as T;
  } catch {
    return undefined;
  }
}
