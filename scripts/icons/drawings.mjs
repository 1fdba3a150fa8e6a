// @ts-check

/**
 * The pictures of the app as shapes on a grid. The mark is two points joined by one line: the left point is this
 * computer, the sign on the right says how the connection is. Each sign has a shape of its own, so that it is told
 * apart at 16 px and without colour.
 *
 * @typedef {{ type: 'disc', cx: number, cy: number, r: number, cut?: boolean }} Disc
 * @typedef {{ type: 'ring', cx: number, cy: number, r: number, width: number, gap?: readonly [number, number] }} Ring
 *   `r` is the outer radius; `gap` in degrees, clockwise from three o'clock.
 * @typedef {{ type: 'half', cx: number, cy: number, r: number }} Half The left half of a disc.
 * @typedef {{ type: 'line', x1: number, y1: number, x2: number, y2: number, width: number, cut?: boolean }} Line Round ends.
 * @typedef {{ type: 'polygon', points: readonly (readonly [number, number])[], grow: number }} Polygon `grow` rounds the corners.
 * @typedef {Disc | Ring | Half | Line | Polygon} Shape Shapes with `cut` take away what is below them.
 * @typedef {{ grid: number, shapes: readonly Shape[] }} Drawing
 */

/** @type {Disc} */
const shore = { type: 'disc', cx: 2.4, cy: 8, r: 1.9 };
const sign = { cx: 10.9, cy: 8, r: 4.6 };

/** @type {Readonly<Record<string, Drawing & { colour: string }>>} */
export const trayDrawings = {
  connected: {
    grid: 16,
    colour: '#12857f',
    shapes: [shore, { type: 'line', x1: 2.4, y1: 8, x2: 10, y2: 8, width: 2 }, { type: 'disc', ...sign }],
  },
  connecting: {
    grid: 16,
    colour: '#12857f',
    shapes: [shore, { type: 'ring', ...sign, width: 1.5 }, { type: 'half', ...sign }],
  },
  waiting: {
    grid: 16,
    colour: '#a46a00',
    shapes: [
      shore,
      { type: 'ring', ...sign, width: 1.9, gap: [-95, -5] },
      { type: 'disc', cx: sign.cx, cy: sign.cy, r: 1.3 },
    ],
  },
  attention: {
    grid: 16,
    colour: '#c83f3a',
    shapes: [
      { type: 'disc', cx: 1.9, cy: 8, r: 1.7 },
      {
        type: 'polygon',
        points: [
          [10.2, 3.4],
          [14.9, 12.4],
          [5.5, 12.4],
        ],
        grow: 0.9,
      },
      { type: 'line', x1: 10.2, y1: 6.2, x2: 10.2, y2: 8.9, width: 1.5, cut: true },
      { type: 'disc', cx: 10.2, cy: 11.2, r: 0.9, cut: true },
    ],
  },
  paused: {
    grid: 16,
    colour: '#767676',
    shapes: [
      shore,
      { type: 'line', x1: 8.6, y1: 4.8, x2: 8.6, y2: 11.2, width: 2.6 },
      { type: 'line', x1: 13, y1: 4.8, x2: 13, y2: 11.2, width: 2.6 },
    ],
  },
  offline: {
    grid: 16,
    colour: '#767676',
    shapes: [
      { type: 'ring', cx: 2.4, cy: 8, r: 1.9, width: 1.1 },
      { type: 'ring', ...sign, width: 1.5 },
    ],
  },
};

/** @type {Drawing} */
export const appMark = {
  grid: 64,
  shapes: [
    { type: 'disc', cx: 17, cy: 40, r: 7 },
    { type: 'line', x1: 17, y1: 40, x2: 46, y2: 25, width: 6 },
    { type: 'disc', cx: 46, cy: 25, r: 11 },
  ],
};

/** @type {Drawing} */
export const appGround = {
  grid: 64,
  shapes: [
    {
      type: 'polygon',
      points: [
        [16, 16],
        [48, 16],
        [48, 48],
        [16, 48],
      ],
      grow: 12,
    },
  ],
};

export const appColours = { ground: '#0b6663', mark: '#ffffff' };
