// The way into a stream: entries are taken in by seq, one after the other. What comes too early is held until the
// hole before it has been read; what was taken in is passed over.

import type { Entry, Seq } from '../wire/protocol';

/** Most entries held behind a hole. What is beyond is read with the hole. */
const HELD_LIMIT = 500;

/** Where a stream's reader stands. */
export interface Intake {
  /** The seq that comes next. */
  readonly next: Seq;
  /** Entries that came too early. */
  readonly held: ReadonlyMap<Seq, Entry>;
}

/** A reader that has everything up to `head`. */
export function intakeAfter(head: Seq): Intake {
  return { next: head + 1, held: new Map() };
}

/** What became of an entry. */
export interface Taken {
  readonly intake: Intake;
  /** What may be shown now, in order. */
  readonly ready: readonly Entry[];
}

/** Takes in an entry: shows it and what it sets free, holds it, or passes it over. */
export function take(intake: Intake, entry: Entry): Taken {
  if (entry.seq < intake.next) return { intake, ready: [] };
  if (entry.seq > intake.next) {
    if (intake.held.size >= HELD_LIMIT && !intake.held.has(entry.seq)) return { intake, ready: [] };
    return { intake: { next: intake.next, held: new Map(intake.held).set(entry.seq, entry) }, ready: [] };
  }
  if (intake.held.size === 0) return { intake: { next: entry.seq + 1, held: intake.held }, ready: [entry] };
  const ready = [entry];
  const held = new Map([...intake.held].filter(([seq]) => seq > entry.seq));
  let next = entry.seq + 1;
  for (let follower = held.get(next); follower; follower = held.get(next)) {
    ready.push(follower);
    held.delete(next);
    next += 1;
  }
  return { intake: { next, held }, ready };
}

/** Whether a hole stands before something that came. */
export function hasHole(intake: Intake): boolean {
  return intake.held.size > 0;
}
