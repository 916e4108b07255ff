/** What stands in a timeline, line by line: rows in groups, days, the unread line, recalled messages folded. */
import type { Row, Seq } from '../../model';
import { dayOf } from '../time';

/** One line. `id` names its DOM node for as long as it stands. */
export type Line =
  | { readonly id: string; readonly type: 'start' | 'reloaded' | 'new' }
  | { readonly id: string; readonly type: 'day'; readonly at: number }
  /** `first`: begins a group, with avatar and name. */
  | { readonly id: string; readonly type: 'message'; readonly row: Row; readonly first: boolean }
  | { readonly id: string; readonly type: 'system'; readonly row: Row }
  /** Several recalled messages in a row. */
  | { readonly id: string; readonly type: 'gone'; readonly row: Row; readonly count: number };

/** What lines are made from. */
export interface Window {
  readonly rows: readonly Row[];
  readonly start: boolean;
  readonly end: boolean;
  readonly reloaded: boolean;
  readonly unreadFrom: Seq | undefined;
}

/** Messages of one person further apart than this begin a new group. */
const groupMs = 5 * 60_000;

function joins(row: Row, before: Row | undefined): boolean {
  return (
    before?.kind === 'message' &&
    before.sender === row.sender &&
    row.replyTo === undefined &&
    Math.abs(row.at - before.at) <= groupMs &&
    dayOf(row.at) === dayOf(before.at)
  );
}

function same(a: Line, b: Line): boolean {
  if (a.type !== b.type || a.id !== b.id) return false;
  if (a.type === 'message') return b.type === 'message' && a.row === b.row && a.first === b.first;
  if (a.type === 'gone') return b.type === 'gone' && a.row === b.row && a.count === b.count;
  if (a.type === 'system') return b.type === 'system' && a.row === b.row;
  return true;
}

class Builder {
  readonly lines: Line[] = [];
  private before: Row | undefined;
  private day = 0;
  private unreadLine: boolean;

  constructor(private readonly window: Window) {
    this.unreadLine = window.unreadFrom !== undefined;
    if (window.start) this.lines.push({ id: 'start', type: 'start' });
  }

  add(row: Row): void {
    this.addDay(row);
    if (this.unreadLine && row.seq >= (this.window.unreadFrom ?? 0) && row.seq > 0) {
      this.lines.push({ id: 'new', type: 'new' });
      this.unreadLine = false;
      this.before = undefined;
    }
    if (row.kind !== 'message') {
      this.lines.push({ id: row.id, type: 'system', row });
      this.before = undefined;
    } else if (row.recalled) this.addRecalled(row);
    else {
      this.lines.push({ id: row.id, type: 'message', row, first: !joins(row, this.before) });
      this.before = row;
    }
  }

  private addDay(row: Row): void {
    const day = dayOf(row.at);
    if (day === this.day) return;
    this.day = day;
    this.before = undefined;
    this.lines.push({ id: `day:${day}`, type: 'day', at: row.at });
  }

  private addRecalled(row: Row): void {
    const last = this.lines.at(-1);
    const folds = (last?.type === 'message' && last.row.recalled !== undefined) || last?.type === 'gone';
    if (folds) this.lines.splice(-1, 1, { id: last.id, type: 'gone', row: last.row, count: last.type === 'gone' ? last.count + 1 : 2 });
    else this.lines.push({ id: row.id, type: 'message', row, first: !joins(row, this.before) });
    this.before = folds ? undefined : row;
  }
}

/** The lines of a window. Lines that did not change are the same objects as in `known`. */
export function linesOf(window: Window, known: ReadonlyMap<string, Line> = new Map()): readonly Line[] {
  const builder = new Builder(window);
  const seen = new Set<string>();
  for (const row of window.rows) {
    if (!seen.has(row.id)) builder.add(row);
    seen.add(row.id);
  }
  if (window.reloaded) builder.lines.push({ id: 'reloaded', type: 'reloaded' });
  return builder.lines.map((line) => {
    const before = known.get(line.id);
    return before && same(before, line) ? before : line;
  });
}
