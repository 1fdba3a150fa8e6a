import { installScene } from './scenes.ts';

/** Installs the scripted main that the address names (`?scene=NAME&language=ko&theme=dark`), then starts the page. */
const query = new URLSearchParams(window.location.search);
installScene(query.get('scene') ?? '', {
  language: query.get('language') === 'ko' ? 'ko' : 'en',
  theme: query.get('theme') === 'dark' ? 'dark' : query.get('theme') === 'light' ? 'light' : 'system',
});
await import('../../../src/renderer/main.tsx');
