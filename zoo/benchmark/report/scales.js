// From values to pixels and colours.

const CIVIDIS = ["#00224e", "#123570", "#3b496c", "#575d6d", "#707173", "#8a8678", "#a59c74", "#c3b369", "#e1cc55", "#fee838"];

/** From [low, high] to pixels [from, to]. */
function scale(low, high, from, to, log = false) {
  const of = log ? Math.log : (x) => x;
  const place = (x) => from + ((of(x) - of(low)) / (of(high) - of(low))) * (to - from);
  return Object.assign(place, { low, high, ticks: log ? logTicks(low, high) : ticks(low, high) });
}

/** Bounds of values with some air around them; a single value gets room of its own. */
function bounds(values, log = false) {
  const of = log ? Math.log : (x) => x, back = log ? Math.exp : (x) => x;
  const low = Math.min(...values.map(of)), high = Math.max(...values.map(of));
  const air = (high - low) * 0.08 || Math.abs(high) * 0.05 || 1;
  return [back(low - air), back(high + air)];
}

/** Bounds of the core values and of those others that do not squeeze the core together. */
function widened(core, others, most = 2) {
  let [low, high] = bounds(core.length ? core : others);
  const span = high - low;
  for (const value of [...others].sort((a, b) => Math.abs(a - low) - Math.abs(b - low))) {
    const [l, h] = [Math.min(low, value - span * 0.05), Math.max(high, value + span * 0.05)];
    if (h - l <= most * span) [low, high] = [l, h];
  }
  return [low, high];
}

function ticks(low, high, wanted = 5) {
  const rough = (high - low) / wanted, power = 10 ** Math.floor(Math.log10(rough));
  const step = power * [1, 2, 5, 10].find((factor) => factor * power >= rough);
  const places = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  const found = [];
  for (let i = Math.ceil(low / step); i * step <= high; i++) found.push([i * step, (i * step).toFixed(places)]);
  return found;
}

function logTicks(low, high) {
  for (const factors of [[1], [1, 3], [1, 2, 5], [1, 1.5, 2, 3, 4, 5, 7]]) {
    const found = [];
    for (let power = Math.floor(Math.log10(low)); power <= Math.log10(high); power++) {
      found.push(...factors.map((factor) => factor * 10 ** power).filter((value) => value >= low && value <= high));
    }
    if (found.length > 2) return found.map((value) => [value, short(value)]);
  }
  return ticks(low, high, 4);
}

function short(value) {
  if (value >= 1e6) return `${+(value / 1e6).toPrecision(3)} M`;
  if (value >= 1e4) return `${+(value / 1e3).toPrecision(3)} k`;
  return String(+value.toPrecision(3));
}

/** Colour of a share from 0 to 1, and whether black or white reads better on it. */
function colour(share) {
  const place = Math.min(Math.max(share, 0), 1) * (CIVIDIS.length - 1), i = Math.min(Math.floor(place), CIVIDIS.length - 2);
  const rgb = [1, 3, 5].map((at) => {
    const [one, two] = [CIVIDIS[i], CIVIDIS[i + 1]].map((hex) => parseInt(hex.slice(at, at + 2), 16));
    return Math.round(one + (place - i) * (two - one));
  });
  return { background: `rgb(${rgb.join(", ")})`, ink: luminance(rgb) > 0.179 ? "#000" : "#fff" };
}

function luminance(rgb) {
  const [r, g, b] = rgb.map((c) => (c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}
