// A photo taken apart for the models, and put together again (zoo/faces/viewport.py, zoo/photos/scene.py, composite.py).

import {
  Planes, across, between, bicubic, bilinear, blocks, combine, down, rounded, scaled, smooth, smoothly, triangle,
} from "./raster.js";
import { chromaField } from "./chroma.js";
import { LUMINANCE, lightness, lightnessOf, write } from "./color.js";
import { bounds, corners, moved, place, point, side } from "./square.js";

const CANVAS = 1024; // pixels of the longer side, at most, at which colourings are put together
const LONGEST = 3; // of a photo's longer side as a model sees it, in units of its image size
const FEATHER = 0.25; // of the radius of the ellipse in a face's square: how far in its colours have faded in
const WHOLE = 0.2; // of the photo's side: corners of a face's square that are no farther off are the photo's own

/** A photo of bytes: `rgba` holds height × width × 4 of them. */
export class Photo {
  constructor(rgba, height, width) {
    Object.assign(this, { rgba, height, width });
    this.small = this.reduced(CANVAS);
    this.canvas = lightness(this.small);
  }

  /** The picture in which a model sees all of the photo: L (1, h, w), its sides multiples of the stride. */
  whole({ size, stride }) {
    const { height, width } = this.small;
    const scale = Math.min(size / Math.min(height, width), (LONGEST * size) / Math.max(height, width));
    const [rows, columns] = [height, width].map((length) => Math.max(1, even((length * scale) / stride)) * stride);
    return lightness(resized(this.small, rows, columns));
  }

  /** All of the photo as the square in which a model for faces sees one. */
  square(size) {
    const longer = Math.max(this.small.height, this.small.width);
    return lightness(resized(resized(this.small, longer, longer), size, size));
  }

  /** Grey (1, height, width) in 0..255, as the detector sees it. */
  grey(height, width) {
    const { data } = resized(this.small, height, width);
    const count = height * width;
    return rounded(new Planes(1, height, width).like((i) => LUMINANCE.reduce((sum, w, c) => sum + w * data[c * count + i], 0)));
  }

  /** L (1, size, size) of what is seen through a square of the photo. */
  through(square, size) {
    const factor = Math.max(1, Math.trunc(side(square) / size));
    const region = bounds(square, this.height, this.width, 2 * factor);
    const part = lightness(planes(this, region, factor));
    return look(part, moved(square, [-region.left, -region.top], 1 / factor), size);
  }

  /** Whether a square shows nearly what the whole photo does. */
  filledBy(square) {
    const own = corners({ origin: [0, 0], edge: [1, 0] }).map(([x, y]) => [x * this.width, y * this.height]);
    const off = corners(square).map(([x, y], i) => Math.hypot(x - own[i][0], y - own[i][1]));
    return Math.max(...off) <= WHOLE * Math.min(this.height, this.width);
  }

  /** A square of the photo in pixels of the canvas. */
  onCanvas(square) {
    const longer = ({ height, width }) => Math.max(height, width);
    return moved(square, [0, 0], longer(this.canvas) / longer(this));
  }

  /** The same for the same lightness: what seeds a photo's own noise (FNV-1a). */
  get key() {
    return this.canvas.data.reduce((hash, L) => Math.imul(hash ^ even(127.5 * (L + 1)), 16777619), 2166136261) >>> 0;
  }

  reduced(longest) {
    const scale = Math.min(longest / Math.max(this.height, this.width), 1);
    const size = [this.height, this.width].map((length) => Math.max(1, even(length * scale)));
    const all = { top: 0, left: 0, bottom: this.height, right: this.width };
    return resized(this, ...size, (factor) => planes(this, all, factor));
  }
}

/**
 * The field of chroma over lightness of a photo: slopes and offsets (4, H, W), so that slope·L + offset is ab.
 *
 * A face's colours fade out towards the edge of the ellipse in its square; where several meet they are averaged.
 *
 * @param L (1, H, W) of the canvas
 * @param whole ab (2, h, w) of all of it
 * @param faces of each {square, ab}: in pixels of L, (2, s, s)
 */
