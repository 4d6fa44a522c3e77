"use strict";
// Elements. Text goes in as text, so labels are never read as markup.

const SVG = "http://www.w3.org/2000/svg";

function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined) node.setAttribute(name, value);
  }
  node.append(...children.filter((child) => child !== null));
  return node;
}

function tag(name, attributes = {}, ...children) {
  return fill(document.createElement(name), attributes, children);
}

function svg(name, attributes = {}, ...children) {
  return fill(document.createElementNS(SVG, name), attributes, children);
}

function picture(width, height, label, ...children) {
  const size = { width, height, viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": label };
  return svg("svg", size, ...children);
}

function line(x1, y1, x2, y2, attributes) {
  return svg("line", { x1, y1, x2, y2, ...attributes });
}

function show(id, ...children) {
  document.getElementById(id).replaceChildren(...children);
}
