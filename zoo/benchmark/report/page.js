// What stands where, and what a choice changes.

const report = JSON.parse(document.getElementById("data").textContent);

function drawFor(name) {
  const metric = report.metrics.find((one) => one.name === name);
  for (const choice of document.querySelectorAll("select[data-metric]")) choice.value = name;
  drawMatrix(report, metric);
  if (name in report.differences) drawForest(report, metric);
  const chosen = document.getElementById("scatter-cost").value;
  drawScatter(report, metric, report.against.find((one) => one.name === chosen));
}

function start() {
  sortable(document.getElementById("table"));
  const columns = document.getElementById("all-columns");
  const everything = () => document.getElementById("table").classList.toggle("everything", columns.checked);
  columns.addEventListener("change", everything);
  everything();
  for (const choice of document.querySelectorAll("select[data-metric]")) {
    choice.append(...report.metrics.map((metric) => tag("option", { value: metric.name }, metric.name)));
    choice.addEventListener("change", () => drawFor(choice.value));
  }
  const costs = document.getElementById("scatter-cost");
  report.against = [...report.costs, ...report.metrics.map((metric) => ({ ...metric, label: metric.name, name: `score ${metric.name}`, score: metric.name }))];
  costs.append(...report.against.map((one) => tag("option", { value: one.name }, one.label)));
  const current = () => document.getElementById("scatter-metric").value;
  const redraw = () => drawFor(current());
  costs.addEventListener("change", redraw);
  drawFor(report.choice === null ? report.metrics[0].name : report.choice);
  if (document.getElementById("told-view")) drawTold(report);
  if (report.curves.length) drawCurves(report);
  window.addEventListener("resize", redraw);
}

start();
