// Quality against cost, or against another score: a point for each cell, coloured by the first axis, shaped by the second.
// Pairs that differ in a number alone are joined, in its order.

const SHAPES = [
  "M-5,0a5,5 0 1,0 10,0a5,5 0 1,0 -10,0z", "M-4.5,-4.5h9v9h-9z", "M0,-6L5.5,4.5h-11z", "M0,-6.5L5.5,0L0,6.5L-5.5,0z",
  "M0,6L5.5,-4.5h-11z", "M-2,-6h4v4h4v4h-4v4h-4v-4h-4v-4h4z",
];
const COLOURS = 8;

function drawScatter(report, metric, cost) {
  const scored = report.cells.filter((cell) => cell.scores[metric.name] && cell.scores[metric.name].n);
  const points = scored.filter((cell) => (cost.score ? abscissa(cell, cost) !== undefined : cell.trains && (!cost.log || abscissa(cell, cost) > 0)));
  if (!points.length) {
    show("scatter-view");
    document.getElementById("scatter-remark").textContent = cost.score ? `No cell has both ${metric.name} and ${cost.label}.` : `No cell that trains has a value of ${metric.name}, and ${cost.label} above 0.`;
    return;
  }
  const frame = scatterFrame(report, metric, cost, scored, points);
  const inside = points.filter((cell) => frame.holds(cell.scores[metric.name].mean) && frame.reaches(abscissa(cell, cost)));
  const styles = scatterStyles(report);
  const marks = inside.map((cell) => scatterMark(cell, metric, cost, frame, styles));
  const label = `${metric.name} against ${cost.label}`;
  const chart = picture(frame.width, frame.height, label, ...frame.axes, ...frame.levels, ...scatterCurves(inside, metric, cost, frame, styles), ...marks, ...scatterLabels(inside, metric, cost, frame));
  show("scatter-view", scatterKey(inside, styles), chart);
  const outside = scored.filter((cell) => !frame.holds(cell.scores[metric.name].mean) || (points.includes(cell) && !inside.includes(cell)));
  const named = outside.map((cell) => `${cell.label} (${cell.scores[metric.name].text})`).join(", ");
  const bars = points.some((cell) => cell.scores[metric.name].sd) ? " Bars are ± one standard deviation over seeds." : "";
  const away = named ? ` Outside the picture: ${named}.` : "";
  document.getElementById("scatter-remark").textContent = `${metric.name}: ${metric.sense}.${bars}${away}`;
}

/** Where a cell lies along the axis: what it cost, or its other score; undefined where that is missing. */
function abscissa(cell, against) {
  if (!against.score) return cell.costs[against.name];
  const score = cell.scores[against.score];
  return score && score.n ? score.mean : undefined;
}

function scatterCurves(points, metric, cost, { x, y }, styles) {
  const pairs = points.filter((cell) => cell.pair), size = (place) => Number(place.slice(place.lastIndexOf("=") + 1) || NaN);
  const varies = (axis) => new Set(pairs.map((cell) => cell[axis])).size > 1 && pairs.every((cell) => !Number.isNaN(size(cell[axis])));
  const along = varies("col") ? "col" : "row", fixed = along === "col" ? "row" : "col";
  if (!varies(along)) return [];
  return [...new Set(pairs.map((cell) => cell[fixed]))].map((name) => {
    const curve = pairs.filter((cell) => cell[fixed] === name).sort((a, b) => size(a[along]) - size(b[along]));
    const places = curve.map((cell) => `${x(abscissa(cell, cost))},${y(cell.scores[metric.name].mean)}`).join(" ");
    return svg("polyline", { points: places, fill: "none", stroke: fixed === "row" ? styles.colour(name) : "var(--muted)", class: "curve" });
  });
}

function scatterFrame(report, metric, cost, scored, points) {
  const width = Math.min(Math.max(document.getElementById("scatter-view").clientWidth, 300), 900);
  const height = Math.round(Math.min(Math.max(width * 0.6, 320), 480)), edge = { left: 66, right: 16, top: 26, bottom: 48 };
  const ends = (cells) => cells.map((cell) => cell.scores[metric.name]).flatMap(({ mean, sd }) => [mean - (sd || 0), mean + (sd || 0)]);
  const isPair = (cell) => cell.pair;
  const [low, high] = widened(ends(scored.filter(isPair)), ends(scored.filter((cell) => !cell.pair)), 3);
  const costs = points.map((cell) => abscissa(cell, cost));
  const log = Boolean(cost.log) && Math.max(...costs) > 3 * Math.min(...costs);
  const places = (kind) => points.filter((cell) => cell.pair === kind).map((cell) => abscissa(cell, cost));
  const [left, right] = cost.score ? widened(places(true), places(false), 3) : bounds(costs, log);
  const x = scale(left, right, edge.left, width - edge.right, log);
  const reaches = (value) => value >= left && value <= right;
  const y = scale(low, high, height - edge.bottom, edge.top);
  const holds = (value) => value >= low && value <= high;
  const levels = scored.filter((cell) => !cost.score && !cell.trains && holds(cell.scores[metric.name].mean)).flatMap((cell) => {
    const at = y(cell.scores[metric.name].mean);
    return [
      line(edge.left, at, width - edge.right, at, { class: "axis", "stroke-dasharray": "6 4" }),
      svg("text", { x: width - edge.right, y: at - 4, "text-anchor": "end", class: "faint" }, cell.label),
    ];
  });
  const frame = { width, height, edge, x, y, holds, reaches, levels };
  return { ...frame, axes: scatterAxes(frame, metric, cost, log) };
}

