"""The page in headless Chromium, on a screen and on a phone. ZOO_SCREENSHOTS=DIR keeps what it looked like."""

from __future__ import annotations

import shutil
import socket
from pathlib import Path
from typing import Any
from zipfile import ZipFile

from PIL import Image

from support.chromium import FIRST_ON_A_SCREEN, NEEDED, sync_api
from support.models import tiny_model
from support.page_command import started
from support.reverse_proxy import reverse_proxy
from support.visiting import Visit
from zoo import checkpoint

pytestmark = NEEDED


def test_a_photo_is_uploaded_colored_compared_and_downloaded(visit: Visit, page_of_three: str, old_photo: Path) -> None:
    visit.look("1-start")
    visit.upload(old_photo)
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
    assert [url for url in visit.asked if not url.startswith((page_of_three, "data:", "blob:"))] == []
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
    visit.page.wait_for_timeout(600)  # the mark is drawn
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
    visit.page.wait_for_timeout(1000)  # the page takes the colour up
    marked.click(position={"x": 40, "y": 60})
    visit.becomes(lambda file: file not in (plain, one))
    assert visit.fits()


@FIRST_ON_A_SCREEN
def test_a_bad_upload_is_told_and_what_was_there_stays(visit: Visit, tmp_path: Path) -> None:
    (tmp_path / "letter.png").write_text("Dear reader")
    visit.upload(tmp_path / "letter.png")
    visit.says("letter.png")
    visit.look("5-refused")
    visit.page.locator("#color").click()
    visit.says("Done")
    assert visit.fits()


def test_several_photos_come_back_as_one_zip_without_the_broken_one(
    visit: Visit, page_of_three: str, old_photo: Path, tmp_path: Path
) -> None:
    other, broken = tmp_path / "aunt.png", tmp_path / "letter.png"
    shutil.copy(old_photo, other)
    broken.write_text("Dear reader")
    visit.upload(broken, old_photo, other)
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
    assert [url for url in visit.asked if not url.startswith((page_of_three, "data:", "blob:"))] == []


@FIRST_ON_A_SCREEN
def test_an_album_can_be_stopped_and_what_comes_after_it_is_coloured(
    visit: Visit, old_photo: Path, tmp_path: Path
) -> None:
    many = [tmp_path / f"{i}.png" for i in range(60)]
    for path in many:
        shutil.copy(old_photo, path)
    visit.upload(*many)
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


def test_behind_a_reverse_proxy_all_is_asked_of_it_and_works(browser: Any, old_photo: Path, tmp_path: Path) -> None:
    checkpoint.save(tiny_model("unet", "film"), tmp_path / "small.safetensors")
    with socket.create_server(("127.0.0.1", 0)) as listening:
        public = f"http://127.0.0.1:{listening.getsockname()[1]}/a/zoo"
        command = started(tmp_path / "small.safetensors", tmp_path, "--root-path", public)
        with command as (url, _), reverse_proxy(listening, "/a/zoo", url):
            visit = Visit(browser, f"{public}/", "desktop")
            visit.upload(old_photo)
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
