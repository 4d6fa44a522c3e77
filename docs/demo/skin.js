// Skin outside a face gets the face's tone, so that neck and ears fit it (zoo/photos/skin.py).

import { Planes, smooth } from "./raster.js";
import { chromaOf } from "./chroma.js";
import { AB_SCALE } from "./color.js";
import { place } from "./square.js";

const CENTRE = [0.5, 0.62]; // of a face's ellipse, in the square of the ArcFace template
const [ACROSS, DOWN] = [0.4, 0.5];
const HUE = [10, 85]; // degrees, of skin
const CHROMA = [5, 60]; // Lab units
const ALIKE = 6; // Lab units from a face's skin at which a place is skin to e^-½
const REACH = 6; // radii of a face's ellipse from its middle at which a place is of its body to e^-½

/**
 * A field (4, H, W) of slopes and offsets of ab over L (1, H, W), in which what is skin has the tone of the faces near.
 *
 * @param squares the ArcFace template's square of each face, {origin, edge} in pixels of L
 */
export function fitted(field, L, squares) {
  const size = L.data.length;
  const ab = chromaOf(field, L);
  const [face, body, near] = [1, 2, 3].map(() => new Float32Array(size));
  const tones = new Float32Array(2 * size);
  for (const square of squares) {
    const radius = radii(square, L.height, L.width);
    const tone = toneOf(ab, radius);
    if (!tone) continue;
    for (let i = 0; i < size; i++) {
      const off = (Math.hypot(ab.data[i] - tone[0], ab.data[i + size] - tone[1]) * AB_SCALE) / ALIKE;
      const nearness = Math.exp(-((radius[i] / REACH) ** 2) / 2);
      face[i] = Math.max(face[i], smooth((1.3 - radius[i]) / 0.6));
      body[i] = Math.max(body[i], Math.exp(-(off ** 2) / 2) * nearness);
      near[i] += nearness;
      tones[i] += nearness * tone[0];
      tones[i + size] += nearness * tone[1];
    }
  }
  return field.like((i) => {
    const k = i % size;
    const goal = i < 2 * size ? 0 : tones[i - 2 * size] / Math.max(near[k], 1e-6);
    return field.data[i] + body[k] * (1 - face[k]) * (goal - field.data[i]);
  });
}

/** How far each pixel is from the middle of a face: 1 on its ellipse. */
function radii(square, height, width) {
  return new Planes(1, height, width).like((i) => {
    const [u, v] = place([(i % width) + 0.5, Math.floor(i / width) + 0.5], square);
    return Math.hypot((u - CENTRE[0]) / ACROSS, (v - CENTRE[1]) / DOWN);
  }).data;
}

/** The median a and b inside a face; null if no skin has them. */
function toneOf(ab, radius) {
  const medians = [0, 1].map((c) => {
    const inside = ab.channel(c).filter((_, i) => radius[i] < 1).sort();
    return inside[(inside.length - 1) >> 1];
  });
  const [a, b] = medians.map((value) => value * AB_SCALE);
  const [hue, chroma] = [(Math.atan2(b, a) * 180) / Math.PI, Math.hypot(a, b)];
  return hue >= HUE[0] && hue <= HUE[1] && chroma >= CHROMA[0] && chroma <= CHROMA[1] ? medians : null;
}
