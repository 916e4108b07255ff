/** Without a connection: what is sent waits, survives a reload, and goes once and in order. */
import { expect, test, type Person } from './support/people';

async function inOneRoom(ann: Person, bea: Person): Promise<void> {
  await ann.page.getByRole('button', { name: 'New direct message' }).first().click();
  await ann.page.getByRole('dialog').getByRole('combobox').fill(bea.username);
  await ann.page.getByRole('option', { name: bea.name }).click();
  await ann.write('before');
  await bea.open(ann.name);
  await expect(bea.message('before')).toBeVisible();
}

test('three messages written offline survive a reload and arrive once, in order', async ({ people }) => {
  const [ann, bea] = await people('Ann', 'Bea');
  await inOneRoom(ann, bea);
  // The page itself still loads; nothing of the API does.
  let cut = true;
  await ann.page.routeWebSocket('**/v1/ws', (socket) => (cut ? void socket.close() : void socket.connectToServer()));
  await ann.page.route('**/v1/**', (route) => (cut ? route.abort() : route.continue()));
  await ann.context.setOffline(true);
  await expect(ann.strip).toContainText("You're offline.");
  for (const text of ['one', 'two', 'three']) await ann.write(text);
  await expect(ann.strip).toContainText("3 messages will be sent when you're back.");
  await expect(ann.message('three').getByRole('img', { name: 'Waiting' }).or(ann.message('three').getByText('Waiting for connection'))).toBeVisible();

  await ann.context.setOffline(false);
  await ann.page.reload();
  await expect(ann.message('three')).toBeVisible();
  expect((await ann.texts()).slice(-3)).toEqual(['one', 'two', 'three']);

  cut = false;
  await ann.page.evaluate(() => dispatchEvent(new Event('online')));
  await expect(ann.timeline.locator('[data-state=sent]')).toHaveCount(4, { timeout: 20_000 });
  await expect(bea.message('three')).toBeVisible();
  expect((await bea.texts()).slice(-4)).toEqual(['before', 'one', 'two', 'three']);
});

test('becoming sent keeps the node of the row', async ({ people }) => {
  const [ann, bea] = await people('Ann', 'Bea');
  await inOneRoom(ann, bea);
  await ann.context.setOffline(true);
  await expect(ann.strip).toContainText("You're offline.");
  await ann.write('kept');
  const row = ann.message('kept');
  await expect(row).not.toHaveAttribute('data-state', 'sent');
  await row.evaluate((element) => element.setAttribute('data-seen', 'yes'));
  await ann.context.setOffline(false);
  await expect(row).toHaveAttribute('data-state', 'sent', { timeout: 20_000 });
  await expect(row).toHaveAttribute('data-seen', 'yes');
  await expect(bea.message('kept')).toHaveCount(1);
});

test('a refused message says why, can be written anew, and blocks nothing behind it', async ({ person, bot }) => {
  const ann = await person('Ann');
  const tom = await bot('Tom');
  const name = `refused ${tom.username}`;
  const room = await tom.createRoom('channel', name, [ann.id]);
  const { seq } = await tom.send(room, 'soon gone');
  await ann.open(name);
  await ann.openMenu('soon gone');
  await ann.menu('Reply').click();
  await ann.context.setOffline(true);
  await expect(ann.strip).toContainText("You're offline.");
  await ann.write('an answer to nothing');
  await ann.write('something else');
  await tom.call('message.recall', { room, key: 'recall', seq });
  await ann.context.setOffline(false);
  const refused = ann.message('an answer to nothing');
  await expect(refused.getByRole('alert')).toHaveText('Not sent. The message you answer was recalled.', { timeout: 20_000 });
  await expect(ann.message('something else')).toHaveAttribute('data-state', 'sent');
  await refused.getByRole('button', { name: 'Edit' }).click();
  await expect(ann.composer).toHaveValue('an answer to nothing');
  await expect(refused).toHaveCount(0);
  await ann.page.getByRole('button', { name: 'Cancel reply' }).click();
  await ann.composer.press('Enter');
  await expect(ann.message('an answer to nothing')).toHaveAttribute('data-state', 'sent');
});
