"""The page in headless Chromium, on a screen and on a phone. ZOO_SCREENSHOTS=DIR keeps what it looked like."""

from __future__ import annotations

import io
import os
import shutil
import socket
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import numpy as np
import pytest
import torch
from PIL import Image

from support.chromium import NEEDED, launched, sync_api
from support.models import TINY_DENOISER, tiny_model
from support.page_command import started
from support.reverse_proxy import reverse_proxy
from zoo import checkpoint
from zoo.app.checkpoints import discover
from zoo.app.server import ServerConfig, serving
from zoo.model import ColorDiffusion

pytestmark = NEEDED
SIZES = {"desktop": (1280, 900), "phone": (375, 812)}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The page with a model that makes everything about equally orange."""
    folder = tmp_path_factory.mktemp("models")
    model = tiny_model("unet", "film")
    model.ab_mean.copy_(torch.tensor([0.2, 0.3])[:, None, None])
    checkpoint.save(model, folder / "orange.safetensors")
    checkpoint.save(tiny_model("none", "none"), folder / "plain.safetensors")
    checkpoint.save(listening_model(), folder / "listening.safetensors")
    files = [folder / f"{name}.safetensors" for name in ("orange", "plain", "listening")]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tempfile, "tempdir", str(folder))
        with serving(ServerConfig(port=0, max_mb=1), discover(files)) as url:
            yield url


def listening_model() -> ColorDiffusion:
    """Untrained, but what it is told changes what it says."""
    model = tiny_model("none", "none", denoiser=TINY_DENOISER | {"hints": True})
    with torch.no_grad():
        for parameter in model.parameters():  # the last layer starts at 0 and would hide everything
            parameter.add_(0.05 * torch.randn(parameter.shape, generator=torch.Generator().manual_seed(0)))
    return model


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with launched() as chromium:
        yield chromium


class Visit:
    """The page as one visitor sees it, and whom it has asked for something."""

    def __init__(self, browser: Any, site: str, name: str, pictures: Path) -> None:
        width, height = SIZES[name]
        phone = {"is_mobile": True, "has_touch": True, "device_scale_factor": 2} if name == "phone" else {}
        self.page = browser.new_context(viewport={"width": width, "height": height}, **phone).new_page()
        self.asked: list[str] = []
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.complaints: list[str] = []
        self.page.on("console", lambda message: self.complaints.append(f"{message.type}: {message.text}"))
        self.page.goto(site)
        self.page.locator("#color").wait_for()
        self._pictures = pictures
        self._name = name

    def look(self, moment: str) -> None:
        self.page.wait_for_timeout(600)  # for smooth scrolling and pictures that fade in
        self.page.screenshot(path=self._pictures / f"{self._name}-{moment}.png", full_page=True)

    def says(self, text: str) -> None:
        sync_api.expect(self.page.locator("#status")).to_contain_text(text, timeout=60_000)

    def colored(self) -> float:
        """The share of the compared pictures' pixels that are not grey."""
        self.page.wait_for_timeout(600)
        seen = self.page.locator("#compared .slider-wrap").screenshot()
        rgb = np.asarray(Image.open(io.BytesIO(seen)).convert("RGB")).astype(int)
        return float((np.ptp(rgb, axis=2) > 24).mean())

    def slide(self, start: float, end: float) -> None:
        """Drag the handle, from and to fractions of the width."""
        box = self.page.locator("#compared .slider-wrap").bounding_box()
        mouse, y = self.page.mouse, box["y"] + box["height"] / 2
        mouse.move(box["x"] + start * box["width"], y)
        mouse.down()
        mouse.move(box["x"] + end * box["width"], y, steps=5)
        mouse.up()

    def result(self) -> bytes:
        """The file that can be had."""
        with self.page.expect_download() as download:
            self.page.locator("#download").click()
        return Path(download.value.path()).read_bytes()

    def becomes(self, wanted: Callable[[bytes], bool]) -> None:
        """Wait until the file that can be had is what is ``wanted``."""
        for _ in range(300):
            self.page.wait_for_timeout(200)
            if self.page.locator("#download").is_enabled() and wanted(self.result()):
                return
        raise AssertionError("no such result came")

    def fits(self) -> bool:
        return bool(self.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))


