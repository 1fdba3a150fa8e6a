import js from '@eslint/js';
import prettier from 'eslint-config-prettier';
import reactHooks from 'eslint-plugin-react-hooks';
import { defineConfig } from 'eslint/config';
import tseslint from 'typescript-eslint';

/** Import walls: one entry a layer, saying what it must not import and where that belongs instead. */
function wall(files, patterns) {
  return { files, rules: { 'no-restricted-imports': ['error', { patterns }] } };
}

const electronOnlyAtTheEdge = {
  group: ['electron', 'electron/*'],
  message: 'Only src/main/electron, src/main/index.ts and src/preload may import electron.',
};
const nothingOfMain = {
  group: ['**/main/**'],
  message: 'The renderer, the preload and shared know main only by src/shared/ipc-contract.ts.',
};
const nodeStaysInNode = {
  group: ['node:*', 'ssh2', 'ws', '**/node/**', '**/electron/**'],
  message: 'The core is pure: take a port from src/main/core/**/ports.ts and implement it in src/main/node.',
};

export default defineConfig(
  {
    ignores: [
      'node_modules/',
      'out/',
      'dist/',
      '.runtime/',
      'test-results/',
      'playwright-report/',
      'demo-output/',
    ],
  },
  js.configs.recommended,
  {
    files: ['**/*.ts', '**/*.tsx'],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: {
      parserOptions: {
        project: ['tsconfig.main.json', 'tsconfig.renderer.json', 'tsconfig.test.json'],
        tsconfigRootDir: import.meta.dirname,
      },
    },
    rules: {
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true, requireDefaultForNonUnion: true },
      ],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_' }],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
    },
  },
  {
    files: ['**/*.mjs', '**/*.js', 'scripts/**'],
    languageOptions: {
      globals: {
        process: 'readonly',
        console: 'readonly',
        setTimeout: 'readonly',
        clearTimeout: 'readonly',
        setInterval: 'readonly',
        clearInterval: 'readonly',
        URL: 'readonly',
        Buffer: 'readonly',
        AbortController: 'readonly',
        AbortSignal: 'readonly',
        fetch: 'readonly',
      },
    },
  },
  {
    files: ['src/renderer/**/*.tsx', 'src/renderer/**/*.ts'],
    plugins: { 'react-hooks': reactHooks },
    rules: { ...reactHooks.configs.recommended.rules },
  },
  wall(
    ['src/shared/**'],
    [electronOnlyAtTheEdge, nothingOfMain, nodeStaysInNode, { group: ['**/renderer/**'] }],
  ),
  wall(['src/renderer/**'], [electronOnlyAtTheEdge, nothingOfMain]),
  wall(['src/preload/**'], [nothingOfMain]),
  wall(['src/main/core/**'], [electronOnlyAtTheEdge, nodeStaysInNode]),
  wall(['src/main/app/**'], [electronOnlyAtTheEdge, { group: ['**/electron/**'] }]),
  wall(
    ['src/main/node/**', 'src/main/tunnel-process.ts'],
    [electronOnlyAtTheEdge, { group: ['**/electron/**'] }],
  ),
  {
    files: ['src/**'],
    ignores: ['src/main/electron/window-factory.ts'],
    rules: {
      'no-restricted-syntax': [
        'error',
        {
          selector: 'NewExpression[callee.name="BrowserWindow"]',
          message: 'Windows are made in src/main/electron/window-factory.ts, with their security settings.',
        },
        {
          selector:
            'CallExpression[callee.object.name="ipcMain"][callee.property.name=/^(on|once|handle|handleOnce)$/]',
          message:
            'Channels are registered by src/main/electron/ipc-server.ts, with sender and payload checks.',
        },
      ],
    },
  },
  {
    files: ['src/main/electron/ipc-server.ts'],
    rules: { 'no-restricted-syntax': 'off' },
  },
  prettier,
);
