// Prints one SHA-256 over the paths and contents of the files and folders named, leaving out what builds make.
// Used to skip work whose inputs have not changed. Usage: node scripts/fingerprint.mjs PATH…
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

const MADE_BY_BUILDS = new Set(['node_modules', 'dist', 'test-results', 'playwright-report']);

function files(path) {
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path)
    .filter((name) => !MADE_BY_BUILDS.has(name))
    .sort()
    .flatMap((name) => files(join(path, name)));
}

const hash = createHash('sha256').update(process.version);
for (const file of process.argv.slice(2).flatMap(files)) {
  const content = readFileSync(file);
  hash.update(`\0${file}\0${content.length}\0`).update(content);
}
console.log(hash.digest('hex'));
