/** Rooms: inviting by name and by link, settings and roles, leaving, being removed. */
import { newName, password } from './support/accounts';
import { expect, test } from './support/people';

test('an invitation link takes someone new into the room', async ({ person, page }) => {
  const ann = await person('Ann');
  await ann.createRoom(`port ${ann.username}`);
  await ann.page.getByRole('button', { name: 'Invite people' }).first().click();
  const dialog = ann.page.getByRole('dialog', { name: /Invite people/ });
  await dialog.getByRole('button', { name: 'Make a link' }).click();
  const link = await dialog.getByLabel('Invitation link').inputValue();
  expect(link).toContain('/invite/');

  await page.goto(link);
  await expect(page.getByText(`Ann invites you to port ${ann.username}`)).toBeVisible();
  await page.getByRole('link', { name: 'Create an account' }).click();
  await expect(page.getByText(`Ann invites you to port ${ann.username}`)).toBeVisible();
  const username = newName('zoe');
  await page.getByLabel('Username').fill(username);
  await page.getByLabel('Password', { exact: true }).fill(password);
  await page.keyboard.press('Enter');
  await expect(page.getByRole('heading', { level: 1, name: `Join port ${ann.username}` })).toBeVisible();
  await page.getByRole('button', { name: 'Join' }).click();
  await expect(page.getByRole('heading', { level: 1, name: `port ${ann.username}` })).toBeVisible();
  await expect(ann.timeline.getByText(`${username} joined`)).toBeVisible();

  await page.goto(`${ann.url}/invite/does-not-exist`);
  await expect(page.getByRole('heading', { level: 1, name: 'This invitation has ended.' })).toBeVisible();
});

test('people are added by name, get roles, and rename the room', async ({ people }) => {
  const [ann, bea] = await people('Ann', 'Bea');
  await ann.createRoom(`roles ${ann.username}`);
  await ann.page.getByRole('button', { name: 'Invite people' }).first().click();
  const dialog = ann.page.getByRole('dialog', { name: /Invite people/ });
  await dialog.getByRole('combobox').fill(bea.username);
  await dialog.getByRole('option', { name: 'Bea' }).click();
  await dialog.getByRole('button', { name: 'Add 1 person' }).click();
  await expect(bea.room(`roles ${ann.username}`)).toBeVisible();
  await expect(ann.timeline.getByText('Ann added Bea')).toBeVisible();

  const panel = ann.page.getByRole('complementary', { name: 'Members' });
  await panel.getByRole('button', { name: 'Bea' }).click();
  await ann.menu('Make admin').click();
  await expect(ann.timeline.getByText('Ann made Bea an admin')).toBeVisible();
  await bea.open(`roles ${ann.username}`);
  await bea.page.getByRole('button', { name: 'Room settings' }).click();
  const settings = bea.page.getByRole('complementary', { name: 'Room', exact: true });
  await settings.getByLabel('Topic').fill('what we do');
  await settings.getByRole('button', { name: 'Save' }).click();
  await expect(ann.page.locator('.main .sub')).toContainText('what we do');
});

test('someone who is removed is told, gets nothing more, and keeps what they wrote', async ({ people }) => {
  const [ann, bea] = await people('Ann', 'Bea');
  const room = `gone ${ann.username}`;
  await ann.createRoom(room);
  await bea.page.getByRole('button', { name: 'Browse rooms' }).first().click();
  await bea.page.getByRole('combobox').fill(room);
  await bea.page.getByRole('option', { name: room }).click();
  await bea.composer.fill('I was just going to say');
  const panel = ann.page.getByRole('complementary', { name: 'Members' });
  await panel.getByRole('button', { name: 'Bea' }).click();
  await ann.menu('Remove from the room').click();
  await ann.page.getByRole('alertdialog').getByRole('button', { name: 'Remove' }).click();
  await expect(bea.page.getByRole('heading', { name: `You were removed from ${room}.` })).toBeVisible();
  await expect(bea.room(room)).toHaveCount(0);
  await ann.write('after the removal');
  await expect(ann.message('after the removal')).toHaveAttribute('data-state', 'sent');
  await expect(bea.page.getByText('after the removal')).toHaveCount(0);
});

test('the last owner cannot leave; another member can', async ({ people }) => {
  const [ann, bea] = await people('Ann', 'Bea');
  const room = `leave ${ann.username}`;
  await ann.createRoom(room);
  await bea.page.getByRole('button', { name: 'Browse rooms' }).first().click();
  await bea.page.getByRole('combobox').fill(room);
  await bea.page.getByRole('option', { name: room }).click();
  for (const who of [ann, bea]) {
    await who.page.getByRole('button', { name: 'Room settings' }).click();
    await who.page.getByRole('button', { name: 'Leave the room' }).click();
    await who.page.getByRole('alertdialog').getByRole('button', { name: 'Leave' }).click();
  }
  await expect(ann.page.getByText('You are the only owner.')).toBeVisible();
  await expect(bea.page.getByText(`You left ${room}.`)).toBeVisible();
  await expect(bea.room(room)).toHaveCount(0);
  await expect(ann.timeline.getByText('Bea left')).toBeVisible();
});
