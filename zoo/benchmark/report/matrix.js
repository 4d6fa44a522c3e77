// The two axes, coloured by the score: brighter is better.

function drawMatrix(report, metric) {
  const pairs = report.cells.filter((cell) => cell.pair && metric.name in cell.scores);
  const valued = pairs.filter((cell) => cell.scores[metric.name].n);
  const means = valued.map((cell) => cell.scores[metric.name].mean);
  const [low, high] = [Math.min(...means), Math.max(...means)];
  const share = (mean) => {
    const place = high > low ? (mean - low) / (high - low) : 0.5;
    return metric.higher_is_better === false ? 1 - place : place;
  };
  show("matrix-view", matrixTable(pairs, metric, share));
  show("matrix-legend", ...(valued.length ? matrixLegend(metric, low, high) : []));
  document.getElementById("matrix-remark").textContent = matrixRemark(report, metric, valued, high - low);
}

function matrixTable(pairs, metric, share) {
  const cols = report.cols.filter((col) => pairs.some((cell) => cell.col === col));
  const rows = [...new Set(pairs.map((cell) => cell.row))];
  const head = tag("tr", {}, tag("td"), ...cols.map((col) => tag("th", { scope: "col" }, col)));
  const body = rows.map((row) => {
    const line = cols.map((col) => pairs.find((cell) => cell.row === row && cell.col === col));
    return tag("tr", {}, tag("th", { scope: "row" }, row), ...line.map((cell) => matrixCell(cell, metric, share)));
  });
  return tag("table", { class: "matrix" }, tag("thead", {}, head), tag("tbody", {}, ...body));
}

function matrixCell(cell, metric, share) {
  if (!cell) return tag("td", { class: "empty" }, tag("small", {}, "not run"));
  const score = cell.scores[metric.name];
  if (!score.n) return tag("td", { class: "empty", title: score.told }, "–");
  const { background, ink } = colour(share(score.mean));
  const text = score.best ? tag("strong", {}, `${score.text} ★`) : score.text;
  const node = tag("td", { title: `${cell.label}: ${score.told}` }, text, tag("small", {}, score.spread));
  node.style.backgroundColor = background;
  node.style.color = ink;
  return node;
}

function matrixLegend(metric, low, high) {
  const bar = tag("div", { class: "bar", role: "img", "aria-label": "colour scale" });
  bar.style.background = `linear-gradient(to right, ${CIVIDIS.join(", ")})`;
  const ends = (metric.higher_is_better === false ? [high, low] : [low, high]).map((value) => String(+value.toPrecision(4)));
  const words = metric.higher_is_better === null ? ["lowest", "highest"] : ["worst", "best"];
  return [bar, tag("div", { class: "ends" }, ...ends.map((end, i) => tag("span", {}, `${words[i]}: ${end}`)))];
}

function matrixRemark(report, metric, valued, span) {
  if (!valued.length) return `No pair has a value of ${metric.name}.`;
  const spreads = valued.map((cell) => cell.scores[metric.name].sd).filter((sd) => sd !== null).sort((a, b) => a - b);
  const typical = spreads[Math.floor(spreads.length / 2)];
  const noise = spreads.length ? `, the standard deviation over seeds is ${+typical.toPrecision(2)} (median of the cells)` : "";
  const others = report.cells.filter((cell) => !cell.pair && cell.scores[metric.name] && cell.scores[metric.name].n);
  const named = others.map((cell) => `${cell.label} ${cell.scores[metric.name].text}`);
  const baselines = named.length ? ` Baselines: ${named.join(", ")}.` : "";
  const apart = valued.length > 1 ? ` The pairs lie up to ${+span.toPrecision(2)} apart${noise}.` : "";
  return `${metric.name}: ${metric.sense}.${apart}${baselines}`;
}
