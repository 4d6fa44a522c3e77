"""The page of docs/demo in headless Chromium. ZOO_SCREENSHOTS=DIR keeps what it looked like."""

from __future__ import annotations

import base64
import io
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from support.chromium import NEEDED, sync_api
from support.demo import DEMO, RUNTIME, WITH_RUNTIME, Modules, Site, array, build_module, pixels, rgba, served
from support.scenes import ab_of, face_in, lightness_error, photo_of, put_faces
from zoo.faces.detect import find_faces
from zoo.faces.viewport import Viewport
from zoo.photos import colorizer
from zoo.photos.assemble import assemble
from zoo.photos.colorizer import Colorizer
from zoo.photos.options import ColorizeOptions
from zoo.photos.photo import Photo

pytestmark = NEEDED
SIZES = {"desktop": (1280, 900), "phone": (375, 812)}
FACE = Viewport(150 + 60j, 110 + 20j)  # the ArcFace template's square
REACH = """
async where => {
  const tried = await Promise.allSettled([
    fetch(where + "/fetch", { mode: "no-cors" }),
    new Promise((yes, no) => {
      const request = new XMLHttpRequest();
      Object.assign(request, { onload: yes, onerror: no });
      request.open("POST", where + "/xhr");
      request.send("photo");
    }),
    import(where + "/script.js"),
    ...(self.document ? [
      new Promise((yes, no) => Object.assign(new Image(), { onload: yes, onerror: no, src: where + "/image.png" })),
      new Promise((yes, no) => navigator.sendBeacon(where + "/beacon", "photo") ? setTimeout(yes, 200) : no()),
    ] : []),
  ]);
  return tried.length;
}
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The page with the models of the package."""
    folder = tmp_path_factory.mktemp("demo")
    build_module().build(folder, RUNTIME)
    with served(folder) as site:
        yield site


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    folder = Path(os.environ.get("ZOO_SCREENSHOTS", tmp_path))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


class Visit:
    """The page as a visitor sees it, and what it complained of."""

    def __init__(self, browser: Any, site: Site, name: str = "desktop", **options: Any) -> None:
        width, height = SIZES[name]
        phone = {"is_mobile": True, "has_touch": True, "device_scale_factor": 2} if name == "phone" else {}
        self.page = browser.new_context(viewport={"width": width, "height": height}, **phone, **options).new_page()
        self.page.set_default_timeout(300_000)
        self.complaints: list[str] = []
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.site = site

    def open(self) -> Visit:
        self.page.goto(self.site.address)
        return self

    def says(self, text: str) -> None:
        sync_api.expect(self.page.locator("#status")).to_contain_text(text, timeout=300_000)

    def give(self, name: str, content: bytes) -> None:
        self.page.locator("#file").set_input_files({"name": name, "mimeType": "image/png", "buffer": content})

    def shown(self, canvas: str) -> np.ndarray:
        """(H, W, 3) uint8 of a canvas of the page."""
        encoded = self.page.evaluate(f"{canvas}.toDataURL()").split(",")[1]
        return np.array(Image.open(io.BytesIO(base64.b64decode(encoded))).convert("RGB"))


