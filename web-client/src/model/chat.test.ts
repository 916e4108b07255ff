// The whole model of one tab against a server in memory.

import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { FakeBrowser, settled, until } from '../testing/env';
import { Refused } from '../testing/server';
import { createChat } from './chat';
import type { Chat } from './contract';
import type { Notice, Row } from './view';

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

describe('a room', () => {
  test('is listed with what is unread, and read when the marker moves', async () => {
    browser.server.say('tea', 'bea', 'hello');
    browser.server.say('tea', 'bea', '@ann are you there?');
    const chat = await opened();
    expect(chat.state.rooms).toMatchObject([{ id: 'tea', title: 'tea', unread: 2 }]);
    expect(chat.state.timelines['tea']).toMatchObject({ unreadFrom: 1, unreadCount: 2, start: true, end: true });
    chat.setMarker('tea', 3);
    await until(() => chat.state.rooms[0]?.unread === 0);
    expect(browser.server.markers.get('tea/ann')).toBe(3);
    expect(chat.state.timelines['tea']?.unreadFrom, 'the line stays while the room is open').toBe(1);
  });

  test('counts messages and mentions that come while another one is open', async () => {
    browser.server.room('den', ['ann', 'bea']);
    const chat = await opened('den');
    browser.server.say('tea', 'bea', 'one');
    browser.server.say('tea', 'bea', 'two, @Ann.');
    await until(() => chat.state.rooms[0]?.unread === 2);
    expect(chat.state.rooms[0]).toMatchObject({ id: 'tea', mentions: 1, last: { text: 'two, @Ann.' } });
    expect(chat.state.attention).toBe(1);
  });

  test('shows edits and recalls', async () => {
    browser.server.say('tea', 'bea', 'one');
    browser.server.say('tea', 'bea', 'two');
    const chat = await opened();
    browser.server.append('room:tea', 'bea', { kind: 'edit', target: 2, text: 'uno' });
    browser.server.append('room:tea', 'bea', { kind: 'recall', target: 3 });
    await until(() => rows(chat)[2]?.recalled !== undefined);
    expect(texts(chat)).toEqual(['uno', '']);
    expect(chat.state.rooms[0]?.last).not.toHaveProperty('text', 'two');
  });

  test('is left, also by another device', async () => {
    const chat = await opened();
    const notices: Notice[] = [];
    chat.onNotice((notice) => notices.push(notice));
    const bea = browser.server.users.get('bea');
    const ann = browser.server.users.get('ann');
    if (!bea || !ann) throw new Error('made above');
    browser.server.append('room:tea', 'bea', { kind: 'member_removed', user: ann });
    await until(() => chat.state.rooms.length === 0);
    expect(chat.state.timelines['tea']).toBeUndefined();
    expect(notices).toEqual([{ type: 'removed', room: 'tea', title: 'tea' }]);
  });
});

