// Chroma at lower resolution, and back with lightness as its guide (zoo/color/upsample.py).

import { Planes, area, around, bicubic, scaled, across, down } from "./raster.js";

const EPS = 1e-2; // variance of L below which a window counts as flat

/** ab (2, h, w) at the size of L (1, H, W): the fast guided filter (He & Sun 2015), with what its fit missed added. */
export function enlarged(ab, L) {
  if (ab.height === L.height && ab.width === L.width) return ab;
  const fine = chromaOf(scaled(fitted(ab, L), bicubic, L.height, L.width), L);
  const missed = scaled(less(ab, scaled(fine, area, ab.height, ab.width)), bicubic, L.height, L.width);
  return fine.like((i) => fine.data[i] + missed.data[i]);
}

/** The same as slopes and offsets (4, h, w) of ab over L; enlarged, slope·L + offset is ab. */
export function chromaField(ab, L) {
  const [height, width] = [Math.min(ab.height, L.height), Math.min(ab.width, L.width)];
  const small = scaled(ab, area, height, width);
  const field = fitted(small, L);
  const fine = chromaOf(scaled(field, bicubic, L.height, L.width), L);
  const missed = less(small, scaled(fine, area, height, width));
  const half = missed.data.length;
  return field.like((i) => field.data[i] + (i < half ? 0 : missed.data[i - half]));
}

/** ab (2, H, W) of a field (4, H, W) over L (1, H, W). */
export function chromaOf(field, L) {
  const size = L.data.length;
  return new Planes(2, L.height, L.width).like((i) => field.data[i] * L.data[i % size] + field.data[i + 2 * size]);
}

/** Slopes and offsets (4, h, w) of ab over L in windows of 3×3 of ab's resolution. */
function fitted(ab, L) {
  const size = ab.height * ab.width;
  const guide = scaled(L, area, ab.height, ab.width).data;
  const windows = (x) => down(across(x, around(x.width, 1)), around(x.height, 1)).data;
  const meanL = windows(new Planes(1, ab.height, ab.width, guide));
  const squares = windows(new Planes(1, ab.height, ab.width).like((i) => guide[i] ** 2));
  const means = windows(ab);
  const products = windows(ab.like((i) => guide[i % size] * ab.data[i]));
  const slope = (i) => (products[i] - meanL[i % size] * means[i]) / (squares[i % size] - meanL[i % size] ** 2 + EPS);
  const offset = (i) => means[i] - slope(i) * meanL[i % size];
  return new Planes(4, ab.height, ab.width).like((i) => (i < 2 * size ? slope(i) : offset(i - 2 * size)));
}

function less(x, y) {
  return x.like((i) => x.data[i] - y.data[i]);
}
