/** Accounts for the tests: each has a name of its own, so that tests can share a server. */
import { randomBytes } from 'node:crypto';
import type { APIRequestContext } from '@playwright/test';

export const password = 'correct horse battery';

/** A username that nobody else has, beginning like the name. */
export function newName(name: string): string {
  const letters = name.toLowerCase().replace(/[^a-z0-9]/g, '') || 'user';
  return `${letters}-${randomBytes(4).toString('hex')}`;
}

/** Makes an account without the browser. Answers its id. */
export async function createAccount(request: APIRequestContext, url: string, username: string, displayName: string): Promise<string> {
  const response = await request.post(`${url}/v1/accounts`, { data: { username, password, display_name: displayName } });
  if (!response.ok()) throw new Error(`sign up: ${await response.text()}`);
  const { user } = (await response.json()) as { user: { id: string } };
  return user.id;
}
