import { describe, expect, test } from 'vitest';
import { measure } from './length';

describe('the length of a text', () => {
  test('is nothing to think about below nine tenths', () => {
    expect(measure('x'.repeat(900), 1000)).toEqual({ left: undefined, over: 0 });
  });

  test('tells what is left, in characters like those so far', () => {
    expect(measure('x'.repeat(950), 1000)).toEqual({ left: 50, over: 0 });
    expect(measure('中'.repeat(320), 1000)).toEqual({ left: 13, over: 0 });
  });

  test('tells what is too much, and never cuts a character', () => {
    expect(measure('x'.repeat(1004), 1000)).toEqual({ left: undefined, over: 4 });
    expect(measure('中'.repeat(334), 1000)).toEqual({ left: undefined, over: 1 });
    expect(measure('😀'.repeat(251), 1000)).toEqual({ left: undefined, over: 1 });
  });
});
