/** Several tabs of one browser are one device: one connection, one truth. */
import { expect, test } from './support/people';

test('three tabs share one connection, and another one takes it over', async ({ person, bot }) => {
  const ann = await person('Ann');
  const tom = await bot('Tom');
  const name = `tabs ${tom.username}`;
  const room = await tom.createRoom('channel', name, [ann.id]);
  const sockets: string[] = [];
  const open = async (): Promise<typeof ann.page> => {
    const page = await ann.context.newPage();
    page.on('websocket', (socket) => sockets.push(socket.url()));
    await page.goto(`${ann.url}/rooms/${room}`);
    await expect(page.locator('.me small')).toHaveText('Connected');
    return page;
  };
  const [second, third] = [await open(), await open()];
  expect(sockets).toEqual([]);
  await tom.send(room, 'to every tab');
  for (const page of [second, third]) await expect(page.locator('.tl').getByText('to every tab')).toHaveCount(1);

  await ann.page.close();
  await tom.send(room, 'after the first tab is gone');
  for (const page of [second, third]) await expect(page.locator('.tl').getByText('after the first tab is gone')).toHaveCount(1, { timeout: 15_000 });
  expect(sockets.length).toBe(1);
  await second.getByRole('textbox', { name: /^Message/ }).fill('from the second tab');
  await second.keyboard.press('Enter');
  await expect(third.getByRole('article').filter({ hasText: 'from the second tab' })).toHaveAttribute('data-state', 'sent');
});

test('less motion is less motion', async ({ person, bot }) => {
  const ann = await person('Ann', { reducedMotion: 'reduce' });
  const tom = await bot('Tom');
  const name = `calm ${tom.username}`;
  const room = await tom.createRoom('channel', name, [ann.id]);
  await ann.open(name);
  await tom.call('typing.set', { room });
  await expect(ann.page.getByText('Tom is typing')).toBeVisible();
  const running = await ann.page.evaluate(() => document.getAnimations().filter(({ playState }) => playState === 'running').length);
  expect(running).toBe(0);
});
