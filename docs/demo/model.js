// A model as its ONNX graphs (zoo/onnx.py), run by onnxruntime-web, one picture at a time.

import { Planes } from "./raster.js";
import { enlarged } from "./chroma.js";

export class Model {
  /**
   * @param ort the module onnxruntime-web
   * @param about what model.json says
   * @param graphs {denoiser, encoder}: Uint8Arrays; without an encoder for a model that has none
   */
  static async open(ort, about, graphs) {
    const model = new Model();
    Object.assign(model, { ort, about, size: about.spec.image_size, scale: about.chroma_scale });
    model.denoiser = await ort.InferenceSession.create(graphs.denoiser);
    model.encoder = graphs.encoder ? await ort.InferenceSession.create(graphs.encoder) : null;
    return model;
  }

  /** How many numbers of noise a picture L takes. */
  noiseOf(L) {
    return (2 * L.height * L.width) / this.scale ** 2;
  }

  /** What the encoder and the conditioner make of L (1, H, W). */
  async encode(L) {
    if (!this.encoder) return {};
    const seen = this.tensor(L.data, 1, L.height, L.width);
    const found = await run(this.encoder, { L: seen, view: seen });
    return Object.fromEntries(Object.entries(found).filter(([name]) => name.startsWith("context_")));
  }

  /**
   * ab (2, H, W) that the model expects: from noise alone, which tells nothing, it says the mean of all colourings.
   *
   * @param L (1, H, W), H and W multiples of the coarsest stride
   * @param noise as many numbers as `noiseOf` says
   */
  async expect(L, noise) {
    const [height, width] = [L.height / this.scale, L.width / this.scale];
    const { prediction } = await run(this.denoiser, {
      x: this.tensor(noise, 2, height, width),
      L: this.tensor(L.data, 1, L.height, L.width),
      t: new this.ort.Tensor("float32", Float32Array.of(1), [1]),
      hints: this.tensor(new Float32Array(3 * height * width), 3, height, width),
      ...(await this.encode(L)),
    });
    const sign = this.about.says === "v" ? -1 : 1; // where there is no signal, v is −x0
    const channel = (i) => (i < height * width ? 0 : 1);
    const { ab_mean: mean, ab_std: std } = this.about;
    const ab = (i) => sign * prediction.data[i] * 2 * std[channel(i)] + mean[channel(i)];
    return enlarged(new Planes(2, height, width).like(ab), L);
  }

  tensor(data, ...shape) {
    return new this.ort.Tensor("float32", data, [1, ...shape]);
  }
}

/** Outputs by name; inputs that the graph has no use for are not among its own. */
async function run(session, inputs) {
  return session.run(Object.fromEntries(session.inputNames.map((name) => [name, inputs[name]])));
}
