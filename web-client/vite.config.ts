import solid from 'vite-plugin-solid';
import { defineConfig } from 'vitest/config';

/** A server started by hand; `HUBBUB_LISTEN` moves it. */
const server = `http://${process.env['HUBBUB_LISTEN'] ?? '127.0.0.1:8080'}`;

export default defineConfig({
  // Compiled components take Solid's runtime from a module of ours, which makes templates under Trusted Types.
  plugins: [solid({ solid: { moduleName: '/src/view/dom.ts' } })],
  server: {
    // The server compares Origin with Host, so both are its own here.
    proxy: { '/v1': { target: server, changeOrigin: true, ws: true, headers: { Origin: server } } },
  },
  build: {
    target: 'es2022',
    sourcemap: false,
    modulePreload: { polyfill: false },
  },
  test: {
    environment: 'happy-dom',
    include: ['src/**/*.test.{ts,tsx}'],
    testTimeout: 10_000,
    // No test keeps anything in a module, so one environment a worker is enough: it is most of the time otherwise.
    isolate: false,
  },
});
