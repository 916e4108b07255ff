import { describe, expect, test } from 'vitest';
import { cleanName, colourOf, initials } from './Person';

describe('names', () => {
  test('initials: the last two Han characters, else the first and the last word', () => {
    expect(initials('陈浩')).toBe('陈浩');
    expect(initials('欧阳陈思远（华东区运营）')).toBe('思远');
    expect(initials('林薇', true)).toBe('薇');
    expect(initials('Mara Jensen')).toBe('MJ');
    expect(initials('Maximiliane von Schwarzenberg')).toBe('MS');
    expect(initials('tom', true)).toBe('T');
    expect(initials('build-bot')).toBe('BB');
    expect(initials('🎉')).toBe('?');
  });

  test('what turns or hides text is not shown', () => {
    expect(cleanName('Ann\u202egnp.exe')).toBe('Anngnp.exe');
    expect(cleanName('  A\u200bn\nn ')).toBe('An n');
  });

  test('a colour is one of ten, and always the same', () => {
    expect(colourOf('01a2053c')).toBe(colourOf('01a2053c'));
    expect(colourOf('01a2053c')).toMatch(/^c([1-9]|10)$/);
  });
});
