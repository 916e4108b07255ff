/** Every screen, in both themes, on a desk and on a phone: no violation of what axe knows. */
import { AxeBuilder } from '@axe-core/playwright';
import { expect, test, type Person } from './support/people';

const themes = ['light', 'dark'] as const;
test.describe.configure({ timeout: 300_000 });

const phone = { viewport: { width: 390, height: 844 }, hasTouch: true };

async function clean(person: Pick<Person, 'page'>, screen: string): Promise<void> {
  for (const theme of themes) {
    await person.page.evaluate((chosen) => (document.documentElement.dataset['theme'] = chosen), theme);
    const { violations } = await new AxeBuilder({ page: person.page }).analyze();
    const found = violations.map(({ id, impact, nodes }) => `${screen}, ${theme}: ${id} (${impact}) ${nodes.map(({ target }) => target).join(' | ')}`);
    expect(found).toEqual([]);
  }
}

test('before signing in', async ({ page, server }) => {
  const { url } = server.nodes[0];
  await page.goto(url);
  await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
  await clean({ page }, 'sign in');
  await page.getByLabel('Username').fill('nobody');
  await page.getByLabel('Password', { exact: true }).fill('something');
  await page.keyboard.press('Enter');
  await expect(page.getByRole('alert')).toBeVisible();
  await clean({ page }, 'sign in refused');
  await page.goto(`${url}/sign-up`);
  await page.getByRole('button', { name: 'Create account' }).click();
  await clean({ page }, 'sign up');
});

test('the chat on a desk', async ({ person, bot, browser }) => {
  const ann = await person('Ann');
  await clean(ann, 'no rooms');
  const tom = await bot('Tom');
  const name = `axe ${tom.username}`;
  const room = await tom.createRoom('channel', name, [ann.id]);
  const first = await tom.send(room, 'Hello **there**, `code` and https://example.org/somewhere');
  await tom.send(room, '```ts\nconst answer = 42;\n```\n- one\n- two\n\n> said', first.seq);
  await tom.call('message.recall', { room, key: 'r', seq: (await tom.send(room, 'gone')).seq });
  await ann.open(name);
  await ann.write('mine');
  await expect(ann.message('mine')).toHaveAttribute('data-state', 'sent');
  await clean(ann, 'room');
  await ann.openMenu('mine');
  await expect(ann.menu('Reply')).toBeVisible();
  await clean(ann, 'menu of a message');
  await ann.menu('Recall').click();
  await clean(ann, 'question');
  await ann.page.keyboard.press('Escape');
  await ann.openMenu('mine');
  await ann.menu('Reply').click();
  await clean(ann, 'reply');

  for (const [open, title] of [
    ['Browse rooms', 'Browse rooms'],
    ['New direct message', 'New direct message'],
    ['Search or jump to…', 'Search or jump'],
  ] as const) {
    await ann.page.getByRole('button', { name: open }).first().click();
    await expect(ann.page.getByRole('dialog', { name: title })).toBeVisible();
    await clean(ann, title);
    await ann.page.keyboard.press('Escape');
  }
  await ann.page.keyboard.press('Control+/');
  await expect(ann.page.getByRole('dialog')).toBeVisible();
  await clean(ann, 'shortcuts');
  await ann.page.keyboard.press('Escape');
  await ann.createRoom(`mine ${ann.username}`);
  await clean(ann, 'empty room');
  await ann.page.getByRole('button', { name: 'Invite people' }).first().click();
  await ann.page.getByRole('button', { name: 'Make a link' }).click();
  await expect(ann.page.getByLabel('Invitation link')).toBeVisible();
  await clean(ann, 'invite');
  await ann.page.keyboard.press('Escape');
  await ann.page.getByRole('button', { name: 'Room settings' }).click();
  await expect(ann.page.getByRole('complementary', { name: 'Room', exact: true })).toBeVisible();
  await clean(ann, 'room settings');
  await ann.page.setViewportSize({ width: 900, height: 800 });
  await ann.page.getByRole('button', { name: 'Members' }).click();
  await clean(ann, 'panel over the timeline');
  await ann.page.setViewportSize({ width: 1280, height: 800 });

  await ann.context.setOffline(true);
  await ann.write('waits');
  await expect(ann.strip).toContainText("You're offline.");
  await clean(ann, 'offline');
  await ann.context.setOffline(false);
  await expect(ann.message('waits')).toHaveAttribute('data-state', 'sent', { timeout: 20_000 });

  for (const tab of ['profile', 'appearance', 'keyboard', 'sessions']) {
    await ann.goto(`/settings/${tab}`);
    await expect(ann.page.getByRole('heading', { level: 1 })).toBeVisible();
    await clean(ann, `settings, ${tab}`);
  }
  const elsewhere = await ann.onAnotherDevice(browser);
  await expect(ann.page.getByRole('heading', { level: 1, name: /^You signed in on another/ })).toBeVisible();
  await clean(ann, 'displaced');
  await elsewhere.goto('/invite/unknown');
  await expect(elsewhere.page.getByRole('heading', { level: 1, name: 'This invitation has ended.' })).toBeVisible();
  await clean(elsewhere, 'invitation');
  await elsewhere.context.close();
});

test('the chat on a phone, in Chinese', async ({ person, bot }) => {
  const ann = await person('安', { ...phone, language: 'zh' });
  const tom = await bot('Tom');
  const name = `电话 ${tom.username}`;
  const room = await tom.createRoom('group', name, [ann.id]);
  await tom.send(room, '你好，**世界**');
  await expect(ann.room(name)).toBeVisible();
  await clean(ann, 'rooms');
  await ann.open(name);
  await expect(ann.timeline.getByText('世界')).toBeVisible();
  await clean(ann, 'room');
  await ann.page.getByRole('button', { name: '成员' }).click();
  await expect(ann.page.getByRole('button', { name: 'Tom' })).toBeVisible();
  await clean(ann, 'members');
  await ann.page.getByRole('button', { name: 'Tom' }).click();
  await clean(ann, 'sheet');
  await ann.page.keyboard.press('Escape');
  await ann.goto('/settings');
  await clean(ann, 'settings');
});
