/**
 * The scrolling of a timeline: which lines are in the document, and where they stand.
 *
 * Lines far from the view are left out; a margin of their height stands for them, above the next line that is there.
 * Between two changes one line is held where it is: the *anchor*, the first line in view. Whatever is added, removed or
 * grows, it is put back to the same height of the screen before the frame is painted. At the end of the timeline the end
 * is held instead (*following*).
 */

/** Below this many lines all of them are in the document. */
const virtualFrom = 100;
/** More lines than this are never kept in the document for scrolling back. */
const mostKept = 250;
/** New lines next to the view are measured at once when they are no more than this. */
const measuredAtOnce = 60;
/** So near to the end counts as standing at it, in pixels. */
const followPx = 48;
/** Height of a line that was never measured, in pixels. */
const guessPx = 48;
/** Height of a view that is not on the screen yet, in pixels. */
const guessScreenPx = 800;

/** The line that is held, and the place of its top in the window, in pixels. */
interface Anchor {
  readonly id: string;
  readonly top: number;
}

export interface ViewportEvents {
  /** Another part of the lines must be in the document. */
  readonly onRange: () => void;
  /** The view moved, or what is in it did. */
  readonly onView: () => void;
}

export class Viewport {
  /** The end is held in view. */
  following = true;
  /** The last line is the newest there is. */
  isComplete = false;
  private ids: readonly string[] = [];
  private indexes = new Map<string, number>();
  private range: readonly [from: number, to: number] = [0, 0];
  private anchor: Anchor | undefined;
  /** The anchor was chosen by `place`: it is held also where the lines do not reach that far yet. */
  private wished = false;
  private pinned: readonly string[] = [];
  private readonly heights = new Map<string, number>();
  private readonly slots = new Map<string, HTMLElement>();
  private readonly gaps = new WeakMap<HTMLElement, number>();
  private readonly resized = new ResizeObserver(() => this.settle());
  private scroller: HTMLElement = document.createElement('div');
  private inner: HTMLElement = this.scroller;

  constructor(private readonly events: ViewportEvents) {}

  /** Takes what scrolls and what it holds; before anything is asked of the view. */
  attach(scroller: HTMLElement, inner: HTMLElement): void {
    this.scroller = scroller;
    this.inner = inner;
    this.resized.observe(scroller);
  }

  dispose(): void {
    this.resized.disconnect();
  }

  /** Height of the view, in pixels. */
  height(): number {
    return this.scroller.clientHeight;
  }

  /** The element of a line, while it is in the document. */
  element(id: string): HTMLElement | undefined {
    return this.slots.get(id);
  }

  /** A line came into the document. */
  mount(id: string, element: HTMLElement): void {
    this.slots.set(id, element);
    this.resized.observe(element);
  }

  unmount(id: string, element: HTMLElement): void {
    if (this.slots.get(id) === element) this.slots.delete(id);
    this.resized.unobserve(element);
  }

  /** Lines that stay in the document wherever the view is. */
  pin(ids: readonly string[]): void {
    this.pinned = ids;
  }

  /** The lines there are now. */
  setLines(ids: readonly string[]): void {
    const first = this.ids[this.range[0]];
    const last = this.ids[this.range[1] - 1];
    this.ids = ids;
    this.indexes = new Map(ids.map((id, index) => [id, index]));
    if (this.anchor && !this.indexes.has(this.anchor.id)) {
      this.anchor = undefined;
      this.wished = false;
    }
    const from = first === undefined ? undefined : this.indexes.get(first);
    const to = last === undefined ? undefined : this.indexes.get(last);
    if (from !== undefined && to !== undefined && to >= from) this.range = this.widened(from, to + 1);
    else this.range = this.needed(1.5);
    this.cover();
  }

  /** The lines that must be in the document. */
  rendered(): readonly string[] {
    const [from, to] = this.range;
    const extra = this.pinned.filter((id) => {
      const index = this.indexes.get(id);
      return index !== undefined && (index < from || index >= to);
    });
    const inside = this.ids.slice(from, to);
    if (extra.length === 0) return inside;
    return [...inside, ...extra].toSorted((a, b) => (this.indexes.get(a) ?? 0) - (this.indexes.get(b) ?? 0));
  }

  /** Holds a line with its top `px` below the top of the view. */
  place(id: string, px: number): void {
    this.following = false;
    this.wished = true;
    this.anchor = { id, top: this.scroller.getBoundingClientRect().top + px };
    this.range = this.needed(1.5);
    this.events.onRange();
    this.settle();
  }

  /** The person takes over: the place that was asked for counts no more. */
  release(): void {
    if (!this.wished) return;
    this.wished = false;
    this.anchor = this.firstInView();
  }

  /** Goes to the end and stays there. */
  follow(): void {
    this.following = true;
    this.wished = false;
    this.cover();
    this.events.onRange();
    this.settle();
  }

  /** The first line in view and its distance from the top of the view, to come back to. */
  here(): { id: string; px: number } | undefined {
    return this.anchor && { id: this.anchor.id, px: this.anchor.top - this.scroller.getBoundingClientRect().top };
  }

  /** Measures, closes the gaps, and puts the anchor back where it was. Before the paint, after every change. */
  settle(): void {
    if (this.scroller.clientHeight === 0) return;
    this.measure();
    this.fillGaps();
    this.restore();
    this.events.onView();
  }

  /** The person scrolled, or we did. */
  onScroll(): void {
    if (this.scroller.clientHeight === 0) return;
    if (!this.wished) {
      this.following = this.isAtEnd();
      this.anchor = this.firstInView();
    }
    if (this.cover()) this.events.onRange();
    this.events.onView();
  }

