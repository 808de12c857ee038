import { defineConfig, devices } from '@playwright/test';

const real = process.env.BRAID_URL;
const port = Number(process.env.MOCK_PORT ?? 4599);

export default defineConfig({
  testDir: 'tests',
  // A machine that builds beside the tests is slow, not wrong.
  timeout: 60_000,
  expect: { timeout: 10_000 },
  workers: 1,
  reporter: [['list']],
  outputDir: 'test-results',
  use: {
    ...devices['Desktop Chrome'],
    viewport: { width: 1440, height: 900 },
    launchOptions: {
      executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
      args: ['--no-sandbox', '--disable-dev-shm-usage', '--disable-gpu', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
    },
  },
  projects: [
    { name: 'shell', testDir: 'tests/shell', use: { baseURL: `http://127.0.0.1:${port}` } },
    { name: 'real', testDir: 'tests/real', use: { baseURL: real } },
  ],
  // The stand-in serves dist, so build before testing. The real server is started by whoever names it.
  webServer: { command: 'node tests/mock/server.mjs', url: `http://127.0.0.1:${port}/`, reuseExistingServer: true, env: { MOCK_PORT: String(port) } },
});
