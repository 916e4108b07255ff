// The HTTP door: JSON in, JSON or problem+json out, every request with a time limit.

import { done, failed, type Outcome } from './failure';
import { failureOf, timedOut, unreachable } from './frame';
import type {
  Account,
  Device,
  InviteInfo,
  LoggedIn,
  Problem,
  ServerInfo,
  SessionId,
  Sessions,
} from './protocol';

/** Longest time for an answer, in milliseconds; a login hashes a password, which may queue. */
const REQUEST_MS = 10_000;

/** How a request goes out; the browser's `fetch` but for tests. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

/** What the HTTP door is asked by this client. Nothing here rejects. */
export interface Api {
  server(): Promise<Outcome<ServerInfo>>;
  signUp(username: string, password: string, displayName: string | undefined): Promise<Outcome<Account>>;
  logIn(username: string, password: string, device: Device): Promise<Outcome<LoggedIn>>;
  refresh(refreshToken: string): Promise<Outcome<LoggedIn>>;
  sessions(token: string): Promise<Outcome<Sessions>>;
  endSession(token: string, session: SessionId): Promise<Outcome<void>>;
  invite(code: string, token: string | undefined): Promise<Outcome<InviteInfo>>;
}

/** The HTTP door of the server this page came from. */
export function createApi(send: Fetch): Api {
  const post = <T>(path: string, body: unknown) => request<T>(send, 'POST', path, undefined, body);
  return {
    server: () => request(send, 'GET', '/v1/server'),
    signUp: (username, password, display_name) =>
      post('/v1/accounts', display_name ? { username, password, display_name } : { username, password }),
    logIn: (username, password, device) => post('/v1/sessions', { username, password, device }),
    refresh: (refresh_token) => post('/v1/sessions/refresh', { refresh_token }),
    sessions: (token) => request(send, 'GET', '/v1/sessions', token),
    endSession: (token, session) => request(send, 'DELETE', `/v1/sessions/${encodeURIComponent(session)}`, token),
    invite: (code, token) => request(send, 'GET', `/v1/invites/${encodeURIComponent(code)}`, token),
  };
}

async function request<T>(
  send: Fetch,
  method: string,
  path: string,
  token?: string,
  body?: unknown,
): Promise<Outcome<T>> {
  const headers: Record<string, string> = { Accept: 'application/json' };
  if (token !== undefined) headers['Authorization'] = `Bearer ${token}`;
  if (body !== undefined) headers['Content-Type'] = 'application/json';
  const limit = new AbortController();
  const timer = setTimeout(() => limit.abort(), REQUEST_MS);
  try {
    const answer = await send(path, {
      method,
      headers,
      signal: limit.signal,
      credentials: 'omit',
      cache: 'no-store',
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    if (answer.ok) return done((text === '' ? undefined : JSON.parse(text)) as T);
    return failed(problemOf(answer, text));
  } catch {
    return failed(limit.signal.aborted ? timedOut : unreachable);
  } finally {
    clearTimeout(timer);
  }
}

function problemOf(answer: Response, text: string): ReturnType<typeof failureOf> {
  try {
    const { code, detail, ...data } = JSON.parse(text) as Problem;
    if (typeof data.reason === 'string') return failureOf({ code, message: detail, data });
  } catch {
    // Not ours: a proxy's page. Its status is all there is to know.
  }
  // 502, 503 and 504 of a proxy mean that no node answered.
  return answer.status >= 502 && answer.status <= 504
    ? unreachable
    : { ...unreachable, reason: 'unknown_reason', code: answer.status };
}
