// Colours photos with two models: one for faces and one for what lies around them (zoo/photos/colorizer.py).

import { evened } from "./even.js";
import { compose, paint } from "./photo.js";
import { normal } from "./noise.js";
import { fitted } from "./skin.js";
import { around, squareOf } from "./square.js";

export class Colorizer {
  /**
   * @param faces, around `Model`s
   * @param options {strength, template}: of the mean around faces; points of a face in the ArcFace template, eyes first
   * @param noise (count, photo, picture) → numbers; by default the photo's own
   */
  constructor(faces, around, options, noise = seeded) {
    Object.assign(this, { faces, around, options, noise });
  }

  /**
   * @param photo a `Photo`
   * @param faces of each its two eyes, [[x, y], [x, y]] in pixels of the photo
   * @param known what `parts` gave for this photo before, or null: what is in it is not done again
   * @returns {whole, faces, templates}: ab of all of it, of each face {square, ab}, and the ArcFace template's squares
   */
  async parts(photo, faces, known, onStep) {
    const templates = faces.map((eyes) => squareOf(eyes, this.options.template));
    const squares = templates.map((square) => around(square, this.faces.about.face_box));
    const apart = squares.filter((square) => !photo.filledBy(square));
    const filled = apart.length < squares.length;
    const whole = known?.filled === filled ? known.whole : await this.wholeOf(photo, filled, onStep);
    const found = [];
    for (const [i, square] of apart.entries()) {
      const before = known?.faces.find((face) => String(Object.values(face.square)) === String(Object.values(square)));
      const see = () => photo.through(square, this.faces.size);
      found.push(before ?? { square, ab: await this.expected(this.faces, photo, see(), i + 1, onStep) });
    }
    return { filled, whole, templates, faces: found };
  }

  /** ab of all of a photo: as a face, if one fills it, or as what lies around faces. */
  async wholeOf(photo, filled, onStep) {
    if (filled) return this.expected(this.faces, photo, photo.square(this.faces.size), 0, onStep);
    const { size, about } = this.around;
    const L = photo.whole({ size, stride: about.stride });
    const mean = evened(await this.expected(this.around, photo, L, 0, onStep), L);
    return mean.like((i) => this.options.strength * mean.data[i]);
  }

  /** The bytes of the coloured photo. */
  painted(photo, { whole, faces, templates }) {
    const placed = faces.map(({ square, ab }) => ({ square: photo.onCanvas(square), ab }));
    const field = compose(photo.canvas, whole, placed);
    return paint(photo, fitted(field, photo.canvas, templates.map((square) => photo.onCanvas(square))));
  }

  async expected(model, photo, L, picture, onStep) {
    await onStep();
    return model.expect(L, this.noise(model.noiseOf(L), photo, picture));
  }
}

function seeded(count, photo, picture) {
  return normal(photo.key + picture, count);
}