def png(rgb: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(rgb).save(buffer, "PNG")
    return buffer.getvalue()


@WITH_RUNTIME
def test_the_models_say_in_the_browser_what_they_say_in_python(
    browser: Any, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    rgb = photo_of(300, 400)
    drawn: list[Tensor] = []  # the noise: of the face, then of the whole
    parts: list[Tensor] = []  # ab of the whole, then of the face

    def noise_like(x: Tensor, generators: list[torch.Generator]) -> Tensor:
        drawn.extend(torch.randn(x.shape[1:], generator=generator) for generator in generators)
        return torch.stack(drawn[-len(x) :])

    def assembled(scene: Any, canvas: Tensor, whole: Tensor, faces: list[Tensor], saturation: float) -> Tensor:
        parts.extend([whole, *faces])
        return assemble(scene, canvas, whole, faces, saturation)

    put_faces(monkeypatch, FACE)
    monkeypatch.setattr("zoo.diffusion.chroma.noise_like", noise_like)
    monkeypatch.setattr(colorizer, "assemble", assembled)
    expected = Colorizer.load(device="cpu").colorize_photos([Photo.from_array(rgb)], ColorizeOptions())[0].samples[0]
    body = """
      const ort = await import("/runtime/ort.wasm.bundle.min.mjs");
      const read = async name => new Uint8Array(await (await fetch("/models/" + name)).arrayBuffer());
      const about = await (await fetch("/models/about.json")).json();
      ort.env.wasm.numThreads = 1;
      ort.env.wasm.wasmPaths = { wasm: "/runtime/" + about.wasm };
      const models = [];
      for (const role of ["faces", "around"]) {
        const graphs = { denoiser: await read(role + "/denoiser.onnx") };
        if (about[role].files.length > 1) graphs.encoder = await read(role + "/encoder.onnx");
        models.push(await model$.Model.open(ort, about[role], graphs));
      }
      const noise = (count, photo, picture) => floats(given_noise[picture].data);
      const page = new colorizer$.Colorizer(...models, about.options, noise);
      const seen = new photo$.Photo(bytes(pixels), 300, 400);
      const parts = await page.parts(seen, [eyes], null, async () => {});
      return [given(parts.whole), given(parts.faces[0].ab), text(page.painted(seen, parts))];
    """
    noise = [drawn[1].numpy(), drawn[0].numpy()]
    eyes = face_in(FACE).landmarks[:2].tolist()
    modules = Modules(browser.new_page(), site.address)
    whole, face, painted = modules.call(body, pixels=rgba(rgb), eyes=eyes, given_noise=noise)
    for found, wanted in zip((whole, face), parts, strict=True):
        assert wanted.abs().mean() > 0.02
        assert np.abs(array(found) - wanted[0].numpy()).max() < 1e-3
    assert np.abs(pixels(painted, 300, 400)[..., :3] - expected.astype(int)).max() <= 2


@WITH_RUNTIME
@pytest.mark.parametrize("part", [np.s_[:420], np.s_[70:170, 170:280]])
def test_the_faces_of_a_photo_are_found_where_the_library_finds_them(browser: Any, site: Site, part: Any) -> None:
    """Of a part that the face fills, at the smaller scale."""
    rgb = pytest.importorskip("skimage.data").astronaut()[part]
    body = """
      const ort = await import("/runtime/ort.wasm.bundle.min.mjs");
      const about = await (await fetch("/models/about.json")).json();
      ort.env.wasm.numThreads = 1;
      ort.env.wasm.wasmPaths = { wasm: "/runtime/" + about.wasm };
      const graph = new Uint8Array(await (await fetch("/models/" + about.detector)).arrayBuffer());
      const detector = await detect$.Detector.open(ort, graph, about.options.template);
      const [square, ...others] = await detector.find(new photo$.Photo(bytes(pixels), height, width));
      const again = square$.squareOf(detect$.eyesOf(square, detector.template), detector.template);
      return { square, again, others };
    """
    modules = Modules(browser.new_page(), site.address)
    found = modules.call(body, pixels=rgba(rgb), height=rgb.shape[0], width=rgb.shape[1])
    (face,) = find_faces(rgb)
    wanted = face.viewport(None)
    for name, at in (("origin", wanted.origin), ("edge", wanted.edge)):
        assert abs(complex(*found["square"][name]) - at) < 0.02 * wanted.size
        assert abs(complex(*found["again"][name]) - complex(*found["square"][name])) < 1e-6 * wanted.size
    assert found["others"] == []


@WITH_RUNTIME
def test_faces_are_found_colored_and_forgotten(browser: Any, site: Site) -> None:
    head = pytest.importorskip("skimage.data").astronaut()[:300, 80:380]
    photo = np.full((320, 640, 3), 90, np.uint8)
    photo[10:310, 10:310] = photo[10:310, 330:630] = head
    visit = Visit(browser, site).open()
    visit.says("Ready")
    visit.give("two.png", png(photo))
    visit.says("Done, with 2 faces. Click both eyes of another")
    colored = visit.shown("colored")
    visit.page.click("#forget")
    visit.says("Done. Click both eyes of a face")
    assert np.abs(visit.shown("colored").astype(int) - colored).max(axis=2)[60:160, 120:200].mean() > 2
    assert visit.complaints == []


@WITH_RUNTIME
@pytest.mark.parametrize("name", SIZES)
def test_a_visitor_colors_the_example_and_a_photo_and_keeps_it(
    browser: Any, site: Site, name: str, pictures: Path
) -> None:
    visit = Visit(browser, site, name).open()
    page = visit.page
    visit.says("Ready")
    page.screenshot(path=pictures / f"demo-{name}-ready.png", full_page=True)
    asked = len(site.asked)
    page.click("#example")
    visit.says("Done, with one face")
    page.screenshot(path=pictures / f"demo-{name}-example.png", full_page=True)
    faces = visit.shown("colored")
    page.click("#forget")
    visit.says("Done. Click both eyes")
    changed = np.abs(visit.shown("colored").astype(int) - faces).max(axis=2) > 4
    assert changed[270:400, 200:280].mean() > 0.5 > changed[:40].mean()  # above, only what is taken for skin

    visit.give("album.jpg", png(photo_of(300, 400)))
    visit.says("Done")
    box = page.locator("#pictures").bounding_box()
    for x, y in face_in(FACE).landmarks[:2]:
        page.locator("#pictures").click(position={"x": x / 400 * box["width"], "y": y / 300 * box["height"]})
    visit.says("Done, with one face")
    with page.expect_download() as download:
        page.click("#download")
    assert download.value.suggested_filename == "album-coloured.png"
    kept = np.array(Image.open(download.value.path()).convert("RGB"))
    assert kept.shape == (300, 400, 3)
    assert lightness_error(photo_of(300, 400), kept) < 0.5
    assert np.abs(ab_of(kept)).mean() > 0.02
    assert (kept == visit.shown("colored")).all()
    grey = visit.shown("grey")
    assert (grey == grey[..., :1]).all()
    page.locator("#split").fill("100")
    assert page.evaluate("getComputedStyle(colored).clipPath") == "inset(0px 0px 0px 100%)"

    assert page.evaluate("document.documentElement.scrollWidth") <= SIZES[name][0]
    assert site.asked[asked:] == []
    assert visit.complaints == []


@WITH_RUNTIME
def test_what_cannot_be_read_and_what_is_scaled_is_said_in_a_line(browser: Any, site: Site) -> None:
    visit = Visit(browser, site).open()
    visit.says("Ready")
    visit.give("notes.txt", b"no picture at all")
    visit.says("notes.txt is no picture that this browser can read")
    visit.give("banner.png", png(photo_of(20, 5000)))
    visit.says("banner.png was scaled from 5000 × 20 to 4096 × 16.")
    assert visit.shown("colored").shape == (16, 4096, 3)


@WITH_RUNTIME
def test_once_it_is_ready_neither_the_page_nor_its_worker_reaches_anybody(
    browser: Any, site: Site, tmp_path: Path
) -> None:
    visit = Visit(browser, site).open()
    visit.says("Ready")
    asked = len(site.asked)
    with served(tmp_path) as elsewhere:
        (worker,) = visit.page.workers
        assert visit.page.evaluate(REACH, elsewhere.address) == 5
        assert visit.page.evaluate(REACH, site.address) == 5
        assert worker.evaluate(REACH, elsewhere.address) == 3
        assert worker.evaluate("where => fetch(where).catch(() => 'blocked')", site.address) == "blocked"
        visit.page.wait_for_timeout(300)
        assert elsewhere.asked == []
    assert site.asked[asked:] == []


def test_while_it_loads_it_reaches_nobody_but_its_own_server(browser: Any, tmp_path: Path) -> None:
    with served(DEMO) as site, served(tmp_path) as elsewhere:
        visit = Visit(browser, site).open()
        visit.says("models/about.json could not be loaded (the server says 404)")
        assert visit.page.evaluate(REACH, elsewhere.address) == 5
        visit.page.wait_for_timeout(300)
        assert elsewhere.asked == []
        assert visit.page.evaluate("fetch('/style.css').then(answer => answer.ok)")


def test_without_webassembly_it_says_so(browser: Any) -> None:
    with served(DEMO) as site:
        visit = Visit(browser, site)
        visit.page.add_init_script("delete globalThis.WebAssembly")
        visit.open().says("This browser has no WebAssembly")
        assert visit.page.locator("#file").is_disabled()


@pytest.mark.parametrize("scripts", [True, False])
def test_as_a_file_or_without_javascript_it_says_what_it_needs(browser: Any, scripts: bool) -> None:
    as_file = Site((DEMO / "index.html").as_uri(), [])
    Visit(browser, as_file, java_script_enabled=scripts).open().says("it needs a server")
