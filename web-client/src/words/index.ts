/**
 * The words of the client in each language. Keys are the same in both; `{…}` are filled, and a word with plural forms is
 * chosen by `n`.
 */
import { createSignal, type JSX } from 'solid-js';
import type { en } from './en';

/** A word, or its plural forms as `Intl.PluralRules` names them. */
export type Word = string | { readonly one?: string; readonly other: string };
export type Key = keyof typeof en;
export type Language = 'en' | 'zh';

type Holes<Text extends string> = Text extends `${string}{${infer Hole}}${infer Rest}` ? Hole | Holes<Rest> : never;
type HolesOf<W> = W extends string ? Holes<W> : W extends { readonly other: infer Other extends string } ? Holes<Other> : never;
/** What a key wants filled in; `n` is a number, which also chooses the plural form. */
export type Fills<K extends Key> = { [Hole in HolesOf<(typeof en)[K]>]: Hole extends 'n' ? number : string };
type Arguments<K extends Key> = [HolesOf<(typeof en)[K]>] extends [never] ? [] : [fills: Fills<K>];

const load: Record<Language, () => Promise<Record<Key, Word>>> = {
  en: async () => (await import('./en')).en,
  zh: async () => (await import('./zh')).zh,
};

interface Spoken {
  readonly language: Language;
  readonly words: Record<Key, Word>;
}
const [spoken, setSpoken] = createSignal<Spoken>();

/** The language of the words on the page. */
export const language = (): Language => spoken()?.language ?? 'en';

/** Changes the language of every word on the page, and of the page itself, once its words are loaded. */
export async function setLanguage(next: Language): Promise<void> {
  const words = await load[next]();
  document.documentElement.lang = next;
  setSpoken({ language: next, words });
}

/** Loads the words of the language that the page was opened in. */
export function loadWords(): Promise<void> {
  return setLanguage(document.documentElement.lang.startsWith('zh') ? 'zh' : 'en');
}

const plurals: Record<Language, Intl.PluralRules> = { en: new Intl.PluralRules('en'), zh: new Intl.PluralRules('zh') };

function formOf(key: Key, n: unknown): string {
  const word = spoken()?.words[key] ?? key;
  if (typeof word === 'string') return word;
  const chosen = typeof n === 'number' ? plurals[language()].select(n) : 'other';
  return chosen === 'one' && word.one !== undefined ? word.one : word.other;
}

const hole = /\{(\w+)\}/;

/** The words of `key`, filled. */
export function t<K extends Key>(key: K, ...[fills]: Arguments<K>): string {
  const filled = (fills ?? {}) as Record<string, string | number>;
  return formOf(key, filled['n'])
    .split(hole)
    .map((part, index) => (index % 2 === 0 ? part : shown(filled[part])))
    .join('');
}

/** The words of `key` with elements in its holes, such as a name that keeps its own direction. */
export function say<K extends Key>(key: K, fills: Record<HolesOf<(typeof en)[K]>, JSX.Element>): JSX.Element {
  const filled = fills as Record<string, JSX.Element>;
  return formOf(key, filled['n'])
    .split(hole)
    .map((part, index) => (index % 2 === 0 ? part : filled[part]));
}

/** Things in a row, as the language strings them: "a and b", "a、b和c". */
export function listOf(things: readonly string[]): string {
  return new Intl.ListFormat(language(), { type: 'conjunction' }).format(things);
}

function shown(value: string | number | undefined): string {
  return typeof value === 'number' ? value.toLocaleString(language()) : (value ?? '');
}
