import { defineConfig, devices } from '@playwright/test';

/** Screenshots are taken by hand: HUBBUB_SHOTS=folder npx playwright test shots. */
const shots = process.env['HUBBUB_SHOTS'] !== undefined;

export default defineConfig({
  testDir: 'e2e',
  testIgnore: shots ? [] : ['**/shots.spec.ts'],
  timeout: 60_000,
  expect: { timeout: 10_000 },
  forbidOnly: process.env['CI'] !== undefined,
  workers: 2,
  reporter: [['list']],
  use: {
    ...devices['Desktop Chrome'],
    viewport: { width: 1280, height: 800 },
    locale: 'en-GB',
    timezoneId: 'Europe/Amsterdam',
    trace: 'retain-on-failure',
    screenshot: 'only-on-failure',
    launchOptions: {
      executablePath: process.env['HUBBUB_CHROMIUM'] ?? '/usr/bin/chromium',
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
      ],
    },
  },
});
