// Training losses: a panel for each cell, with the others of its method behind.

const PANEL = { width: 260, height: 170, left: 42, right: 8, top: 8, bottom: 24 };

function drawCurves(report) {
  const methods = [...new Set(report.curves.map((curve) => curve.method))];
  const panels = methods.flatMap((method) => {
    const curves = report.curves.filter((curve) => curve.method === method);
    const [x, y] = curveScales(curves);
    return [...new Set(curves.map((curve) => curve.cell))].map((cell) => curvePanel(cell, curves, x, y));
  });
  show("curves-view", tag("div", { class: "panels" }, ...panels));
}

function curveScales(curves) {
  const points = curves.flatMap((curve) => curve.points), losses = points.map(([, loss]) => loss);
  const log = losses.every((loss) => loss > 0), { width, height, left, right, top, bottom } = PANEL;
  const most = points.reduce((last, [step]) => Math.max(last, step), 1);
  return [scale(0, most, left, width - right), scale(...bounds(losses, log), height - bottom, top, log)];
}

function curvePanel(cell, curves, x, y) {
  const { width, height, left, right, bottom } = PANEL, floor = height - bottom;
  const own = curves.filter((curve) => curve.cell === cell), others = curves.filter((curve) => curve.cell !== cell);
  const axes = [
    ...y.ticks.flatMap(([value, text]) => [
      line(left, y(value), width - right, y(value), { class: "grid" }),
      svg("text", { x: left - 5, y: y(value) + 4, "text-anchor": "end", class: "tick" }, text),
    ]),
    ...x.ticks.filter((_, i) => i % 2 === 0).map(([value]) =>
      svg("text", { x: x(value), y: height - 7, "text-anchor": "middle", class: "tick" }, short(value))),
    line(left, floor, width - right, floor, { class: "axis" }),
  ];
  const lines = [...others.map((curve) => curveLine(curve, x, y, "behind")), ...own.map((curve) => curveLine(curve, x, y, "seed"))];
  const seeds = own.map((curve) => curve.seed).join(", ");
  const caption = tag("figcaption", {}, tag("strong", {}, cell), ` seed${own.length > 1 ? "s" : ""} ${seeds}`);
  return tag("figure", {}, caption, picture(width, height, `Training loss of ${cell} against step`, ...axes, ...lines));
}

function curveLine(curve, x, y, kind) {
  const points = curve.points.map(([step, loss]) => `${x(step).toFixed(1)},${y(loss).toFixed(1)}`);
  const last = curve.points[curve.points.length - 1];
  const told = `${curve.cell}, seed ${curve.seed}: ${last[1]} at step ${last[0]}`;
  return svg("polyline", { class: kind, points: points.join(" ") }, svg("title", {}, told));
}
