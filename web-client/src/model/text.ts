// The small Markdown of messages: a pure parser from text to a tree, linear in the length of the text. There is no
// HTML: what looks like it is text.

import { parseInline, type Inline } from './inline';

export type { Inline } from './inline';

/** A block of a text. */
export type Block =
  | { readonly type: 'paragraph'; readonly children: readonly Inline[] }
  | { readonly type: 'code'; readonly language: string; readonly text: string }
  | { readonly type: 'quote'; readonly children: readonly Block[] }
  | {
      readonly type: 'list';
      readonly ordered: boolean;
      readonly start: number;
      readonly items: readonly (readonly Block[])[];
    };

/** Deeper quotes and lists are text: each level is one more pass over its lines. */
const DEEPEST = 6;

const FENCE = /^ {0,3}(`{3,})([^`]*)$/u;
const LANGUAGE = /^[A-Za-z0-9_+#.-]*$/u;
const QUOTE = /^ {0,3}>(?:[ \t]|(?=>)|$)/u;
const ITEM = /^( {0,3})(?:[-*+]|(\d{1,9})[.)])([ \t]+)(?=\S)/u;
const BLANK = /^[ \t]*$/u;

/** Parses a message's text. */
export function parseText(text: string): readonly Block[] {
  return blocks(text.split(/\r\n|\n|\r/u), 0);
}

/** The text without marks, in one line, for previews and readers. */
export function plainText(text: string): string {
  return blockText(parseText(text)).replace(/\s+/gu, ' ').trim();
}

/** Reads lines one by one. */
interface Reader {
  readonly lines: readonly string[];
  readonly depth: number;
  at: number;
}

function blocks(lines: readonly string[], depth: number): readonly Block[] {
  const reader: Reader = { lines, depth, at: 0 };
  const found: Block[] = [];
  while (reader.at < lines.length) {
    const line = lines[reader.at] ?? '';
    if (BLANK.test(line)) reader.at += 1;
    else if (fenceOf(line) && reader.at + 1 < lines.length) found.push(fence(reader));
    else if (depth < DEEPEST && QUOTE.test(line)) found.push(quote(reader));
    else if (depth < DEEPEST && ITEM.test(line)) found.push(list(reader));
    else found.push(paragraph(reader));
  }
  return found;
}

/** A fence that is not closed lasts to the end: it is still being written. */
function fence(reader: Reader): Block {
  const { ticks = 0, language = '' } = fenceOf(reader.lines[reader.at] ?? '') ?? {};
  const code: string[] = [];
  for (reader.at += 1; reader.at < reader.lines.length; reader.at += 1) {
    const line = reader.lines[reader.at] ?? '';
    const closing = fenceOf(line);
    if (closing && closing.ticks >= ticks && closing.language === '') {
      reader.at += 1;
      break;
    }
    code.push(line);
  }
  return { type: 'code', language, text: code.join('\n') };
}

/** A line that begins or ends a fence: backticks, then at most the name of a language. */
function fenceOf(line: string): { ticks: number; language: string } | undefined {
  const [, ticks, info = ''] = FENCE.exec(line) ?? [];
  const language = info.trim();
  return ticks === undefined || !LANGUAGE.test(language) ? undefined : { ticks: ticks.length, language };
}

function quote(reader: Reader): Block {
  const inner: string[] = [];
  for (; reader.at < reader.lines.length; reader.at += 1) {
    const line = reader.lines[reader.at] ?? '';
    if (!QUOTE.test(line)) break;
    inner.push(line.replace(QUOTE, ''));
  }
  return { type: 'quote', children: blocks(inner, reader.depth + 1) };
}

function list(reader: Reader): Block {
  const first = ITEM.exec(reader.lines[reader.at] ?? '');
  const ordered = first?.[2] !== undefined;
  const items: (readonly Block[])[] = [];
  while (reader.at < reader.lines.length) {
    const mark = ITEM.exec(reader.lines[reader.at] ?? '');
    if (!mark || (mark[2] !== undefined) !== ordered) break;
    items.push(blocks(item(reader, mark[0].length), reader.depth + 1));
  }
  return { type: 'list', ordered, start: Number(first?.[2] ?? 1), items };
}

/** The lines of one item: its own, and those after it that are indented by two or more. */
function item(reader: Reader, markLength: number): string[] {
  const inner = [(reader.lines[reader.at] ?? '').slice(markLength)];
  for (reader.at += 1; reader.at < reader.lines.length; reader.at += 1) {
    const line = reader.lines[reader.at] ?? '';
    const indent = /^ {2,}|^\t/u.exec(line)?.[0].length ?? 0;
    if (indent === 0) break;
    inner.push(line.slice(Math.min(indent, markLength)));
  }
  return inner;
}

function paragraph(reader: Reader): Block {
  const text: string[] = [];
  for (; reader.at < reader.lines.length; reader.at += 1) {
    const line = reader.lines[reader.at] ?? '';
    if (text.length > 0 && (BLANK.test(line) || startsBlock(line, reader.depth))) break;
    text.push(line);
  }
  return { type: 'paragraph', children: parseInline(text.join('\n')) };
}

/** Whether a line ends the paragraph before it. A number does only where a list would begin. */
function startsBlock(line: string, depth: number): boolean {
  if (fenceOf(line)) return true;
  if (depth >= DEEPEST) return false;
  const mark = ITEM.exec(line);
  return QUOTE.test(line) || (mark !== null && (mark[2] === undefined || mark[2] === '1'));
}

function blockText(found: readonly Block[]): string {
  return found
    .map((block) => {
      switch (block.type) {
        case 'paragraph':
          return inlineText(block.children);
        case 'code':
          return block.text;
        case 'quote':
          return blockText(block.children);
        default:
          return block.items.map(blockText).join(' ');
      }
    })
    .join(' ');
}

function inlineText(found: readonly Inline[]): string {
  return found
    .map((inline) => {
      if (inline.type === 'break') return ' ';
      return 'text' in inline ? inline.text : inlineText(inline.children);
    })
    .join('');
}
