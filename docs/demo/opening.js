// Fetches models and runtime from where the page lies; then nothing more can be sent or fetched, by page or worker.

// Policies that are added; each can only forbid more. The worker, made between them, has the first but not the second,
// for it has yet to read its own scripts.
const NO_CONNECTION = "connect-src 'none'";
const NOTHING = "default-src 'none'; style-src 'self'; img-src blob:";

/**
 * @param say shows a line of progress
 * @returns a worker with the models, shut in
 * @throws Error with one line for people
 */
export async function open(say) {
  if (typeof WebAssembly !== "object") throw new Error("This browser has no WebAssembly, by which the models run.");
  say("Loading the models and what runs them, once …");
  const about = JSON.parse(new TextDecoder().decode(await fetched("models/about.json")));
  const [faces, around, detector, wasm] = await Promise.all([
    graphs(about.faces),
    graphs(about.around),
    fetched(`models/${about.detector}`),
    fetched(`runtime/${about.wasm}`),
  ]);
  forbid(NO_CONNECTION);
  const worker = inherited("worker.js");
  say("Opening the models …");
  await new Promise((done, failed) => {
    worker.onmessage = ({ data }) => (data.kind === "ready" ? done() : failed(new Error(`The models cannot be opened: ${data.text}`)));
    worker.onerror = (event) => failed(new Error(`The models cannot be opened: ${event.message ?? "worker.js does not load"}`));
    worker.postMessage({ kind: "open", about, graphs: { faces, around, detector: new Uint8Array(detector) }, wasm }, [wasm]);
  });
  forbid(NOTHING);
  return worker;
}

async function graphs({ files }) {
  const found = await Promise.all(files.map((name) => fetched(`models/${name}`)));
  return Object.fromEntries(files.map((name, i) => [name.replace(/.*\/|\.onnx$/g, ""), new Uint8Array(found[i])]));
}

/** The bytes of a file beside this one. */
async function fetched(path) {
  let told;
  try {
    const response = await fetch(new URL(path, import.meta.url));
    if (response.ok) return await response.arrayBuffer();
    told = `the server says ${response.status}`;
  } catch {
    told = "no connection";
  }
  throw new Error(`${path} could not be loaded (${told}): was this folder made by build.py?`);
}

function forbid(content) {
  const policy = document.createElement("meta");
  policy.httpEquiv = "Content-Security-Policy";
  policy.content = content;
  document.head.append(policy);
}

/** A worker with this page's policy: one of a blob has it, one of a file would have none. */
function inherited(path) {
  const source = `import ${JSON.stringify(new URL(path, import.meta.url).href)};`;
  return new Worker(URL.createObjectURL(new Blob([source], { type: "text/javascript" })), { type: "module" });
}
