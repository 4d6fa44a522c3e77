// sRGB and CIE Lab in the models' ranges (zoo/color): L is L*/50 − 1, a and b are a*, b* / 110; white point D65.

import { Planes } from "./raster.js";

export const AB_SCALE = 110;
export const LUMINANCE = [0.212671, 0.71516, 0.072169];
const D65 = [0.95047, 1.0, 1.08883];
const FROM_XYZ = [
  [3.240481, -1.537152, -0.498536],
  [-0.969255, 1.87599, 0.041556],
  [0.055647, -0.204041, 1.057311],
];
const X_IN = FROM_XYZ.map((row) => row[0] * D65[0]); // linear RGB = Y + X_IN·(X − Y) + Z_IN·(Z − Y)
const Z_IN = FROM_XYZ.map((row) => row[2] * D65[2]);
const DELTA = 6 / 29;
const TOLERANCE = 1e-4; // of linear RGB beyond [0, 1]
const HALVINGS = 14;
const LINEAR = Float64Array.from({ length: 256 }, (_, i) => {
  const value = i / 255;
  return value > 0.04045 ? ((value + 0.055) / 1.055) ** 2.4 : value / 12.92;
});

/** L of a pixel, of bytes. */
export function lightnessOf(red, green, blue) {
  const Y = LUMINANCE[0] * LINEAR[red] + LUMINANCE[1] * LINEAR[green] + LUMINANCE[2] * LINEAR[blue];
  const f = Y > DELTA ** 3 ? Math.cbrt(Y) : Y / (3 * DELTA ** 2) + 4 / 29;
  return (116 * f - 16) / 50 - 1;
}

/** L (1, H, W) of planes of bytes (3, H, W). */
export function lightness(rgb) {
  const [red, green, blue] = [0, 1, 2].map((c) => rgb.channel(c));
  return new Planes(1, rgb.height, rgb.width).like((i) => lightnessOf(red[i], green[i], blue[i]));
}

/**
 * Writes a colour as three bytes from `out[at]` on. It keeps L: what sRGB does not have loses chroma, never lightness
 * or hue, and green makes up for what rounding red and blue did to the luminance (zoo/color/gamut.py).
 */
export function write(out, at, L, a, b) {
  const f = (Math.min(Math.max(L, -1), 1) * 50 + 66) / 116;
  let rgb = linear(f, a, b);
  if (!inside(rgb)) {
    let scale = 0;
    for (let k = 1; k <= HALVINGS; k++) {
      const larger = scale + 0.5 ** k;
      if (inside(linear(f, larger * a, larger * b))) scale = larger;
    }
    rgb = linear(f, scale * a, scale * b);
  }
  const [red, blue] = [encoded(rgb[0]), encoded(rgb[2])];
  const missing = inverse(f) - LUMINANCE[0] * LINEAR[red] - LUMINANCE[2] * LINEAR[blue];
  out[at] = red;
  out[at + 1] = a === 0 && b === 0 ? red : encoded(missing / LUMINANCE[1]);
  out[at + 2] = blue;
}

function linear(f, a, b) {
  const Y = inverse(f);
  const X = inverse(f + (a * AB_SCALE) / 500) - Y;
  const Z = inverse(f - (b * AB_SCALE) / 200) - Y;
  return [Y + X_IN[0] * X + Z_IN[0] * Z, Y + X_IN[1] * X + Z_IN[1] * Z, Y + X_IN[2] * X + Z_IN[2] * Z];
}

function inverse(f) {
  return f > DELTA ? f * f * f : (f - 4 / 29) * (3 * DELTA ** 2);
}

function inside([red, green, blue]) {
  return Math.min(red, green, blue) >= -TOLERANCE && Math.max(red, green, blue) <= 1 + TOLERANCE;
}

/** Linear light → a byte of sRGB. */
function encoded(value) {
  const srgb = value > 0.0031308 ? 1.055 * value ** (1 / 2.4) - 0.055 : 12.92 * value;
  return Math.round(Math.min(Math.max(srgb, 0), 1) * 255);
}
