/** What was typed is there again: after a reload, and on the next device. */
import { expect, test } from './support/people';

test('a draft survives a reload and follows to another device', async ({ browser, person }) => {
  const ann = await person('Ann');
  const room = `draft ${ann.username}`;
  await ann.createRoom(room);
  await ann.createRoom(`other ${ann.username}`);
  await ann.open(room);
  await ann.composer.fill('half a sentence');
  await ann.open(`other ${ann.username}`);
  await expect(ann.room(room).getByText('Draft', { exact: true })).toBeVisible();
  await ann.page.reload();
  await expect(ann.room(room).getByText('Draft', { exact: true })).toBeVisible();
  await ann.open(room);
  await expect(ann.composer).toHaveValue('half a sentence');
  await ann.composer.fill('half a sentence, and more');
  // The server has it 2 s after the last key.
  await ann.page.waitForTimeout(3000);

  const next = await ann.onAnotherDevice(browser);
  await expect(next.room(room).getByText('Draft', { exact: true })).toBeVisible();
  await next.open(room);
  await expect(next.composer).toHaveValue('half a sentence, and more');
  await next.composer.press('Enter');
  await expect(next.message('half a sentence, and more')).toBeVisible();
  await next.open(`other ${ann.username}`);
  await expect(next.room(room).getByText('Draft', { exact: true })).toHaveCount(0);
  await next.context.close();
});
