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
    // The first that know `light-dark()`; spelled out for older ones it would be half of the styles.
    cssTarget: ['chrome123', 'edge123', 'firefox120', 'safari17.5'],
    sourcemap: false,
    modulePreload: { polyfill: false },
    rolldownOptions: {
      output: {
        // What every page needs is one file: small files are many requests, and pack badly.
        advancedChunks: {
          groups: [
            { name: 'base', test: /solid-js\/(dist|web)|preload-helper|src\/words\/index|src\/view\/(dom|chat|layers|route|preferences|time|failure|keys|App|parts\/(Icon|Person|Toasts|copy))\./ },
            { name: 'model', test: /src\/(model|wire)\/|solid-js\/store/ },
          ],
        },
      },
    },
  },
  test: {
    environment: 'happy-dom',
    include: ['src/**/*.test.{ts,tsx}'],
    testTimeout: 10_000,
    // No test keeps anything in a module, so one environment a worker is enough: it is most of the time otherwise.
    isolate: false,
  },
});
