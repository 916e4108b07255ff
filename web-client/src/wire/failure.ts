// Why something asked for did not happen: one shape for both doors and for what never reached one.

import type { Reason, SessionEnd } from './protocol';

/**
 * The server's reasons, and those of this device: `unreachable` (no connection, or the request failed on the way),
 * `timed_out` (no answer in time; it may have happened), `unknown_reason` (a newer server's word; `code` tells it),
 * `not_kept` (this device cannot store it).
 */
export type FailureReason = Reason | 'unreachable' | 'timed_out' | 'unknown_reason' | 'not_kept';

/** Why something failed. */
export interface Failure {
  readonly reason: FailureReason;
  /** The number of the catalogue; 0 for reasons of this device. */
  readonly code: number;
  /** The server's English sentence, for logs; the view has words of its own by `reason`. */
  readonly message: string;
  /** When trying again can help, in milliseconds from the answer. */
  readonly retryAfterMs: number | undefined;
  /** The parameter it is about. */
  readonly field: string | undefined;
  /** The limit that was passed, in its own unit. */
  readonly limit: number | undefined;
  /** With `session_ended`: why, by which device and when, as far as the server told. */
  readonly end?: SessionEnd;
}

/** What became of something asked for. */
export type Outcome<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly failure: Failure };

/** A success. */
export function done<T>(value: T): Outcome<T> {
  return { ok: true, value };
}

/** A failure that is already known. */
export function failed(failure: Failure): { readonly ok: false; readonly failure: Failure } {
  return { ok: false, failure };
}

/** A failure of this device, without a number. */
export function localFailure(reason: FailureReason, message = '', retryAfterMs?: number): Failure {
  return { reason, code: 0, message, retryAfterMs, field: undefined, limit: undefined };
}
