// The HTTP door.

import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createApi } from './api';

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

function answering(status: number, body: string): { api: ReturnType<typeof createApi>; asked: [string, RequestInit][] } {
  const asked: [string, RequestInit][] = [];
  const api = createApi((url, init) => {
    asked.push([url, init]);
    return Promise.resolve(new Response(status === 204 ? null : body, { status }));
  });
  return { api, asked };
}

test('the token goes in a header, never in the address', async () => {
  const { api, asked } = answering(204, '');
  expect(await api.endSession('secret', 'a/b')).toEqual({ ok: true, value: undefined });
  const [url, init] = asked[0] ?? ['', {}];
  expect(url).toBe('/v1/sessions/a%2Fb');
  expect(init).toMatchObject({ method: 'DELETE', headers: { Authorization: 'Bearer secret' } });
});

test('problem+json becomes a failure with its reason', async () => {
  const problem = { type: 'urn:x', title: 't', status: 429, detail: 'wait', code: 4004, reason: 'too_frequent', retry_after_ms: 900 };
  const { api } = answering(429, JSON.stringify(problem));
  expect(await api.logIn('a', 'b', { id: '', class: 'desktop', name: '' })).toMatchObject({
    ok: false,
    failure: { reason: 'too_frequent', code: 4004, message: 'wait', retryAfterMs: 900 },
  });
});

test("a proxy's page is no reason of ours", async () => {
  expect(await answering(502, '<html>').api.server()).toMatchObject({ failure: { reason: 'unreachable' } });
  expect(await answering(418, 'tea').api.server()).toMatchObject({ failure: { reason: 'unknown_reason', code: 418 } });
  expect(await answering(200, '<html>').api.server(), 'a captive portal').toMatchObject({ ok: false });
});

test('no answer in time is said as such; no network too', async () => {
  const silent = createApi((_, init) => new Promise((_resolve, reject) => init.signal?.addEventListener('abort', reject)));
  const answer = silent.server();
  await vi.advanceTimersByTimeAsync(10_000);
  expect(await answer).toMatchObject({ failure: { reason: 'timed_out' } });
  const gone = createApi(() => Promise.reject(new TypeError('no network')));
  expect(await gone.server()).toMatchObject({ failure: { reason: 'unreachable' } });
});
