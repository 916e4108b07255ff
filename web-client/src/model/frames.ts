// Work that is done once, however often it is asked for: with the next frame, or (slow) when things have calmed down.

/** How long slow work waits, in milliseconds. */
const SLOW_MS = 1_500;

/** Named work that waits. */
export class Frames {
  readonly #frame: (run: () => void) => void;
  readonly #jobs = new Map<string, () => void>();
  readonly #slow = new Map<string, () => void>();
  #isAsked = false;
  #slowTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(frame: (run: () => void) => void) {
    this.#frame = frame;
  }

  /** With the next frame; a later ask of the same name takes its place. */
  add(name: string, job: () => void): void {
    this.#jobs.set(name, job);
    if (this.#isAsked) return;
    this.#isAsked = true;
    this.#frame(() => this.#run());
  }

  /** Now, if it waits. */
  runNow(name: string): void {
    const job = this.#jobs.get(name);
    this.#jobs.delete(name);
    job?.();
  }

  /** Some time soon. */
  addSlow(name: string, job: () => void): void {
    this.#slow.set(name, job);
    this.#slowTimer ??= setTimeout(() => this.runSlow(), SLOW_MS);
  }

  /** All slow work now: the page may go away. */
  runSlow(): void {
    clearTimeout(this.#slowTimer);
    this.#slowTimer = undefined;
    const jobs = [...this.#slow.values()];
    this.#slow.clear();
    for (const each of jobs) each();
  }

  /** Forgets all that waits. */
  clear(): void {
    this.#jobs.clear();
    this.#slow.clear();
    clearTimeout(this.#slowTimer);
    this.#slowTimer = undefined;
  }

  #run(): void {
    this.#isAsked = false;
    const jobs = [...this.#jobs.values()];
    this.#jobs.clear();
    for (const each of jobs) each();
  }
}
