"""The reports in a real browser: they fit the page, stand alone, and say nothing to the console."""

import shutil

import pytest

from reports.specimen import render_specimen
from reports.study import render_study
from tests.reports.samples import specimen, study

CHROMIUM = shutil.which("chromium")

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed"),
]


@pytest.fixture(scope="module")
def browser():
    sync_api = pytest.importorskip("playwright.sync_api")
    with sync_api.sync_playwright() as play:
        started = play.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        yield started
        started.close()


@pytest.fixture(scope="module", params=["specimen", "study"])
def file(request, tmp_path_factory):
    html = {
        "specimen": lambda: render_specimen(specimen()),
        "study": lambda: render_study(study()),
    }[request.param]()
    path = tmp_path_factory.mktemp("reports") / f"{request.param}.html"
    path.write_text(html, encoding="utf-8")
    return path


@pytest.mark.parametrize("width", [390, 820, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_report_fits_stands_alone_and_has_no_errors(browser, file, width, scheme):
    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    said, asked = [], []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(file.as_uri())
    overflow = page.evaluate(
        "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )
    pictures = page.evaluate("[...document.images].filter(i => !i.naturalWidth || !i.alt).length")
    page.close()
    assert said == []
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []
    assert overflow <= 0
    assert pictures == 0


def test_a_report_prints_on_a_few_pages(browser, file, tmp_path):
    page = browser.new_page()
    page.goto(file.as_uri())
    page.emulate_media(media="print")
    printed = page.pdf(format="A4")
    page.close()
    assert 1 <= printed.count(b"/Type /Page\n") <= 8
