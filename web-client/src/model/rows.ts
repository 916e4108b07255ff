// What the view draws: the committed lines of a timeline, then what is not sent yet.

import type { Seq, User } from '../wire/protocol';
import type { Unsent } from './outbox';
import { mentions } from './rooms';
import type { Line, Timeline } from './timeline';
import type { Row, RowKind, SendView } from './view';

/** Changes of mine that are under way: the text shown meanwhile, or undefined for a recall. */
export type Changes = ReadonlyMap<Seq, { readonly text: string | undefined }>;

/** Rows that were made already. An unchanged line has the same row again, so that the store passes over it. */
export type RowsMade = WeakMap<Line, Row>;

/** The rows of a timeline. `unsent` are the messages of mine in this room that wait, in their order. */
export function rowsOf(
  timeline: Timeline,
  unsent: readonly Unsent[],
  changes: Changes,
  me: User,
  made: RowsMade = new WeakMap(),
): Row[] {
  const rows = timeline.lines.map((line) => {
    const known = made.get(line);
    if (changes.has(line.item.seq)) {
      // The store writes this row over the one it has: that one is spoiled.
      made.delete(line);
      return committed(line, changes, me);
    }
    const row = known ?? committed(line, changes, me);
    if (!known) made.set(line, row);
    return row;
  });
  if (!timeline.end) return rows;
  for (const item of unsent) rows.push(waiting(item, me));
  return rows;
}

function committed({ item }: Line, changes: Changes, me: User): Row {
  const mine = item.sender === me.id;
  const message = item.kind === 'message';
  const change = changes.get(item.seq);
  const text = message && !item.recalled ? (change?.text ?? item.text) : '';
  return {
    id: mine && message && item.key !== undefined ? item.key : item.id,
    seq: item.seq,
    kind: item.kind as RowKind,
    at: item.at,
    sender: item.sender,
    mine,
    text,
    replyTo: message ? item.reply_to : undefined,
    mention: message && !mine && mentions(text, me.username),
    editedAt: item.edited_at,
    recalled: item.recalled,
    send: undefined,
    saving: change !== undefined,
    entry: message ? undefined : item,
  };
}

function waiting(item: Unsent, me: User): Row {
  return {
    id: item.key,
    seq: item.seq ?? 0,
    kind: 'message',
    at: item.sentAt ?? item.at,
    sender: me.id,
    mine: true,
    text: item.text,
    replyTo: item.replyTo,
    mention: false,
    editedAt: undefined,
    recalled: undefined,
    send: sendView(item),
    saving: false,
    entry: undefined,
  };
}

function sendView(item: Unsent): SendView | undefined {
  switch (item.state) {
    case 'sent':
      return undefined;
    case 'sending':
      return { state: 'sending', since: item.since };
    case 'delayed':
      return { state: 'delayed', goesAt: item.goesAt };
    case 'refused':
      return item.failure
        ? { state: 'refused', failure: item.failure, canRetry: CAN_RETRY.has(item.failure.reason) }
        : { state: 'queued' };
    default:
      return { state: item.state };
  }
}

/** Refusals that may be otherwise the next time. */
const CAN_RETRY = new Set<string>(['not_allowed', 'not_a_member', 'unknown_room', 'unknown_reason', 'internal']);
