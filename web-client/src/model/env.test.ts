// How a device introduces itself.

import { expect, test } from 'vitest';
import { memoryShelf } from '../wire/shelf';
import { deviceOf } from './env';

test('a device has a class, a name and an id that stays', () => {
  const shelf = memoryShelf(true);
  const firefox = deviceOf(shelf, 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0', 0);
  expect(firefox).toMatchObject({ class: 'desktop', name: 'Firefox, Linux' });
  const phone = deviceOf(shelf, 'Mozilla/5.0 (Linux; Android 15; Pixel) AppleWebKit/537.36 Chrome/140.0 Mobile Safari/537.36', 5);
  expect(phone).toMatchObject({ class: 'phone', name: 'Chrome, Android', id: firefox.id });
  const pad = deviceOf(shelf, 'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15) AppleWebKit/605 Version/18 Safari/605', 5);
  expect(pad).toMatchObject({ class: 'tablet', name: 'Safari, macOS' });
});
