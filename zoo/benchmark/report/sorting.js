// Tables that a click on a header sorts; the same header again turns the order round. Holes stay last.

function sortable(table) {
  const rows = [...table.tBodies[0].rows];
  for (const head of table.tHead.rows[0].cells) {
    head.querySelector("button").addEventListener("click", () => sortBy(table, rows, head));
  }
}

function sortBy(table, rows, head) {
  const turned = { ascending: "descending", descending: "ascending" };
  const order = turned[head.getAttribute("aria-sort")] || head.dataset.first || "ascending";
  for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
  head.setAttribute("aria-sort", order);
  const sign = order === "ascending" ? 1 : -1;
  const value = (row) => parseFloat(row.cells[head.cellIndex].dataset.value);
  const compare = (one, two) => {
    const [x, y] = [value(one), value(two)];
    if (isNaN(x) || isNaN(y)) return isNaN(x) - isNaN(y);
    return sign * (x - y);
  };
  table.tBodies[0].append(...[...rows].sort(compare));
}
