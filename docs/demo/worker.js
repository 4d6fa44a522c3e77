// The models at work, so that the page stays awake. It has no connection: page.js gives it all that it needs.

import * as ort from "./runtime/ort.wasm.bundle.min.mjs";
import { Colorizer } from "./colorizer.js";
import { Detector, eyesOf } from "./detect.js";
import { Model } from "./model.js";
import { Photo, paint } from "./photo.js";
import { Planes } from "./raster.js";

let colorizer;
let detector;
let photo;
let known; // what the colourings of the photo consist of
let newest = 0; // the number of the last request: older ones are given up

onmessage = ({ data }) => {
  newest = data.number ?? newest;
  queue = queue.then(() => requests[data.kind](data)).catch((error) => {
    if (!(error instanceof Outdated)) postMessage({ kind: "error", text: String(error?.message ?? error) });
  });
};
let queue = Promise.resolve();

class Outdated extends Error {}

const requests = {
  async open({ about, graphs, wasm }) {
    ort.env.wasm.wasmBinary = wasm;
    ort.env.wasm.numThreads = 1; // more need headers that a plain server does not send
    ort.env.logLevel = "error";
    const [faces, around] = [
      await Model.open(ort, about.faces, graphs.faces),
      await Model.open(ort, about.around, graphs.around),
    ];
    colorizer = new Colorizer(faces, around, about.options);
    detector = await Detector.open(ort, graphs.detector, about.options.template);
    postMessage({ kind: "ready" });
  },

  async photo({ rgba, height, width, faces, number }) {
    photo = new Photo(rgba, height, width);
    known = null;
    const grey = paint(photo, new Planes(4, 1, 1));
    postMessage({ kind: "grey", rgba: grey, number }, [grey.buffer]);
    await requests.faces({ faces: faces ?? (await found(number)), number });
  },

  async faces({ faces, number }) {
    known = await colorizer.parts(photo, faces, known, () => step("Colouring …", number));
    const rgba = colorizer.painted(photo, known);
    postMessage({ kind: "colored", rgba, number }, [rgba.buffer]);
  },
};

/** The eyes of the faces in the photo. */
async function found(number) {
  await step("Looking for faces …", number);
  const squares = await detector.find(photo);
  const faces = squares.map((square) => eyesOf(square, detector.template));
  postMessage({ kind: "found", faces, number });
  return faces;
}

/** Says what comes next, unless a newer request has come. */
async function step(text, number) {
  postMessage({ kind: "step", text, number });
  await new Promise((resume) => setTimeout(resume));
  if (number !== newest) throw new Outdated();
}
