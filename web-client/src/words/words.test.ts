import { describe, expect, test } from 'vitest';
import { en } from './en';
import { zh } from './zh';
import { setLanguage, t, type Word } from './index';

const keys = Object.keys(en).toSorted();
const holes = (word: Word): string[] => {
  const text = typeof word === 'string' ? word : word.other;
  return [...text.matchAll(/\{(\w+)\}/g)].map(([, hole]) => hole ?? '').toSorted();
};

const sources = import.meta.glob<string>('../view/**/*.{ts,tsx}', { query: '?raw', import: 'default', eager: true });

describe('the words', () => {
  test('both languages have every key', () => {
    expect(Object.keys(zh).toSorted()).toEqual(keys);
  });

  test('the same holes are filled in both', () => {
    for (const key of keys) expect([key, holes(zh[key as keyof typeof zh])]).toEqual([key, holes(en[key as keyof typeof en])]);
  });

  test('no key is unused', () => {
    const code = Object.values(sources).join('\n');
    // Keys that are put together, such as `error.${reason}`, are used by their beginning.
    const composed = [...code.matchAll(/t\(`([\w.]+)\$\{/g)].map(([, start]) => start ?? '');
    const unused = keys.filter((key) => !code.includes(`'${key}'`) && !composed.some((start) => key.startsWith(start)));
    expect(unused).toEqual([]);
  });

  test('Chinese has full-width punctuation, English no exclamation marks', () => {
    for (const [key, word] of Object.entries(zh)) {
      const text = typeof word === 'string' ? word : word.other;
      expect([key, /[\u4e00-\u9fff][,;:?!]/.test(text)]).toEqual([key, false]);
    }
    for (const [key, word] of Object.entries(en)) expect([key, JSON.stringify(word).includes('!')]).toEqual([key, false]);
  });

  test('a number chooses the plural form', async () => {
    await setLanguage('en');
    expect([0, 1, 2].map((n) => t('room.members', { n }))).toEqual(['0 members', '1 member', '2 members']);
    await setLanguage('zh');
    expect([1, 2].map((n) => t('room.members', { n }))).toEqual(['1 位成员', '2 位成员']);
    await setLanguage('en');
    expect(t('composer.left', { n: 1234 })).toBe('1,234 characters left');
  });
});
