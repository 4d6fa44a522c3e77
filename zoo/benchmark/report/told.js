// Scores against how many true colours a model is told: a panel for each metric, a line for each cell.

const TOLD = { width: 420, height: 260, left: 52, right: 12, top: 12, bottom: 40 };

function drawTold(report) {
  const named = report.metrics.map((metric) => ({ metric, parts: metric.name.match(/^(.+)@(\d+)$/) })).filter((one) => one.parts);
  const panels = [...new Set(named.map((one) => one.parts[1]))].map((name) => {
    const columns = named.filter((one) => one.parts[1] === name).map(({ metric, parts }) => ({ metric, count: Number(parts[2]) }));
    return toldPanel(report, name, columns.sort((a, b) => a.count - b.count));
  });
  const cells = report.cells.filter((cell) => named.some(({ metric }) => toldScore(cell, metric)));
  const entry = (cell) => {
    const mark = line(0, 8, 16, 8, { stroke: toldInk(report, cell), "stroke-width": 2 });
    return tag("span", {}, picture(16, 16, "", mark), " ", cell.label);
  };
  show("told-view", tag("div", { class: "key" }, ...cells.map(entry)), tag("div", { class: "panels" }, ...panels));
}

function toldScore(cell, metric) {
  const score = cell.scores[metric.name];
  return score && score.n ? score : null;
}

function toldInk(report, cell) {
  return `var(--c${report.cells.indexOf(cell) % COLOURS})`;
}

function toldPanel(report, name, columns) {
  const { width, height, left, right, top, bottom } = TOLD, floor = height - bottom;
  const lines = report.cells.map((cell) => ({
    cell,
    points: columns.map(({ metric, count }, i) => ({ i, count, score: toldScore(cell, metric) })).filter((point) => point.score),
  }));
  const means = lines.flatMap(({ points }) => points.map((point) => point.score.mean));
  const better = { true: " ↑ better", false: " ↓ better", null: "" }[columns[0].metric.higher_is_better];
  const caption = tag("figcaption", {}, tag("strong", {}, name), better);
  if (!means.length) return tag("figure", {}, caption, tag("p", { class: "remark" }, "No cell has a value."));
  const x = (i) => left + 14 + (i * (width - left - right - 28)) / Math.max(columns.length - 1, 1);
  const y = scale(...bounds(means), floor, top);
  const axes = [
    ...y.ticks.flatMap(([value, text]) => [
      line(left, y(value), width - right, y(value), { class: "grid" }),
      svg("text", { x: left - 5, y: y(value) + 4, "text-anchor": "end", class: "tick" }, text),
    ]),
    ...columns.map(({ count }, i) => svg("text", { x: x(i), y: floor + 16, "text-anchor": "middle", class: "tick" }, String(count))),
    line(left, floor, width - right, floor, { class: "axis" }),
    svg("text", { x: (left + width - right) / 2, y: height - 6, "text-anchor": "middle", class: "tick" }, "places told"),
  ];
  const marks = lines.filter(({ points }) => points.length).map(({ cell, points }) => toldLine(report, name, cell, points, x, y));
  return tag("figure", {}, caption, picture(width, height, `${name} against the number of places told`, ...axes, ...marks));
}

function toldLine(report, name, cell, points, x, y) {
  const ink = toldInk(report, cell), at = ({ i, score }) => [x(i), y(score.mean)];
  const path = svg("polyline", { points: points.map((point) => at(point).map((v) => v.toFixed(1))).join(" "), fill: "none", stroke: ink, "stroke-width": 2 });
  const dots = points.map((point) => {
    const told = `${cell.label}: ${name} ${point.score.text} ${point.score.spread} at ${point.count}`;
    const [cx, cy] = at(point);
    return svg("circle", { cx, cy, r: 3.5, fill: ink, class: "told" }, svg("title", {}, told));
  });
  return svg("g", {}, path, ...dots);
}
