// The page: opens the models, shuts every way out, and only then takes a photo.

import { EYES, painted } from "./example.js";
import { open } from "./opening.js";

const MOST = 4096; // pixels of a photo's longer side; larger ones are scaled

const $ = (id) => document.getElementById(id);
let worker;
let photo; // {name, height, width, note, faces: of each its two eyes, eye: the first of a pair}
let takes = 0; // photos that were given
let number = 0; // of the newest request; what comes of older ones is not shown

function say(text) {
  $("status").textContent = text;
}

async function start() {
  try {
    worker = await open(say);
  } catch (error) {
    return say(error.message);
  }
  worker.onmessage = ({ data }) => heard[data.kind](data);
  worker.onerror = (event) => say(`The models stopped: ${event.message ?? "not enough memory"}. Load the page again.`);
  $("file").disabled = $("example").disabled = false;
  $("file").onchange = () => {
    const [file] = $("file").files;
    $("file").value = ""; // so that the same one can be chosen again
    if (file) take(file);
  };
  $("example").onclick = () => take(painted(), "example.png", [EYES]);
  document.ondragover = (event) => event.preventDefault();
  document.ondrop = (event) => {
    event.preventDefault();
    if (event.dataTransfer.files.length) take(event.dataTransfer.files[0]);
  };
  $("pictures").onclick = look;
  $("split").oninput = split;
  $("forget").onclick = () => color([]);
  say("Ready: choose a photo. It stays on this machine.");
}

/** A new photo: a file, or a canvas with a name and faces, of each its two eyes; null: they are looked for. */
async function take(source, name = source.name, faces = null) {
  const mine = ++takes;
  say(`Opening ${name} …`);
  let bitmap;
  try {
    bitmap = await createImageBitmap(source);
  } catch {
    return say(`${name} is no picture that this browser can read: choose a JPEG, PNG or WebP file.`);
  }
  if (mine !== takes) return bitmap.close();
  const scale = Math.min(1, MOST / Math.max(bitmap.width, bitmap.height));
  const [width, height] = [bitmap.width, bitmap.height].map((side) => Math.max(1, Math.round(side * scale)));
  const note = scale < 1 ? ` ${name} was scaled from ${bitmap.width} × ${bitmap.height} to ${width} × ${height}.` : "";
  let rgba;
  try {
    const canvas = new OffscreenCanvas(width, height).getContext("2d");
    canvas.imageSmoothingQuality = "high";
    canvas.drawImage(bitmap, 0, 0, width, height);
    rgba = canvas.getImageData(0, 0, width, height).data;
  } catch {
    return say(`${name} is too large for this browser.`);
  } finally {
    bitmap.close();
  }
  photo = { name, height, width, note, faces: faces ?? [], eye: null };
  number++;
  $("stage").hidden = $("actions").hidden = true;
  for (const id of ["grey", "colored"]) Object.assign($(id), { height, width });
  mark();
  worker.postMessage({ kind: "photo", rgba, height, width, faces, number }, [rgba.buffer]);
}

/** Colours the photo anew, with these faces. */
function color(faces) {
  Object.assign(photo, { faces, eye: null });
  mark();
  worker.postMessage({ kind: "faces", faces, number: ++number });
}

/** A click on the picture: an eye. */
function look(event) {
  const seen = $("pictures").getBoundingClientRect();
  const eye = [
    ((event.clientX - seen.left) / seen.width) * photo.width,
    ((event.clientY - seen.top) / seen.height) * photo.height,
  ];
  if (!photo.eye) {
    photo.eye = eye;
    mark();
    return say("Now the other eye of this face.");
  }
  if (Math.hypot(eye[0] - photo.eye[0], eye[1] - photo.eye[1]) < 4) {
    return say("Both eyes are at one place: click the other one.");
  }
  color([...photo.faces, [photo.eye, eye]]);
}

const heard = {
  grey(data) {
    if (!show("grey", data)) return;
    $("stage").hidden = false;
    show("colored", data);
  },
  step({ text, number: of }) {
    if (of === number) say(text);
  },
  found({ faces, number: of }) {
    if (of !== number) return;
    photo.faces = faces;
    mark();
  },
  colored(data) {
    if (!show("colored", data)) return;
    $("actions").hidden = false;
    $("forget").hidden = !photo.faces.length;
    $("marks").replaceChildren();
    const count = photo.faces.length;
    const told = count
      ? `, with ${count === 1 ? "one face" : `${count} faces`}. Click both eyes of another to add it.`
      : ". Click both eyes of a face to colour it by the model for faces.";
    $("colored").toBlob((blob) => {
      if (data.number !== number) return;
      URL.revokeObjectURL($("download").href);
      $("download").href = URL.createObjectURL(blob);
      $("download").download = photo.name.replace(/(\.[^.]*)?$/, "-coloured.png");
      say(`Done${told}${photo.note}`);
    });
  },
  error({ text }) {
    say(`This photo could not be coloured: ${text}`);
  },
};

function show(id, { rgba, number: of }) {
  if (of !== number) return false;
  $(id).getContext("2d").putImageData(new ImageData(rgba, photo.width), 0, 0);
  split();
  return true;
}

function split() {
  $("colored").style.clipPath = `inset(0 0 0 ${$("split").value}%)`;
}

/** Dots where eyes were clicked. */
function mark() {
  $("marks").replaceChildren(
    ...[...photo.faces.flat(), ...(photo.eye ? [photo.eye] : [])].map(([x, y]) => {
      const dot = document.createElement("i");
      dot.style.left = `${(100 * x) / photo.width}%`;
      dot.style.top = `${(100 * y) / photo.height}%`;
      return dot;
    }),
  );
}

start();
