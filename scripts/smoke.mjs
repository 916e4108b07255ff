// Looks at a running server as a newcomer's browser would. Usage: node scripts/smoke.mjs URL first|second
// On the first start it signs somebody up; on the second the name must be taken, so the data is still there.
const [base, start] = process.argv.slice(2);
const REQUEST_LIMIT_MS = 10_000;

async function ask(path, options = {}) {
  return fetch(new URL(path, base), { ...options, signal: AbortSignal.timeout(REQUEST_LIMIT_MS) });
}

let failures = 0;
async function check(name, holds) {
  const problem = await holds().catch((error) => String(error.cause ?? error));
  console.log(`${problem ? 'FAILED' : 'ok'}: ${start} start, ${name}${problem ? `: ${problem}` : ''}`);
  if (problem) failures += 1;
}

for (const path of ['/livez', '/readyz']) {
  await check(path, async () => {
    const response = await ask(path);
    return response.status === 200 ? '' : `status ${response.status}`;
  });
}

await check('the page and its script', async () => {
  const page = await ask('/');
  if (page.status !== 200) return `status ${page.status}`;
  const script = /<script[^>]+src="([^"]+)"/.exec(await page.text())?.[1];
  if (!script) return 'the page names no script: the web client is not inside the server';
  const response = await ask(script);
  const type = response.headers.get('content-type') ?? 'no type';
  return response.status === 200 && type.includes('javascript') ? '' : `${script}: status ${response.status}, ${type}`;
});

await check(start === 'first' ? 'sign up' : 'the account is still there', async () => {
  const response = await ask('/v1/accounts', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ username: 'newcomer', password: 'correct horse battery staple' }),
  });
  const body = `status ${response.status}: ${await response.text()}`;
  if (start === 'first') return response.ok ? '' : body;
  return response.status >= 400 && response.status < 500 ? '' : body;
});

process.exit(failures === 0 ? 0 : 1);
