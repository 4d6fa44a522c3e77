// Planes of numbers, and how they are resampled: as Pillow and torch do it, one axis after the other.

/** Numbers in planes: `data` holds channels × height × width of them, row by row. */
export class Planes {
  constructor(channels, height, width, data = new Float32Array(channels * height * width)) {
    Object.assign(this, { channels, height, width, data });
  }

  /** Another one of this shape, each number made by `make(index)`. */
  like(make) {
    const out = new Planes(this.channels, this.height, this.width);
    for (let i = 0; i < out.data.length; i++) out.data[i] = make(i);
    return out;
  }

  channel(c) {
    const size = this.height * this.width;
    return this.data.subarray(c * size, (c + 1) * size);
  }
}

// How an axis is resampled: for each new place, `weights` of the old places from `start` on.

/** torch's "area": means of what a new place covers. */
export function area(length, size) {
  return places(size, (i) => mean(Math.floor((i * length) / size), Math.ceil(((i + 1) * length) / size)));
}

/** Means of blocks of `factor` places; the last one may be shorter. */
export function blocks(length, factor) {
  return places(Math.ceil(length / factor), (i) => mean(i * factor, Math.min((i + 1) * factor, length)));
}

/** Means of what lies within `reach`, as far as there is anything. */
export function around(length, reach) {
  return places(length, (i) => mean(Math.max(i - reach, 0), Math.min(i + reach + 1, length)));
}

/** torch's "bilinear", corners not aligned. */
export function bilinear(length, size) {
  return places(size, (i) => {
    const at = Math.min(Math.max(((i + 0.5) * length) / size - 0.5, 0), length - 1);
    const start = Math.min(Math.floor(at), Math.max(length - 2, 0));
    return { start, weights: length > 1 ? [1 - (at - start), at - start] : [1] };
  });
}

/** torch's "bicubic", corners not aligned. */
export function bicubic(length, size) {
  return places(size, (i) => {
    const at = ((i + 0.5) * length) / size - 0.5;
    const first = Math.floor(at) - 1;
    const [start, end] = [clamp(first, length), clamp(first + 3, length)];
    const weights = new Array(end - start + 1).fill(0);
    cubic(at - first - 1).forEach((weight, k) => (weights[clamp(first + k, length) - start] += weight));
    return { start, weights };
  });
}

/** Pillow's "bilinear": a triangle as wide as the shrinking asks; `extent` places of `length` are seen. */
export function triangle(length, size, extent) {
  const scale = extent / size;
  const reach = Math.max(scale, 1);
  return places(size, (i) => {
    const centre = (i + 0.5) * scale;
    const start = Math.max(Math.trunc(centre - reach + 0.5), 0);
    const end = Math.min(Math.trunc(centre + reach + 0.5), length);
    const raw = Array.from({ length: end - start }, (_, k) => Math.max(1 - Math.abs(start + k + 0.5 - centre) / reach, 0));
    const sum = raw.reduce((total, weight) => total + weight, 0);
    return { start, weights: raw.map((weight) => weight / sum) };
  });
}

/** Planes with another width. */
export function across(x, columns) {
  const out = new Planes(x.channels, x.height, columns.length);
  for (let row = 0; row < x.channels * x.height; row++) {
    columns.forEach(({ start, weights }, i) => {
      let sum = 0;
      for (let k = 0; k < weights.length; k++) sum += weights[k] * x.data[row * x.width + start + k];
      out.data[row * columns.length + i] = sum;
    });
  }
  return out;
}

/** Planes with another height. */
export function down(x, rows) {
  const out = new Planes(x.channels, rows.length, x.width);
  for (let c = 0; c < x.channels; c++) {
    rows.forEach((row, i) => combine(x, c, row, out.data.subarray((c * rows.length + i) * x.width)));
  }
  return out;
}

/** The weighted sum of rows of a channel, into `out`. */
export function combine(x, channel, { start, weights }, out) {
  for (let column = 0; column < x.width; column++) {
    let sum = 0;
    for (let k = 0; k < weights.length; k++) {
      sum += weights[k] * x.data[(channel * x.height + start + k) * x.width + column];
    }
    out[column] = sum;
  }
}

/** Planes at another size, by one of the ways above that take a length and a size. */
export function scaled(x, way, height, width) {
  if (x.height === height && x.width === width) return x;
  return down(across(x, way(x.width, width)), way(x.height, height));
}

/** torch's grid_sample at one point, in pixels, of one channel: bilinear, outside the edge is repeated. */
export function between(x, channel, column, row) {
  const [u, v] = [Math.min(Math.max(column, 0), x.width - 1), Math.min(Math.max(row, 0), x.height - 1)];
  const [left, top] = [Math.floor(u), Math.floor(v)];
  const [right, below] = [Math.min(left + 1, x.width - 1), Math.min(top + 1, x.height - 1)];
  const plane = x.channel(channel);
  const at = (i, j) => plane[i * x.width + j];
  const upper = at(top, left) * (1 - (u - left)) + at(top, right) * (u - left);
  const lower = at(below, left) * (1 - (u - left)) + at(below, right) * (u - left);
  return upper * (1 - (v - top)) + lower * (v - top);
}

/** The same, bicubic. */
export function smoothly(x, channel, column, row) {
  const [left, top] = [Math.floor(column), Math.floor(row)];
  const [horizontal, vertical] = [cubic(column - left), cubic(row - top)];
  const plane = x.channel(channel);
  let sum = 0;
  for (let i = 0; i < 4; i++) {
    const start = clamp(top - 1 + i, x.height) * x.width;
    for (let j = 0; j < 4; j++) sum += vertical[i] * horizontal[j] * plane[start + clamp(left - 1 + j, x.width)];
  }
  return sum;
}

/** Bytes are whole numbers. */
export function rounded(x) {
  for (let i = 0; i < x.data.length; i++) x.data[i] = Math.round(x.data[i]);
  return x;
}

/** 0 below 0, 1 above 1, smooth between. */
export function smooth(x) {
  const t = Math.min(Math.max(x, 0), 1);
  return t * t * (3 - 2 * t);
}

function places(size, make) {
  return Array.from({ length: size }, (_, i) => make(i));
}

function mean(start, end) {
  return { start, weights: new Array(end - start).fill(1 / (end - start)) };
}

function clamp(i, length) {
  return Math.min(Math.max(i, 0), length - 1);
}

/** Weights of the four places around a point (Keys 1981, a = −0.75). */
function cubic(t) {
  const a = -0.75;
  const near = (x) => ((a + 2) * x - (a + 3)) * x * x + 1;
  const far = (x) => ((a * x - 5 * a) * x + 8 * a) * x - 4 * a;
  return [far(t + 1), near(t), near(1 - t), far(2 - t)];
}