describe('sending', () => {
  test('shows the row within the call, and as sent only after the answer', async () => {
    const chat = await opened();
    browser.server.mute.add('message.send');
    browser.server.lost.add(2);
    expect(chat.send('tea', 'hello')).toBe(true);
    const before = rows(chat).at(-1);
    expect(before).toMatchObject({ text: 'hello', seq: 0, send: { state: 'sending' }, mine: true });
    await vi.advanceTimersByTimeAsync(3_000);
    expect(rows(chat).at(-1)?.send).toMatchObject({ state: 'sending' });
    browser.server.mute.clear();
    await until(() => rows(chat).at(-1)?.send === undefined);
    const after = rows(chat).at(-1);
    expect(after).toMatchObject({ id: before?.id, seq: 2 });
    expect(after, 'the same object in the store: the same node on the page').toBe(before);
    expect(browser.server.texts('tea')).toEqual(['hello']);
  });

  test('keeps order and sends each once when the connection is cut before the answer', async () => {
    const chat = await opened();
    browser.server.before = ({ method }) => {
      if (method === 'message.send') browser.server.before = () => undefined;
      if (method === 'message.send') browser.server.cut();
    };
    for (const text of ['one', 'two', 'three']) chat.send('tea', text);
    await until(() => browser.server.texts('tea').length === 3 && rows(chat).every((row) => row.send === undefined));
    expect(browser.server.texts('tea')).toEqual(['one', 'two', 'three']);
    expect(texts(chat)).toEqual(['one', 'two', 'three']);
    expect(chat.state.unsent).toBe(0);
  });

  test('keeps what is unsent over a reload while offline', async () => {
    const chat = await opened();
    browser.server.isDown = true;
    browser.server.cut();
    await until(() => chat.state.connection.state === 'offline');
    for (const text of ['one', 'two', 'three']) chat.send('tea', text);
    expect(rows(chat).at(-1)?.send).toEqual({ state: 'waiting' });
    await until(() => chat.state.unsent === 3);
    chat.dispose();
    const again = start();
    again.openRoom('tea');
    await until(() => again.state.timelines['tea']?.status === 'cached');
    expect(texts(again)).toEqual(['one', 'two', 'three']);
    expect(again.state.unsent).toBe(3);
    browser.server.isDown = false;
    again.tryNow();
    await until(() => again.state.unsent === 0);
    expect(browser.server.texts('tea')).toEqual(['one', 'two', 'three']);
  });

  test('a refused one stays with its reason and does not block the next', async () => {
    const chat = await opened();
    browser.server.before = ({ method, params }) => {
      if (method === 'message.send' && params['text'] === 'bad') throw new Refused('not_allowed');
    };
    chat.send('tea', 'bad');
    chat.send('tea', 'good');
    await until(() => browser.server.texts('tea').length === 1);
    await until(() => texts(chat).join(' ') === 'good bad');
    const refused = rows(chat).at(-1);
    expect(refused?.send).toMatchObject({ state: 'refused', canRetry: true, failure: { reason: 'not_allowed' } });
    expect(chat.state.rooms[0]).toMatchObject({ unsent: 1, refused: 1 });
    browser.server.before = () => undefined;
    chat.retry(refused?.id ?? '');
    await until(() => browser.server.texts('tea').length === 2);
    const sends = browser.server.received.filter(({ method, params }) => method === 'message.send' && params['text'] === 'bad');
    expect(new Set(sends.map(({ params }) => params['key'])).size, 'one key for all tries').toBe(1);
  });

  test('a refused one is taken back into the composer', async () => {
    const chat = await opened();
    browser.server.before = ({ method }) => {
      if (method === 'message.send') throw new Refused('too_large');
    };
    chat.send('tea', 'long');
    await until(() => rows(chat).at(-1)?.send?.state === 'refused');
    expect(chat.editUnsent(rows(chat).at(-1)?.id ?? '')).toEqual({ text: 'long', replyTo: undefined });
    await until(() => texts(chat).length === 0);
  });

  test('too many at once: counts down, then goes by itself, in order', async () => {
    const chat = await opened();
    let refusals = 1;
    browser.server.before = ({ method }) => {
      if (method === 'message.send' && refusals > 0) {
        refusals -= 1;
        throw new Refused('too_frequent', 41_000);
      }
    };
    chat.send('tea', 'one');
    chat.send('tea', 'two');
    await until(() => rows(chat).at(-2)?.send?.state === 'delayed');
    expect(rows(chat).at(-1)?.send?.state).toBe('queued');
    await vi.advanceTimersByTimeAsync(40_000);
    expect(browser.server.texts('tea')).toEqual([]);
    await until(() => browser.server.texts('tea').length === 2, 3_000);
    expect(browser.server.texts('tea')).toEqual(['one', 'two']);
  });

  test('an edit shows at once, and its refusal brings the old text back', async () => {
    const chat = await opened();
    chat.send('tea', 'teh');
    await until(() => rows(chat).at(-1)?.seq === 2);
    const done = chat.edit('tea', 2, 'the');
    expect(rows(chat).at(-1)).toMatchObject({ text: 'the', saving: true });
    expect(await settled(done)).toMatchObject({ ok: true });
    await until(() => rows(chat).at(-1)?.saving === false);
    expect(rows(chat).at(-1)).toMatchObject({ text: 'the', editedAt: expect.any(Number) });
    const notices: Notice[] = [];
    chat.onNotice((notice) => notices.push(notice));
    browser.server.before = ({ method }) => {
      if (method === 'message.edit') throw new Refused('not_allowed');
    };
    const refused = chat.edit('tea', 2, 'thee');
    expect(rows(chat).at(-1)?.text).toBe('thee');
    expect(await settled(refused)).toMatchObject({ ok: false, failure: { reason: 'not_allowed' } });
    expect(rows(chat).at(-1)).toMatchObject({ text: 'the', saving: false });
    expect(notices).toMatchObject([{ type: 'edit_refused', text: 'thee' }]);
  });
});

