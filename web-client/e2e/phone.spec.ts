/** A phone: one pane at a time, each a step back; nothing scrolls sideways; long presses open sheets. */
import { expect, test, type Person } from './support/people';

const phone = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true };

async function expectNoSidewaysScroll(ann: Person): Promise<void> {
  const widths = await ann.page.evaluate(() => [document.documentElement.scrollWidth, innerWidth] as const);
  expect(widths[0]).toBeLessThanOrEqual(widths[1]);
}

test('rooms, room and panel are steps of the history', async ({ person, bot }) => {
  const ann = await person('Ann', phone);
  const tom = await bot('Tom');
  const name = `phone ${tom.username}`;
  const room = await tom.createRoom('channel', name, [ann.id]);
  await tom.send(room, 'hello phone');
  await expect(ann.room(name)).toContainText('Tom: hello phone');
  await expectNoSidewaysScroll(ann);
  await ann.open(name);
  await expect(ann.composer).not.toBeFocused();
  await expect(ann.rooms).toBeHidden();
  await expectNoSidewaysScroll(ann);
  await ann.page.getByRole('button', { name: 'Members' }).click();
  await expect(ann.page.getByRole('heading', { name: /^Members/ })).toBeVisible();
  await expect(ann.composer).toBeHidden();
  await ann.page.goBack();
  await expect(ann.message('hello phone')).toBeVisible();
  await ann.page.goBack();
  await expect(ann.rooms).toBeVisible();
  await ann.page.goForward();
  await expect(ann.message('hello phone')).toBeVisible();
  await ann.page.getByRole('button', { name: 'Back to rooms' }).click();
  await expect(ann.rooms).toBeVisible();
});

test('a long press opens the sheet, moving cancels it', async ({ person, bot }) => {
  const ann = await person('Ann', phone);
  const tom = await bot('Tom');
  const name = `press ${tom.username}`;
  const room = await tom.createRoom('channel', name, [ann.id]);
  await tom.send(room, 'press me');
  await ann.open(name);
  const box = await ann.message('press me').boundingBox();
  const devtools = await ann.context.newCDPSession(ann.page);
  const touch = (type: 'touchStart' | 'touchMove' | 'touchEnd', dy = 0): Promise<unknown> =>
    devtools.send('Input.dispatchTouchEvent', {
      type,
      touchPoints: type === 'touchEnd' ? [] : [{ x: (box?.x ?? 0) + 120, y: (box?.y ?? 0) + 10 + dy }],
    });
  await touch('touchStart');
  await touch('touchMove', 30);
  await ann.page.waitForTimeout(600); // longer than a long press
  await touch('touchEnd');
  await expect(ann.menu('Reply')).toHaveCount(0);
  await touch('touchStart');
  await expect(ann.menu('Reply')).toBeVisible();
  await touch('touchEnd');
  await ann.menu('Reply').tap();
  await expect(ann.page.getByText('Replying to Tom: press me')).toBeVisible();
});

test('at 320 px and with twice the text nothing scrolls sideways', async ({ person, bot }) => {
  const ann = await person('Ann', { ...phone, viewport: { width: 320, height: 640 } });
  const tom = await bot('Tom');
  const name = `narrow-${'x'.repeat(40)} ${tom.username}`;
  const room = await tom.createRoom('channel', name, [ann.id]);
  await tom.sendAll(room, ['x'.repeat(400), `https://example.org/${'path/'.repeat(40)}`, `\`\`\`\n${'code '.repeat(60)}\n\`\`\``, '一'.repeat(200)]);
  await expectNoSidewaysScroll(ann);
  await ann.open(name);
  await expect(ann.timeline.locator('pre')).toBeVisible();
  await expectNoSidewaysScroll(ann);
  await ann.page.evaluate(() => (document.documentElement.style.fontSize = '200%'));
  await expectNoSidewaysScroll(ann);
  for (const path of ['/settings', '/settings/sessions', '/settings/profile', '/']) {
    await ann.goto(path);
    await ann.page.evaluate(() => (document.documentElement.style.fontSize = '200%'));
    await expectNoSidewaysScroll(ann);
  }
});
