/** Real servers for the tests: the binary, alone or as two nodes of a cluster. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const binary = resolve(process.env['HUBBUB_BIN'] ?? join(import.meta.dirname, '../../../target/debug/hubbub'));
const startMs = 30_000;
const stopMs = 20_000;

export interface Node {
  /** Where it is reached, without a slash at the end. */
  readonly url: string;
  stop(): Promise<void>;
  /** Stops it and starts it again with the same data at the same address. */
  restart(): Promise<void>;
}

export interface Server {
  readonly nodes: readonly [Node, ...Node[]];
  close(): Promise<void>;
}

/** What the process would find set for itself is no setting of the test's server. */
function bareEnvironment(): Record<string, string> {
  const entries = Object.entries(process.env).filter(([name, value]) => value !== undefined && !/^(HUBBUB_|DATABASE_URL|REDIS_URL)/.test(name));
  return Object.fromEntries(entries) as Record<string, string>;
}

function ended(child: ChildProcess): Promise<void> {
  return child.exitCode !== null || child.signalCode !== null ? Promise.resolve() : new Promise((done) => child.once('exit', () => done()));
}

/** Starts a node; resolves once it says where it is. */
async function start(settings: Record<string, string>): Promise<{ child: ChildProcess; url: string }> {
  const child = spawn(binary, ['serve'], { env: { ...bareEnvironment(), ...settings }, stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  const url = await new Promise<string>((done, fail) => {
    const timer = setTimeout(() => fail(new Error(`no address within ${startMs} ms:\n${said}`)), startMs);
    const listen = (chunk: Buffer): void => {
      said += chunk.toString();
      const found = /Hubbub is running at (http:\/\/[\w.:[\]]+)/.exec(said);
      if (!found?.[1]) return;
      clearTimeout(timer);
      done(found[1]);
    };
    child.stdout.on('data', listen);
    child.stderr.on('data', listen);
    child.once('error', fail);
    child.once('exit', (code) => fail(new Error(`ended with ${code}:\n${said}`)));
  });
  return { child, url };
}

async function createNode(settings: Record<string, string>): Promise<Node> {
  let running = await start({ HUBBUB_LISTEN: '127.0.0.1:0', HUBBUB_OPS_LISTEN: '127.0.0.1:0', HUBBUB_LOG_LEVEL: 'warn', ...settings });
  const { url } = running;
  const stop = async (): Promise<void> => {
    const { child } = running;
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), stopMs);
    await ended(child);
    clearTimeout(timer);
  };
  return {
    url,
    stop,
    async restart() {
      await stop();
      running = await start({ HUBBUB_OPS_LISTEN: '127.0.0.1:0', HUBBUB_LOG_LEVEL: 'warn', ...settings, HUBBUB_LISTEN: new URL(url).host });
    },
  };
}

/** Nothing else is running: a file, and everything in one process. */
export async function startEmbedded(settings: Record<string, string> = {}): Promise<Server> {
  const folder = mkdtempSync(join(tmpdir(), 'hubbub-e2e-'));
  const node = await createNode({ HUBBUB_DATA_DIR: folder, HUBBUB_DRAIN_GRACE_S: '2', ...settings });
  return {
    nodes: [node],
    async close() {
      await node.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function required(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set: run the tests through scripts/with-services`);
  return value;
}

function sql(url: string, command: string): void {
  const { status, stderr, error } = spawnSync('psql', ['--no-psqlrc', '--quiet', '--dbname', url, '--command', command], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`psql: ${error?.message ?? stderr}`);
}

/** Two nodes on one Postgres and one Redis. */
export async function startCluster(): Promise<Server> {
  const maintenance = required('HUBBUB_TEST_DATABASE_URL');
  const name = `e2e_${randomBytes(6).toString('hex')}`;
  sql(maintenance, `CREATE DATABASE ${name}`);
  const database = new URL(maintenance);
  database.pathname = `/${name}`;
  const settings = {
    DATABASE_URL: database.href,
    REDIS_URL: required('HUBBUB_TEST_REDIS_URL'),
    HUBBUB_REDIS_PREFIX: `${name}:`,
    HUBBUB_DRAIN_GRACE_S: '2',
  };
  const nodes: [Node, Node] = [await createNode(settings), await createNode(settings)];
  return {
    nodes,
    async close() {
      await Promise.all(nodes.map((node) => node.stop()));
      sql(maintenance, `DROP DATABASE ${name} WITH (FORCE)`);
    },
  };
}
