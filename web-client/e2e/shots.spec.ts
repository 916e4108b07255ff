/**
 * Pictures of every screen, in both themes, on a desk and on a phone, to be looked at. By hand only:
 * HUBBUB_SHOTS=folder npx playwright test shots
 */
import { join } from 'node:path';
import { test as base, type Browser } from '@playwright/test';
import { Bot } from './support/bot';
import { Person } from './support/person';
import { startEmbedded } from './support/server';

const folder = process.env['HUBBUB_SHOTS'] ?? 'shots';
const sizes = { desktop: { viewport: { width: 1280, height: 800 } }, phone: { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true } };

type Size = keyof typeof sizes;
type Theme = 'light' | 'dark';

base.setTimeout(300_000);

/** An office with something to say. Answers the rooms by name. */
async function fill(browser: Browser, url: string, mara: string): Promise<{ tom: Bot; rooms: Record<string, string> }> {
  const [tom, wei, chen, priya] = await Promise.all(['Tom Okafor', '林薇', '陈浩', 'Priya Raman'].map((name) => Bot.create(browser, url, name)));
  if (!tom || !wei || !chen || !priya) throw new Error('somebody is missing');
  const all = [mara, wei.id, chen.id, priya.id];
  const rooms: Record<string, string> = {};
  for (const name of ['incident-2025-11-printer-timeouts-rotterdam', 'general', 'support-华东', '港口上线 launch']) rooms[name] = await tom.createRoom('channel', name, all);
  rooms['leads-only'] = await tom.createRoom('group', 'leads-only', [mara]);
  const launch = rooms['港口上线 launch'] ?? '';
  await tom.call('room.update', { room: launch, topic: 'Rotterdam and Ningbo go live' });
  await tom.call('room.role', { room: launch, user: wei.id, role: 'admin' });
  await tom.send(launch, 'Staging is on the new build. Two things left before we can call it: the label printer timeout and the Chinese address form.');
  const form = await wei.send(launch, '地址表单我来处理。省、市、区三级联动已经好了，还差邮编校验，明天上午能提测。');
  await wei.send(launch, '顺便把 `AddressForm` 里写死的 “+86” 去掉了，香港同事用不了。');
  const code = 'const port = await withTimeout(openPort(id), 3_000);\nif (!port) throw new PrinterAsleep(id); // the caller reopens it once';
  await tom.send(launch, `Printer, short version: the driver never answers after a sleep, so we give it 3 s and reopen the port.\n\`\`\`ts\n${code}\n\`\`\``);
  const { seq } = await tom.send(launch, 'oops');
  await tom.call('message.recall', { room: launch, key: 'recall', seq });
  await chen.send(launch, '邮编校验补了测试，港澳台允许留空。麻烦看一下 PR：https://git.harbour.example/web/pulls/482', form.seq);
  await wei.send(launch, '🎉🚢');
  await wei.send(rooms['support-华东'] ?? '', '客户问周五能不能先看演示');
  await tom.send(rooms['general'] ?? '', 'Kitchen is out of oat milk again');
  const { room } = await wei.call<{ room: { id: string } }>('room.create', { key: 'd', kind: 'direct', members: [mara] });
  await wei.send(room.id, '那我先把分支合了 🙌');
  return { tom, rooms };
}

base('pictures', async ({ browser }) => {
  const server = await startEmbedded({ HUBBUB_SERVER_NAME: 'Harbour Logistics' });
  const { url } = server.nodes[0];
  const first = await Person.create(browser, url, 'Mara Jensen');
  const { tom, rooms } = await fill(browser, url, first.id);
  let mara = first;

  const each = async (name: string, look: (person: Person) => Promise<void>, language: 'en' | 'zh' = 'en'): Promise<void> => {
    for (const size of Object.keys(sizes) as Size[]) {
      const next = await mara.onAnotherDevice(browser, url, { ...sizes[size], language });
      await mara.context.close();
      mara = next;
      await look(next);
      for (const theme of ['light', 'dark'] as Theme[]) {
        await next.page.evaluate((chosen) => (document.documentElement.dataset['theme'] = chosen), theme);
        await next.page.waitForTimeout(250); // colours fade for 120 ms
        await next.page.screenshot({ path: join(folder, `${name}-${size}-${theme}.png`) });
      }
    }
  };

  await each('rooms', async (who) => void (await who.rooms.waitFor()));
  await each('chat', async (who) => {
    await who.open('港口上线 launch');
    await tom.call('typing.set', { room: rooms['港口上线 launch'] });
    await who.page.waitForTimeout(500);
  });
  await each('chat-zh', async (who) => who.open('港口上线 launch'), 'zh');
  await each('compose', async (who) => {
    await who.open('港口上线 launch');
    await who.composer.fill('The 100 × 150 mm roll is the right one.\n标签纸尺寸以这张表为准，请确认一下');
  });
  await each('jump', async (who) => {
    await who.page.getByRole('button', { name: 'Search or jump to…' }).click();
    await who.page.getByRole('dialog').getByRole('combobox').fill('l');
    await who.page.waitForTimeout(800);
  });
  await each('create', async (who) => {
    await who.page.getByRole('button', { name: 'New room or message' }).click();
    await who.page.getByRole('menuitem', { name: 'New room' }).click();
    await who.page.getByRole('dialog').waitFor();
  });
  await each('offline', async (who) => {
    await who.open('港口上线 launch');
    await who.context.setOffline(true);
    await who.strip.waitFor();
    await who.write('Rotterdam confirmed the window: 06:00 to 07:30 their time.');
    await who.write('宁波那边我下午再打个电话，确认一下标签纸的尺寸。');
    await who.page.waitForTimeout(1000);
  });
  for (const tab of ['', 'profile', 'appearance', 'sessions']) {
    await each(`settings${tab && '-'}${tab}`, async (who) => {
      await who.goto(`/settings/${tab}`);
      await who.page.waitForTimeout(800);
    });
  }
  await each('invite', async (who) => {
    await who.goto('/invite/unknown');
    await who.page.getByRole('heading', { level: 1 }).waitFor();
  });
  const beside = await mara.onAnotherDevice(browser, url, sizes.desktop);
  await mara.page.getByRole('heading', { level: 1, name: /^You signed in/ }).waitFor();
  for (const size of Object.keys(sizes) as Size[]) {
    await mara.page.setViewportSize(sizes[size].viewport);
    await mara.page.screenshot({ path: join(folder, `displaced-${size}.png`) });
  }
  await beside.context.close();

  for (const size of Object.keys(sizes) as Size[]) {
    for (const [path, name] of [
      ['/', 'signin'],
      ['/sign-up', 'signup'],
    ] as const) {
      for (const language of ['en', 'zh'] as const) {
        const context = await browser.newContext({ ...sizes[size], locale: language === 'zh' ? 'zh-CN' : 'en-GB', colorScheme: language === 'zh' ? 'dark' : 'light' });
        const page = await context.newPage();
        await page.goto(url + path);
        await page.getByRole('heading', { level: 1 }).waitFor();
        await page.waitForTimeout(500);
        await page.screenshot({ path: join(folder, `${name}-${size}-${language}.png`) });
        await context.close();
      }
    }
  }
  await tom.close();
  await server.close();
});
