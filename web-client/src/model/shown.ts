// A timeline as the view reads it. Each row is a small store of its own that lives as long as its id is shown, and the
// list of rows is one signal: a change costs what has changed, not the length of the timeline.

import { batch, createSignal, type Signal } from 'solid-js';
import { createStore, type SetStoreFunction } from 'solid-js/store';
import type { Row, TimelineView } from './view';

/** Everything of a timeline but its rows. */
export type TimelineFacts = Omit<TimelineView, 'rows'>;

interface ShownRow {
  readonly view: Row;
  readonly set: SetStoreFunction<Row>;
  /** What it was last made of. */
  from: Row;
}

/** A timeline on the page. */
export class ShownTimeline implements TimelineView {
  readonly #facts: TimelineFacts;
  readonly #setFacts: SetStoreFunction<TimelineFacts>;
  readonly #rows: Signal<readonly Row[]> = createSignal<readonly Row[]>([]);
  /** The same list, for reading without following it. */
  #list: readonly Row[] = [];
  #byId = new Map<string, ShownRow>();

  constructor(facts: TimelineFacts) {
    [this.#facts, this.#setFacts] = createStore<TimelineFacts>({ ...facts });
  }

  /** Shows a timeline anew. Rows that are the same objects as before are passed over. */
  show(facts: TimelineFacts, rows: readonly Row[]): void {
    batch(() => {
      this.#setFacts(facts);
      const byId = new Map<string, ShownRow>();
      const shown = rows.map((row) => {
        const known = this.#byId.get(row.id) ?? newRow(row);
        byId.set(row.id, known);
        if (known.from !== row) known.set(row);
        known.from = row;
        return known.view;
      });
      this.#byId = byId;
      const before = this.#list;
      const isSame = before.length === shown.length && before.every((row, index) => row === shown[index]);
      if (isSame) return;
      this.#list = shown;
      this.#rows[1](shown);
    });
  }

  get rows(): readonly Row[] {
    return this.#rows[0]();
  }

  get room(): TimelineView['room'] {
    return this.#facts.room;
  }

  get status(): TimelineView['status'] {
    return this.#facts.status;
  }

  get failure(): TimelineView['failure'] {
    return this.#facts.failure;
  }

  get start(): boolean {
    return this.#facts.start;
  }

  get end(): boolean {
    return this.#facts.end;
  }

  get older(): TimelineView['older'] {
    return this.#facts.older;
  }

  get newer(): TimelineView['newer'] {
    return this.#facts.newer;
  }

  get unreadFrom(): TimelineView['unreadFrom'] {
    return this.#facts.unreadFrom;
  }

  get unreadCount(): number {
    return this.#facts.unreadCount;
  }

  get target(): TimelineView['target'] {
    return this.#facts.target;
  }

  get jump(): number {
    return this.#facts.jump;
  }

  get generation(): number {
    return this.#facts.generation;
  }

  get reloaded(): boolean {
    return this.#facts.reloaded;
  }
}

function newRow(row: Row): ShownRow {
  // A copy: the store writes into its own object, and this one belongs to the model.
  const [view, set] = createStore<Row>({ ...row });
  return { view, set, from: row };
}
