// Who is writing: signals that may be missed, shown for 5 s, sent at most every 3 s.

import type { RoomId, UserId } from '../wire/protocol';

/** How long a signal is shown, in milliseconds. */
export const SHOWN_MS = 5_000;
/** Least time between two signals of this device in a room. */
export const SIGNAL_MS = 3_000;

/** What typing needs from its surroundings. */
export interface TypingHost {
  send(room: RoomId): void;
  changed(room: RoomId, users: readonly UserId[]): void;
}

/** Typing signals of all rooms. */
export class Typing {
  readonly #host: TypingHost;
  readonly #sentAt = new Map<RoomId, number>();
  readonly #shown = new Map<RoomId, Map<UserId, ReturnType<typeof setTimeout>>>();

  constructor(host: TypingHost) {
    this.#host = host;
  }

  /** The text of a room changes here. */
  wrote(room: RoomId): void {
    const now = Date.now();
    if (now - (this.#sentAt.get(room) ?? -Infinity) < SIGNAL_MS) return;
    this.#sentAt.set(room, now);
    this.#host.send(room);
  }

  /** A message went: the next text begins with a signal. */
  sent(room: RoomId): void {
    this.#sentAt.delete(room);
  }

  /** Somebody writes. */
  heard(room: RoomId, user: UserId): void {
    const users = this.#shown.get(room) ?? new Map<UserId, ReturnType<typeof setTimeout>>();
    this.#shown.set(room, users);
    const known = users.has(user);
    clearTimeout(users.get(user));
    users.set(
      user,
      setTimeout(() => this.stopped(room, user), SHOWN_MS),
    );
    if (!known) this.#host.changed(room, [...users.keys()]);
  }

  /** Somebody's message came, or the time is over. */
  stopped(room: RoomId, user: UserId): void {
    const users = this.#shown.get(room);
    if (!users?.has(user)) return;
    clearTimeout(users.get(user));
    users.delete(user);
    this.#host.changed(room, [...users.keys()]);
  }

  /** Nobody is known to write: the connection is gone. */
  clear(): void {
    for (const [room, users] of this.#shown) {
      for (const timer of users.values()) clearTimeout(timer);
      if (users.size > 0) this.#host.changed(room, []);
    }
    this.#shown.clear();
    this.#sentAt.clear();
  }
}
