// Who is who: a cache of people, asked for together.

import type { Outcome } from '../wire/failure';
import { LIMITS, type User, type UserId, type UsersResult } from '../wire/protocol';

/** How long asks are gathered before they go out, in milliseconds. */
const GATHER_MS = 20;
/** After this an unknown person is asked for again. */
const AGAIN_MS = 60_000;

/** What the cache of people needs from its surroundings. */
export interface PeopleHost {
  get(users: UserId[]): Promise<Outcome<UsersResult>>;
  /** Shows people; equal ones may be among them. */
  put(users: readonly User[]): void;
}

/** Asks for people. */
export class People {
  readonly #host: PeopleHost;
  readonly #wanted = new Set<UserId>();
  readonly #askedAt = new Map<UserId, number>();
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(host: PeopleHost) {
    this.#host = host;
  }

  /** Somebody unknown is to be shown. */
  want(user: UserId): void {
    if (user === '' || Date.now() - (this.#askedAt.get(user) ?? -Infinity) < AGAIN_MS) return;
    this.#wanted.add(user);
    this.#timer ??= setTimeout(() => void this.#ask(), GATHER_MS);
  }

  /** A session was started: what could not be asked for is asked for now. */
  started(): void {
    if (this.#wanted.size > 0) this.#timer ??= setTimeout(() => void this.#ask(), GATHER_MS);
  }

  /** Forgets what was asked. */
  clear(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#wanted.clear();
    this.#askedAt.clear();
  }

  async #ask(): Promise<void> {
    this.#timer = undefined;
    const users = [...this.#wanted].slice(0, LIMITS.users_per_command);
    if (users.length === 0) return;
    for (const user of users) {
      this.#wanted.delete(user);
      this.#askedAt.set(user, Date.now());
    }
    const answer = await this.#host.get(users);
    if (answer.ok) {
      this.#host.put(answer.value.users);
      if (this.#wanted.size > 0) this.#timer ??= setTimeout(() => void this.#ask(), GATHER_MS);
      return;
    }
    // Asked again when the next session starts, or when they are shown the next time.
    for (const user of users) {
      this.#askedAt.delete(user);
      this.#wanted.add(user);
    }
    if (answer.failure.reason !== 'unreachable') this.#timer ??= setTimeout(() => void this.#ask(), AGAIN_MS);
  }
}
