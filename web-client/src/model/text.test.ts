// The small Markdown of messages.

import { describe, expect, test } from 'vitest';
import type { Inline } from './inline';
import { parseText, plainText, type Block } from './text';

/** A tree as a line: `b(…)` bold, `i(…)` italic, `s(…)` struck, `c(…)` code, `a[href](…)` link, `@name`, `⏎`. */
function line(inlines: readonly Inline[]): string {
  return inlines
    .map((one) => {
      switch (one.type) {
        case 'text':
          return one.text;
        case 'break':
          return '⏎';
        case 'code':
          return `c(${one.text})`;
        case 'mention':
          return `<@${one.username}>`;
        case 'link':
          return `a[${one.href}]${one.bare ? '' : `(${line(one.children)})`}`;
        default:
          return `${one.type[0] === 'e' ? 'i' : one.type === 'strong' ? 'b' : 's'}(${line(one.children)})`;
      }
    })
    .join('');
}

function show(blocks: readonly Block[]): string {
  return blocks
    .map((block) => {
      switch (block.type) {
        case 'paragraph':
          return line(block.children);
        case 'code':
          return `code:${block.language}{${block.text}}`;
        case 'quote':
          return `quote{${show(block.children)}}`;
        default:
          return `${block.ordered ? `ol${block.start}` : 'ul'}{${block.items.map(show).join('; ')}}`;
      }
    })
    .join(' | ');
}

test.each([
  ['plain', 'plain'],
  ['**bold** and *italic*', 'b(bold) and i(italic)'],
  ['***both***', 'b(i(both))'],
  ['**a *b* c**', 'b(a i(b) c)'],
  ['*a **b** c*', 'i(a b(b) c)'],
  ['**粗体，**后面', 'b(粗体，)后面'],
  ['中文*强调*中文', '中文i(强调)中文'],
  ['~~gone~~', 's(gone)'],
  ['2 * 3 * 4', '2 * 3 * 4'],
  ['5*3 and 4*2', '5*3 and 4*2'],
  ['snake_case_name', 'snake_case_name'],
  ['** not bold**', '** not bold**'],
  ['**open', '**open'],
  ['a **b *c', 'a **b *c'],
  ['*a **b* c', 'i(a **b) c'],
  ['****', '****'],
  ['\\*not\\* \\[x\\]', '*not* [x]'],
  ['C:\\new', 'C:\\new'],
])('marks: %s', (text, expected) => {
  expect(show(parseText(text))).toBe(expected);
});

test.each([
  ['`a*b*`', 'c(a*b*)'],
  ['``a ` b``', 'c(a ` b)'],
  ['` `a` `', 'c( )ac( )'],
  ['`open', '`open'],
  ['`` ` ``', 'c(`)'],
])('code: %s', (text, expected) => {
  expect(show(parseText(text))).toBe(expected);
});

test.each([
  ['https://a.example/x?y=1#z', 'a[https://a.example/x?y=1#z]'],
  ['see https://a.example.', 'see a[https://a.example/].'],
  ['(https://a.example/b_(c))', '(a[https://a.example/b_(c)])'],
  ['网址https://a.example，好', '网址a[https://a.example/]，好'],
  ['xhttps://a.example', 'xhttps://a.example'],
  ['[here](https://a.example/(b))', 'a[https://a.example/(b)](here)'],
  ['[**b** `c`](http://a.example)', 'a[http://a.example/](b(b) c(c))'],
  ['[write](mailto:ann@a.example)', 'a[mailto:ann@a.example](write)'],
  ['[x](javascript:alert(1))', '[x](javascript:alert(1))'],
  ['[x](data:text/html,1)', '[x](data:text/html,1)'],
  ['[x](vbscript:1) [y](//a.example)', '[x](vbscript:1) [y](//a.example)'],
  ['[x](https://a b)', '[x](a[https://a/] b)'],
  ['[https://a.example](https://b.example)', 'a[https://b.example/](https://a.example)'],
  ['[a [b](https://c.example)', '[a a[https://c.example/](b)'],
  ['[](https://c.example)', '[](a[https://c.example/])'],
  ['[not a link]', '[not a link]'],
  ['https://', 'https://'],
])('links: %s', (text, expected) => {
  expect(show(parseText(text))).toBe(expected);
});

