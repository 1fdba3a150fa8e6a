import react from '@vitejs/plugin-react';
import { defineConfig } from 'electron-vite';
import { relative, resolve } from 'node:path';
import type { Plugin } from 'vite';

const root = import.meta.dirname;

/**
 * Modules that ssh2 and ws try to load and do without: native bindings. They are built for one version of Node's ABI, so
 * none is shipped, and none is looked for at run time either.
 */
const NATIVE_MODULES = /^(?:cpu-features|bufferutil|utf-8-validate)$|\.node$/;

function withoutNativeModules(): Plugin {
  const prefix = '\0no-native-module:';
  return {
    name: 'gangway:without-native-modules',
    enforce: 'pre',
    // One for each that requires it: a module throws only the first time that it is required, and is empty after that.
    resolveId: (source, importer = '') =>
      NATIVE_MODULES.test(source) ? `${prefix}${source}:${relative(root, importer)}.cjs` : null,
    // Thrown while it is required: the requiring module catches it and goes on in JavaScript.
    load: (loaded) => (loaded.startsWith(prefix) ? "throw new Error('Native modules are left out');" : null),
  };
}

// Everything is bundled, so that the packaged app carries no node_modules and starts with few file reads.
export default defineConfig({
  main: {
    plugins: [withoutNativeModules()],
    build: {
      outDir: 'out/main',
      externalizeDeps: false,
      sourcemap: true,
      minify: false,
      rolldownOptions: {
        input: {
          index: resolve(root, 'src/main/index.ts'),
          'tunnel-process': resolve(root, 'src/main/tunnel-process.ts'),
        },
      },
    },
  },
  preload: {
    build: {
      outDir: 'out/preload',
      externalizeDeps: false,
      rolldownOptions: {
        input: { index: resolve(root, 'src/preload/index.ts') },
        output: { format: 'cjs', entryFileNames: '[name].cjs' },
      },
    },
  },
  renderer: {
    root: resolve(root, 'src/renderer'),
    plugins: [react()],
    build: {
      outDir: resolve(root, 'out/renderer'),
      // A data: address in a style sheet is refused by the content security policy's font-src.
      assetsInlineLimit: 0,
      minify: true,
      modulePreload: { polyfill: false },
      rolldownOptions: { input: { index: resolve(root, 'src/renderer/index.html') } },
    },
  },
});
