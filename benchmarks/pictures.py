"""Pictures of every page at three widths, for the guides and for looking at.

Usage::

    python -m benchmarks.pictures HOME OUT [--docs | --pages] [--dark] [--only NAME…]

HOME is a home with a study in it; ``cellcensus demo --dir DIR`` makes one at ``DIR/home``. It is
copied first and never changed. The copy gets an account of each role, is served, and is walked
through in Chromium: looking, correcting a cell, holding, signing. OUT gets one file a page and
width. ``--docs`` takes only the pictures that the documents show, light ones of few bytes, so
``python -m benchmarks.pictures HOME docs/pictures --docs`` renews them; ``--pages`` takes the upper
part of every page at each width, as ``docs/pages.md`` shows them: renewed by
``python -m benchmarks.pictures HOME docs/pages --pages``.
"""

from __future__ import annotations

import argparse
import shutil
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import cv2
import numpy as np
import uvicorn
from sqlalchemy import update
from sqlalchemy.orm import Session

from cellcensus.findings import Finding, Level
from cellcensus.settings import Settings
from db.accounts import add_account
from db.findings import reconcile
from db.registry import champions
from db.schema import upgrade
from db.store import Store
from db.studies import find_study, specimen_keys, study_names
from db.tables import Account
from web.app import create_app
from web.queries import Filter, work_list

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

WIDTHS = (390, 820, 1440)
"""A phone, a tablet, a desk."""
DEPTHS = dict(zip(WIDTHS, (1500, 1300, 1200), strict=True))
"""How much of a page its small picture shows, from the top."""
QUALITY = 46
GUIDES = 1280
"""The width of the pictures in the guides, where no other is asked for."""
PASSWORD = "four quiet white cells"
PEOPLE = {
    "tina": ("Tina Berg", "technician"),
    "rosa": ("Rosa Lind", "reviewer"),
    "sam": ("Sam Okoro", "scientist"),
    "ada": ("Ada Brun", "administrator"),
}


@dataclass(frozen=True)
class View:
    """One page: whose, where, and in the documents at which widths (none: not there)."""

    name: str
    who: str
    path: str
    docs: tuple[int, ...] = ()
    #: A part of the page that is shown alone, with the page scrolled to it.
    part: str = ""
    height: int = 900


def views(study: str, unknown: list[str], signed: str, model: str) -> list[View]:
    """All pages, by the names of what is in the home."""
    home = f"/studies/{quote(study, safe='')}"
    bench = f"{home}/specimens/{quote(unknown[0], safe='')}"
    return [
        View("login", "", "/login"),
        View("worklist", "tina", "/", (390, 1280)),
        View("bench", "tina", bench, (1280,)),
        View("cells", "tina", bench, (1280,), part="#gallery"),
        View("recording", "tina", bench, (1280,), part="#recording"),
        View("earlier", "tina", bench, part="#earlier"),
        View("signed", "tina", f"{home}/specimens/{quote(signed, safe='')}", (1280,), height=760),
        View("flags", "tina", "/flags"),
        View("tour", "tina", "/tour", (1280,)),
        View("account", "tina", "/account"),
        View("missing", "tina", "/nothing-here"),
        View("denied", "tina", "/audit"),
        View("studies", "rosa", "/studies"),
        View("study", "sam", f"{home}/", (1280,)),
        View("models", "sam", "/models"),
        View("model", "sam", f"/models/{quote(model, safe='')}", (1280,)),
        View("controls", "sam", "/controls", (1280,)),
        View("quarantine", "rosa", "/quarantine", (1280,)),
        View("jobs", "sam", "/jobs"),
        View("service", "ada", "/service", (1280,)),
        View("people", "ada", "/people", (1280,)),
        View("audit", "ada", "/audit", (1280,)),
        View("tokens", "sam", "/account/tokens"),
    ]