  /** Screens between the view and the first, or last, line. */
  screensLeft(): { above: number; below: number } {
    const { scrollTop, scrollHeight, clientHeight } = this.scroller;
    const screen = Math.max(1, clientHeight);
    return { above: scrollTop / screen, below: (scrollHeight - scrollTop - clientHeight) / screen };
  }

  /** Lines of which at least half is in view. */
  inView(): readonly string[] {
    const box = this.scroller.getBoundingClientRect();
    const found: string[] = [];
    for (const [id, element] of this.slots) {
      const { top, bottom, height } = element.getBoundingClientRect();
      const seen = Math.min(bottom, box.bottom) - Math.max(top, box.top);
      if (height > 0 && seen >= Math.min(height, box.height) / 2) found.push(id);
    }
    return found;
  }

  /** Whether a line stands above the view. */
  isAbove(id: string): boolean {
    const index = this.indexes.get(id);
    const at = this.anchor && this.indexes.get(this.anchor.id);
    if (index === undefined || at === undefined) return false;
    const element = this.slots.get(id);
    return element ? element.getBoundingClientRect().bottom < this.scroller.getBoundingClientRect().top : index < at;
  }

  private heightAt(index: number): number {
    return this.heights.get(this.ids[index] ?? '') ?? guessPx;
  }

  /** The lines within `screens` of the view. */
  private needed(screens: number): readonly [number, number] {
    const count = this.ids.length;
    if (count <= virtualFrom) return [0, count];
    const screen = this.scroller.clientHeight || guessScreenPx;
    const anchored = this.following ? undefined : this.anchor;
    const at = (anchored && this.indexes.get(anchored.id)) ?? count - 1;
    const top = anchored ? anchored.top - this.scroller.getBoundingClientRect().top : screen - this.heightAt(at);
    let from = at;
    for (let above = top + screen * screens; from > 0 && above > 0; from -= 1) above -= this.heightAt(from - 1);
    let to = at;
    for (let below = screen * (1 + screens) - top; to < count && below > 0; to += 1) below -= this.heightAt(to);
    return [from, Math.max(to, at + 1)];
  }

  /** A range that also takes in the few new lines beside it, so that they are measured before they are scrolled to. */
  private widened(from: number, to: number): readonly [number, number] {
    const count = this.ids.length;
    if (count <= virtualFrom) return [0, count];
    const wide: readonly [number, number] = [from <= measuredAtOnce ? 0 : from, count - to <= measuredAtOnce ? count : to];
    return wide[1] - wide[0] <= mostKept ? wide : this.needed(1.5);
  }

  /** Moves the range when the view has come near to its edge. True when it did. */
  private cover(): boolean {
    const [from, to] = this.range;
    const [needFrom, needTo] = this.needed(1);
    if (from <= needFrom && to >= needTo && to - from <= mostKept + virtualFrom) return false;
    this.range = this.needed(1.5);
    return true;
  }

  private measure(): void {
    for (const [id, element] of this.slots) this.heights.set(id, element.getBoundingClientRect().height);
  }

  /** Puts the height of the lines that are left out above the next one that is there, and at the end. */
  private fillGaps(): void {
    let next = 0;
    for (const id of this.rendered()) {
      const index = this.indexes.get(id) ?? next;
      const element = this.slots.get(id);
      if (element) this.setGap(element, 'marginTop', this.sum(next, index));
      next = index + 1;
    }
    this.setGap(this.inner, 'paddingBottom', this.sum(next, this.ids.length));
  }

  private setGap(element: HTMLElement, side: 'marginTop' | 'paddingBottom', px: number): void {
    if ((this.gaps.get(element) ?? 0) === px) return;
    this.gaps.set(element, px);
    element.style[side] = px === 0 ? '' : `${px}px`;
  }

  private sum(from: number, to: number): number {
    let px = 0;
    for (let index = from; index < to; index += 1) px += this.heightAt(index);
    return px;
  }

  private restore(): void {
    if (this.following) {
      this.scroller.scrollTop = this.scroller.scrollHeight;
      this.anchor = this.firstInView();
      this.wished = false;
      return;
    }
    this.anchor ??= this.firstInView();
    const element = this.anchor && this.slots.get(this.anchor.id);
    if (!this.anchor || !element) return;
    const drift = element.getBoundingClientRect().top - this.anchor.top;
    if (Math.abs(drift) >= 0.5) this.scroller.scrollTop += drift;
    // Placed at a line from which on everything is in view: that is the end.
    if (this.wished && this.isAtEnd()) this.following = true;
  }

  private isAtEnd(): boolean {
    const { scrollTop, scrollHeight, clientHeight } = this.scroller;
    return this.isComplete && scrollHeight - scrollTop - clientHeight <= followPx;
  }

  private firstInView(): Anchor | undefined {
    const view = this.scroller.getBoundingClientRect();
    for (const id of this.rendered()) {
      const box = this.slots.get(id)?.getBoundingClientRect();
      if (box && box.bottom > view.top + 1) return box.top < view.bottom ? { id, top: box.top } : this.guessed(view.top);
    }
    return this.guessed(view.top);
  }

  /** The view stands where no line is in the document (the bar was dragged): the line that should be there. */
  private guessed(top: number): Anchor | undefined {
    const first = this.ids[0];
    if (first === undefined) return undefined;
    let y = this.inner.getBoundingClientRect().bottom - this.sum(0, this.ids.length);
    for (const [index, id] of this.ids.entries()) {
      const height = this.heightAt(index);
      if (y + height > top + 1) return { id, top: y };
      y += height;
    }
    return { id: this.ids.at(-1) ?? first, top: y };
  }
}
