// The JSON-RPC 2.0 envelope: one JSON value a text frame.

import { done, failed, localFailure, type Failure, type Outcome } from './failure';
import type { ErrorObject, MethodName, Methods, Push } from './protocol';

/** What a server sends. */
export type ServerFrame =
  | { readonly type: 'reply'; readonly id: number; readonly outcome: Outcome<unknown> }
  /** An error that answers no request that could be read. */
  | { readonly type: 'stray'; readonly failure: Failure }
  | { readonly type: 'push'; readonly push: Push }
  /** Unasked and not known to this version: passed over. */
  | { readonly type: 'unknown'; readonly method: string };

/** Encodes a command. */
export function encodeCommand<M extends MethodName>(id: number, method: M, params: Methods[M]['params']): string {
  return JSON.stringify({ jsonrpc: '2.0', id, method, params });
}

/** Decodes a frame of the server; undefined for what is no frame of this wire. */
export function decodeFrame(text: string): ServerFrame | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isRecord(value)) return undefined;
  if (typeof value['method'] === 'string') {
    const push = asPush(value['method'], value['params']);
    return push ? { type: 'push', push } : { type: 'unknown', method: value['method'] };
  }
  const { id, error } = value;
  if (isRecord(error)) {
    const failure = failureOf(error as unknown as ErrorObject);
    return typeof id === 'number' ? { type: 'reply', id, outcome: failed(failure) } : { type: 'stray', failure };
  }
  if (typeof id === 'number' && 'result' in value) return { type: 'reply', id, outcome: done(value['result']) };
  return undefined;
}

/** The failure that an error object of the server tells. */
export function failureOf(error: ErrorObject): Failure {
  const data: Partial<ErrorObject['data']> = isRecord(error.data) ? error.data : {};
  return {
    reason: data.reason ?? 'unknown_reason',
    code: typeof error.code === 'number' ? error.code : 0,
    message: typeof error.message === 'string' ? error.message : '',
    retryAfterMs: data.retry_after_ms,
    field: data.field,
    limit: data.limit,
    ...(data.end ? { end: data.end } : {}),
  };
}

/** What is told when there is no connection. */
export const unreachable = localFailure('unreachable', 'there is no connection to the server');

/** What is told when no answer came in time. */
export const timedOut = localFailure('timed_out', 'no answer in time');

function asPush(method: string, params: unknown): Push | undefined {
  if (!isRecord(params)) return undefined;
  switch (method) {
    case 'entry':
      return typeof params['stream'] === 'string' && isSeq(params['seq']) && typeof params['kind'] === 'string'
        ? ({ method, params } as unknown as Push)
        : undefined;
    case 'signal':
      return typeof params['type'] === 'string' ? ({ method, params } as unknown as Push) : undefined;
    case 'session.ended':
      return typeof params['reason'] === 'string' ? ({ method, params } as unknown as Push) : undefined;
    default:
      return undefined;
  }
}

function isSeq(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) > 0;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
