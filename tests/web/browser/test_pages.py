"""The pages in a real browser: they fit, can be read by everybody, and follow long work."""

import pytest

from cellcensus.findings import Finding, Level
from cellcensus.settings import Settings
from db import jobs
from db.accounts import add_account
from db.findings import reconcile
from db.schema import upgrade
from db.store import Store
from db.studies import specimen_keys
from flows.jobs import ask_for
from tests.web import lab
from tests.web.browser.conftest import serving

PASSWORD = "a long password"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
PAGES = {
    "ada": [
        *("/studies/lab/", "/studies/lab/?unit=per_ul", "/models", "/models/model-2-new"),
        *("/controls", "/quarantine", "/jobs", "/jobs/1", "/service", "/tour", "/studies"),
        *("/flags", "/audit", "/account", "/account/tokens", "/nothing-here"),
    ],
    "otto": ["/people"],
    "": ["/login"],
}


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    home = tmp_path_factory.mktemp("browser")
    upgrade(Settings(home=home).database_address())
    made = Store(Settings(home=home).database_address())
    made.home = home
    with made.unit_of_work() as session:
        key = lab.fill_lab(session, drift_from=26)
        lab.add_candidate(session, "model-2-new")
        ada = add_account(
            session, name="ada", full_name="Ada Brun", role="scientist", password=PASSWORD
        )
        add_account(
            session, name="otto", full_name="Otto Hahn", role="administrator", password=PASSWORD
        )
        found = Finding(Level.VIOLATION, "empty_file", "the file has 0 bytes", "copy it again")
        reconcile(
            session,
            [found],
            study_key=key,
            specimen_key=specimen_keys(session, key)["U003"],
            source="ingest",
            quarantines=True,
        )
        made.job, _ = ask_for(session, "run", study="lab", account=ada)
        session.commit()
    yield made
    made.close()


@pytest.fixture(scope="module")
def address(store):
    with serving(Settings(home=store.home)) as found:
        yield found


@pytest.fixture(scope="module")
def signed_in(people):
    return people["ada"]


@pytest.fixture(scope="module")
def people(chromium, address):
    """What the browser of each person holds who is signed in; of nobody, nothing."""
    states = {"": None}
    for name in ("ada", "otto"):
        context = chromium.new_context()
        page = context.new_page()
        page.goto(f"{address}/login")
        page.fill("#name", name)
        page.fill("#password", PASSWORD)
        page.press("#password", "Enter")
        page.wait_for_url(f"{address}/")
        states[name] = context.storage_state()
        context.close()
    return states


def opened(chromium, state, width, scheme="light"):
    context = chromium.new_context(
        storage_state=state, viewport={"width": width, "height": 900}, color_scheme=scheme
    )
    page = context.new_page()
    page.said = []
    page.on("console", lambda message: page.said.append(message.text))
    page.on("pageerror", lambda error: page.said.append(str(error)))
    return page


def open_all(page, address, paths):
    """Go to each page, with what can be unfolded unfolded."""
    for path in paths:
        expected = 404 if path == "/nothing-here" else 200
        assert page.goto(address + path).status == expected, path
        page.evaluate("document.querySelectorAll('details').forEach(part => { part.open = true })")
        yield path


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_can_be_read_by_everybody(chromium, people, address, name, scheme):
    sync_playwright = pytest.importorskip("axe_playwright_python.sync_playwright")
    # Narrow and wide pages are drawn differently: one in each scheme.
    page = opened(chromium, people[name], 390 if scheme == "light" else 1280, scheme)
    told = {}
    for path in open_all(page, address, PAGES[name]):
        found = sync_playwright.Axe().run(page, options={"runOnly": RULES})
        for wrong in found.response["violations"]:
            told[path, wrong["id"]] = wrong["nodes"][0]["html"][:120]
    assert told == {}
    assert [line for line in page.said if "404" not in line] == []
    page.context.close()


@pytest.mark.parametrize("name", PAGES)
def test_no_page_is_wider_than_the_window(chromium, people, address, name):
    page = opened(chromium, people[name], 1280)
    for path in open_all(page, address, PAGES[name]):
        # 640 and 320: 1280 at 200 % and at 400 %
        for width in (1440, 1280, 820, 768, 640, 390, 320):
            page.set_viewport_size({"width": width, "height": 900})
            overflow = page.evaluate(
                "document.documentElement.scrollWidth - document.documentElement.clientWidth"
            )
            assert overflow <= 0, (path, width)
    page.context.close()


def test_long_work_is_followed_without_reloading(chromium, signed_in, address, store):
    page = opened(chromium, signed_in, 1280)
    page.goto(f"{address}/studies/lab/#work")
    page.evaluate("window.stayed = true")
    assert page.locator(".job").inner_text().count("Waits for its turn") == 1
    with store.unit_of_work() as session:
        jobs.take(session, process="me", lease_seconds=60)
        session.commit()
    with store.unit_of_work() as session:
        jobs.renew(
            session,
            store.job.key,
            process="me",
            lease_seconds=60,
            progress=0.5,
            label="predicting: 5 of 10",
            seconds_left=30,
        )
        session.commit()
    page.wait_for_selector("text=Predicting: 5 of 10, less than a minute left", timeout=5000)
    with store.unit_of_work() as session:
        message = "predict: 10 done"
        jobs.end(session, store.job.key, process="me", state="done", message=message)
        session.commit()
    page.wait_for_selector("text=predict: 10 done", timeout=5000)
    assert page.evaluate("window.stayed")
    page.click("text=Show the page as it is now")
    assert page.locator(".job").count() == 0
    assert page.said == []
    page.context.close()


def test_a_model_is_promoted_by_keyboard(chromium, signed_in, address):
    page = opened(chromium, signed_in, 1280)
    page.goto(f"{address}/models/model-2-new")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.focus("#reason")
    page.keyboard.press("Enter")  # an empty reason is refused by the browser already
    assert page.url.endswith("/models/model-2-new")
    page.keyboard.type("better on the night shift")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_selector("text=better on the night shift (Ada Brun)")
    assert page.locator("p .state").first.inner_text() == "champion"
    page.context.close()


def test_quarantine_is_released_by_keyboard_and_the_job_is_shown(chromium, signed_in, address):
    page = opened(chromium, signed_in, 768)
    page.goto(f"{address}/quarantine")
    page.focus("summary:has-text('Decide about U003')")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.type("copied again")
    page.keyboard.press("Enter")
    page.wait_for_selector("text=Run this specimen again")
    assert page.locator("text=the file has 0 bytes").count() == 1  # in the history
    page.context.close()