@pytest.fixture(params=SIZES)
def visit(browser: Any, site: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Visit]:
    pictures = Path(os.environ.get("ZOO_SCREENSHOTS", tmp_path))
    pictures.mkdir(parents=True, exist_ok=True)
    visit = Visit(browser, site, request.param, pictures)
    yield visit
    assert [text for text in visit.complaints if "Content Security Policy" in text] == []
    visit.page.context.close()


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """An old photo: grey, neither bright nor dark, 200 × 160."""
    path = tmp_path / "old photo.png"
    y, x = np.mgrid[:160, :200]
    Image.fromarray((120 + 40 * np.sin(x / 17) * np.sin(y / 13)).astype(np.uint8)).save(path)
    return path


def upload(visit: Visit, *paths: Path) -> None:
    visit.page.locator("#upload input[type=file]").set_input_files(list(paths))


def test_a_photo_is_uploaded_colored_compared_and_downloaded(visit: Visit, site: str, photo: Path) -> None:
    visit.look("1-start")
    upload(visit, photo)
    visit.says("200 × 160 pixels")
    grey = visit.colored()
    visit.page.locator("#color").click()
    visit.says("Done")
    half = visit.colored()
    sync_api.expect(visit.page.locator("#compared")).to_be_in_viewport(ratio=0.9)
    visit.look("2-coloured")
    visit.slide(0.5, 0.2)
    most = visit.colored()
    visit.look("3-moved")
    with visit.page.expect_download() as download:
        visit.page.locator("#download").click()
    with Image.open(download.value.path()) as result:
        assert result.size == (200, 160)
    assert download.value.suggested_filename.endswith("-coloured.png")
    assert grey < 0.05  # the handle is coloured
    assert half > grey + 0.2
    assert most > half + 0.1
    assert [url for url in visit.asked if not url.startswith((site, "data:", "blob:"))] == []
    assert visit.fits()


def test_several_samples_can_be_chosen_from_and_their_disagreement_is_shown(visit: Visit) -> None:
    visit.page.locator("#examples button").nth(3).click()
    visit.says("192 × 192 pixels")
    number = visit.page.get_by_label("number input for Samples")
    number.fill("3")
    number.press("Tab")
    visit.page.locator("#color").click()
    visit.says("3 samples")
    visit.page.locator("#samples button").nth(2).click()
    sync_api.expect(visit.page.locator("#download")).to_contain_text("sample 3")
    sync_api.expect(visit.page.locator("#legend")).to_contain_text("Lab units")
    sync_api.expect(visit.page.locator("#heat img")).to_be_visible()
    visit.look("4-samples")
    assert visit.fits()


def test_a_color_is_said_by_a_click_spreads_is_undone_and_adds_to_others(visit: Visit) -> None:
    saying, marked = visit.page.locator("#saying"), visit.page.locator("#said-photo img")
    sync_api.expect(saying).to_be_hidden()  # the first model does not listen
    visit.page.locator("#checkpoint input").click()
    visit.page.get_by_role("option", name="listening").click()
    sync_api.expect(saying).to_be_visible()
    visit.page.locator("#color").click()
    visit.says("Done")
    plain = visit.result()
    undo, forget = visit.page.locator("#undo"), visit.page.locator("#forget")
    sync_api.expect(undo).to_be_disabled()
    marked.click(position={"x": 40, "y": 60})
    visit.becomes(lambda file: file != plain)
    one = visit.result()
    visit.look("8-said")
    marked.click(position={"x": 100, "y": 100})
    visit.becomes(lambda file: file not in (plain, one))
    undo.click()
    visit.becomes(lambda file: file == one)
    forget.click()
    visit.becomes(lambda file: file == plain)
    sync_api.expect(undo).to_be_disabled()
    visit.page.locator("#said-color button").first.click()
    picked = visit.page.locator("#said-color input[type=text]").first
    picked.fill("#3050c0")
    picked.press("Enter")
    marked.click(position={"x": 40, "y": 60})
    visit.becomes(lambda file: file not in (plain, one))
    assert visit.fits()


