/** A message's text as elements. Nothing of it is ever read as HTML. */
import { createMemo, createSignal, For, Match, Show, Switch } from 'solid-js';
import { parseText, type Block, type Inline } from '../../model';
import { t } from '../../words';
import { Icon } from './Icon';
import { copyText } from './copy';

const codeLines = 12;
const textLines = 30;
const charsPerLine = 90;
const mostBigEmoji = 6;

function textOf(inlines: readonly Inline[]): string {
  return inlines.map((one) => ('children' in one ? textOf(one.children) : 'text' in one ? one.text : ' ')).join('');
}

function hostOf(address: string): string | undefined {
  try {
    return new URL(address).host;
  } catch {
    return undefined;
  }
}

/** The true host of a link whose text looks like another address. */
function hiddenHost(link: Extract<Inline, { type: 'link' }>): string | undefined {
  if (link.bare) return undefined;
  const text = textOf(link.children).trim();
  const looksLikeAddress = /^(https?:\/\/|www\.)|^[^\s/]+\.[a-z]{2,}(\/|$|:)/i.test(text);
  if (!looksLikeAddress) return undefined;
  const host = hostOf(link.href);
  const said = hostOf(/^https?:/i.test(text) ? text : `https://${text}`);
  return host !== undefined && host !== said ? host : undefined;
}

function Link(props: { link: Extract<Inline, { type: 'link' }>; me: string | undefined }) {
  const text = (): string => textOf(props.link.children);
  return (
    <>
      <a href={props.link.href} target="_blank" rel="noopener noreferrer" title={props.link.href} tabindex="-1">
        <Show when={props.link.bare} fallback={<Inlines inlines={props.link.children} me={props.me} />}>
          {text().replace(/^https:\/\//i, '')}
        </Show>
      </a>
      <Show when={hiddenHost(props.link)}>{(host) => ` (${host()})`}</Show>
    </>
  );
}

function Inlines(props: { inlines: readonly Inline[]; me: string | undefined }) {
  return (
    <For each={props.inlines}>
      {(one) => {
        switch (one.type) {
          case 'text':
            return one.text;
          case 'break':
            return <br />;
          case 'code':
            return <code>{one.text}</code>;
          case 'strong':
            return (
              <strong>
                <Inlines inlines={one.children} me={props.me} />
              </strong>
            );
          case 'em':
            return (
              <em>
                <Inlines inlines={one.children} me={props.me} />
              </em>
            );
          case 'strike':
            return (
              <s>
                <Inlines inlines={one.children} me={props.me} />
              </s>
            );
          case 'mention':
            return <span class={one.username === props.me ? 'at self' : 'at'}>{one.text}</span>;
          case 'link':
            return <Link link={one} me={props.me} />;
        }
      }}
    </For>
  );
}

function Code(props: { language: string; text: string }) {
  const [all, setAll] = createSignal(false);
  const lines = createMemo(() => props.text.split('\n').length);
  return (
    <figure class="code">
      <figcaption>
        {props.language || t('timeline.code')}
        <button type="button" class="ib" tabindex="-1" aria-label={t('timeline.copyCode')} onClick={() => void copyText(props.text)}>
          <Icon name="copy" small />
        </button>
      </figcaption>
      <pre tabindex="0" class={lines() > codeLines && !all() ? 'fold' : undefined}>
        {props.text}
      </pre>
      <Show when={lines() > codeLines && !all()}>
        <button type="button" class="btn sm quiet" tabindex="-1" onClick={() => setAll(true)}>
          {t('timeline.showAll')}
        </button>
      </Show>
    </figure>
  );
}

function Blocks(props: { blocks: readonly Block[]; me: string | undefined; edited?: string | undefined }) {
  const isLast = (block: Block): boolean => props.blocks.at(-1) === block;
  return (
    <For each={props.blocks}>
      {(block) => {
        switch (block.type) {
          case 'code':
            return <Code language={block.language} text={block.text} />;
          case 'quote':
            return (
              <blockquote class="qt">
                <Blocks blocks={block.children} me={props.me} />
              </blockquote>
            );
          case 'list':
            return <List list={block} me={props.me} />;
          case 'paragraph':
            return (
              <p class="tx" classList={{ big: isBig(block) && props.blocks.length === 1 }}>
                <Inlines inlines={block.children} me={props.me} />
                <Show when={props.edited !== undefined && isLast(block)}>
                  {' '}
                  <Edited title={props.edited ?? ''} />
                </Show>
              </p>
            );
        }
      }}
    </For>
  );
}

function List(props: { list: Extract<Block, { type: 'list' }>; me: string | undefined }) {
  const items = (
    <For each={props.list.items}>
      {(item) => (
        <li>
          <Blocks blocks={item} me={props.me} />
        </li>
      )}
    </For>
  );
  return (
    <Show when={props.list.ordered} fallback={<ul class="ls">{items}</ul>}>
      <ol class="ls" start={props.list.start}>
        {items}
      </ol>
    </Show>
  );
}

const graphemes = new Intl.Segmenter(undefined, { granularity: 'grapheme' });
const emoji = /^(\p{Extended_Pictographic}|\p{Regional_Indicator}|[#*0-9]\ufe0f)/u;

/** One to six emoji alone are drawn large. */
function isBig(block: Extract<Block, { type: 'paragraph' }>): boolean {
  const text = textOf(block.children).replace(/\s/g, '');
  if (text === '' || text.length > mostBigEmoji * 12 || /^[\x20-\x7e\u4e00-\u9fff]/u.test(text)) return false;
  const letters = [...graphemes.segment(text)];
  return letters.length <= mostBigEmoji && letters.every(({ segment }) => emoji.test(segment));
}

function Edited(props: { title: string }) {
  return (
    <span class="ed" title={props.title}>
      {t('timeline.edited')}
    </span>
  );
}

/** Han without kana: Chinese letter shapes, whatever the language of the page. */
function languageOf(text: string): string | undefined {
  return /\p{Script=Han}/u.test(text) && !/[\u3040-\u30ff]/.test(text) ? 'zh' : undefined;
}

export function RichText(props: { text: string; me: string | undefined; edited?: string | undefined }) {
  const blocks = createMemo(() => parseText(props.text));
  const [all, setAll] = createSignal(false);
  const isLong = createMemo(() => {
    let lines = 0;
    for (const line of props.text.split('\n')) lines += 1 + Math.floor(line.length / charsPerLine);
    return lines > textLines + 5 && blocks().every((block) => block.type !== 'code');
  });
  const endsInText = (): boolean => blocks().at(-1)?.type === 'paragraph';
  return (
    <>
      <div lang={languageOf(props.text)} class={isLong() && !all() ? 'fold tx-fold' : undefined}>
        <Blocks blocks={blocks()} me={props.me} edited={props.edited} />
      </div>
      <Switch>
        <Match when={isLong() && !all()}>
          <button type="button" class="lk" tabindex="-1" onClick={() => setAll(true)}>
            {t('timeline.showMore')}
          </button>
        </Match>
        <Match when={props.edited !== undefined && !endsInText()}>
          <Edited title={props.edited ?? ''} />
        </Match>
      </Switch>
    </>
  );
}
