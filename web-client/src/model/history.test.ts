// Windows of a room's history, against a server in memory.

import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { FakeBrowser, settled, until } from '../testing/env';
import { createChat } from './chat';
import type { Chat } from './contract';
import type { Row } from './view';

let browser: FakeBrowser;
let chats: Chat[];

beforeEach(() => {
  vi.useFakeTimers();
  browser = new FakeBrowser();
  browser.server.user('ann');
  browser.server.user('bea');
  browser.server.room('tea', ['ann', 'bea']);
  browser.signIn('ann');
  chats = [];
});

afterEach(() => {
  for (const chat of chats) chat.dispose();
  vi.useRealTimers();
});

function start(changes?: Parameters<FakeBrowser['tab']>[0]): Chat {
  const chat = createChat(browser.tab(changes));
  chats.push(chat);
  return chat;
}

async function connected(chat: Chat): Promise<void> {
  await until(() => chat.state.connection.state === 'connected');
}

async function opened(room = 'tea', changes?: Parameters<FakeBrowser['tab']>[0]): Promise<Chat> {
  const chat = start(changes);
  await connected(chat);
  chat.openRoom(room);
  await until(() => chat.state.timelines[room]?.status === 'ready');
  return chat;
}

function rows(chat: Chat, room = 'tea'): readonly Row[] {
  return chat.state.timelines[room]?.rows ?? [];
}

function texts(chat: Chat, room = 'tea'): string[] {
  return rows(chat, room).flatMap((row) => (row.kind === 'message' ? [row.text] : []));
}

describe('history', () => {
  test('grows to the start, and jumps', async () => {
    for (let n = 2; n <= 200; n += 1) browser.server.say('tea', 'bea', `m${n}`);
    browser.server.markers.set('tea/ann', 200);
    const chat = await opened();
    expect(rows(chat)).toHaveLength(50);
    await settled(chat.loadOlder('tea'));
    expect(rows(chat)).toHaveLength(100);
    expect(rows(chat)[0]?.seq).toBe(101);
    expect(await settled(chat.jumpTo('tea', 20))).toMatchObject({ ok: true });
    const view = chat.state.timelines['tea'];
    expect(view).toMatchObject({ target: 20, end: false, start: true });
    browser.server.say('tea', 'bea', 'new');
    await vi.advanceTimersByTimeAsync(100);
    expect(texts(chat), 'the window does not reach the end').not.toContain('new');
    for (let pages = 0; pages < 10 && chat.state.timelines['tea']?.end === false; pages += 1) {
      await settled(chat.loadNewer('tea'));
    }
    expect(rows(chat).map((row) => row.seq)).toEqual(Array.from({ length: 201 }, (_, index) => index + 1));
  });

  test('opens around the unread line when it is far up', async () => {
    for (let n = 2; n <= 300; n += 1) browser.server.say('tea', 'bea', `m${n}`);
    browser.server.markers.set('tea/ann', 100);
    const chat = await opened();
    const view = chat.state.timelines['tea'];
    expect(view).toMatchObject({ unreadFrom: 101, unreadCount: 200, end: false });
    expect(view?.rows.some((row) => row.seq === 101)).toBe(true);
    await settled(chat.jumpToLatest('tea'));
    expect(rows(chat).at(-1)?.seq).toBe(300);
    expect(chat.state.timelines['tea']?.end).toBe(true);
  });

  test('a page that is older than what came meanwhile is brought up to date', async () => {
    const chat = start();
    await connected(chat);
    browser.server.delays.set('room.history', 2_000);
    chat.openRoom('tea');
    await vi.advanceTimersByTimeAsync(100);
    for (let n = 2; n <= 300; n += 1) browser.server.say('tea', 'bea', `m${n}`);
    browser.server.append('room:tea', 'bea', { kind: 'edit', target: 2, text: 'edited' });
    await until(() => rows(chat).length === 300);
    expect(rows(chat).map((row) => row.seq)).toEqual(Array.from({ length: 300 }, (_, index) => index + 1));
    expect(texts(chat)[0]).toBe('edited');
    await connected(chat);
    expect(chat.state.rooms[0]).toMatchObject({ head: 301, unread: 299 });
  });

  test('a room that is not mine says so', async () => {
    const chat = start();
    chat.openRoom('nowhere');
    await until(() => chat.state.timelines['nowhere']?.status === 'error');
    expect(chat.state.timelines['nowhere']?.failure?.reason).toBe('not_a_member');
  });

  test('quotes are asked for when they are not in the window', async () => {
    for (let n = 2; n <= 100; n += 1) browser.server.say('tea', 'bea', `m${n}`);
    const chat = await opened();
    chat.send('tea', 'see above', 5);
    expect(chat.quote('tea', 5)).toBeUndefined();
    await until(() => chat.quote('tea', 5) !== undefined);
    expect(chat.quote('tea', 5)).toMatchObject({ kind: 'message', text: 'm5' });
    browser.server.append('room:tea', 'bea', { kind: 'recall', target: 5 });
    await until(() => chat.quote('tea', 5)?.recalled !== undefined);
  });
});
