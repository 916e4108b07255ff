/** Somebody in a browser of their own. Finds things as a person does: by role and name. */
import { expect, type Browser, type BrowserContext, type BrowserContextOptions, type Locator, type Page } from '@playwright/test';
import { createAccount, newName, password } from './accounts';

export interface PersonOptions extends BrowserContextOptions {
  /** The language of the page; English where not said. */
  readonly language?: 'en' | 'zh';
}

export class Person {
  private constructor(
    readonly page: Page,
    readonly url: string,
    readonly username: string,
    readonly name: string,
    readonly id: string,
  ) {}

  /** Makes an account, opens a browser and signs in. */
  static async create(browser: Browser, url: string, name: string, options: PersonOptions = {}): Promise<Person> {
    const username = newName(name);
    const context = await newContext(browser, options);
    const id = await createAccount(context.request, url, username, name);
    const person = new Person(await context.newPage(), url, username, name, id);
    await person.signIn();
    return person;
  }

  /** The same account in another browser. */
  async onAnotherDevice(browser: Browser, url = this.url, options: PersonOptions = {}): Promise<Person> {
    const context = await newContext(browser, options);
    const person = new Person(await context.newPage(), url, this.username, this.name, this.id);
    await person.signIn();
    return person;
  }

  get context(): BrowserContext {
    return this.page.context();
  }

  async signIn(): Promise<void> {
    if (this.page.url() === 'about:blank') await this.page.goto(this.url);
    await this.page.locator('input[autocomplete=username]').fill(this.username);
    await this.page.locator('input[autocomplete=current-password]').fill(password);
    await this.page.keyboard.press('Enter');
    await this.isIn();
  }

  /** Waits until the chat is shown and connected. */
  async isIn(): Promise<void> {
    await expect(this.page.locator('.app')).toBeVisible();
    await expect(this.page.locator('.me small')).toHaveText(/^(Connected|已连接)$/, { timeout: 15_000 });
  }

  /** Opens a room by its place in the list. */
  async open(room: string): Promise<void> {
    await this.rooms.getByRole('link', { name: room }).click();
    await expect(this.page.getByRole('heading', { level: 1, name: room })).toBeVisible();
  }

  async goto(path: string): Promise<void> {
    await this.page.goto(this.url + path);
  }

  async write(text: string): Promise<void> {
    await this.composer.fill(text);
    await this.composer.press('Enter');
  }

  /** Makes a room through the dialog and has it open. */
  async createRoom(name: string): Promise<void> {
    await this.page.getByRole('button', { name: 'New room or message' }).click();
    await this.page.getByRole('menuitem', { name: 'New room' }).click();
    const dialog = this.page.getByRole('dialog', { name: 'New room' });
    await dialog.getByLabel('Name').fill(name);
    await dialog.getByRole('button', { name: 'Create' }).click();
    await expect(this.page.getByRole('heading', { level: 1, name })).toBeVisible();
  }

  get rooms(): Locator {
    return this.page.getByRole('navigation', { name: /Rooms and direct messages|聊天室和私信/ });
  }

  room(name: string): Locator {
    return this.rooms.getByRole('link', { name });
  }

  get composer(): Locator {
    return this.page.getByRole('textbox', { name: /^(Message|发消息到) / });
  }

  get timeline(): Locator {
    return this.page.getByRole('region', { name: /^Messages in |的消息$/ });
  }

  /** The messages with this text. */
  message(text: string): Locator {
    return this.timeline.getByRole('article').filter({ has: this.page.getByText(text, { exact: true }) });
  }

  /** The texts of all messages in the document, in order. */
  texts(): Promise<string[]> {
    return this.timeline.getByRole('article').locator('.tx').allTextContents();
  }

  get strip(): Locator {
    return this.page.locator('.main .net');
  }

  menu(name: string): Locator {
    return this.page.getByRole('menuitem', { name });
  }

  /** Opens the menu of a message. */
  async openMenu(text: string): Promise<void> {
    await this.message(text).hover();
    await this.message(text).getByRole('button', { name: 'More actions' }).click();
  }
}

async function newContext(browser: Browser, { language = 'en', ...options }: PersonOptions): Promise<BrowserContext> {
  const context = await browser.newContext({ locale: language === 'zh' ? 'zh-CN' : 'en-GB', ...options });
  await context.grantPermissions(['clipboard-read', 'clipboard-write']).catch(() => undefined);
  return context;
}
