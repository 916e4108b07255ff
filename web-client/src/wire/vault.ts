// The tokens of this device, shared by all its tabs, and their refresh.

import { done, failed, type Outcome } from './failure';
import type { Api } from './api';
import type { LoggedIn, Session, User } from './protocol';
import { readJson, type Shelf } from './shelf';

const KEY = 'hubbub.session';
const REFRESH_LOCK = 'hubbub.refresh';

/** A login as this device keeps it. */
export interface Login {
  readonly user: User;
  readonly session: Session;
  readonly accessToken: string;
  readonly refreshToken: string;
}

/** Runs something while no other tab does. */
export type Exclusive = <T>(name: string, run: () => Promise<T>) => Promise<T>;

/** The tokens of this device. */
export class Vault {
  readonly #shelf: Shelf;
  readonly #exclusive: Exclusive;
  /** For pages whose storage is closed: the login lasts as long as the page. */
  #held: Login | undefined;

  constructor(shelf: Shelf, exclusive: Exclusive) {
    this.#shelf = shelf;
    this.#exclusive = exclusive;
  }

  /** The login, as the newest tab left it. */
  read(): Login | undefined {
    const kept = readJson<Login>(this.#shelf, KEY);
    if (kept && typeof kept.accessToken === 'string' && kept.user && kept.session) return kept;
    return this.#held;
  }

  /** Keeps a login. */
  keep(answer: LoggedIn): Login {
    const login: Login = {
      user: answer.user,
      session: answer.session,
      accessToken: answer.access_token,
      refreshToken: answer.refresh_token,
    };
    this.#write(login);
    return login;
  }

  /** Forgets the tokens. */
  wipe(): void {
    this.#held = undefined;
    this.#shelf.remove(KEY);
  }

  /** Keeps another name of the same person. */
  renamed(user: User): void {
    const login = this.read();
    if (login && login.user.id === user.id) this.#write({ ...login, user });
  }

  /**
   * A token that is newer than `stale`. Only one tab asks the server: a refresh token is good for one use, and its
   * second use would end the session. Another tab's answer is taken over.
   */
  refresh(api: Api, stale: string): Promise<Outcome<Login>> {
    return this.#exclusive(REFRESH_LOCK, async () => {
      const login = this.read();
      if (!login) return failed({ ...ENDED });
      if (login.accessToken !== stale) return done(login);
      const answer = await api.refresh(login.refreshToken);
      if (!answer.ok) return answer;
      // Signed out meanwhile: the new token must not bring the login back.
      if (!this.read()) return failed({ ...ENDED });
      return done(this.keep(answer.value));
    });
  }

  #write(login: Login): void {
    this.#held = this.#shelf.set(KEY, JSON.stringify(login)) ? undefined : login;
  }
}

const ENDED = {
  reason: 'session_ended',
  code: 4012,
  message: 'nobody is signed in here',
  retryAfterMs: undefined,
  field: undefined,
  limit: undefined,
} as const;

/** The exclusion that this browser offers: Web Locks where the page may use them, else none but this tab's own. */
export function browserExclusive(locks: LockManager | undefined): Exclusive {
  if (locks) return (name, run) => locks.request(name, run) as ReturnType<typeof run>;
  let last: Promise<unknown> = Promise.resolve();
  return (_name, run) => {
    const turn = last.then(run, run);
    last = turn.catch(() => undefined);
    return turn;
  };
}
