/** The fixture of every test: a running server, and people in browsers of their own who are signed in to it. */
import { test as base } from '@playwright/test';
import { Bot } from './bot';
import { Person, type PersonOptions } from './person';
import { startCluster, startEmbedded, type Server } from './server';

export { expect } from '@playwright/test';
export type { Person } from './person';
export type { Bot } from './bot';

type Names<All extends readonly string[]> = { [Index in keyof All]: Person };

interface Fixtures {
  /** People in browsers of their own; in a cluster each on the next node. */
  readonly people: <const All extends readonly string[]>(...names: All) => Promise<Names<All>>;
  readonly person: (name: string, options?: PersonOptions) => Promise<Person>;
  readonly bot: (name: string) => Promise<Bot>;
}

export interface ServerOptions {
  /** What runs: one process with nothing beside it, or two nodes of a cluster. */
  readonly mode: 'embedded' | 'cluster';
}

interface WorkerFixtures extends ServerOptions {
  readonly server: Server;
}

export const test = base.extend<Fixtures, WorkerFixtures>({
  mode: ['embedded', { option: true, scope: 'worker' }],
  server: [
    async ({ mode }, use) => {
      const server = await (mode === 'cluster' ? startCluster() : startEmbedded());
      await use(server);
      await server.close();
    },
    { scope: 'worker', timeout: 60_000 },
  ],
  people: async ({ browser, server }, use) => {
    const made: Person[] = [];
    await use(async (...names) => {
      for (const name of names) {
        const node = server.nodes[made.length % server.nodes.length] ?? server.nodes[0];
        made.push(await Person.create(browser, node.url, name));
      }
      return made.slice(-names.length) as never;
    });
    for (const person of made) await person.context.close();
  },
  person: async ({ browser, server }, use) => {
    const made: Person[] = [];
    await use(async (name, options) => {
      const person = await Person.create(browser, server.nodes[0].url, name, options);
      made.push(person);
      return person;
    });
    for (const person of made) await person.context.close();
  },
  bot: async ({ browser, server }, use) => {
    const made: Bot[] = [];
    await use(async (name) => {
      const bot = await Bot.create(browser, server.nodes[0].url, name);
      made.push(bot);
      return bot;
    });
    for (const bot of made) await bot.close();
  },
});
