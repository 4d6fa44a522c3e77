// Where the faces of a photo are (zoo/faces/detect.py), found by CenterFace.

import { Planes } from "./raster.js";
import { over, point, side, times } from "./square.js";

const LARGEST = 1024; // pixels of the longer side at which faces are looked for
const SMALLEST = 512; // and of the shorter side
const SCALES = [[1, 0], [0.25, 350]]; // of that size, and how high, at that size, a face must be to be looked for there
const BORDER = 0.2; // of the shorter side, around the photo
const LIKELY = 0.65; // of the scores
const [STRIDE, MULTIPLE] = [4, 32]; // of the network: pixels to a score, and what sides must be multiples of
const SAME = 0.5; // of the smaller of two boxes: if they share more, they are of one face
const [SQUARE, ABOVE, PROFILE, HALF] = [1.04, 0.08, 0.8, 0.4]; // see there

export class Detector {
  /**
   * @param ort the module onnxruntime-web
   * @param graph CenterFace as a Uint8Array
   * @param template (5) points in the ArcFace template's square: eyes, nose, corners of the mouth, left to right
   */
  static async open(ort, graph, template) {
    const detector = new Detector();
    return Object.assign(detector, { ort, template, session: await ort.InferenceSession.create(graph) });
  }

  /** The ArcFace template's square of each face of a `Photo`, {origin, edge} in its pixels, largest first. */
  async find(photo) {
    const { height, width } = photo;
    const scale = Math.min(Math.max(1, SMALLEST / Math.min(height, width)), LARGEST / Math.max(height, width));
    const found = [];
    for (const [factor, least] of SCALES) {
      const faces = await this.at(photo, scale * factor);
      found.push(...faces.filter(({ box }) => scale * (box[3] - box[1]) >= least));
    }
    found.sort((one, other) => other.score - one.score);
    const kept = [];
    for (const face of found) if (kept.every(({ box }) => shared(box, face.box) <= SAME)) kept.push(face);
    return kept.sort((one, other) => area(other.box) - area(one.box)).map((face) => squareFitting(face, this.template));
  }

  /** What may be faces when the photo is resized by `scale`, several to a face: {score, box, points} in its pixels. */
  async at(photo, scale) {
    const [height, width] = [photo.height, photo.width].map((length) => Math.max(1, Math.round(length * scale)));
    const border = Math.round(BORDER * Math.min(height, width));
    const seen = padded(photo.grey(height, width), border);
    const pixels = new Float32Array(3 * seen.data.length);
    for (const c of [0, 1, 2]) pixels.set(seen.data, c * seen.data.length);
    const input = new this.ort.Tensor("float32", pixels, [1, 3, seen.height, seen.width]);
    const maps = await this.session.run({ [this.session.inputNames[0]]: input });
    const [scores, sizes, offsets, points] = this.session.outputNames.map((name) => maps[name].data);
    const [rows, columns] = [seen.height / STRIDE, seen.width / STRIDE];
    const count = rows * columns;
    const own = ([x, y]) => [(x - border) / scale, (y - border) / scale];
    const faces = [];
    for (let i = 0; i < count; i++) {
      if (scores[i] <= LIKELY) continue;
      const [w, h] = [STRIDE * Math.exp(sizes[count + i]), STRIDE * Math.exp(sizes[i])]; // of height before width
      const x = STRIDE * (offsets[count + i] + (i % columns) + 0.5) - w / 2;
      const y = STRIDE * (offsets[i] + Math.floor(i / columns) + 0.5) - h / 2;
      const landmarks = [0, 1, 2, 3, 4].map((k) => [
        x + w * points[(2 * k + 1) * count + i],
        y + h * points[2 * k * count + i],
      ]);
      faces.push({ score: scores[i], box: [...own([x, y]), ...own([x + w, y + h])], points: landmarks.map(own) });
    }
    return faces;
  }
}

/** The template's square in which a face's points come closest to the template's; of a face in profile, the box's. */
export function squareFitting({ box: [left, top, right, bottom], points }, template) {
  const [p, q] = [points, template].map(centred);
  const products = q.of.map(([x, y], k) => times([x, -y], p.of[k]));
  const total = (numbers) => numbers.reduce((sum, number) => sum + number, 0);
  const squares = total(q.of.map(([x, y]) => x * x + y * y));
  const edge = over([0, 1].map((c) => total(products.map((each) => each[c]))), [squares, 0]);
  const [x, y] = times(edge, q.middle);
  const fit = { origin: [p.middle[0] - x, p.middle[1] - y], edge };
  const length = SQUARE * (bottom - top);
  if (side(fit) >= PROFILE * length) return fit;
  const [[one], [other], [nose]] = points;
  const column = nose > (one + other) / 2 ? right - HALF * length : left + HALF * length;
  const row = (top + bottom) / 2 - ABOVE * (bottom - top);
  return { origin: [column - length / 2, row - length / 2], edge: [length, 0] };
}

/** The two eyes of a face in the template's square, of which `squareOf` of square.js makes that square again. */
export function eyesOf(square, template) {
  return template.slice(0, 2).map((eye) => point(eye, square));
}

function centred(points) {
  const middle = [0, 1].map((c) => points.reduce((sum, at) => sum + at[c], 0) / points.length);
  return { middle, of: points.map(([x, y]) => [x - middle[0], y - middle[1]]) };
}

/** Planes (1, h, w) with a border, and what is missing to multiples of 32 below and at the right: the edge repeated. */
function padded(x, border) {
  const [height, width] = [x.height, x.width].map((length) => Math.ceil((length + 2 * border) / MULTIPLE) * MULTIPLE);
  const inside = (i, length) => Math.min(Math.max(i - border, 0), length - 1);
  return new Planes(1, height, width).like(
    (i) => x.data[inside(Math.floor(i / width), x.height) * x.width + inside(i % width, x.width)],
  );
}

function area([left, top, right, bottom]) {
  return (right - left) * (bottom - top);
}

/** Of the smaller of two boxes, the share that the other covers. */
function shared(a, b) {
  const [width, height] = [0, 1].map((c) => Math.max(0, Math.min(a[c + 2], b[c + 2]) - Math.max(a[c], b[c])));
  return (width * height) / Math.min(area(a), area(b));
}
