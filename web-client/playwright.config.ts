import { defineConfig, devices } from '@playwright/test';
import { chromium } from './e2e/support/chromium';
import type { ServerOptions } from './e2e/support/people';

/** Screenshots are taken by hand: HUBBUB_SHOTS=folder npx playwright test shots. */
const shots = process.env['HUBBUB_SHOTS'] !== undefined;

export default defineConfig<object, ServerOptions>({
  testDir: 'e2e',
  testIgnore: shots ? [] : ['**/shots.spec.ts'],
  timeout: 60_000,
  expect: { timeout: 10_000 },
  forbidOnly: process.env['CI'] !== undefined,
  workers: 2,
  reporter: [['list']],
  projects: [
    { name: 'embedded', use: { mode: 'embedded' } },
    { name: 'cluster', use: { mode: 'cluster' }, testMatch: ['**/chat.spec.ts', '**/messages.spec.ts', '**/takeover.spec.ts'] },
  ],
  use: {
    ...devices['Desktop Chrome'],
    viewport: { width: 1280, height: 800 },
    locale: 'en-GB',
    timezoneId: 'Europe/Amsterdam',
    trace: 'retain-on-failure',
    screenshot: 'only-on-failure',
    launchOptions: chromium,
  },
});
