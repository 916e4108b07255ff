/** One device at a time: signing in elsewhere ends the session here, says so, and nothing here comes back by itself. */
import { expect, test } from './support/people';

test('a new sign-in displaces this device, in every tab, for good', async ({ browser, people, server }) => {
  const [ann] = await people('Ann');
  const other = server.nodes.at(-1) ?? server.nodes[0];
  await ann.createRoom(`takeover ${ann.username}`);
  await ann.composer.fill('not finished yet');
  const second = await ann.context.newPage();
  await second.goto(ann.url);
  await expect(second.locator('.app')).toBeVisible();

  const sockets: string[] = [];
  for (const page of [ann.page, second]) page.on('websocket', (socket) => sockets.push(socket.url()));
  const elsewhere = await ann.onAnotherDevice(browser, other.url);
  await expect(elsewhere.room(`takeover ${ann.username}`)).toBeVisible();

  for (const page of [ann.page, second]) {
    const title = page.getByRole('heading', { level: 1, name: 'You signed in on another computer' });
    await expect(title).toBeVisible({ timeout: 5000 });
    await expect(page.getByText(/Chrome, Linux|Chrome/)).toBeVisible();
    await expect(page.getByText(/^Today, \d\d:\d\d$/)).toBeVisible();
    await expect(page).toHaveTitle(/You signed in on another computer/);
  }
  await expect(ann.page.getByRole('heading', { level: 1 })).toBeFocused();
  await expect(ann.page.getByText('1 draft')).toBeVisible();
  await ann.page.waitForTimeout(6000); // the claim is that nothing happens
  expect(sockets).toEqual([]);
  await ann.page.reload();
  await expect(ann.page.locator('.app')).toHaveCount(0);
  expect(sockets).toEqual([]);

  await elsewhere.open(`takeover ${ann.username}`);
  await elsewhere.write('from the new device');
  await expect(elsewhere.message('from the new device')).toHaveAttribute('data-state', 'sent');
  await elsewhere.context.close();
});

test('unsent messages wait for the next sign-in here and arrive once', async ({ browser, people }) => {
  const [ann, bea] = await people('Ann', 'Bea');
  const room = `kept ${ann.username}`;
  await ann.createRoom(room);
  await bea.page.getByRole('button', { name: 'Browse rooms' }).first().click();
  await bea.page.getByRole('combobox').fill(room);
  await bea.page.getByRole('option', { name: room }).click();
  await expect(bea.composer).toBeVisible();
  await ann.context.setOffline(true);
  await expect(ann.strip).toContainText("You're offline.");
  await ann.write('unsent one');
  await ann.write('unsent two');
  const elsewhere = await ann.onAnotherDevice(browser);
  await elsewhere.context.close();
  await ann.context.setOffline(false);
  await expect(ann.page.getByText('2 unsent messages')).toBeVisible({ timeout: 20_000 });
  await ann.page.getByRole('button', { name: /^Sign in/ }).click();
  await expect(ann.page.getByLabel('Username')).toHaveValue(ann.username);
  await ann.signIn();
  await expect(bea.message('unsent two')).toHaveCount(1, { timeout: 20_000 });
  expect((await bea.texts()).slice(-2)).toEqual(['unsent one', 'unsent two']);
});

test('signing another device out is told there', async ({ browser, people }) => {
  const [ann] = await people('Ann');
  await ann.goto('/settings/sessions');
  await expect(ann.page.getByText('This device')).toBeVisible();
  await expect(ann.page.getByRole('listitem').filter({ hasText: 'This device' })).toContainText('Chrome');
  const elsewhere = await ann.onAnotherDevice(browser);
  await expect(ann.page.getByRole('heading', { level: 1, name: 'You signed in on another computer' })).toBeVisible();
  await elsewhere.goto('/settings/sessions');
  await expect(elsewhere.page.getByRole('listitem').filter({ hasText: 'Chrome' })).toHaveCount(1);
  await elsewhere.context.close();
});
