// A picture to try the page with, painted here.

/** Where the eyes are, in pixels. */
export const EYES = [[188, 270], [292, 270]];

/** A canvas with a face. */
export function painted() {
  const canvas = new OffscreenCanvas(480, 600);
  const brush = canvas.getContext("2d");
  const fill = (color) => {
    brush.fillStyle = color;
    brush.fill();
  };
  const ellipse = (x, y, width, height, color) => {
    brush.beginPath();
    brush.ellipse(x, y, width, height, 0, 0, 2 * Math.PI);
    fill(color);
  };
  const gradient = (stops, ...line) => {
    const made = brush.createLinearGradient(...line);
    stops.forEach((color, i) => made.addColorStop(i / (stops.length - 1), color));
    return made;
  };
  brush.fillStyle = gradient(["#7fa6cf", "#c9d9e4", "#7d9464", "#4f6a3c"], 0, 0, 0, 600);
  brush.fillRect(0, 0, 480, 600);
  ellipse(240, 255, 142, 172, "#4a3222"); // hair
  ellipse(240, 640, 230, 180, "#8b3a3a"); // shoulders
  brush.beginPath();
  brush.roundRect(190, 360, 100, 130, 45); // neck
  fill(gradient(["#b98467", "#d3a083"], 0, 370, 0, 470));
  ellipse(240, 285, 112, 145, gradient(["#e3b596", "#d9a685", "#c58f70"], 128, 200, 352, 320)); // face
  for (const side of [-1, 1]) {
    ellipse(240 + side * 52, 270, 22, 11, "#f3ece4");
    ellipse(240 + side * 52, 270, 10, 10, "#4d3a2a");
    ellipse(240 + side * 52, 270, 4.5, 4.5, "#15100c");
    ellipse(240 + side * 52, 243, 26, 5, "#54382a"); // brow
    ellipse(240 + side * 72, 325, 22, 16, "#dc9c82"); // cheek
  }
  ellipse(240, 318, 15, 9, "#bd8467");
  ellipse(240, 365, 36, 9, "#a8504c");
  ellipse(240, 132, 120, 42, "#4a3222"); // fringe
  return canvas;
}
