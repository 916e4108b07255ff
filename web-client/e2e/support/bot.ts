/**
 * Somebody without a browser window worth looking at: speaks the protocol from an empty page, to fill rooms and to act
 * while others are watched.
 */
import type { Browser, Page } from '@playwright/test';
import { newName, password } from './accounts';

export interface Sent {
  readonly seq: number;
}

export class Bot {
  private constructor(
    private readonly page: Page,
    readonly username: string,
    readonly displayName: string,
    readonly id: string,
  ) {}

  /** Makes an account and connects. */
  static async create(browser: Browser, url: string, displayName: string): Promise<Bot> {
    const page = await (await browser.newContext()).newPage();
    // A page without scripts, under the same rules as the client.
    await page.goto(`${url}/theme.js`);
    const username = newName(displayName);
    const id = await page.evaluate(connect, { username, displayName, password });
    return new Bot(page, username, displayName, id);
  }

  /** Sends a command and waits for its answer. */
  call<Result = unknown>(method: string, params: object = {}): Promise<Result> {
    return this.page.evaluate(([method, params]) => globalThis.call(method, params), [method, params] as const) as Promise<Result>;
  }

  async createRoom(kind: 'channel' | 'group', name: string, members: readonly string[] = []): Promise<string> {
    const { room } = await this.call<{ room: { id: string } }>('room.create', { key: crypto.randomUUID(), kind, name, members });
    return room.id;
  }

  send(room: string, text: string, replyTo?: number): Promise<Sent> {
    const params = { room, key: crypto.randomUUID(), text, ...(replyTo === undefined ? {} : { reply_to: replyTo }) };
    return this.call<Sent>('message.send', params);
  }

  /** Sends many messages, one after the other. */
  async sendAll(room: string, texts: readonly string[]): Promise<readonly Sent[]> {
    const commands = texts.map((text) => ({ room, key: crypto.randomUUID(), text }));
    return this.page.evaluate(async (all) => {
      const sent: Sent[] = [];
      for (const params of all) sent.push((await globalThis.call('message.send', params)) as Sent);
      return sent;
    }, commands);
  }

  close(): Promise<void> {
    return this.page.context().close();
  }
}

declare global {
  // oxlint-disable-next-line no-var -- a property of the page's global object
  var call: (method: string, params: object) => Promise<unknown>;
}

/** Runs in the page: signs up, logs in, opens the socket, and leaves `call` behind. Answers the account's id. */
async function connect(who: { username: string; displayName: string; password: string }): Promise<string> {
  // oxlint-disable-next-line consistent-function-scoping -- the whole function travels into the page
  const post = async (path: string, body: object): Promise<{ user: { id: string }; access_token: string }> => {
    const response = await fetch(path, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
    if (!response.ok) throw new Error(`${path}: ${await response.text()}`);
    return response.json();
  };
  await post('/v1/accounts', { username: who.username, password: who.password, display_name: who.displayName });
  const device = { id: crypto.randomUUID(), class: 'desktop', name: 'Bot' };
  const login = await post('/v1/sessions', { username: who.username, password: who.password, device });
  const url = new URL('/v1/ws', location.href);
  url.protocol = 'ws:';
  const socket = new WebSocket(url, 'hubbub.v1.json');
  const waiting = new Map<number, { done: (result: unknown) => void; fail: (error: Error) => void }>();
  let last = 0;
  socket.addEventListener('message', ({ data }) => {
    const frame = JSON.parse(String(data)) as { id?: number; result?: unknown; error?: object };
    const asked = frame.id === undefined ? undefined : waiting.get(frame.id);
    if (frame.error) asked?.fail(new Error(JSON.stringify(frame.error)));
    else asked?.done(frame.result);
  });
  await new Promise((open, fail) => {
    socket.addEventListener('open', open);
    socket.addEventListener('error', fail);
  });
  globalThis.call = (method, params) => {
    last += 1;
    const id = last;
    return new Promise((done, fail) => {
      waiting.set(id, { done, fail });
      socket.send(JSON.stringify({ jsonrpc: '2.0', id, method, params }));
    });
  };
  await globalThis.call('session.start', { token: login.access_token });
  return login.user.id;
}