test.each([
  ['@ann hello', '<@ann> hello'],
  ['hi @Bea.', 'hi <@bea>.'],
  ['＠ann', '<@ann>'],
  ['你好@ann', '你好<@ann>'],
  ['mail ann@a.example', 'mail ann@a.example'],
  ['@ and @a', '@ and @a'],
  ['**@ann**', 'b(<@ann>)'],
])('mentions: %s', (text, expected) => {
  expect(show(parseText(text))).toBe(expected);
});

test.each([
  ['one\ntwo\n\nthree', 'one⏎two | three'],
  ['```js\nlet a = `b`;\n\n**c**\n```\nafter', 'code:js{let a = `b`;\n\n**c**} | after'],
  ['```\nopen', 'code:{open}'],
  ['```last line', '```last line'],
  ['```not a language\nx', '```not a language⏎x'],
  ['````\n```\n````', 'code:{```}'],
  ['> said\n> **so**\nno', 'quote{said⏎b(so)} | no'],
  ['> > deep', 'quote{quote{deep}}'],
  ['>_<', '>_<'],
  ['- a\n- b\n  more\n- c', 'ul{a; b⏎more; c}'],
  ['* a\n* b', 'ul{a; b}'],
  ['3. c\n4. d', 'ol3{c; d}'],
  ['- a\n  - b\n- c', 'ul{a | ul{b}; c}'],
  ['text\n- a', 'text | ul{a}'],
  ['born in\n1984. That year', 'born in⏎1984. That year'],
  ['-5 degrees', '-5 degrees'],
  ['', ''],
  ['\n \n', ''],
])('blocks: %j', (text, expected) => {
  expect(show(parseText(text))).toBe(expected);
});

test('HTML is text', () => {
  const text = '<img src=x onerror=alert(1)> <script>1</script> &amp;';
  expect(show(parseText(text))).toBe(text);
});

test('the plain text is one line without marks', () => {
  expect(plainText('> **Hi** [you](https://a.example)\n- `x`\n- @ann')).toBe('Hi you x @ann');
});

function letters(value: string): string {
  return value.replaceAll(/[^x好]/gu, '');
}

describe('takes time in proportion to the length', () => {
  const evil: Record<string, string> = {
    stars: '*a ',
    doubles: '**a ',
    mixed: '*a **b ~~c ',
    brackets: '[',
    links: '[a](',
    closed: '](',
    badLinks: '[a](x:',
    ticks: '`',
    tickRuns: '` `` ``` ',
    urls: 'http://',
    badUrls: 'http://%%% ',
    badUrlRun: 'http://[',
    parens: 'https://a.example/((((',
    ats: '@a@',
    quotes: '> ',
    items: '- ',
    fences: '```\n',
    spaces: '   \n',
    backslashes: '\\',
  };
  test.each(Object.entries(evil))('%s', (_, unit) => {
    // 16 KiB is the longest message. A quadratic parser takes seconds for sixteen of them.
    const text = unit.repeat(Math.ceil((16 * 16_384) / unit.length));
    const began = performance.now();
    const blocks = parseText(text);
    const tookMs = performance.now() - began;
    expect(blocks).toBeDefined();
    expect(tookMs).toBeLessThan(2_000);
  });

  test('any text is parsed without a fault, and nothing but marks is lost', () => {
    let state = 5;
    const roll = (below: number): number => (state = (state * 48_271) % 2_147_483_647) % below;
    const parts = ['*', '**', '~~', '`', '``', '[', ']', '(', ')', '](', '@', 'ann', ' ', '\n', 'x', '好', '> ', '- ', '1. ', 'https://a.b', '\\'];
    for (let round = 0; round < 2_000; round += 1) {
      const text = Array.from({ length: roll(30) }, () => parts[roll(parts.length)]).join('');
      expect(letters(plainText(text)), text).toBe(letters(text));
    }
  });
});
