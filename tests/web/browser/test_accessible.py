"""The pages of the bench for everybody: axe finds nothing, keys are enough, every width fits."""

import pytest

from tests.web.browser.test_review import WARD

PAGES = {
    "list": "/?sort=newest",
    "open": WARD + "W001?list=sort%3Dneed&at=4",
    "flagged": WARD + "W005",
    "viewed": WARD + "W002?class=neutrophil",
}
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(person, scheme):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    tina = person("tina", color_scheme=scheme)
    for name, address in PAGES.items():
        page = tina.open(address)
        if "specimens" in address:
            page.locator("#film").scroll_into_view_if_needed()
            page.wait_for_selector("#film svg")
            page.locator("#gallery .cell").first.hover()
            page.wait_for_selector("#cell .view")
        found = axe.run(page, options={"runOnly": RULES}).response["violations"]
        told = [(f["id"], [node["html"][:120] for node in f["nodes"][:3]]) for f in found]
        assert told == [], f"{name}, {scheme}"


def test_no_page_is_wider_than_the_window(person):
    tina = person("tina")
    for name, address in PAGES.items():
        page = tina.open(address)
        # 640 is a window of 1280 at 200 %; 320 is one at 400 %.
        for width in (1440, 1280, 820, 768, 640, 390, 320):
            page.set_viewport_size({"width": width, "height": 800})
            beyond = page.evaluate(
                "document.documentElement.scrollWidth - document.documentElement.clientWidth"
            )
            assert beyond <= 0, (name, width)


def test_the_list_is_used_by_keys_alone(person):
    tina = person("tina")
    page = tina.open("/?sort=specimen")
    for key in ("j", "ArrowDown", "k"):
        page.keyboard.press(key)
    assert page.evaluate("document.activeElement.textContent") == "W000"
    page.keyboard.press("/")
    page.keyboard.type("W01")
    page.keyboard.press("Enter")
    page.wait_for_url("**words=W01**")
    page.keyboard.press("?")
    assert page.locator("dialog#keys").is_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_url("**/specimens/W010**")
    page.keyboard.press("n")
    page.wait_for_url("**/specimens/W011**")


def test_single_keys_can_be_turned_off(person):
    tina = person("tina")
    page = tina.open(WARD + "W002?class=neutrophil")
    for off in (True, False):
        page.keyboard.press("?")
        page.set_checked("#keys-off", off)
        page.keyboard.press("Escape")
        page.wait_for_selector("dialog#keys", state="hidden")
        page.keyboard.press("c")
        assert (page.evaluate("document.activeElement.id") == "comment-text") is not off
