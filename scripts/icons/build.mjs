// @ts-check
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { appColours, appGround, appMark, trayDrawings } from './drawings.mjs';
import { encodeIco } from './png.mjs';
import { renderPng, renderSvg } from './render.mjs';

// Writes every picture of assets/ anew from drawings.mjs: `node scripts/icons/build.mjs`.

const assetsDir = join(dirname(dirname(dirname(fileURLToPath(import.meta.url)))), 'assets');
const trayDir = join(assetsDir, 'tray');
mkdirSync(trayDir, { recursive: true });

/** Point sizes: macOS menu bar 16, Linux panels 22; `@2x` for dense screens. */
for (const [name, drawing] of Object.entries(trayDrawings)) {
  const template = [{ drawing, colour: '#000000' }];
  const forLightBar = [{ drawing, colour: '#1f1d1a' }];
  const forDarkBar = [{ drawing, colour: '#ffffff' }];
  // Linux does not say how dark its panel is: these colours keep 3:1 on white and on black.
  const forAnyBar = [{ drawing, colour: drawing.colour }];
  write(`tray/${name}.svg`, renderSvg(forAnyBar));
  write(`tray/${name}Template.png`, renderPng(template, 16));
  write(`tray/${name}Template@2x.png`, renderPng(template, 32));
  write(`tray/${name}-linux.png`, renderPng(forAnyBar, 22));
  write(`tray/${name}-linux@2x.png`, renderPng(forAnyBar, 44));
  write(`tray/${name}-light.ico`, icoOf(forLightBar, [16, 20, 24, 32, 48]));
  write(`tray/${name}-dark.ico`, icoOf(forDarkBar, [16, 20, 24, 32, 48]));
}

const app = [
  { drawing: appGround, colour: appColours.ground },
  { drawing: appMark, colour: appColours.mark },
];
write('icon.svg', renderSvg(app));
write('icon.png', renderPng(app, 1024));
write('icon-256.png', renderPng(app, 256));
write('icon.ico', icoOf(app, [16, 24, 32, 48, 64, 128, 256]));

/**
 * @param {readonly import('./render.mjs').Layer[]} layers
 * @param {readonly number[]} sizes
 */
function icoOf(layers, sizes) {
  return encodeIco(sizes.map((size) => ({ size, png: renderPng(layers, size) })));
}

/**
 * @param {string} path
 * @param {string | Buffer} content
 */
function write(path, content) {
  writeFileSync(join(assetsDir, path), content);
}