def main(arguments: list[str] | None = None) -> None:
    """Take the pictures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("home", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--docs", action="store_true", help="only what the documents show")
    parser.add_argument("--pages", action="store_true", help="the upper part of each, light")
    parser.add_argument("--only", nargs="*", default=[], help="names of pages")
    parser.add_argument("--dark", action="store_true", help="as in a dark room")
    chosen = parser.parse_args(arguments)
    chosen.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        shutil.copytree(chosen.home, home)
        take(Settings(home=home), chosen)


def take(settings: Settings, chosen: argparse.Namespace) -> None:
    """Fill the copied home with people and decisions, and take the pictures of it."""
    from playwright.sync_api import sync_playwright

    study, unknown, model = prepare(settings)
    signed = unknown[-1]
    with serving(settings) as address, sync_playwright() as play:
        browser = play.chromium.launch(
            executable_path=shutil.which("chromium") or shutil.which("google-chrome"),
            args=["--no-sandbox", "--disable-gpu"],
        )
        people = {name: sign_in(browser, address, name) for name in PEOPLE}
        work_through(people["tina"], f"{address}/studies/{quote(study, safe='')}", unknown)
        for view in views(study, unknown, signed, model):
            if (chosen.only and view.name not in chosen.only) or (chosen.pages and view.part):
                continue
            widths = view.docs if chosen.docs else WIDTHS
            for width in widths:
                context = opened(browser, people.get(view.who), width, view.height, chosen.dark)
                save(context.new_page(), address, view, width, chosen)
                context.close()
        browser.close()


def prepare(settings: Settings) -> tuple[str, list[str], str]:
    """Add the people; give back a study, its specimens to sign, and its champion."""
    upgrade(settings.database_address())
    store = Store(settings.database_address())
    with store.unit_of_work() as session:
        session.execute(update(Account).values(name="former-" + Account.name, active=False))
        for name, (full_name, role) in PEOPLE.items():
            add_account(session, name=name, full_name=full_name, role=role, password=PASSWORD)
        session.commit()
    with store.reading() as session:
        names = study_names(session)
        if not names:
            sys.exit("There is no study in this home: make one with cellcensus demo --dir DIR.")
        listed = work_list(session, Filter(study=names[0], review="open"), 1, 50).items
        found = champions(session)
    if len(listed) < 5 or not found:
        sys.exit("The study needs a model and five results to sign.")
    with store.unit_of_work() as session:
        set_aside(session, names[0], listed[2].specimen_id)
        session.commit()
    store.close()
    return names[0], [item.specimen_id for item in listed], found[0].model_id


def set_aside(session: Session, study: str, specimen_id: str) -> None:
    """Quarantine a specimen, as if its recording had been cut short while it was copied."""
    key = find_study(session, study).key
    found = Finding(
        Level.VIOLATION,
        "empty_file",
        "the file has 0 bytes",
        "copy the recording again from the instrument, then release the specimen",
    )
    reconcile(
        session,
        [found],
        study_key=key,
        specimen_key=specimen_keys(session, key)[specimen_id],
        source="ingest",
        quarantines=True,
    )


def work_through(signed_in: BrowserContext, home: str, unknown: list[str]) -> None:
    """What a technician did before the pictures: a corrected cell, a hold, a signature."""
    page = signed_in.new_page()
    page.goto(f"{home}/specimens/{quote(unknown[0], safe='')}?class=neutrophil")
    correct(page)
    page.goto(f"{home}/specimens/{quote(unknown[1], safe='')}")
    hold(page)
    page.goto(f"{home}/specimens/{quote(unknown[-1], safe='')}")
    page.keyboard.press("b")
    for reason in page.locator("#flags form input[name=reason]").all():
        reason.fill("smear looked at: the same picture")
        reason.press("Enter")
        page.wait_for_selector("#flags .accepted")
    password = page.locator("#sign input[type=password]")
    password.wait_for(timeout=20_000)
    password.fill(PASSWORD)
    page.click("#sign button >> nth=-1")
    page.wait_for_selector("#versions table")
    page.close()


def correct(page: Page) -> None:
    """Move the least certain cell of the class that is open to the next class."""
    page.locator("#gallery .cell").first.click()
    page.locator("#gallery [data-key]").first.click()
    page.wait_for_selector("#result .was")


def hold(page: Page) -> None:
    """Hold the result that is open, with a reason."""
    page.click("#hold summary")
    page.fill("#hold textarea", "clot seen in the tube")
    page.click("#hold button")
    page.wait_for_selector("#top .flags")


def save(page: Page, address: str, view: View, width: int, chosen: argparse.Namespace) -> None:
    """Open a page and keep its picture."""
    page.goto(address + view.path)
    if page.locator("#film").count():
        page.locator("#film").scroll_into_view_if_needed()
        page.wait_for_selector("#film svg, #film .notice")
        if page.locator("#gallery .cell").count():
            page.locator("#gallery .cell").first.hover()
            page.wait_for_selector("#cell .view")
        page.evaluate("window.scrollTo(0, 0)")
    page.wait_for_load_state("networkidle")
    name = view.name if width == GUIDES else f"{view.name}-{width}"
    target = page.locator(view.part) if view.part else page
    if chosen.docs:
        path = chosen.out / f"{name}.jpg"
        target.screenshot(path=path, type="jpeg", quality=64)
    elif view.part:
        target.screenshot(path=chosen.out / f"{name}.png")
    elif chosen.pages:
        keep_small(page.screenshot(full_page=True), chosen.out / f"{view.name}-{width}.webp", width)
    else:
        page.screenshot(path=chosen.out / f"{name}.png", full_page=True)


def keep_small(png: bytes, path: Path, width: int) -> None:
    """Keep the upper part of a page's picture in few bytes."""
    picture = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    done, coded = cv2.imencode(
        ".webp", picture[: DEPTHS[width]], [cv2.IMWRITE_WEBP_QUALITY, QUALITY]
    )
    assert done
    path.write_bytes(coded.tobytes())


def sign_in(browser: Browser, address: str, name: str) -> BrowserContext:
    """Somebody who is signed in."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.goto(f"{address}/login")
    page.fill("#name", name)
    page.fill("#password", PASSWORD)
    with page.expect_navigation():
        page.keyboard.press("Enter")
    page.close()
    return context


def opened(
    browser: Browser, signed_in: BrowserContext | None, width: int, height: int, dark: bool
) -> BrowserContext:
    """A window of this width, of somebody who is signed in or of nobody."""
    return browser.new_context(
        storage_state=signed_in.storage_state() if signed_in else None,
        viewport={"width": width, "height": height},
        color_scheme="dark" if dark else "light",
    )


@contextmanager
def serving(settings: Settings) -> Iterator[str]:
    """Serve a home in a thread; gives its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    app = create_app(settings, hosts=("127.0.0.1",))
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="error", access_log=False))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started and thread.is_alive():
        time.sleep(0.05)
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join(10)


if __name__ == "__main__":
    main()
