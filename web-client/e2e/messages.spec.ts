/** Editing, recalling, answering; what a message may look like. */
import { expect, test } from './support/people';

test('edit, recall and reply are seen by both', async ({ people }) => {
  const [ann, bea] = await people('Ann', 'Bea');
  const room = `edits ${ann.username}`;
  await ann.createRoom(room);
  await bea.page.getByRole('button', { name: 'Browse rooms' }).first().click();
  await bea.page.getByRole('combobox').fill(room);
  await bea.page.getByRole('option', { name: room }).click();
  await ann.write('the first thing');
  await expect(ann.message('the first thing')).toHaveAttribute('data-state', 'sent');

  await ann.composer.press('ArrowUp');
  await expect(ann.page.getByText('Editing your message')).toBeVisible();
  await ann.composer.fill('the first thing, corrected');
  await ann.composer.press('Enter');
  await expect(bea.timeline.getByText('the first thing, corrected')).toBeVisible();
  await expect(bea.timeline.getByText('(edited)')).toBeVisible();

  await bea.timeline.getByRole('article').first().hover();
  await bea.timeline.getByRole('article').first().getByRole('button', { name: 'Reply' }).click();
  await expect(bea.page.getByText('Replying to Ann: the first thing, corrected')).toBeVisible();
  await bea.write('an answer');
  const answer = ann.message('an answer');
  await expect(answer.getByRole('button', { name: /Go to the message of Ann/ })).toContainText('the first thing, corrected');
  await answer.getByRole('button', { name: /Go to the message of Ann/ }).click();
  await expect(ann.timeline.locator('.flash')).toContainText('the first thing, corrected');

  await ann.openMenu('the first thing, corrected (edited)');
  await ann.menu('Recall').click();
  const ask = ann.page.getByRole('alertdialog');
  await expect(ask.getByRole('button', { name: 'Cancel' })).toBeFocused();
  await ask.getByRole('button', { name: 'Recall' }).click();
  for (const who of [ann, bea]) {
    await expect(who.timeline.getByText('Ann recalled a message')).toBeVisible();
    await expect(who.timeline.getByText('the first thing, corrected')).toHaveCount(0);
  }
});

test('cancelling an edit brings the draft back', async ({ person }) => {
  const ann = await person('Ann');
  await ann.createRoom(`cancel ${ann.username}`);
  await ann.write('sent');
  await expect(ann.message('sent')).toHaveAttribute('data-state', 'sent');
  await ann.composer.fill('a draft');
  await ann.openMenu('sent');
  await ann.menu('Edit').click();
  await expect(ann.composer).toHaveValue('sent');
  await ann.composer.press('Escape');
  await expect(ann.composer).toHaveValue('a draft');
});

test('text is shown as it was meant, and never as a page', async ({ person, bot }) => {
  const ann = await person('Ann');
  const tom = await bot('Tom');
  const room = await tom.createRoom('channel', `text ${tom.username}`, [ann.id]);
  const texts = [
    '**bold** and `code` and <img src=x onerror=alert(1)> <b>not bold</b>',
    'https://example.org/a_b_c?q=1 and [shop.example](https://evil.example/x)',
    '```js\nconst a = "<script>";\n```',
    '- one\n- two\n\n> quoted',
    '🎉🚢',
    'x'.repeat(400),
    '[click](javascript:alert(1))',
  ];
  await tom.sendAll(room, texts);
  await ann.open(`text ${tom.username}`);
  await expect(ann.timeline.locator('strong')).toHaveText('bold');
  await expect(ann.timeline.getByText('<b>not bold</b>')).toBeVisible();
  await expect(ann.timeline.locator('.tl-in img, .tl-in script')).toHaveCount(0);
  await expect(ann.timeline.getByRole('link', { name: 'example.org/a_b_c?q=1' })).toHaveAttribute('rel', 'noopener noreferrer');
  await expect(ann.timeline.getByText('(evil.example)')).toBeVisible();
  await expect(ann.timeline.getByRole('link', { name: 'click' })).toHaveCount(0);
  await expect(ann.timeline.locator('pre')).toHaveText('const a = "<script>";');
  await expect(ann.timeline.locator('li')).toHaveText(['one', 'two']);
  await expect(ann.timeline.locator('.big')).toHaveText('🎉🚢');
  const overflow = await ann.page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  expect(overflow).toBeLessThanOrEqual(0);
});

test('a long text is counted, and one that is too long is not sent', async ({ person }) => {
  const ann = await person('Ann');
  await ann.createRoom(`long ${ann.username}`);
  await ann.composer.fill('x'.repeat(16_384 - 100));
  await expect(ann.page.getByText('100 characters left')).toBeVisible();
  await ann.composer.fill('x'.repeat(16_384 + 5));
  await expect(ann.page.getByText('5 characters too long')).toBeVisible();
  await ann.composer.press('Enter');
  await expect(ann.composer).not.toHaveValue('');
  await expect(ann.timeline.getByRole('article')).toHaveCount(0);
});
