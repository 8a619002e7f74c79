"""The application in a thread on a port of its own, and real Chromium in front of it."""

from __future__ import annotations

import shutil
import socket
import threading
import time
from contextlib import contextmanager

import pytest
import uvicorn

from tests.web.benchhome import PASSWORD, make_home
from web.app import create_app

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")


def pytest_collection_modifyitems(items):
    for item in items:
        if "/web/browser/" in str(item.path):
            item.add_marker(pytest.mark.e2e)
            if CHROMIUM is None:
                item.add_marker(pytest.mark.skip(reason="Chromium is not installed"))


@pytest.fixture(scope="session")
def chromium():
    sync_api = pytest.importorskip("playwright.sync_api")
    with sync_api.sync_playwright() as play:
        browser = play.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"]
        )
        yield browser
        browser.close()


@contextmanager
def serving(settings, port=None):
    """Serve a home; gives its address. The port may be asked for, to serve it again there."""
    port = port or free_port()
    server = uvicorn.Server(
        uvicorn.Config(
            create_app(settings, hosts=("127.0.0.1",)),
            host="127.0.0.1",
            port=port,
            log_level="error",
            access_log=False,
            timeout_graceful_shutdown=1,
        )
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    patience = time.monotonic() + 20
    while not server.started and time.monotonic() < patience:
        time.sleep(0.02)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(20)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Person:
    """Somebody in front of a browser; every click, key and filled field is counted."""

    def __init__(self, browser, address, name, **options):
        options = {"viewport": {"width": 1280, "height": 900}, **options}
        self.context = browser.new_context(**options)
        self.page = self.context.new_page()
        self.page.set_default_timeout(8000)
        self.address, self.name, self.actions, self.said = address, name, 0, []
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))

    def sign_in(self, password=PASSWORD):
        self.page.goto(f"{self.address}/login")
        self.fill("input[name=name]", self.name)
        self.fill("input[name=password]", password)
        with self.page.expect_navigation():
            self.press("Enter")
        return self

    def open(self, path):
        self.page.goto(self.address + path)
        return self.page

    def fill(self, selector, text):
        self.actions += 1
        self.page.fill(selector, text)

    def click(self, selector, **options):
        self.actions += 1
        self.page.click(selector, **options)

    def press(self, key):
        self.actions += 1
        self.page.keyboard.press(key)

    def text(self, selector):
        return self.page.inner_text(selector)


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return make_home(tmp_path_factory.mktemp("ward"))


@pytest.fixture(scope="module")
def address(home):
    with serving(home.settings) as found:
        yield found


@pytest.fixture
def person(chromium, address):
    """Signs somebody in: ``person("tina")``."""
    people = []

    def make(name, **options):
        people.append(Person(chromium, address, name, **options).sign_in())
        return people[-1]

    yield make
    for one in people:
        one.context.close()
