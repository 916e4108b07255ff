/** Signing up and in: what is wrong is said at its place, what was typed stays. */
import { createAccount, newName, password } from './support/accounts';
import { expect, test } from './support/people';

test('sign up, then in again', async ({ page, server }) => {
  const username = newName('cleo');
  await page.goto(server.nodes[0].url);
  await page.getByRole('link', { name: 'Create an account' }).click();
  await expect(page).toHaveURL(/sign-up/);
  await page.getByLabel('Display name').fill('Cléo');
  await page.getByLabel('Username').fill('!');
  await page.getByLabel('Password', { exact: true }).fill('short');
  await page.getByRole('button', { name: 'Create account' }).click();
  await expect(page.getByLabel('Username')).toBeFocused();
  await expect(page.getByLabel('Username')).toHaveAttribute('aria-invalid', 'true');
  await expect(page.getByText('Too easy to guess. Use a longer one.')).toBeVisible();
  await page.getByLabel('Username').fill(username);
  await page.getByLabel('Password', { exact: true }).fill(password);
  await page.keyboard.press('Enter');
  await expect(page.locator('.me b')).toHaveText('Cléo');

  await page.getByRole('button', { name: 'Settings' }).click();
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByRole('alertdialog').getByRole('button', { name: 'Sign out' }).click();
  await expect(page.getByRole('heading', { name: 'Sign in to Hubbub' })).toBeVisible();
  await expect(page.getByLabel('Username')).toHaveValue(username);
});

test('a wrong password is said in one line that has the focus', async ({ page, request, server }) => {
  const { url } = server.nodes[0];
  const username = newName('dora');
  await createAccount(request, url, username, 'Dora');
  await page.goto(url);
  await page.getByLabel('Username').fill(username);
  await page.getByLabel('Password', { exact: true }).fill('wrong password');
  await page.keyboard.press('Enter');
  const line = page.getByRole('alert').filter({ hasText: 'Wrong username or password.' });
  await expect(line).toBeFocused();
  await expect(page.getByLabel('Username')).toHaveValue(username);
  await expect(page.getByLabel('Password', { exact: true })).toHaveValue('wrong password');
});

test('a taken username is said at the field', async ({ page, request, server }) => {
  const { url } = server.nodes[0];
  const username = newName('eve');
  await createAccount(request, url, username, 'Eve');
  await page.goto(`${url}/sign-up`);
  await page.getByLabel('Username').fill(username);
  await page.getByLabel('Password', { exact: true }).fill(password);
  await page.getByRole('button', { name: 'Create account' }).click();
  await expect(page.getByText('That username is taken.')).toBeVisible();
  await expect(page.getByLabel('Username')).toBeFocused();
});

test('a server that cannot be reached is said so', async ({ page, server }) => {
  await page.goto(server.nodes[0].url);
  await page.getByLabel('Username').fill('someone');
  await page.getByLabel('Password', { exact: true }).fill(password);
  await page.route('**/v1/sessions', (route) => route.abort());
  await page.keyboard.press('Enter');
  const line = page.getByRole('alert').filter({ hasText: "Can't reach the server." });
  await expect(line).toBeFocused();
  await page.unroute('**/v1/sessions');
  await line.getByRole('button', { name: 'Try again' }).click();
  await expect(page.getByRole('alert').filter({ hasText: 'Wrong username or password.' })).toBeVisible();
});
