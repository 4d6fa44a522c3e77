// The models at work, so that the page stays awake. It has no connection: page.js gives it all that it needs.

import * as ort from "./runtime/ort.wasm.bundle.min.mjs";
import { Colorizer } from "./colorizer.js";
import { Model } from "./model.js";
import { Photo, paint } from "./photo.js";
import { Planes } from "./raster.js";

let colorizer;
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
    postMessage({ kind: "ready" });
  },

  async photo({ rgba, height, width, faces, number }) {
    photo = new Photo(rgba, height, width);
    known = null;
    const grey = paint(photo, new Planes(4, 1, 1));
    postMessage({ kind: "grey", rgba: grey, number }, [grey.buffer]);
    await requests.faces({ faces, number });
  },

  async faces({ faces, number }) {
    known = await colorizer.parts(photo, faces, known, async () => {
      postMessage({ kind: "step", number });
      await new Promise((resume) => setTimeout(resume)); // a newer request may have come
      if (number !== newest) throw new Outdated();
    });
    const rgba = colorizer.painted(photo, known);
    postMessage({ kind: "colored", rgba, number }, [rgba.buffer]);
  },
};
