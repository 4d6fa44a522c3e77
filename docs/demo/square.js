// Squares in a photo, which may be turned (zoo/faces/viewport.py): {origin, edge}, the upper left corner and the upper
// edge as points in pixels. Points are complex numbers, so a turn and a scale is one product.

export function times([a, b], [c, d]) {
  return [a * c - b * d, a * d + b * c];
}

export function over([a, b], [c, d]) {
  const squared = c * c + d * d;
  return [(a * c + b * d) / squared, (b * c - a * d) / squared];
}

/** Where a point of the photo is in a square: 0 to 1 is the inside. */
export function place([x, y], { origin, edge }) {
  return over([x - origin[0], y - origin[1]], edge);
}

/** The point of the photo at a place in a square. */
export function point(at, { origin, edge }) {
  const [x, y] = times(edge, at);
  return [origin[0] + x, origin[1] + y];
}

export function side({ edge }) {
  return Math.hypot(...edge);
}

/** The same square after the photo was moved, then scaled. */
export function moved({ origin, edge }, [x, y], factor) {
  return { origin: [(origin[0] + x) * factor, (origin[1] + y) * factor], edge: edge.map((e) => e * factor) };
}

/** Upper left, upper right, lower right, lower left. */
export function corners(square) {
  return [[0, 0], [1, 0], [1, 1], [0, 1]].map((at) => point(at, square));
}

/** Rows and columns that hold a square and a margin around it, as far as there are any; at least one of each. */
export function bounds(square, height, width, margin = 0) {
  const clipped = (values, length) => {
    const start = Math.min(Math.max(0, Math.floor(Math.min(...values)) - margin), length - 1);
    return [start, Math.min(Math.max(start + 1, Math.ceil(Math.max(...values)) + margin), length)];
  };
  const [left, right] = clipped(corners(square).map(([x]) => x), width);
  const [top, bottom] = clipped(corners(square).map(([, y]) => y), height);
  return { top, left, bottom, right };
}

/**
 * The ArcFace template's square of a face.
 *
 * @param eyes [[x, y], [x, y]] in pixels, in any order
 * @param template the eyes in that square, left to right, in fractions of it
 */
export function squareOf(eyes, template) {
  const [[p, q], [s, t]] = [[...eyes].sort((one, other) => one[0] - other[0]), template];
  const edge = over([q[0] - p[0], q[1] - p[1]], [t[0] - s[0], t[1] - s[1]]);
  const [x, y] = times(edge, s);
  return { origin: [p[0] - x, p[1] - y], edge };
}

/** The square in which training images show a face, of which the template's square is [x0, y0, side]; null: all. */
export function around(square, box) {
  if (!box) return square;
  const [x0, y0, length] = box;
  return { origin: point([-x0 / length, -y0 / length], square), edge: square.edge.map((e) => e / length) };
}
