"""Whether the installation does its work: one check a thing, each with what to do if not."""

from __future__ import annotations

import importlib
import platform
import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from urllib.error import URLError
from urllib.parse import urlsplit
from urllib.request import urlopen

from cellcensus import __version__
from cellcensus.errors import CellcensusError
from cellcensus.settings import Settings

LEAST_FREE_GB = 5.0
_NETWORK_S = 5.0


class Verdict(StrEnum):
    """How a check ended; only a failure means that work cannot be done."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at: what was found, and what to do about it."""

    name: str
    verdict: Verdict
    found: str
    next_step: str = ""


def examine(settings: Settings) -> list[Check]:
    """Look at everything the service stands on; never raises, changes nothing that exists."""
    return [_careful(name, check, settings) for name, check in CHECKS.items()]


def examine_service(settings: Settings) -> list[Check]:
    """The checks that take no time and no network, for a page."""
    return [_careful(name, CHECKS[name], settings) for name in ("disk", "database", "jobs")]


def _careful(name: str, check: Callable[[Settings], Check], settings: Settings) -> Check:
    try:
        return check(settings)
    except CellcensusError as error:
        return Check(name, Verdict.FAILED, error.message, error.next_step or "")
    except Exception as error:
        step = "read the message; if it says nothing, reinstall cellcensus"
        return Check(name, Verdict.FAILED, f"{type(error).__name__}: {error}", step)


def _python(_: Settings) -> Check:
    version = platform.python_version()
    if sys.version_info[:2] != (3, 11):
        return Check(
            "Python", Verdict.FAILED, version, "install cellcensus with Python 3.11: `make setup`"
        )
    return Check("Python", Verdict.OK, f"{version}, cellcensus {__version__}")


def _imports(name: str, module: str, needed_for: str) -> Callable[[Settings], Check]:
    def check(_: Settings) -> Check:
        try:
            found = importlib.import_module(module)
        except ImportError as error:
            missing_library = "libGL" in str(error)
            step = (
                "install the system's libgl1: `apt install libgl1`"
                if missing_library
                else "`make setup` installs it"
            )
            return Check(name, Verdict.FAILED, f"{needed_for} cannot be done: {error}", step)
        return Check(name, Verdict.OK, str(getattr(found, "__version__", "is there")))

    return check


def _torch(settings: Settings) -> Check:
    checked = _imports("torch", "torch", "training and prediction")(settings)
    if checked.verdict is not Verdict.OK:
        return checked
    import torch

    device = torch.cuda.get_device_name(0) if torch.cuda.is_available() else "no GPU, which is fine"
    return Check("torch", Verdict.OK, f"{checked.found}, {device}")


def _home(settings: Settings) -> Check:
    home = settings.home.resolve()
    step = "choose a folder you may write to with --home or CELLCENSUS_HOME"
    if not home.is_dir():
        return Check(
            "home folder", Verdict.WARNING, f"{home} does not exist yet", "any run makes it"
        )
    try:
        with tempfile.TemporaryFile(dir=home) as stream:
            stream.write(b"x")
    except OSError as error:
        return Check("home folder", Verdict.FAILED, f"{home}: {error.strerror}", step)
    return Check("home folder", Verdict.OK, f"{home} can be written to")


def _disk(settings: Settings) -> Check:
    place = settings.home.resolve()
    while not place.exists():
        place = place.parent
    free = shutil.disk_usage(place).free / 1e9
    found = f"{free:.1f} GB free"
    if free < LEAST_FREE_GB:
        step = f"make room: {LEAST_FREE_GB:.0f} GB should be free; old cells and reports take most"
        return Check("disk", Verdict.FAILED if free < 1 else Verdict.WARNING, found, step)
    return Check("disk", Verdict.OK, found)


def _database(settings: Settings) -> Check:
    from sqlalchemy.engine import make_url

    from db.schema import HEAD, revision
    from db.store import Store, normal_address

    url = make_url(normal_address(settings.database_address()))
    name = {"sqlite": "SQLite in the home folder", "postgresql": f"PostgreSQL at {url.host}"}[
        url.get_backend_name()
    ]
    if url.get_backend_name() == "sqlite" and not (settings.home / "cellcensus.sqlite").exists():
        return Check("database", Verdict.WARNING, "there is none yet", "any run makes it")
    store = Store(settings.database_address())
    try:
        with store.reading() as session:
            present = revision(session.connection())
    finally:
        store.close()
    if present != HEAD:
        return Check(
            "database",
            Verdict.WARNING,
            f"{name} with schema {present or 'none'}, {HEAD} is the newest",
            "`cellcensus db backup FILE`, then `cellcensus db upgrade`",
        )
    return Check("database", Verdict.OK, f"{name}, schema {present}")


def _worker(settings: Settings) -> Check:
    from db import jobs
    from db.schema import HEAD, revision
    from db.store import Store
    from db.types import utc_now

    if not settings.database_url and not (settings.home / "cellcensus.sqlite").exists():
        return Check("jobs", Verdict.OK, "none yet")
    store = Store(settings.database_address())
    try:
        with store.reading() as session:
            if revision(session.connection()) != HEAD:
                return Check("jobs", Verdict.OK, "none yet; the database is upgraded first")
            waiting, counted = jobs.oldest_waiting(session), jobs.counts(session)
    finally:
        store.close()
    found = f"{counted.get('waiting', 0)} waiting, {counted.get('running', 0)} running"
    if waiting and not counted.get("running") and (utc_now() - waiting).total_seconds() > 60:
        return Check(
            "jobs", Verdict.WARNING, f"{found}, and nobody works on them", "start `cellcensus work`"
        )
    return Check("jobs", Verdict.OK, found)


def _prefect(_: Settings) -> Check:
    from os import environ

    address = environ.get("PREFECT_API_URL")
    if not address:
        return Check("Prefect server", Verdict.OK, "not configured; only schedules need one")
    shown = urlsplit(address)._replace(query="").geturl()
    step = "start it with `prefect server start`, or correct PREFECT_API_URL"
    if urlsplit(address).scheme not in ("http", "https"):
        return Check("Prefect server", Verdict.FAILED, f"{shown} is no address", step)
    try:
        with urlopen(f"{address.rstrip('/')}/health", timeout=_NETWORK_S) as answer:  # noqa: S310
            healthy = answer.status == 200
    except (URLError, OSError, ValueError) as error:
        reason = getattr(error, "reason", error)
        return Check("Prefect server", Verdict.FAILED, f"{shown}: {reason}", step)
    verdict = Verdict.OK if healthy else Verdict.WARNING
    return Check("Prefect server", verdict, f"{shown} answers")


CHECKS: dict[str, Callable[[Settings], Check]] = {
    "Python": _python,
    "torch": _torch,
    "OpenCV": _imports("OpenCV", "cv2", "reading recordings"),
    "PDF reports": _imports("PDF reports", "typst", "reports on paper"),
    "home folder": _home,
    "disk": _disk,
    "database": _database,
    "jobs": _worker,
    "Prefect server": _prefect,
}
"""Name → check, in the order in which they are told. A browser is needed by none."""
