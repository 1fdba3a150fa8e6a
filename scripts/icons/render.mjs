// @ts-check
import { encodePng } from './png.mjs';

/** @typedef {import('./drawings.mjs').Drawing} Drawing */
/** @typedef {import('./drawings.mjs').Shape} Shape */
/** @typedef {{ drawing: Drawing, colour: string }} Layer */

/**
 * Samples a pixel and side: 64 levels of cover at tray sizes; large pictures need fewer.
 * @param {number} size
 */
function samplesFor(size) {
  return size <= 64 ? 8 : 4;
}

/**
 * @param {readonly Layer[]} layers From the bottom up.
 * @param {number} size In pixels.
 * @returns {Buffer} A PNG with transparency.
 */
export function renderPng(layers, size) {
  const pixels = new Uint8Array(size * size * 4);
  for (const { drawing, colour } of layers) {
    const rgb = [1, 3, 5].map((at) => Number.parseInt(colour.slice(at, at + 2), 16));
    for (let y = 0; y < size; y += 1) {
      for (let x = 0; x < size; x += 1) {
        blend(pixels, (y * size + x) * 4, rgb, coverage(drawing, x, y, size));
      }
    }
  }
  return encodePng(size, pixels);
}

/**
 * @param {readonly Layer[]} layers
 * @returns {string} The same drawing as a standalone SVG.
 */
