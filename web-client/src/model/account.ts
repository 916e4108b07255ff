// Who is signed in on this device: signing up, in and out, and the sessions of the account.

import type { Api } from '../wire/api';
import { done, failed, localFailure, type Outcome } from '../wire/failure';
import type { Device, LoggedIn, SessionId, Sessions } from '../wire/protocol';
import type { Login, Vault } from '../wire/vault';
import type { NewAccount } from './contract';

/** What the account needs from its surroundings. */
export interface AccountHost {
  readonly api: Api;
  readonly vault: Vault;
  readonly device: Device;
  /** Somebody signed in here. */
  entered(login: Login): void;
}

/** The account's part of the model. */
export class Account {
  readonly #host: AccountHost;

  constructor(host: AccountHost) {
    this.#host = host;
  }

  /** Makes an account and logs in. */
  async signUp(account: NewAccount): Promise<Outcome<void>> {
    const { username, password, displayName } = account;
    const answer = await this.#host.api.signUp(username.trim(), password, displayName?.trim());
    return answer.ok ? this.logIn(username, password) : answer;
  }

  async logIn(username: string, password: string): Promise<Outcome<void>> {
    const answer: Outcome<LoggedIn> = await this.#host.api.logIn(username.trim(), password, this.#host.device);
    if (!answer.ok) return answer;
    this.#host.entered(this.#host.vault.keep(answer.value));
    return done(undefined);
  }

  /** Wipes the tokens, then tells the server; it is told with what was wiped. */
  async logOut(): Promise<void> {
    const { api, vault } = this.#host;
    const login = vault.read();
    vault.wipe();
    if (login) await api.endSession(login.accessToken, login.session.id);
  }

  sessions(): Promise<Outcome<Sessions>> {
    return this.#authorised((token) => this.#host.api.sessions(token));
  }

  endSession(session: SessionId): Promise<Outcome<void>> {
    return this.#authorised((token) => this.#host.api.endSession(token, session));
  }

  /** Asks with the token; one that timed out is renewed once. */
  async #authorised<T>(ask: (token: string) => Promise<Outcome<T>>): Promise<Outcome<T>> {
    const login = this.#host.vault.read();
    if (!login) return failed(localFailure('session_ended'));
    const answer = await ask(login.accessToken);
    if (answer.ok || answer.failure.reason !== 'unauthenticated') return answer;
    const renewed = await this.#host.vault.refresh(this.#host.api, login.accessToken);
    return renewed.ok ? ask(renewed.value.accessToken) : renewed;
  }
}
