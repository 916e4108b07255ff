/** Scrolling back: pages come as one scrolls, and nothing that is read moves. */
import { expect, test, type Bot, type Person } from './support/people';

async function longRoom(tom: Bot, ann: Person, count: number): Promise<string> {
  const name = `long ${tom.username}`;
  const room = await tom.createRoom('channel', name, [ann.id]);
  const texts = Array.from({ length: count }, (_, n) => `message ${n + 1}${' lorem ipsum dolor'.repeat((n * 7) % 12)}`);
  await tom.sendAll(room, texts);
  return room;
}

/** Distance of the timeline from its end, in pixels. */
function fromEnd(ann: Person): Promise<number> {
  return ann.timeline.evaluate((element) => element.scrollHeight - element.scrollTop - element.clientHeight);
}

/** Watches the first visible row in every frame in which the person does not scroll. */
function watchAnchor(ann: Person): Promise<void> {
  return ann.timeline.evaluate((timeline) => {
    const watch = { worst: 0, rows: 0, still: true };
    Object.assign(globalThis, { watch });
    let before: { row: Element; top: number } | undefined;
    const frame = (): void => {
      const { top } = timeline.getBoundingClientRect();
      const row = [...timeline.querySelectorAll('article')].find((element) => element.getBoundingClientRect().bottom > top + 1);
      if (watch.still && before?.row.isConnected) watch.worst = Math.max(watch.worst, Math.abs(before.row.getBoundingClientRect().top - before.top));
      before = watch.still && row ? { row, top: row.getBoundingClientRect().top } : undefined;
      watch.rows = Math.max(watch.rows, timeline.querySelectorAll('article').length);
      requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
  });
}

/** Turns the wheel; the anchor is watched again once the wheel's own movement is over, and through the next frames. */
async function wheelUp(ann: Person, pixels: number): Promise<void> {
  const before = await ann.timeline.evaluate((timeline) => {
    (globalThis as unknown as { watch: { still: boolean } }).watch.still = false;
    return timeline.scrollTop;
  });
  await ann.page.mouse.wheel(0, -pixels);
  await expect.poll(() => ann.timeline.evaluate((timeline) => timeline.scrollTop)).not.toBe(before);
  await ann.timeline.evaluate(async (timeline) => {
    const frame = (): Promise<number> => new Promise(requestAnimationFrame);
    for (let same = 0, last = timeline.scrollTop; same < 3; last = timeline.scrollTop) {
      await frame();
      same = timeline.scrollTop === last ? same + 1 : 0;
    }
    (globalThis as unknown as { watch: { still: boolean } }).watch.still = true;
    for (let watched = 0; watched < 6; watched += 1) await frame();
  });
}

test('the anchor stays where it is while pages load and others write', async ({ person, bot }) => {
  const ann = await person('Ann');
  const tom = await bot('Tom');
  const room = await longRoom(tom, ann, 420);
  await ann.open(`long ${tom.username}`);
  await ann.page.keyboard.press('Escape');
  await expect.poll(() => fromEnd(ann)).toBeLessThan(2);
  await watchAnchor(ann);
  await ann.timeline.hover();
  for (let page = 0; page < 60; page += 1) {
    await wheelUp(ann, 1200);
    if (page % 10 === 0) {
      await tom.send(room, `news ${page}`);
      await expect(ann.page.getByRole('button', { name: new RegExp(`^Latest.*${page / 10 + 1}`) })).toBeVisible();
    }
    if (await ann.timeline.evaluate((element) => element.scrollTop === 0 && element.querySelector('.start') !== null)) break;
  }
  const { worst, rows } = await ann.page.evaluate(() => (globalThis as unknown as { watch: { worst: number; rows: number } }).watch);
  expect(worst).toBeLessThanOrEqual(1);
  expect(rows).toBeLessThan(400);
  const start = ann.timeline.getByText(`This is the start of long ${tom.username}`);
  await expect(start).toBeInViewport();

  await ann.page.getByRole('button', { name: /^Latest/ }).click();
  await expect.poll(() => fromEnd(ann)).toBeLessThan(2);
  await ann.page.getByRole('button', { name: 'Back', exact: true }).click();
  await expect(start).toBeInViewport();
});

test('at the end the view follows, further up it does not', async ({ person, bot }) => {
  const ann = await person('Ann');
  const tom = await bot('Tom');
  const room = await longRoom(tom, ann, 60);
  await ann.open(`long ${tom.username}`);
  await ann.page.keyboard.press('Escape');
  await expect.poll(() => fromEnd(ann)).toBeLessThan(2);
  await tom.send(room, 'followed');
  await expect(ann.message('followed')).toBeInViewport();
  expect(await fromEnd(ann)).toBeLessThan(2);
  await ann.page.setViewportSize({ width: 1280, height: 600 });
  await expect.poll(() => fromEnd(ann)).toBeLessThan(2);

  await ann.timeline.hover();
  await ann.page.mouse.wheel(0, -400);
  await expect.poll(() => fromEnd(ann)).toBeGreaterThan(300);
  const before = await ann.timeline.evaluate((element) => element.scrollTop);
  await tom.send(room, 'not followed');
  await expect(ann.page.getByRole('button', { name: 'Latest, 1 new message' })).toBeVisible();
  expect(await ann.timeline.evaluate((element) => element.scrollTop)).toBe(before);
  await ann.page.getByRole('button', { name: 'Latest, 1 new message' }).click();
  await expect(ann.message('not followed')).toBeInViewport();
});

test('a room opens at its unread line, which stays until something is sent', async ({ person, bot }) => {
  const ann = await person('Ann');
  const tom = await bot('Tom');
  const room = await longRoom(tom, ann, 40);
  await ann.open(`long ${tom.username}`);
  await ann.page.keyboard.press('Escape');
  await expect(ann.room(`long ${tom.username}`)).not.toHaveAccessibleName(/unread/);
  await ann.goto('/settings/profile');
  await tom.sendAll(room, Array.from({ length: 70 }, (_, n) => `new ${n + 1}`));
  await ann.page.getByRole('button', { name: 'Back to chat' }).click();
  const line = ann.page.getByRole('separator').filter({ hasText: /^New$/ });
  await expect(line).toBeInViewport();
  await expect(ann.message('new 1')).toBeInViewport();
  const top = await line.evaluate((element) => element.getBoundingClientRect().top - (element.closest('.tl')?.getBoundingClientRect().top ?? 0));
  const height = await ann.timeline.evaluate((element) => element.clientHeight);
  expect(top).toBeGreaterThan(height * 0.2);
  expect(top).toBeLessThan(height * 0.45);
  await expect(ann.room(`long ${tom.username}`)).toHaveAccessibleName(/unread/);

  await ann.page.getByRole('button', { name: /^Latest/ }).click();
  await expect(ann.message('new 70')).toBeInViewport();
  await expect(ann.room(`long ${tom.username}`)).not.toHaveAccessibleName(/unread/);
  await expect(ann.page.getByRole('button', { name: /First unread/ })).toBeVisible();
  await ann.write('answered');
  await expect(line).toHaveCount(0);
});

test('what was read on one device is read on the next', async ({ browser, person, bot }) => {
  const ann = await person('Ann');
  const tom = await bot('Tom');
  const name = `long ${tom.username}`;
  const room = await longRoom(tom, ann, 5);
  await tom.createRoom('channel', `other ${tom.username}`, [ann.id]);
  await expect(ann.room(name)).toHaveAccessibleName(/5 unread/);
  await ann.open(name);
  await expect(ann.room(name)).not.toHaveAccessibleName(/unread/);
  await ann.open(`other ${tom.username}`);
  await tom.sendAll(room, ['six', 'seven']);
  await expect(ann.room(name)).toHaveAccessibleName(/2 unread/);
  const phone = await ann.onAnotherDevice(browser);
  await expect(phone.room(name)).toHaveAccessibleName(/2 unread/);
  await phone.open(name);
  await expect(phone.room(name)).not.toHaveAccessibleName(/unread/);
  await phone.context.close();
});

test('the address of a message opens it in its place', async ({ person, bot }) => {
  const ann = await person('Ann');
  const tom = await bot('Tom');
  const room = await longRoom(tom, ann, 200);
  await ann.goto(`/rooms/${room}/42`);
  await expect(ann.timeline.locator('.flash')).toBeInViewport();
  await ann.page.getByRole('button', { name: /^Latest/ }).click();
  await expect(ann.timeline.getByText(/^message 200/)).toBeInViewport();
});
