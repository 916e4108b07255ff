// Tokens and their refresh.

import { expect, test, vi } from 'vitest';
import { FakeBrowser } from '../testing/env';
import { sessionOf } from '../testing/server';
import type { Api } from './api';
import { done, failed, localFailure } from './failure';
import type { LoggedIn } from './protocol';
import { memoryShelf } from './shelf';
import { browserExclusive, Vault } from './vault';

const user = { id: 'ann', username: 'ann', display_name: 'Ann' };

function answer(n: number): LoggedIn {
  return {
    user,
    session: sessionOf('ann'),
    access_token: `access ${n}`,
    expires_in_s: 60,
    refresh_token: `refresh ${n}`,
    refresh_expires_in_s: 600,
  };
}

/** An HTTP door that answers refreshes one at a time, each token once. */
function door(): { api: Api; spent: string[] } {
  const spent: string[] = [];
  const refresh: Api['refresh'] = async (token) => {
    await Promise.resolve();
    if (spent.includes(token)) return failed(localFailure('session_ended'));
    spent.push(token);
    return done(answer(spent.length + 1));
  };
  return { api: { refresh } as Api, spent };
}

test('two tabs that find the token timed out refresh it once', async () => {
  const browser = new FakeBrowser();
  const locks = browser.locks as unknown as LockManager;
  const [one, two] = [0, 1].map(() => new Vault(browser.shelf, browserExclusive(locks)));
  if (!one || !two) throw new Error('made above');
  const { api, spent } = door();
  one.keep(answer(1));
  const both = await Promise.all([one.refresh(api, 'access 1'), two.refresh(api, 'access 1')]);
  expect(spent).toEqual(['refresh 1']);
  expect(both).toMatchObject([{ ok: true }, { ok: true }]);
  expect(two.read()?.accessToken).toBe('access 2');
});

test('without locks one tab still refreshes once at a time', async () => {
  const vault = new Vault(memoryShelf(true), browserExclusive(undefined));
  const { api, spent } = door();
  vault.keep(answer(1));
  await Promise.all([vault.refresh(api, 'access 1'), vault.refresh(api, 'access 1')]);
  expect(spent).toHaveLength(1);
});

test('a refresh under way does not bring back a login that was wiped', async () => {
  const vault = new Vault(memoryShelf(true), browserExclusive(undefined));
  const { api } = door();
  vault.keep(answer(1));
  const refreshed = vault.refresh(api, 'access 1');
  await Promise.resolve();
  vault.wipe();
  expect(await refreshed).toMatchObject({ ok: false, failure: { reason: 'session_ended' } });
  expect(vault.read()).toBeUndefined();
});

test('a failed refresh keeps the login for the next try', async () => {
  const vault = new Vault(memoryShelf(true), browserExclusive(undefined));
  vault.keep(answer(1));
  const refresh = vi.fn<Api['refresh']>(() => Promise.resolve(failed(localFailure('unreachable'))));
  expect(await vault.refresh({ refresh } as unknown as Api, 'access 1')).toMatchObject({ ok: false });
  expect(vault.read()?.accessToken).toBe('access 1');
});

test('a device that keeps nothing holds the login as long as the page', () => {
  const shelf = { ...memoryShelf(), get: () => undefined };
  const vault = new Vault(shelf, browserExclusive(undefined));
  vault.keep(answer(1));
  expect(vault.read()?.accessToken).toBe('access 1');
  vault.wipe();
  expect(vault.read()).toBeUndefined();
});

test('a spoiled store is nobody', () => {
  const shelf = memoryShelf(true);
  for (const spoiled of ['{', 'null', '{}', '{"accessToken":7}']) {
    shelf.set('hubbub.session', spoiled);
    expect(new Vault(shelf, browserExclusive(undefined)).read(), spoiled).toBeUndefined();
  }
});
