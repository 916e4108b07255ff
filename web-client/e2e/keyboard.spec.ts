/** Everything without a mouse: moving, writing, answering, and where the focus goes afterwards. */
import { expect, test } from './support/people';

test('a conversation by keyboard alone', async ({ person, bot }) => {
  const ann = await person('Ann');
  const tom = await bot('Tom');
  const name = `keys ${tom.username}`;
  const room = await tom.createRoom('channel', name, [ann.id]);
  await tom.sendAll(room, ['one', 'two https://example.org/page', 'three']);
  const { page } = ann;
  const { keyboard } = page;
  await expect(ann.room(name)).toBeVisible();

  await keyboard.press('Control+k');
  const jump = page.getByRole('dialog', { name: 'Search or jump' });
  await expect(jump.getByRole('combobox')).toBeFocused();
  await keyboard.type(name);
  await expect(jump.getByRole('option').first()).toHaveAttribute('aria-selected', 'true');
  await keyboard.press('Enter');
  await expect(page.getByRole('heading', { level: 1, name })).toBeVisible();
  await expect(ann.composer).toBeFocused();
  await keyboard.type('hello');
  await keyboard.press('Enter');
  await expect(ann.message('hello')).toHaveAttribute('data-state', 'sent');
  await expect(ann.composer).toBeFocused();

  await keyboard.press('Shift+F6');
  await expect(ann.timeline).toBeFocused();
  await keyboard.press('ArrowUp');
  await expect(ann.message('hello')).toBeFocused();
  await keyboard.press('ArrowUp');
  await keyboard.press('ArrowUp');
  const withLink = ann.timeline.getByRole('article').filter({ hasText: 'two' });
  await expect(withLink).toBeFocused();
  await keyboard.press('Enter');
  await expect(page.getByRole('link', { name: 'example.org/page' })).toBeFocused();
  await keyboard.press('Escape');
  await expect(withLink).toBeFocused();

  await keyboard.press('r');
  await expect(ann.composer).toBeFocused();
  await expect(page.getByText(/^Replying to Tom/)).toBeVisible();
  await keyboard.press('Escape');
  await expect(page.getByText(/^Replying to Tom/)).toBeHidden();

  await ann.timeline.focus();
  await keyboard.press('End');
  await expect(ann.message('hello')).toBeFocused();
  await keyboard.press('Shift+F10');
  await expect(page.getByRole('menuitem', { name: 'Reply' })).toBeFocused();
  await keyboard.press('End');
  await expect(page.getByRole('menuitem', { name: 'Recall' })).toBeFocused();
  await keyboard.press('Escape');
  await expect(ann.message('hello')).toBeFocused();
  await keyboard.press('e');
  await expect(ann.composer).toHaveValue('hello');
  await keyboard.type(' again');
  await keyboard.press('Enter');
  await expect(ann.timeline.getByText('hello again')).toBeVisible();

  await ann.timeline.focus();
  await keyboard.press('End');
  await keyboard.press('Backspace');
  const ask = page.getByRole('alertdialog');
  await expect(ask.getByRole('button', { name: 'Cancel' })).toBeFocused();
  await keyboard.press('Tab');
  await keyboard.press('Enter');
  await expect(ann.timeline.getByText('Ann recalled a message')).toBeVisible();

  // Letters typed over the messages go to the composer.
  await ann.timeline.focus();
  await keyboard.type('typed');
  await expect(ann.composer).toHaveValue('typed');
  await keyboard.press('Control+/');
  await expect(page.getByRole('dialog', { name: 'Keyboard shortcuts' })).toBeVisible();
  await keyboard.press('Escape');
  await expect(ann.composer).toBeFocused();
});

test('F6 goes round the regions, Alt and arrows through the rooms', async ({ person, bot }) => {
  const ann = await person('Ann');
  const tom = await bot('Tom');
  const [first, second] = [`a ${tom.username}`, `b ${tom.username}`];
  await tom.createRoom('channel', first, [ann.id]);
  const other = await tom.createRoom('channel', second, [ann.id]);
  await ann.open(first);
  const { keyboard } = ann.page;
  const regions: string[] = [];
  for (let press = 0; press < 5; press += 1) {
    await keyboard.press('F6');
    regions.push(await ann.page.evaluate(() => document.activeElement?.closest('[data-region]')?.className ?? ''));
  }
  expect(regions).toEqual(['panel', 'side', 'bar', 'tl-wrap', 'comp']);
  await tom.send(other, 'unread');
  await expect(ann.room(second)).toHaveAccessibleName(/1 unread/);
  await keyboard.press('Alt+Shift+ArrowDown');
  await expect(ann.page.getByRole('heading', { level: 1, name: second })).toBeVisible();
  await keyboard.press('Alt+ArrowUp');
  await expect(ann.page.getByRole('heading', { level: 1, name: first })).toBeVisible();
});

test('new messages are said once, history is not', async ({ person, bot }) => {
  const ann = await person('Ann');
  const tom = await bot('Tom');
  const name = `aloud ${tom.username}`;
  const room = await tom.createRoom('channel', name, [ann.id]);
  await tom.sendAll(room, ['old one', 'old two']);
  await ann.open(name);
  const log = ann.page.getByRole('log');
  await expect(ann.message('old two')).toBeVisible();
  await expect(log).toHaveText('');
  await tom.send(room, 'fresh');
  await expect(log).toHaveText('Tom: fresh');
  await tom.sendAll(room, ['burst 1', 'burst 2', 'burst 3']);
  await expect(log).toHaveText('3 new messages');
});