describe('a lost connection', () => {
  test('a blip shows nothing, longer ones do, and the return is told when all is there', async () => {
    const chat = await opened('tea', { random: () => 0.99 });
    browser.server.cut();
    await vi.advanceTimersByTimeAsync(100);
    expect(chat.state.connection.state).toBe('blip');
    await connected(chat);
    expect(chat.state.connection.caughtUp).toBe(false);
    await vi.advanceTimersByTimeAsync(10_000);
    browser.server.isDown = true;
    browser.server.cut();
    await until(() => chat.state.connection.state === 'reconnecting');
    expect(chat.state.connection.nextTryAt).toBeGreaterThan(0);
    await until(() => chat.state.connection.state === 'offline');
    browser.server.say('tea', 'bea', 'missed');
    browser.server.append('room:tea', 'bea', { kind: 'edit', target: 2, text: 'missed, edited' });
    browser.server.isDown = false;
    const seen: string[] = [];
    await until(() => {
      seen.push(`${chat.state.connection.state} ${texts(chat).join()}`);
      return chat.state.connection.state === 'connected';
    });
    expect(chat.state.connection.caughtUp).toBe(true);
    await until(() => texts(chat).join() === 'missed, edited');
    expect(chat.state.rooms[0]?.unread).toBe(1);
    await vi.advanceTimersByTimeAsync(3_100);
    expect(chat.state.connection.caughtUp).toBe(false);
  });

  test('an entry beyond a hole waits until the hole was read', async () => {
    const chat = await opened();
    browser.server.lost.add(5);
    for (const text of ['2', '3', '4']) browser.server.say('tea', 'bea', text);
    await until(() => texts(chat).length === 3);
    browser.server.say('tea', 'bea', '5');
    browser.server.mute.add('room.read');
    browser.server.say('tea', 'bea', '6');
    await vi.advanceTimersByTimeAsync(3_000);
    expect(texts(chat), 'never 6 before 5').toEqual(['2', '3', '4']);
    browser.server.mute.clear();
    await until(() => texts(chat).length === 5);
    expect(texts(chat)).toEqual(['2', '3', '4', '5', '6']);
    expect(chat.state.rooms[0]?.unread).toBe(5);
  });

  test('a stream of another life is loaded anew, and one line says so', async () => {
    browser.server.say('tea', 'bea', 'old');
    const chat = await opened();
    browser.server.epoch = 'epoch-2';
    browser.server.logs.set('room:tea', []);
    browser.server.append('room:tea', 'bea', { kind: 'room_created', room_kind: 'group', name: 'tea' });
    browser.server.say('tea', 'bea', 'restored');
    browser.server.cut();
    await until(() => texts(chat).join() === 'restored');
    expect(chat.state.timelines['tea']).toMatchObject({ reloaded: true, status: 'ready' });
  });

  test('displaced: says by whom, wipes the tokens, and never comes back by itself', async () => {
    const chat = await opened();
    chat.setDraft('tea', 'half a th');
    browser.server.isDown = true;
    browser.server.cut();
    await vi.advanceTimersByTimeAsync(100);
    chat.send('tea', 'unsent');
    chat.setDraft('tea', 'half a thought');
    browser.server.isDown = false;
    chat.tryNow();
    browser.server.before = ({ method }) => {
      if (method !== 'message.send') return;
      browser.server.end({ reason: 'displaced', device: { id: 'x', class: 'desktop', name: 'Other' }, place: '10.0.0.0', at: 7 }, 4400);
      throw new Refused('session_ended');
    };
    await until(() => chat.state.session.phase === 'ended');
    expect(chat.state.session).toMatchObject({ end: { reason: 'displaced', device: { name: 'Other' } }, kept: { unsent: 1, drafts: 1 } });
    expect(chat.state.connection.state).toBe('ended');
    expect(browser.shelf.get('hubbub.session')).toBeUndefined();
    const { opened: sockets } = browser.server;
    browser.network(true);
    chat.tryNow();
    await vi.advanceTimersByTimeAsync(120_000);
    expect(browser.server.opened).toBe(sockets);
    expect(vi.getTimerCount(), 'no timer is left that could reconnect').toBe(0);
    // Signed in again, the message goes under its old key.
    chat.backToSignIn();
    expect(chat.state.session).toEqual({ phase: 'signed_out', username: 'ann' });
    browser.server.before = () => undefined;
    browser.signIn('ann');
    const again = start();
    await until(() => again.state.unsent === 0 && browser.server.texts('tea').length === 1);
    expect(again.state.drafts['tea']?.text).toBe('half a thought');
  });
});

describe('drafts', () => {
  test('are on the device in 300 ms and on the server in 2 s', async () => {
    const chat = await opened();
    chat.setDraft('tea', 'hello');
    await vi.advanceTimersByTimeAsync(310);
    expect(browser.shelf.names('hubbub.draft.ann.')).toHaveLength(1);
    expect(browser.server.drafts.size).toBe(0);
    await vi.advanceTimersByTimeAsync(1_800);
    expect(browser.server.drafts.get('tea/ann')).toBe('hello');
    expect(chat.state.rooms[0]?.draft).toBe(true);
    chat.send('tea', 'hello there');
    await until(() => browser.server.drafts.get('tea/ann') === '');
    expect(chat.state.drafts['tea']?.text ?? '').toBe('');
  });

  test('of another device come in, and go when they were sent there', async () => {
    browser.server.drafts.set('tea/ann', 'from the phone');
    const chat = await opened();
    expect(chat.state.drafts['tea']).toMatchObject({ text: 'from the phone' });
    const version = chat.state.drafts['tea']?.version ?? 0;
    browser.server.signal({ type: 'draft', draft: { room: 'tea', text: '', at: Date.now() + 60_000 } });
    await until(() => chat.state.drafts['tea']?.text === '');
    expect(chat.state.drafts['tea']?.version).toBe(version + 1);
  });
});
