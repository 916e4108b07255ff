// What stands inside a paragraph: bold, italic, struck, code, links, mentions. One pass; marks that find no partner
// are text.

/** A run of text inside a block. */
export type Inline =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'strong' | 'em' | 'strike'; readonly children: readonly Inline[] }
  | { readonly type: 'code'; readonly text: string }
  /** `href` is http, https or mailto; `bare` when the text is the address itself. */
  | { readonly type: 'link'; readonly href: string; readonly bare: boolean; readonly children: readonly Inline[] }
  /** `@username`, lower case, without the sign; `text` as it was written. */
  | { readonly type: 'mention'; readonly username: string; readonly text: string }
  | { readonly type: 'break' };

type Mark = '**' | '*' | '~~' | '[';

/** A mark that is open, and what came since. */
interface Frame {
  readonly mark: Mark | undefined;
  readonly children: Inline[];
}

const KINDS = { '**': 'strong', '*': 'em', '~~': 'strike' } as const;
const LONGEST_HREF = 2_048;
const ESCAPABLE = new Set('\\*`~[]@＠');
const WORD = /[A-Za-z0-9_]/u;
const SPACE = /\s/u;
/** Where an address in running text ends. */
const URL_END = /[\s<>"`，。、！？；：“”‘’（）【】《》「」]/u;
const URL_TRAIL = new Set('.,;:!?\'"*~]');
const URL_START = /https?:\/\//iuy;
const MENTION = /[@＠]([A-Za-z0-9_](?:[A-Za-z0-9._-]{0,30}[A-Za-z0-9_]))/uy;
const SCHEME = /^(?:https?:\/\/|mailto:)/iu;

/** Parses the text of a paragraph. */
export function parseInline(text: string): readonly Inline[] {
  return new Parser(text).parse();
}

class Parser {
  readonly #text: string;
  #at = 0;
  #plain = '';
  readonly #frames: Frame[] = [{ mark: undefined, children: [] }];
  /** Starts of runs of backticks by length, the nearest last. */
  readonly #ticks = new Map<number, number[]>();
  /** The nearest `)` and white space that were looked for, so that none is looked for twice. */
  readonly #found = { close: -1, space: -1 };

  constructor(text: string) {
    this.#text = text;
    for (const run of [...text.matchAll(/`+/gu)].toReversed()) {
      const starts = this.#ticks.get(run[0].length) ?? [];
      starts.push(run.index);
      this.#ticks.set(run[0].length, starts);
    }
  }

  parse(): readonly Inline[] {
    while (this.#at < this.#text.length) this.#step();
    this.#flush();
    while (this.#frames.length > 1) this.#giveUp();
    return this.#frames[0]?.children ?? [];
  }

  #step(): void {
    const char = this.#text[this.#at] ?? '';
    switch (char) {
      case '\n':
        return this.#push({ type: 'break' }, 1);
      case '\\':
        return this.#escape();
      case '`':
        return this.#code();
      case '*':
      case '~':
        return this.#marks(char);
      case '[':
        return this.#openLink();
      case ']':
        return this.#closeLink();
      case '@':
      case '＠':
        return this.#mention();
      case 'h':
      case 'H':
        return this.#address();
      default:
        return this.#literal(1);
    }
  }

  #literal(length: number): void {
    this.#plain += this.#text.slice(this.#at, this.#at + length);
    this.#at += length;
  }

  #push(inline: Inline, length: number): void {
    this.#flush();
    this.#top().children.push(inline);
    this.#at += length;
  }

  #flush(): void {
    if (this.#plain === '') return;
    const { children } = this.#top();
    const last = children.at(-1);
    if (last?.type === 'text') children[children.length - 1] = { type: 'text', text: last.text + this.#plain };
    else children.push({ type: 'text', text: this.#plain });
    this.#plain = '';
  }

  #top(): Frame {
    return this.#frames.at(-1) ?? { mark: undefined, children: [] };
  }

  #escape(): void {
    const next = this.#text[this.#at + 1];
    if (next === undefined || !ESCAPABLE.has(next)) return this.#literal(1);
    this.#at += 1;
    this.#literal(1);
  }

  #code(): void {
    const length = this.#run('`');
    const starts = this.#ticks.get(length) ?? [];
    while ((starts.at(-1) ?? Infinity) <= this.#at) starts.pop();
    const end = starts.at(-1);
    if (end === undefined) return this.#literal(length);
    const inner = this.#text.slice(this.#at + length, end).replaceAll('\n', ' ');
    const isPadded = inner.startsWith(' ') && inner.endsWith(' ') && inner.trim() !== '';
    this.#push({ type: 'code', text: isPadded ? inner.slice(1, -1) : inner }, end + length - this.#at);
  }

  #marks(char: '*' | '~'): void {
    const length = this.#run(char);
    if (char === '~' ? length !== 2 : length > 3) return this.#literal(length);
    const before = this.#text[this.#at - 1] ?? ' ';
    const after = this.#text[this.#at + length] ?? ' ';
    const canClose = !SPACE.test(before);
    const canOpen = !SPACE.test(after);
    let left = length;
    while (left > 0) {
      const mark = this.#nextMark(char, left, canClose);
      left -= mark.length;
      // A single star inside of a word is a multiplication or a file name.
      const isInside = mark === '*' && length === 1 && WORD.test(before) && WORD.test(after);
      const isOpen = this.#frames.some((frame) => frame.mark === mark);
      if (isOpen && canClose && !isInside) this.#close(mark);
      else if (!isOpen && canOpen && !isInside) this.#open(mark);
      else this.#literal(mark.length);
    }
  }

  /** Of `***` the mark that was opened last closes first. */
  #nextMark(char: '*' | '~', left: number, canClose: boolean): '**' | '*' | '~~' {
    if (char === '~') return '~~';
    if (left === 1) return '*';
    return left === 3 && canClose && this.#top().mark === '*' ? '*' : '**';
  }

  #open(mark: Mark): void {
    this.#flush();
    this.#frames.push({ mark, children: [] });
    this.#at += mark.length;
  }

  #close(mark: keyof typeof KINDS): void {
    this.#flush();
    while (this.#top().mark !== mark) this.#giveUp();
    const children = this.#frames.pop()?.children ?? [];
    if (children.length > 0) return this.#push({ type: KINDS[mark], children }, mark.length);
    this.#plain += mark;
    this.#literal(mark.length);
  }

  /** The innermost open mark has no partner: it is text, and what came since belongs to the frame around it. */
  #giveUp(): void {
    const frame = this.#frames.pop();
    if (!frame) return;
    this.#plain += frame.mark ?? '';
    for (const child of frame.children) {
      if (child.type === 'text') {
        this.#plain += child.text;
      } else {
        this.#flush();
        this.#top().children.push(child);
      }
    }
    this.#flush();
  }

  #openLink(): void {
    if (this.#frames.some((frame) => frame.mark === '[')) {
      // The inner one may be the link.
      this.#flush();
      while (this.#top().mark !== '[') this.#giveUp();
      this.#giveUp();
    }
    this.#open('[');
  }

  #closeLink(): void {
    const isOpen = this.#frames.some((frame) => frame.mark === '[');
    const target = isOpen ? this.#target(this.#at + 1) : undefined;
    if (!isOpen) return this.#literal(1);
    this.#flush();
    while (this.#top().mark !== '[') this.#giveUp();
    const { children } = this.#top();
    if (!target || children.length === 0) {
      this.#giveUp();
      return this.#literal(1);
    }
    this.#frames.pop();
    const inner = withoutLinks(children);
    this.#push({ type: 'link', href: target.href, bare: false, children: inner }, target.end - this.#at);
  }

  /** The `(address)` at a place, and where it ends. */
  #target(at: number): { href: string; end: number } | undefined {
    if (this.#text[at] !== '(') return undefined;
    const start = at + 1;
    let close = this.#nearest('close', start);
    if (close - start > LONGEST_HREF || close >= this.#text.length) return undefined;
    if (this.#nearest('space', start) < close) return undefined;
    // One pair of brackets may belong to the address.
    if (this.#text[close + 1] === ')' && this.#text.slice(start, close).includes('(')) close += 1;
    const href = safeHref(this.#text.slice(start, close));
    return href === undefined ? undefined : { href, end: close + 1 };
  }

  #nearest(what: 'close' | 'space', from: number): number {
    if (this.#found[what] >= from) return this.#found[what];
    let at = from;
    const isIt = (char: string): boolean => (what === 'close' ? char === ')' : SPACE.test(char));
    while (at < this.#text.length && !isIt(this.#text[at] ?? '')) at += 1;
    this.#found[what] = at;
    return at;
  }

  #mention(): void {
    const before = this.#text[this.#at - 1] ?? ' ';
    MENTION.lastIndex = this.#at;
    const found = WORD.test(before) ? null : MENTION.exec(this.#text);
    const name = found?.[1];
    if (!found || name === undefined) return this.#literal(1);
    this.#push({ type: 'mention', username: name.toLowerCase(), text: found[0] }, found[0].length);
  }

  #address(): void {
    const before = this.#text[this.#at - 1] ?? ' ';
    URL_START.lastIndex = this.#at;
    if (WORD.test(before) || !URL_START.test(this.#text)) return this.#literal(1);
    const isInLink = this.#frames.some((frame) => frame.mark === '[');
    const isEnd = (char: string): boolean => URL_END.test(char) || (isInLink && char === ']');
    let end = this.#at;
    while (end < this.#text.length && !isEnd(this.#text[end] ?? '')) end += 1;
    const whole = this.#text.slice(this.#at, end);
    const shown = whole.slice(0, trimmedLength(whole));
    const href = safeHref(shown);
    // What is no address is passed over as a whole, so that none of it is looked at twice.
    if (href === undefined) return this.#literal(whole.length);
    const children: Inline[] = [{ type: 'text', text: shown }];
    this.#push({ type: 'link', href, bare: true, children }, shown.length);
  }

  #run(char: string): number {
    let end = this.#at;
    while (this.#text[end] === char) end += 1;
    return end - this.#at;
  }
}

/** The address as a browser takes it, if it is of a scheme that opens a page or a letter. */
function safeHref(text: string): string | undefined {
  if (!SCHEME.test(text) || !URL.canParse(text)) return undefined;
  const url = new URL(text);
  return ['http:', 'https:', 'mailto:'].includes(url.protocol) ? url.href : undefined;
}

/** Without the punctuation of the sentence around an address. */
function trimmedLength(url: string): number {
  let end = url.length;
  let surplus = 0;
  for (const char of url) surplus += char === ')' ? 1 : char === '(' ? -1 : 0;
  for (; end > 0; end -= 1) {
    const last = url[end - 1] ?? '';
    if (last === ')' && surplus > 0) surplus -= 1;
    else if (!URL_TRAIL.has(last)) break;
  }
  return end;
}

function withoutLinks(children: readonly Inline[]): readonly Inline[] {
  return children.flatMap((child): readonly Inline[] => {
    if (child.type === 'link') return child.children;
    if ('children' in child) return [{ ...child, children: withoutLinks(child.children) }];
    return [child];
  });
}