def test_a_bad_upload_is_told_and_what_was_there_stays(visit: Visit, tmp_path: Path) -> None:
    (tmp_path / "letter.png").write_text("Dear reader")
    upload(visit, tmp_path / "letter.png")
    visit.says("letter.png")
    visit.look("5-refused")
    visit.page.locator("#color").click()
    visit.says("Done")
    assert visit.fits()


def test_several_photos_come_back_as_one_zip_without_the_broken_one(
    visit: Visit, site: str, photo: Path, tmp_path: Path
) -> None:
    other, broken = tmp_path / "aunt.png", tmp_path / "letter.png"
    shutil.copy(photo, other)
    broken.write_text("Dear reader")
    upload(visit, broken, photo, other)
    visit.says("3 photos")
    visit.page.locator("#color").click()
    visit.says("Done: 2 of 3 photos. Left out: letter.png")
    with visit.page.expect_download() as download:
        visit.page.locator("#download").click()
    with ZipFile(download.value.path()) as archive:
        assert sorted(archive.namelist()) == ["aunt-coloured.png", "old photo-coloured.png"]
        assert archive.testzip() is None
    visit.look("7-album")
    assert visit.fits()
    assert [url for url in visit.asked if not url.startswith((site, "data:", "blob:"))] == []


def test_an_album_can_be_stopped_and_what_comes_after_it_is_coloured(visit: Visit, photo: Path, tmp_path: Path) -> None:
    many = [tmp_path / f"{i}.png" for i in range(60)]
    for path in many:
        shutil.copy(photo, path)
    upload(visit, *many)
    visit.says("60 photos")
    visit.page.locator("#color").click()
    visit.says("of 60: ")
    visit.page.get_by_role("button", name="Stop").click()
    visit.says("Stopped.")
    visit.page.locator("#examples button").nth(3).click()
    visit.says("192 × 192 pixels")
    visit.page.locator("#color").click()
    visit.says("Done")
    assert visit.fits()


def test_behind_a_reverse_proxy_all_is_asked_of_it_and_works(browser: Any, photo: Path, tmp_path: Path) -> None:
    checkpoint.save(tiny_model("unet", "film"), tmp_path / "small.safetensors")
    with socket.create_server(("127.0.0.1", 0)) as listening:
        public = f"http://127.0.0.1:{listening.getsockname()[1]}/a/zoo"
        command = started(tmp_path / "small.safetensors", tmp_path, "--root-path", public)
        with command as (url, _), reverse_proxy(listening, "/a/zoo", url):
            visit = Visit(browser, f"{public}/", "desktop", tmp_path)
            upload(visit, photo)
            visit.says("200 × 160 pixels")
            visit.page.locator("#color").click()
            visit.says("Done")
            with visit.page.expect_download() as download:
                visit.page.locator("#download").click()
            assert Image.open(download.value.path()).size == (200, 160)
            visit.page.context.close()
    assert [url for url in visit.asked if not url.startswith((f"{public}/", "data:", "blob:"))] == []


def test_the_chosen_model_tells_its_encoder_and_conditioning(visit: Visit) -> None:
    about = visit.page.locator("#about")
    sync_api.expect(about).to_contain_text("encoder unet · conditioning film · 16 px")
    visit.page.locator("#checkpoint input").click()
    visit.page.get_by_role("option", name="plain").click()
    sync_api.expect(about).to_contain_text("encoder none · conditioning none")
    visit.page.locator("#more button").first.click()
    visit.look("6-settings")
    assert visit.fits()
