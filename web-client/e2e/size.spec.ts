/** The budgets of what must be loaded, gzip, in bytes. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { Page } from '@playwright/test';
import { expect, test } from './support/people';

const dist = join(import.meta.dirname, '../dist');
const budgets = { signIn: 30_000, chat: 75_000, css: 14_000 };

function gzip(path: string): number {
  return gzipSync(readFileSync(join(dist, path)), { level: 9 }).length;
}

/** Together, in bytes. */
function sum(paths: readonly string[]): number {
  return paths.reduce((bytes, path) => bytes + gzip(path), 0);
}

/** The files that a page asked for before it was usable, without those of the API. */
async function loaded(page: Page, url: string): Promise<string[]> {
  const names = await page.evaluate(() => performance.getEntriesByType('resource').map(({ name }) => name));
  const paths = names.filter((name) => name.startsWith(url) && !name.includes('/v1/')).map((name) => new URL(name).pathname.slice(1));
  return ['index.html', ...new Set(paths)];
}

for (const language of ['en', 'zh'] as const) {
  test(`what a usable sign-in and a usable chat load is within budget, ${language}`, async ({ page, person, bot, server }, info) => {
    const { url } = server.nodes[0];
    // The model comes while the person types; the form does not wait for it, nor for the picture beside it.
    await page.route(/\/assets\/model-/, (route) => route.abort());
    await page.addInitScript((chosen) => localStorage.setItem('hubbub.language', chosen), language);
    await page.goto(url);
    await page.locator('input[autocomplete=username]').fill('usable');
    const signIn = (await loaded(page, url)).filter((path) => !/model-|art\.svg/.test(path));

    const ann = await person('Ann', { language });
    const tom = await bot('Tom');
    const name = `size ${tom.username}`;
    await tom.createRoom('channel', name, [ann.id]);
    await ann.open(name);
    await ann.page.reload();
    await ann.isIn();
    await expect(ann.composer).toBeVisible();
    // What comes while nobody waits for it.
    const lazy = /Overlays|SidePanel|Ended|solo|Invite|Browse|Jump|Direct|Keys|CreateRoom|Pick|search|Dialog|Field|PersonLine/;
    const chat = (await loaded(ann.page, url)).filter((path) => !lazy.test(path));

    const css = chat.filter((path) => path.endsWith('.css'));
    const found: Record<string, number> = { signIn: sum(signIn), chat: sum(chat), css: sum(css) };
    info.annotations.push({ type: 'bytes', description: JSON.stringify(found) });
    for (const [name, most] of Object.entries(budgets)) expect(found[name], name).toBeLessThanOrEqual(most);
  });
}
