// Differences to the baseline: a table of them, with point and interval drawn in each line.

const FOREST = { width: 340, narrow: 190, height: 30 };
const FOREST_COLUMNS = ["difference", "95 % interval", "p", "p (Holm)", "verdict", "seeds", "images"];

function drawForest(report, metric) {
  const found = report.differences[metric.name];
  const parts = found.parts.flatMap((part) => [
    tag("h3", {}, part.title, " ", tag("small", {}, `${metric.name}, ${metric.sense}`)),
    tag("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": part.title }, forestTable(part)),
    ...part.notes.map((note) => tag("p", { class: "note" }, note)),
  ]);
  show("forest-view", ...parts, tag("p", { class: "remark" }, found.remark));
}

function forestTable(part) {
  const ends = (lines) => lines.flatMap((line) => [line.low, line.high, line.value]).filter((x) => x !== null);
  const core = ends(part.lines.filter((line) => line.kind !== "baseline"));
  const others = ends(part.lines.filter((line) => line.kind === "baseline"));
  const [low, high] = widened([0, ...core], others, core.length ? 2 : Infinity);
  const width = document.documentElement.clientWidth < 640 ? FOREST.narrow : FOREST.width;
  const x = Object.assign(scale(low, high, 8, width - 8), { width });
  const head = ["cell", forestAxis(x), ...FOREST_COLUMNS].map((name) => tag("th", { scope: "col" }, name));
  const body = part.lines.map((line) => {
    const [name, ...texts] = line.texts;
    const cells = texts.map((text, i) => tag("td", { class: i === 4 && line.decided ? "decided" : null }, text));
    const kind = line.kind === "baseline" ? "baseline" : null;
    return tag("tr", { class: kind }, tag("th", { scope: "row" }, name), forestPlot(line, x), ...cells);
  });
  return tag("table", { class: "forest" }, tag("thead", {}, tag("tr", {}, ...head)), tag("tbody", {}, ...body));
}

function forestAxis(x) {
  const { height } = FOREST;
  const shown = x.width < FOREST.width ? ticks(x.low, x.high, 2) : x.ticks;
  const marks = shown.flatMap(([value, text]) => [
    svg("text", { x: x(value), y: height - 10, "text-anchor": "middle", class: "tick" }, text),
    line(x(value), height - 5, x(value), height, { class: "axis" }),
  ]);
  return picture(x.width, height, "axis of differences", ...marks);
}

/** A line of the plot; that at 0 is the cell's background, so that it goes on from line to line. */
function forestPlot(found, x) {
  const node = tag("td", {}, forestMark(found, x));
  node.style.backgroundPosition = `${x(0)}px 0`;
  return node;
}

function forestMark(found, x) {
  const { height } = FOREST, { width } = x, middle = height / 2;
  const label = `${found.texts[0]}: ${found.texts[1]}, ${found.texts[5]}`;
  if (found.value === null) return picture(width, height, label);
  const stroke = `var(--${found.decided === "different" ? "other" : found.decided || "muted"})`;
  const inside = (value) => Math.min(Math.max(x(value), 6), width - 6);
  const ends = found.low === null ? [] : [line(inside(found.low), middle, inside(found.high), middle, { stroke, "stroke-width": 2.5 })];
  const beyond = found.value < x.low ? -1 : found.value > x.high ? 1 : 0;
  const at = inside(found.value);
  const point = beyond
    ? svg("path", { d: `M${at - 4 * beyond},${middle - 6}l${9 * beyond},6l${-9 * beyond},6z`, fill: stroke })
    : svg("circle", { cx: at, cy: middle, r: 4.5, stroke, "stroke-width": 2, fill: found.decided ? stroke : "var(--paper)" });
  const title = svg("title", {}, beyond ? `${label}; beyond the axis` : label);
  return picture(width, height, label, ...ends, point, title);
}
