// Chroma evened out where lightness is even (zoo/color/even.py).

import { area, scaled } from "./raster.js";
import { enlarged } from "./chroma.js";

const CELL = 4; // pixels a side: chroma is evened out at a quarter of L's resolution
const STEP = 0.02; // of L, between two pixels, at which hardly anything of a tie is left
const TIE = 10; // how much two cells on even ground are to agree, in units of how much each is to keep what it had
const ITERATIONS = 60; // of conjugate gradients

/** ab (2, H, W) in which blotches that no edge of L (1, H, W) bounds are spread over what lies around them. */
export function evened(ab, L) {
  const [rows, columns] = [L.height, L.width].map((side) => Math.floor(side / CELL));
  if (Math.min(rows, columns) < 2) return ab;
  const cells = scaled(ab, area, rows, columns);
  const fine = scaled(L, area, CELL * rows, CELL * columns);
  const tied = [
    { next: 1, ties: ties(fine, columns, 1, fine.width, (c) => c % columns < columns - 1) },
    { next: columns, ties: ties(fine, columns, fine.width, 1, (c) => c < (rows - 1) * columns) },
  ];
  const moved = cells.like(() => 0);
  for (const channel of [0, 1]) {
    const before = cells.channel(channel);
    const even = solved(before, tied);
    moved.channel(channel).forEach((_, c, out) => (out[c] = even[c] - before[c]));
  }
  const change = enlarged(moved, L);
  return ab.like((i) => ab.data[i] + change.data[i]);
}

/** Of each cell its tie to the next one, by the steepest step of L between them on the two lines in its middle. */
function ties(L, columns, along, beside, hasNext) {
  const cells = (L.height / CELL) * columns;
  return Float64Array.from({ length: cells }, (_, c) => {
    if (!hasNext(c)) return 0;
    const corner = CELL * (Math.floor(c / columns) * L.width + (c % columns));
    const steepest = [1, 2].map((line) => {
      const steps = [1, 2, 3, 4, 5].map((k) => corner + line * beside + k * along);
      return Math.max(...steps.map((at) => Math.abs(L.data[at + along] - L.data[at])));
    });
    return TIE * Math.exp(-(((steepest[0] + steepest[1]) / 2 / STEP) ** 2));
  });
}

/** u with u + Σ ties·(u − neighbour's u) = wanted, by conjugate gradients from u = wanted. */
function solved(wanted, tied) {
  const applied = (u) => {
    const out = Float64Array.from(u);
    for (const { next, ties } of tied) {
      ties.forEach((tie, c) => {
        if (!tie) return;
        const flow = tie * (u[c + next] - u[c]);
        out[c] -= flow;
        out[c + next] += flow;
      });
    }
    return out;
  };
  const u = Float64Array.from(wanted);
  const residual = applied(u).map((value, c) => wanted[c] - value);
  const direction = Float64Array.from(residual);
  let size = product(residual, residual);
  for (let k = 0; k < ITERATIONS; k++) {
    const turned = applied(direction);
    const length = size / Math.max(product(direction, turned), 1e-30);
    for (let c = 0; c < u.length; c++) {
      u[c] += length * direction[c];
      residual[c] -= length * turned[c];
    }
    const before = size;
    size = product(residual, residual);
    for (let c = 0; c < u.length; c++) direction[c] = residual[c] + (size / Math.max(before, 1e-30)) * direction[c];
  }
  return u;
}

function product(x, y) {
  return x.reduce((sum, value, c) => sum + value * y[c], 0);
}
