// Reads the tokens of tokens.css and prints the contrast of every pair that the client uses; exits 1 when one is too low.
// Run: node src/style/contrast.mjs
import { readFileSync } from 'node:fs';

const css = readFileSync(new URL('tokens.css', import.meta.url), 'utf8');
const tokens = { white: ['#ffffff', '#ffffff'] };
for (const [, name, light, dark] of css.matchAll(/--([\w-]+):\s*light-dark\((#\w{6}),\s*(#\w{6})\)/g)) tokens[name] = [light, dark];
for (const [, name, both] of css.matchAll(/--(av-\d+):\s*(#\w{6})/g)) tokens[name] = [both, both];

const channel = (value) => (value / 255 <= 0.04045 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4);
const weights = [0.2126, 0.7152, 0.0722];
const luminance = (hex) => weights.reduce((sum, weight, index) => sum + weight * channel(parseInt(hex.slice(1 + index * 2, 3 + index * 2), 16)), 0);
const ratio = (a, b) => {
  const [low, high] = [luminance(a), luminance(b)].toSorted((p, q) => p - q);
  return (high + 0.05) / (low + 0.05);
};

/** Least contrast of small text, of long text, and of shapes (WCAG 2.2 AA; AAA for what is read for long). */
const TEXT = 4.5;
const READ = 7;
const SHAPE = 3;

/** Background: the inks that stand on it, with their least contrast. */
const pairs = {
  surface: { ink: READ, 'ink-2': READ, 'ink-3': TEXT, 'accent-ink': TEXT, attention: TEXT, 'danger-ink': TEXT, danger: TEXT, 'attention-line': SHAPE, success: SHAPE, 'line-strong': SHAPE, focus: SHAPE },
  bg: { ink: READ, 'ink-2': TEXT, 'ink-3': TEXT, 'accent-ink': TEXT, attention: TEXT, success: SHAPE, 'line-strong': SHAPE, focus: SHAPE },
  'surface-2': { 'ink-2': TEXT, 'ink-3': TEXT, 'accent-ink': TEXT, attention: TEXT },
  'surface-3': { ink: READ, 'ink-2': TEXT, 'ink-3': TEXT },
  raised: { ink: READ, 'ink-2': TEXT, 'ink-3': TEXT, 'danger-ink': TEXT, 'line-strong': SHAPE },
  thumb: { ink: READ },
  accent: { 'on-accent': TEXT },
  'accent-hover': { 'on-accent': TEXT },
  'accent-soft': { 'accent-soft-ink': READ, 'ink-2': TEXT, success: SHAPE, focus: SHAPE },
  attention: { 'on-attention': TEXT },
  'attention-soft': { ink: READ, 'ink-3': TEXT, 'accent-ink': TEXT, 'attention-line': SHAPE, focus: SHAPE },
  'warning-soft': { 'warning-ink': READ },
  danger: { 'on-danger': TEXT },
  'danger-soft': { ink: READ, 'ink-3': TEXT, 'accent-ink': TEXT, 'danger-ink': TEXT, danger: SHAPE, focus: SHAPE },
  'success-soft': { 'success-ink': TEXT },
  ...Object.fromEntries(Array.from({ length: 10 }, (_, index) => [`av-${index + 1}`, { white: TEXT }])),
};

let count = 0;
let low = 0;
for (const [background, inks] of Object.entries(pairs)) {
  for (const [ink, least] of Object.entries(inks)) {
    const [light, dark] = [0, 1].map((theme) => ratio(tokens[ink][theme], tokens[background][theme]));
    const isLow = light < least || dark < least;
    count += 1;
    low += Number(isLow);
    console.log(`${isLow ? 'LOW' : 'ok '} ${`${ink} on ${background}`.padEnd(34)} ${light.toFixed(2).padStart(6)} ${dark.toFixed(2).padStart(6)}  ≥ ${least}`);
  }
}
console.error(`${count} pairs, ${low} too low`);
process.exit(low ? 1 : 0);
