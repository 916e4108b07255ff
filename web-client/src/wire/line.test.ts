// Tabs of one browser: one of them has the socket, all of them show the same.

import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createChat } from '../model/chat';
import type { Chat } from '../model/contract';
import { FakeBrowser, until } from '../testing/env';

let browser: FakeBrowser;
let tabs: Chat[];

beforeEach(() => {
  vi.useFakeTimers();
  browser = new FakeBrowser();
  browser.server.user('ann');
  browser.server.user('bea');
  browser.server.room('tea', ['ann', 'bea']);
  browser.signIn('ann');
  tabs = [];
});

afterEach(() => {
  for (const tab of tabs) tab.dispose();
  vi.useRealTimers();
});

async function tab(): Promise<Chat> {
  const chat = createChat(browser.tab());
  tabs.push(chat);
  await until(() => chat.state.connection.state === 'connected');
  chat.openRoom('tea');
  await until(() => chat.state.timelines['tea']?.status === 'ready');
  return chat;
}

function texts(chat: Chat): string {
  const rows = chat.state.timelines['tea']?.rows ?? [];
  return rows.flatMap((row) => (row.kind === 'message' ? [`${row.text}${row.send === undefined ? '' : '…'}`] : [])).join(' ');
}

test('three tabs have one socket and the same timeline', async () => {
  const [one, two, three] = [await tab(), await tab(), await tab()];
  expect(browser.server.connections).toBe(1);
  browser.server.say('tea', 'bea', 'hello');
  await until(() => [one, two, three].every((chat) => texts(chat) === 'hello'));
  expect(two.state.rooms[0]?.unread).toBe(1);
});

test('what one tab sends is seen in all, once, and sent by the one that leads', async () => {
  const [one, two] = [await tab(), await tab()];
  two.send('tea', 'from two');
  one.send('tea', 'from one');
  await until(() => browser.server.texts('tea').length === 2);
  await until(() => [one, two].every((chat) => texts(chat) === browser.server.texts('tea').join(' ')));
  expect(one.state.unsent + two.state.unsent).toBe(0);
});

test('the leader closes: another tab takes over with its unsent messages', async () => {
  const [one, two] = [await tab(), await tab()];
  browser.server.isDown = true;
  browser.server.cut();
  await until(() => two.state.connection.state === 'offline');
  two.send('tea', 'later');
  expect(texts(two)).toBe('later…');
  one.dispose();
  browser.server.isDown = false;
  await until(() => browser.server.texts('tea').length === 1);
  await until(() => texts(two) === 'later' && two.state.connection.state === 'connected');
  browser.server.say('tea', 'bea', 'welcome');
  await until(() => texts(two) === 'later welcome');
  expect(browser.server.connections).toBe(1);
  expect(two.state.session.phase).toBe('in');
});

test('nothing is missed between two leaders', async () => {
  const [one, two] = [await tab(), await tab()];
  one.dispose();
  for (const text of ['a', 'b', 'c']) browser.server.say('tea', 'bea', text);
  await until(() => texts(two) === 'a b c');
});

test('an ended session ends in all tabs, and none comes back', async () => {
  const [one, two] = [await tab(), await tab()];
  browser.server.end({ reason: 'displaced', at: 3 }, 4400);
  await until(() => [one, two].every((chat) => chat.state.session.phase === 'ended'));
  browser.network(true);
  await vi.advanceTimersByTimeAsync(120_000);
  expect(browser.server.opened, 'the lock passed on, and nobody tried with the dead tokens').toBe(1);
});

test('signing out in one tab signs all out; signing in too', async () => {
  const [one, two] = [await tab(), await tab()];
  const done = two.logOut();
  await vi.advanceTimersByTimeAsync(100);
  await done;
  expect([one, two].map((chat) => chat.state.session.phase)).toEqual(['signed_out', 'signed_out']);
  expect(browser.server.connections).toBe(0);
});

test('a draft of one tab comes to the other', async () => {
  const [one, two] = [await tab(), await tab()];
  one.setDraft('tea', 'half');
  await until(() => two.state.drafts['tea']?.text === 'half');
});

test('without locks each tab has its own connection', async () => {
  const chats = [createChat(browser.tab({ locks: undefined })), createChat(browser.tab({ locks: undefined }))];
  tabs.push(...chats);
  await until(() => chats.every((chat) => chat.state.connection.state === 'connected'));
  expect(browser.server.connections).toBe(2);
});
