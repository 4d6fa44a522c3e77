"""The report in headless Chromium, on a screen and on a phone. ZOO_SCREENSHOTS=DIR keeps what it looked like."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support.chromium import NEEDED, launched
from support.reporting import BASELINE, EVIL, Benchmark, table_of
from support.rows import row
from zoo.commands import main

pytestmark = NEEDED
PHONE = {"is_mobile": True, "has_touch": True, "device_scale_factor": 2}
VIEWS: dict[str, dict[str, Any]] = {
    "desktop": {"viewport": {"width": 1280, "height": 900}},
    "desktop-dark": {"viewport": {"width": 1280, "height": 900}, "color_scheme": "dark"},
    "phone": {"viewport": {"width": 375, "height": 812}, **PHONE},
    "phone-dark": {"viewport": {"width": 375, "height": 812}, "color_scheme": "dark", **PHONE},
}
CONTRAST = """
cell => {
  const channel = c => c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4;
  const luminance = text => text.match(/[0-9.]+/g).slice(0, 3).map(Number).map(channel)
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const { color, backgroundColor } = getComputedStyle(cell);
  const [dark, light] = [luminance(color), luminance(backgroundColor)].sort((a, b) => a - b);
  return (light + 0.05) / (dark + 0.05);
}
"""


@pytest.fixture(scope="module")
def site(made: Benchmark, tmp_path_factory: pytest.TempPathFactory) -> str:
    out = tmp_path_factory.mktemp("page") / "report.html"
    given = [str(made.table), "--runs", str(made.runs), "--out", str(out), "--baseline", BASELINE]
    assert main(given, command="report") == 0
    return out.as_uri()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with launched() as chromium:
        yield chromium


class Visit:
    """The page as one reader sees it, whom it has asked for something, and what it complained of."""

    def __init__(self, browser: Any, site: str, name: str, pictures: Path) -> None:
        self.page = browser.new_context(**VIEWS[name]).new_page()
        self.asked: list[str] = []
        self.complaints: list[str] = []
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.goto(site)
        self._picture = pictures / f"report-{name}"

    def look(self, moment: str) -> None:
        """Keep what it looks like, where that is asked for."""
        if "ZOO_SCREENSHOTS" not in os.environ:
            return
        self.page.screenshot(path=f"{self._picture}-{moment}.png", full_page=True, caret="initial")

    def header(self, text: str) -> Any:
        return self.page.locator("#table thead th").filter(has_text=text).first

    def column(self, text: str) -> list[str]:
        """What stands in a column of the table, from top to bottom; empty for a hole."""
        place = self.header(text).evaluate("head => head.cellIndex")
        script = "(rows, i) => rows.map(row => row.cells[i].dataset.value || '')"
        found: list[str] = self.page.locator("#table tbody tr").evaluate_all(script, place)
        return found

    def labels(self) -> list[str]:
        found: list[str] = self.page.locator("#table tbody th").all_text_contents()
        return found

    def fits(self) -> bool:
        return bool(self.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))


@pytest.fixture(params=VIEWS)
def visit(browser: Any, site: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Visit]:
    pictures = Path(os.environ.get("ZOO_SCREENSHOTS", tmp_path))
    pictures.mkdir(parents=True, exist_ok=True)
    visit = Visit(browser, site, request.param, pictures)
    yield visit
    visit.page.context.close()


def test_the_page_is_whole_without_asking_anybody_and_without_a_complaint(visit: Visit, site: str) -> None:
    visit.look("page")
    assert visit.complaints == []
    assert [url for url in visit.asked if not url.startswith("data:")] == [site]
    assert visit.fits()
    broken = visit.page.locator("img").evaluate_all("all => all.filter(image => !image.naturalWidth).length")
    assert broken == 0
    for drawn in ("#matrix-view td", "#forest-view circle", "#scatter-view .point", "#curves-view .seed"):
        assert visit.page.locator(drawn).count() > 0, drawn


def test_scores_of_told_colours_are_a_curve_for_each_cell_and_metric(browser: Any, tmp_path: Path) -> None:
    made = [
        row(run, f"{metric}@{count}", value, encoder=encoder, higher_is_better=better, method=method)
        for run, encoder, method in (
            ("a" * 12, "unet", "diffusion"),
            ("b" * 12, "none", "diffusion"),
            ("c" * 12, "", "grey"),
        )
        for metric, better, values in (("psnr", True, (20.0, 22.0, 25.0)), ("st_lpips", False, (0.3, 0.2, 0.1)))
        for count, value in zip((0, 5, 100), values if method == "diffusion" else (values[0], None, None), strict=True)
    ]
    out = tmp_path / "told.html"
    assert main([str(table_of(tmp_path, *made)), "--runs", str(tmp_path), "--out", str(out)], command="report") == 0
    visit = Visit(browser, out.as_uri(), "desktop", tmp_path)
    panels = visit.page.locator("#told-view figure")
    assert panels.locator("strong").all_text_contents() == ["psnr", "st_lpips"]
    for panel, rising in ((panels.nth(0), True), (panels.nth(1), False)):
        assert panel.locator("polyline").count() == 3
        assert panel.locator("circle.told").count() == 2 * 3 + 1
        first = panel.locator("polyline").first.get_attribute("points").split()
        places = [tuple(map(float, point.split(","))) for point in first]
        assert [x for x, _ in places] == sorted(x for x, _ in places)
        heights = [-y for _, y in places]
        assert heights == sorted(heights, reverse=not rising)
    assert visit.complaints == []
    visit.page.context.close()


def test_a_click_on_a_header_sorts_best_first_and_another_turns_it_round(visit: Visit) -> None:
    visit.header("st_lpips").locator("button").click()
    once, names = visit.column("st_lpips"), visit.labels()
    assert visit.header("st_lpips").get_attribute("aria-sort") == "ascending"
    assert once == sorted(once, key=float)
    visit.header("st_lpips").locator("button").click()
    assert visit.header("st_lpips").get_attribute("aria-sort") == "descending"
    assert visit.labels() == names[::-1]
    visit.look("sorted")
    assert visit.fits()


def test_a_header_sorts_by_keyboard_and_holes_stay_last(visit: Visit) -> None:
    button = visit.header("seeds").locator("button")
    for order in ("ascending", "descending"):
        button.focus()
        visit.page.keyboard.press("Enter")
        assert visit.header("seeds").get_attribute("aria-sort") == order
        assert visit.column("seeds") == ["2"] * 7 + [""]
    visit.header("parameters").locator("button").click()
    assert visit.page.locator("#table thead th[aria-sort]").count() == 1


def test_the_matrix_is_legible_and_follows_the_metric_that_is_chosen(visit: Visit) -> None:
    cells = visit.page.locator("#matrix-view tbody td")
    assert cells.count() == 6
    assert visit.page.locator("#matrix-view td", has_text="★").count() == 1
    for i in range(6):
        assert cells.nth(i).evaluate(CONTRAST) >= 4.5
    visit.page.locator("#matrix-metric").select_option("colorfulness")
    assert cells.first.inner_text().startswith("41.4")
    assert visit.page.locator("#scatter-metric").input_value() == "colorfulness"
    assert visit.page.locator("#forest-metric").input_value() == "colorfulness"
    visit.page.locator("#matrix-metric").select_option("fid")
    assert [cells.nth(i).inner_text() for i in range(6)] == ["–"] * 6
    assert "No pair has a value of fid" in visit.page.locator("#matrix-remark").inner_text()
    assert visit.complaints == []


def test_cost_is_drawn_against_the_metric_with_units(visit: Visit) -> None:
    chart = visit.page.locator("#scatter-view")
    assert chart.locator(".point").count() == 7
    assert "Outside the picture: grey" in visit.page.locator("#scatter-remark").inner_text()
    visit.page.locator("#scatter-cost").select_option("train_seconds")
    assert "training s" in chart.text_content()
    told = chart.locator(".point title").first.text_content()
    assert "none × concat: st_lpips" in told
    assert visit.fits()


def test_a_score_is_drawn_against_another_with_all_baselines(visit: Visit) -> None:
    visit.page.locator("#scatter-metric").select_option("st_lpips")
    visit.page.locator("#scatter-cost").select_option("score colorfulness")
    chart, remark = visit.page.locator("#scatter-view"), visit.page.locator("#scatter-remark").inner_text()
    assert chart.locator(".point").count() + remark.count("(") == 8
    assert "colorfulness" in chart.text_content()
    inks = chart.locator(".point path").evaluate_all("all => all.map(mark => getComputedStyle(mark).stroke)")
    assert all(ink.startswith("rgb") for ink in inks)  # baselines, too, are to be seen
    assert "" not in [name.strip() for name in chart.locator(".key span").all_inner_texts()]
    assert chart.locator("polyline").count() == 0  # no axis of numbers
    visit.page.locator("#scatter-metric").select_option("fid")
    assert "No cell has both fid and colorfulness" in visit.page.locator("#scatter-remark").inner_text()
    visit.look("tradeoff")
    assert visit.complaints == []


def test_a_label_is_never_read_as_markup(visit: Visit) -> None:
    assert visit.page.title() == "t: report"
    for place in ("#table", "#matrix-view", "#forest-view", "#scatter-view", "#curves-view", "#pictures"):
        assert EVIL in visit.page.locator(place).text_content(), place


def test_metrics_without_a_better_side_can_be_shown(visit: Visit) -> None:
    head = visit.header("colorfulness")
    assert not head.is_visible()
    visit.page.locator("#all-columns").check()
    assert head.is_visible()
    assert visit.fits()


def test_nothing_is_cut_off_in_print(browser: Any, site: str, tmp_path: Path) -> None:
    visit = Visit(browser, site, "desktop", Path(os.environ.get("ZOO_SCREENSHOTS", tmp_path)))
    visit.page.emulate_media(media="print")
    visit.page.set_viewport_size({"width": 1046, "height": 717})  # A4 across, less its margins
    visit.look("print")
    assert visit.fits()
    visit.page.context.close()