function scatterAxes({ width, height, edge, x, y }, metric, cost, log) {
  const bottom = height - edge.bottom, better = { true: " ↑ better", false: " ↓ better", null: "" }[metric.higher_is_better];
  return [
    ...y.ticks.flatMap(([value, text]) => [
      line(edge.left, y(value), width - edge.right, y(value), { class: "grid" }),
      svg("text", { x: edge.left - 6, y: y(value) + 4, "text-anchor": "end", class: "tick" }, text),
    ]),
    ...x.ticks.flatMap(([value, text]) => [
      line(x(value), bottom, x(value), bottom + 5, { class: "axis" }),
      svg("text", { x: x(value), y: bottom + 18, "text-anchor": "middle", class: "tick" }, log ? text : short(value)),
    ]),
    line(edge.left, bottom, width - edge.right, bottom, { class: "axis" }),
    svg("text", { x: (edge.left + width - edge.right) / 2, y: height - 8, "text-anchor": "middle" }, cost.label + (log ? " (logarithmic)" : "") + (cost.score ? ({ true: ", higher is better", false: ", lower is better" }[cost.higher_is_better] || "") : "")),
    svg("text", { x: 4, y: 14 }, metric.name + better),
  ];
}

function scatterStyles(report) {
  const pick = (axis) => [...new Set(report.cells.filter((cell) => cell.pair || cell.trains).map((cell) => cell[axis]))];
  const [rows, cols] = [pick("row"), pick("col")];
  return {
    colour: (row) => (row === "" ? "var(--muted)" : `var(--c${rows.indexOf(row) % COLOURS})`),  // a baseline has no place there
    shape: (col) => (col === "" ? SHAPES[0] : SHAPES[cols.indexOf(col) % SHAPES.length]),
  };
}

function scatterMark(cell, metric, cost, { x, y }, styles) {
  const score = cell.scores[metric.name], at = [x(abscissa(cell, cost)), y(score.mean)], ink = styles.colour(cell.row);
  const told = `${cell.label}: ${metric.name} ${score.text} ${score.spread}; ${cost.label} ${short(abscissa(cell, cost))}`;
  const spread = score.sd ? line(at[0], y(score.mean - score.sd), at[0], y(score.mean + score.sd), { stroke: ink, opacity: 0.6 }) : null;
  const mark = { d: styles.shape(cell.col), transform: `translate(${at})`, stroke: ink, "stroke-width": 1.5, fill: cell.pair ? ink : "var(--paper)" };
  return svg("g", { class: "point" }, spread, svg("path", mark), svg("title", {}, told));
}

/** A label beside each point that has room for one. */
function scatterLabels(points, metric, cost, { width, edge, x, y }) {
  const taken = points.map((cell) => [x(abscissa(cell, cost)) - 6, y(cell.scores[metric.name].mean) - 6, 12, 12]);
  const free = ([l, t, w, h]) => l >= edge.left && l + w <= width && taken.every(([a, b, c, d]) => l > a + c || a > l + w || t > b + d || b > t + h);
  return points.flatMap((cell) => {
    const [px, py] = [x(abscissa(cell, cost)), y(cell.scores[metric.name].mean)], long = cell.label.length * 6.6;
    const corners = [[px + 9, py - 7], [px - 9 - long, py - 7], [px + 7, py - 20], [px + 7, py + 7], [px - long / 2, py - 21], [px - long / 2, py + 8]];
    const box = corners.map((corner) => [...corner, long, 13]).find(free);
    if (!box) return [];
    taken.push(box);
    return [svg("text", { x: box[0], y: box[1] + 11, class: "label" }, cell.label)];
  });
}

function scatterKey(points, styles) {
  const entry = (name, path, ink, filled = true) => {
    const mark = svg("path", { d: path, transform: "translate(8,8)", stroke: ink, "stroke-width": 1.5, fill: filled ? ink : "none" });
    return tag("span", {}, picture(16, 16, "", mark), " ", name);
  };
  const unique = (axis) => [...new Set(points.map((cell) => cell[axis]).filter((place) => place !== ""))];
  return tag("div", { class: "key" },
    ...unique("row").map((name) => entry(name, SHAPES[0], styles.colour(name))),
    ...unique("col").map((name) => entry(name, styles.shape(name), "var(--muted)")),
    points.some((cell) => !cell.pair) ? entry("hollow: a baseline", SHAPES[0], "var(--muted)", false) : null);
}