export function compose(L, whole, faces) {
  const field = scaled(chromaField(whole, L), bicubic, L.height, L.width);
  const [mixed, total] = [new Planes(4, L.height, L.width), new Planes(1, L.height, L.width)];
  for (const { square, ab } of faces) {
    const colors = chromaField(ab, look(L, square, Math.max(1, even(side(square)))));
    const { top, left, bottom, right } = bounds(square, L.height, L.width);
    for (let y = top; y < bottom; y++) {
      for (let x = left; x < right; x++) {
        const [u, v] = place([x + 0.5, y + 0.5], square);
        const weight = smooth((1 - Math.hypot(2 * u - 1, 2 * v - 1)) / FEATHER);
        if (!weight) continue;
        const i = y * L.width + x;
        total.data[i] += weight;
        for (let c = 0; c < 4; c++) {
          mixed.channel(c)[i] += weight * smoothly(colors, c, u * colors.width - 0.5, v * colors.height - 0.5);
        }
      }
    }
  }
  const size = L.data.length;
  return field.like((i) => {
    const share = total.data[i % size];
    return (mixed.data[i] + Math.max(1 - share, 0) * field.data[i]) / Math.max(share, 1);
  });
}

/** The photo with the chroma of a field (4, h, w) that covers it: bytes, red, green, blue, alpha. L is as it was. */
export function paint({ rgba, height, width }, field) {
  const out = new Uint8ClampedArray(rgba.length);
  const wide = across(field, bilinear(field.width, width));
  const row = [0, 1, 2, 3].map(() => new Float32Array(width));
  bilinear(field.height, height).forEach((rows, y) => {
    row.forEach((values, c) => combine(wide, c, rows, values));
    for (let x = 0; x < width; x++) {
      const at = 4 * (y * width + x);
      const L = lightnessOf(rgba[at], rgba[at + 1], rgba[at + 2]);
      write(out, at, L, row[0][x] * L + row[2][x], row[1][x] * L + row[3][x]);
      out[at + 3] = rgba[at + 3];
    }
  });
  return out;
}

/** Planes (3, H, W) of bytes at another size, antialiased; `shrink(factor)` makes them smaller by a whole factor. */
function resized(old, height, width, shrink = (factor) => shrunk(old, factor)) {
  const factor = Math.max(1, Math.min(Math.floor(old.height / (2 * height)), Math.floor(old.width / (2 * width))));
  const small = shrink(factor);
  const columns = triangle(small.width, width, old.width / factor);
  const rows = triangle(small.height, height, old.height / factor);
  return rounded(down(rounded(across(small, columns)), rows));
}

function shrunk(rgb, factor) {
  return factor === 1 ? rgb : rounded(down(across(rgb, blocks(rgb.width, factor)), blocks(rgb.height, factor)));
}

/** A part of a photo as planes (3, h, w) of bytes, averaged over blocks of `factor` pixels a side. */
function planes({ rgba, width }, { top, left, bottom, right }, factor) {
  const out = new Planes(3, Math.ceil((bottom - top) / factor), Math.ceil((right - left) / factor));
  const counts = new Planes(1, out.height, out.width);
  for (let y = top; y < bottom; y++) {
    const row = Math.floor((y - top) / factor) * out.width;
    for (let x = left; x < right; x++) {
      const i = row + Math.floor((x - left) / factor);
      counts.data[i]++;
      for (let c = 0; c < 3; c++) out.data[c * counts.data.length + i] += rgba[4 * (y * width + x) + c];
    }
  }
  return rounded(out.like((i) => out.data[i] / counts.data[i % counts.data.length]));
}

/** Planes (1, h, w) seen through a square of them, size × size: bilinear; outside, the edge is repeated. */
function look(x, square, size) {
  return new Planes(1, size, size).like((i) => {
    const [column, row] = point([((i % size) + 0.5) / size, (Math.floor(i / size) + 0.5) / size], square);
    return between(x, 0, column - 0.5, row - 0.5);
  });
}

/** Python's round: halves to the even neighbour. */
function even(x) {
  const below = Math.floor(x);
  return x - below === 0.5 ? below + (below % 2) : Math.round(x);
}
