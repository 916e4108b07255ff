/** The page keeps to its own rules: no string becomes HTML or script, nothing comes from elsewhere. */
import { chromium } from './support/chromium';
import { expect, test } from './support/people';

const strict =
  "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; object-src 'none'; base-uri 'none'; " +
  "require-trusted-types-for 'script'; trusted-types hubbub-templates";

// A page that the test hands out counts as one of the open network, which may not connect to this machine otherwise.
test.use({ launchOptions: { ...chromium, args: [...chromium.args, '--disable-features=LocalNetworkAccessChecks'] } });

test('the whole page works under Trusted Types and without inline styles', async ({ page, person, bot, server }) => {
  const broken: string[] = [];
  page.on('console', (message) => message.type() === 'error' && broken.push(message.text()));
  page.on('pageerror', (error) => broken.push(error.message));
  await page.route('**/*', async (route) => {
    if (route.request().resourceType() !== 'document') return route.continue();
    const response = await route.fetch();
    return route.fulfill({ response, headers: { ...response.headers(), 'content-security-policy': strict } });
  });
  const ann = await person('Ann');
  const tom = await bot('Tom');
  const name = `strict ${tom.username}`;
  const room = await tom.createRoom('channel', name, [ann.id]);
  await tom.send(room, '**bold** <script>alert(1)</script> `code`\n```\nblock\n```');
  await page.goto(server.nodes[0].url);
  await page.getByLabel('Username').fill(ann.username);
  await page.getByLabel('Password', { exact: true }).fill('correct horse battery');
  await page.keyboard.press('Enter');
  await page.getByRole('link', { name }).click();
  await expect(page.locator('.tl strong')).toHaveText('bold');
  await page.getByRole('button', { name: 'Room settings' }).click();
  await page.keyboard.press('Control+k');
  await expect(page.getByRole('dialog')).toBeVisible();
  await page.keyboard.press('Escape');
  await page.goto(`${server.nodes[0].url}/settings/sessions`);
  await expect(page.getByText('This device')).toBeVisible();
  expect(broken).toEqual([]);
});
