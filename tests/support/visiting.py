"""The page as a visitor sees it, in headless Chromium."""

from __future__ import annotations

import io
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from support.chromium import sync_api
from support.models import TINY_DENOISER, tiny_model
from zoo.model import ColorDiffusion

SIZES = {"desktop": (1280, 900), "phone": (375, 812)}


class Visit:
    """The page as one visitor sees it, and whom it has asked for something."""

    def __init__(self, browser: Any, site: str, name: str, pictures: Path | None = None) -> None:
        width, height = SIZES[name]
        phone = {"is_mobile": True, "has_touch": True, "device_scale_factor": 2} if name == "phone" else {}
        self.page = browser.new_context(viewport={"width": width, "height": height}, **phone).new_page()
        self.page.set_default_timeout(120_000)  # the machine may have more to do
        self.asked: list[str] = []
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.complaints: list[str] = []
        self.page.on("console", lambda message: self.complaints.append(f"{message.type}: {message.text}"))
        self.page.goto(site)
        self.page.locator("#color").wait_for()
        self._pictures = pictures
        self._name = name

    def look(self, moment: str) -> None:
        """Keep what it looks like, where that is asked for."""
        if self._pictures is None:
            return
        self.page.wait_for_timeout(600)  # for smooth scrolling and pictures that fade in
        self.page.screenshot(path=self._pictures / f"{self._name}-{moment}.png", full_page=True)

    def upload(self, *paths: Path) -> None:
        self.page.locator("#upload input[type=file]").set_input_files(list(paths))

    def says(self, text: str) -> None:
        sync_api.expect(self.page.locator("#status")).to_contain_text(text, timeout=180_000)

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

    def result(self, timeout: float = 60_000) -> bytes:
        """The file that can be had."""
        with self.page.expect_download(timeout=timeout) as download:
            self.page.locator("#download").click(timeout=timeout)
        return Path(download.value.path()).read_bytes()

    def becomes(self, wanted: Callable[[bytes], bool]) -> None:
        """Wait until the file that can be had is what is ``wanted``."""
        for _ in range(300):
            self.page.wait_for_timeout(200)
            with suppress(sync_api.TimeoutError):  # it was there and has just gone: the photo is being coloured
                if self.page.locator("#download").is_enabled() and wanted(self.result(timeout=3000)):
                    return
        raise AssertionError("no such result came")

    def fits(self) -> bool:
        return bool(self.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))


def listening_model() -> ColorDiffusion:
    """Untrained, but what it is told changes what it says."""
    model = tiny_model("none", "none", denoiser=TINY_DENOISER | {"hints": True})
    with torch.no_grad():
        for parameter in model.parameters():  # the last layer starts at 0 and would hide everything
            parameter.add_(0.05 * torch.randn(parameter.shape, generator=torch.Generator().manual_seed(0)))
    return model
