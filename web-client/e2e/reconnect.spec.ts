/** The connection goes and comes back: nothing is lost, and little is said. */
import { expect, test } from './support/people';
import { Person } from './support/person';
import { startEmbedded } from './support/server';

test('messages, edits and recalls missed while away are there when it says so', async ({ person, bot }) => {
  const ann = await person('Ann');
  const tom = await bot('Tom');
  const room = await tom.createRoom('channel', `away ${tom.username}`, [ann.id]);
  const first = await tom.send(room, 'first');
  const second = await tom.send(room, 'second');
  await ann.open(`away ${tom.username}`);
  await expect(ann.message('second')).toBeVisible();

  await ann.context.setOffline(true);
  await expect(ann.strip).toContainText("You're offline.");
  await tom.call('message.edit', { room, key: 'e1', seq: first.seq, text: 'first, edited' });
  await tom.call('message.recall', { room, key: 'r1', seq: second.seq });
  await tom.sendAll(room, ['third', 'fourth']);
  await ann.page.waitForTimeout(5500); // what is said afterwards is only said after 5 s away
  await ann.context.setOffline(false);
  await expect(ann.strip).toContainText('Back online. All caught up.', { timeout: 20_000 });
  await expect(ann.timeline.getByText('first, edited')).toBeVisible();
  await expect(ann.timeline.getByText('Tom recalled a message')).toBeVisible();
  await expect(ann.message('fourth')).toHaveCount(1);
  await expect(ann.strip).toBeHidden();
});

test('a server that restarts is resumed, and what was written meanwhile is sent', async ({ browser }) => {
  const server = await startEmbedded();
  const [node] = server.nodes;
  const ann = await Person.create(browser, node.url, 'Ann');
  const bea = await Person.create(browser, node.url, 'Bea');
  await ann.createRoom('restart');
  await bea.page.getByRole('button', { name: 'Browse rooms' }).first().click();
  await bea.page.getByRole('option', { name: 'restart' }).click();
  await ann.write('before');
  await expect(bea.message('before')).toBeVisible();
  await node.stop();
  await expect(ann.strip).toBeVisible({ timeout: 20_000 });
  await ann.write('meanwhile');
  await node.restart();
  await expect(bea.message('meanwhile')).toHaveCount(1, { timeout: 40_000 });
  await expect(ann.message('meanwhile')).toHaveAttribute('data-state', 'sent', { timeout: 40_000 });
  await bea.write('after');
  await expect(ann.message('after')).toHaveCount(1);
  expect(await ann.texts()).toEqual(['before', 'meanwhile', 'after']);
  await ann.context.close();
  await bea.context.close();
  await server.close();
});

test('a blip shows nothing', async ({ person }) => {
  const ann = await person('Ann');
  await ann.createRoom(`blip ${ann.username}`);
  const seen = await ann.page.evaluateHandle(() => {
    const strips: string[] = [];
    new MutationObserver(() => {
      const text = document.querySelector('.main .net')?.textContent;
      if (text) strips.push(text);
    }).observe(document.body, { childList: true, subtree: true, characterData: true });
    return strips;
  });
  await ann.context.setOffline(true);
  await ann.context.setOffline(false);
  await ann.write('still here');
  await expect(ann.message('still here')).toHaveAttribute('data-state', 'sent', { timeout: 15_000 });
  expect((await seen.jsonValue()).filter((text) => text.includes('Reconnecting'))).toEqual([]);
});
