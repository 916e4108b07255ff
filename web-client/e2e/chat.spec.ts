/** Two people in two browsers; in the cluster each on a node of their own. */
import { expect, test } from './support/people';

test('what one person sends, the other reads once', async ({ people }) => {
  const [ann, bea] = await people('Ann', 'Bea');
  await ann.createRoom(`harbour ${ann.username}`);
  await bea.page.getByRole('button', { name: 'Browse rooms' }).first().click();
  const browse = bea.page.getByRole('dialog', { name: 'Browse rooms' });
  await browse.getByRole('combobox').fill(`harbour ${ann.username}`);
  await browse.getByRole('option', { name: ann.username }).click();
  await expect(bea.page.getByRole('heading', { level: 1, name: `harbour ${ann.username}` })).toBeVisible();

  await ann.write('hello from ann');
  await expect(bea.message('hello from ann')).toHaveCount(1);
  await expect(ann.message('hello from ann')).toHaveAttribute('data-state', 'sent');
  await expect(ann.message('hello from ann').getByRole('img', { name: /^(Sent|Seen by Bea)$/ })).toBeVisible();

  await bea.write('你好 **ann** 🙌');
  await expect(ann.timeline.getByText('ann', { exact: true })).toBeVisible();
  await expect(ann.timeline.getByText('Bea joined')).toBeVisible();
  await expect(ann.timeline.getByText('hello from ann')).toHaveCount(1);
});

test('both write at once and both see one order', async ({ people }) => {
  const [ann, bea] = await people('Ann', 'Bea');
  const name = `order ${ann.username}`;
  await ann.createRoom(name);
  await bea.page.getByRole('button', { name: 'Browse rooms' }).first().click();
  await bea.page.getByRole('dialog').getByRole('combobox').fill(name);
  await bea.page.getByRole('option', { name }).click();
  await expect(bea.composer).toBeVisible();
  const type = async (who: typeof ann): Promise<void> => {
    for (let n = 1; n <= 10; n += 1) await who.write(`${who.name} ${n}`);
  };
  await Promise.all([type(ann), type(bea)]);
  await expect(ann.timeline.locator('.tx')).toHaveCount(20);
  await expect(bea.timeline.locator('.tx')).toHaveCount(20);
  await expect(ann.timeline.locator('[data-state=sent]')).toHaveCount(20);
  expect(await ann.texts()).toEqual(await bea.texts());
});

test('typing is shown, and goes when the message comes', async ({ people }) => {
  const [ann, bea] = await people('Ann', 'Bea');
  await ann.page.getByRole('button', { name: 'New direct message' }).first().click();
  const dialog = ann.page.getByRole('dialog');
  await dialog.getByRole('combobox').fill(bea.username);
  await dialog.getByRole('option', { name: 'Bea' }).click();
  await expect(ann.composer).toBeVisible();
  await ann.write('one');
  await expect(bea.room('Ann')).toBeVisible();
  await expect(bea.room('Ann')).toHaveAccessibleName(/1 unread/);
  await expect(bea.room('Ann').locator('.badge')).toHaveText('1');
  await expect(bea.page).toHaveTitle(/^\(1\)/);
  await bea.open('Ann');
  await expect(bea.page.getByRole('separator').filter({ hasText: 'New' })).toBeVisible();
  await ann.composer.pressSequentially('two, typed slowly', { delay: 250 });
  await expect(bea.page.getByText('Ann is typing')).toBeVisible();
  await ann.composer.press('Enter');
  await expect(bea.message('two, typed slowly')).toBeVisible();
  await expect(bea.page.getByText('Ann is typing')).toBeHidden();
  await expect(bea.room('Ann')).not.toHaveAccessibleName(/unread/);
});