export function renderSvg(layers) {
  const grid = layers[0]?.drawing.grid ?? 16;
  const body = layers.map(({ drawing, colour }, index) => {
    const cuts = drawing.shapes.filter(isCut);
    const solid = drawing.shapes.filter((shape) => !isCut(shape));
    if (cuts.length === 0) return `<g fill="${colour}" stroke="${colour}">${solid.map(svgOf).join('')}</g>`;
    const mask = `<mask id="cut${index}"><g fill="#fff" stroke="#fff"><path stroke="none" d="M0 0h${grid}v${grid}H0z"/></g><g fill="#000" stroke="#000">${cuts.map(svgOf).join('')}</g></mask>`;
    return `${mask}<g mask="url(#cut${index})" fill="${colour}" stroke="${colour}">${solid.map(svgOf).join('')}</g>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${grid} ${grid}">${body.join('')}</svg>\n`;
}

/**
 * @param {Drawing} drawing
 * @param {number} x
 * @param {number} y
 * @param {number} size
 * @returns {number} From 0 to 1.
 */
function coverage(drawing, x, y, size) {
  const samples = samplesFor(size);
  const step = drawing.grid / (size * samples);
  let hits = 0;
  for (let sy = 0; sy < samples; sy += 1) {
    for (let sx = 0; sx < samples; sx += 1) {
      const px = (x * samples + sx + 0.5) * step;
      const py = (y * samples + sy + 0.5) * step;
      let inside = false;
      for (const shape of drawing.shapes) if (contains(shape, px, py)) inside = !isCut(shape);
      if (inside) hits += 1;
    }
  }
  return hits / (samples * samples);
}

/**
 * @param {Uint8Array} pixels
 * @param {number} at
 * @param {readonly number[]} rgb
 * @param {number} alpha
 */
function blend(pixels, at, rgb, alpha) {
  if (alpha === 0) return;
  const below = (pixels[at + 3] ?? 0) / 255;
  const total = alpha + below * (1 - alpha);
  for (const channel of [0, 1, 2]) {
    const mixed = (rgb[channel] ?? 0) * alpha + (pixels[at + channel] ?? 0) * below * (1 - alpha);
    pixels[at + channel] = Math.round(mixed / total);
  }
  pixels[at + 3] = Math.round(total * 255);
}

/** @param {Shape} shape */
function isCut(shape) {
  return 'cut' in shape && shape.cut === true;
}

/**
 * @param {Shape} shape
 * @param {number} x
 * @param {number} y
 * @returns {boolean}
 */
function contains(shape, x, y) {
  switch (shape.type) {
    case 'disc':
      return Math.hypot(x - shape.cx, y - shape.cy) <= shape.r;
    case 'half':
      return x <= shape.cx && Math.hypot(x - shape.cx, y - shape.cy) <= shape.r;
    case 'ring': {
      const distance = Math.hypot(x - shape.cx, y - shape.cy);
      if (distance > shape.r || distance < shape.r - shape.width) return false;
      if (shape.gap === undefined) return true;
      const angle = (Math.atan2(y - shape.cy, x - shape.cx) * 180) / Math.PI;
      return angle < shape.gap[0] || angle > shape.gap[1];
    }
    case 'line':
      return distanceToSegment(x, y, [shape.x1, shape.y1], [shape.x2, shape.y2]) <= shape.width / 2;
    case 'polygon':
      return isInPolygon(shape.points, x, y) || distanceToOutline(shape.points, x, y) <= shape.grow;
  }
}

/**
 * @param {readonly (readonly [number, number])[]} points
 * @param {number} x
 * @param {number} y
 */
function isInPolygon(points, x, y) {
  let inside = false;
  edges(points).forEach(([[ax, ay], [bx, by]]) => {
    if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) inside = !inside;
  });
  return inside;
}

/**
 * @param {readonly (readonly [number, number])[]} points
 * @param {number} x
 * @param {number} y
 */
function distanceToOutline(points, x, y) {
  return Math.min(...edges(points).map(([a, b]) => distanceToSegment(x, y, a, b)));
}

/**
 * @param {readonly (readonly [number, number])[]} points
 * @returns {(readonly [readonly [number, number], readonly [number, number]])[]}
 */
function edges(points) {
  return points.map((point, index) => [point, points[(index + 1) % points.length] ?? point]);
}

/**
 * @param {number} x
 * @param {number} y
 * @param {readonly [number, number]} a
 * @param {readonly [number, number]} b
 */
function distanceToSegment(x, y, [ax, ay], [bx, by]) {
  const length = (bx - ax) ** 2 + (by - ay) ** 2;
  const along = length === 0 ? 0 : ((x - ax) * (bx - ax) + (y - ay) * (by - ay)) / length;
  const t = Math.min(1, Math.max(0, along));
  return Math.hypot(x - ax - t * (bx - ax), y - ay - t * (by - ay));
}

/**
 * @param {Shape} shape
 * @returns {string}
 */
function svgOf(shape) {
  switch (shape.type) {
    case 'disc':
      return `<circle cx="${shape.cx}" cy="${shape.cy}" r="${shape.r}" stroke="none"/>`;
    case 'half':
      return `<path stroke="none" d="M${shape.cx} ${shape.cy - shape.r}a${shape.r} ${shape.r} 0 0 0 0 ${shape.r * 2}z"/>`;
    case 'ring': {
      const r = shape.r - shape.width / 2;
      if (shape.gap === undefined)
        return `<circle cx="${shape.cx}" cy="${shape.cy}" r="${r}" fill="none" stroke-width="${shape.width}"/>`;
      const [from, to] = shape.gap.map((degrees) => {
        const angle = (degrees * Math.PI) / 180;
        return `${(shape.cx + r * Math.cos(angle)).toFixed(3)} ${(shape.cy + r * Math.sin(angle)).toFixed(3)}`;
      });
      return `<path fill="none" stroke-width="${shape.width}" d="M${to}A${r} ${r} 0 1 1 ${from}"/>`;
    }
    case 'line':
      return `<line x1="${shape.x1}" y1="${shape.y1}" x2="${shape.x2}" y2="${shape.y2}" stroke-width="${shape.width}" stroke-linecap="round"/>`;
    case 'polygon':
      return `<polygon points="${shape.points.map((point) => point.join(',')).join(' ')}" stroke-width="${shape.grow * 2}" stroke-linejoin="round"/>`;
  }
}
