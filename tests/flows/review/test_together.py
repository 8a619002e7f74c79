"""Two people at once, and a process that dies in the middle."""

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from sqlalchemy import select

from cellcensus.errors import ReviewError, StaleReviewError
from db.audit import broken_entries
from db.tables import CellCorrection, ReportSignature, ReportVersion
from flows.review import comment, correct, see_bin, sign, verify
from tests.flows.review.conftest import STUDY


def _at_once(*works):
    """Do several things at the same moment in threads; what each gave, or its error."""
    gate, results = threading.Barrier(len(works)), [None] * len(works)

    def run(place, work):
        gate.wait()
        try:
            results[place] = work()
        except ReviewError as error:
            results[place] = error

    threads = [threading.Thread(target=run, args=item) for item in enumerate(works)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return results


def _correction(lab, actor, cell, seen):
    return lambda: correct(*lab.signing(actor=actor), cell_ids=[cell], after="lobed", seen=seen)


def test_of_two_people_at_once_one_is_told_of_the_other(laboratory):
    for cell in range(4):
        seen = laboratory.bench().seen
        results = _at_once(
            *(_correction(laboratory, who, cell, seen) for who in (laboratory.ada, laboratory.bob))
        )
        (told,) = [found for found in results if isinstance(found, StaleReviewError)]
        assert told.changed_by in ("Ada R.", "Bob R.")
        assert laboratory.bench().seen.version == seen.version + 1
    with laboratory.store.reading() as session:
        assert len(session.scalars(select(CellCorrection)).all()) == 4
        assert list(broken_entries(session)) == []


def test_two_signatures_at_once_make_one_version(laboratory):
    seen = see_bin(*laboratory.at(), seen=laboratory.bench().seen)
    results = _at_once(
        *(
            lambda who=who: sign(*laboratory.signing(actor=who), meaning="released", seen=seen)
            for who in (laboratory.ada, laboratory.bob)
        )
    )
    assert sum(isinstance(found, StaleReviewError) for found in results) == 1
    with laboratory.store.reading() as session:
        assert len(session.scalars(select(ReportVersion)).all()) == 1
        assert len(session.scalars(select(ReportSignature)).all()) == 1
    assert verify(laboratory.store, laboratory.settings, STUDY, "U1") == {1: ()}


def test_comments_of_many_people_at_once_are_all_kept(laboratory):
    _at_once(*(lambda n=n: comment(*laboratory.at(), text=f"comment {n}") for n in range(8)))
    bench = laboratory.bench()
    assert len(bench.steps) == 8
    assert bench.seen.version == 8
    with laboratory.store.reading() as session:
        assert list(broken_entries(session)) == []


_SIGN_AND_DIE = """
import os, sys
from cellcensus.settings import Settings
from db.store import Store
from flows.review import Actor, Seen, sign, signing

settings = Settings(home=sys.argv[1], database_url=sys.argv[2])
written = signing.write_bytes

def write_and_die(path, content):
    written(path, content)
    os._exit(9)

signing.write_bytes = write_and_die
actor = Actor(int(sys.argv[3]), "ada", "Ada R.", "reviewer")
sign(Store(sys.argv[2]), settings, actor, "made-up", "U1", meaning="released",
     seen=Seen.parse(sys.argv[4]))
"""


@pytest.mark.integration
def test_killed_between_file_and_commit_there_is_no_half_version(laboratory):
    seen = see_bin(*laboratory.at(), seen=laboratory.bench().seen)
    # What the stand-ins of the tests read is no real folder of cells.
    laboratory.set("reports", gallery_cells=0)
    arguments = (laboratory.settings.home, laboratory.store.address, laboratory.ada.key, seen)
    died = subprocess.run(
        [sys.executable, "-c", _STANDINS + _SIGN_AND_DIE, *map(str, arguments)],
        cwd=Path(__file__).parents[3],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert died.returncode == 9, died.stderr
    folder = laboratory.settings.home / "reports" / STUDY / "signed"
    assert [file.name for file in folder.iterdir()] == ["U1.v1.html"]
    bench = laboratory.bench()
    assert bench.versions == ()
    assert bench.seen == seen
    assert laboratory.entries("report.released") == []
    sign(*laboratory.signing(), meaning="released", seen=seen)
    assert verify(laboratory.store, laboratory.settings, STUDY, "U1") == {1: ()}
    assert [file.name for file in folder.iterdir()] == ["U1.v1.html"]


_STANDINS = """
import pytest
from tests.flows import standins
standins.installed(pytest.MonkeyPatch())
"""


def test_an_error_before_the_end_keeps_nothing(laboratory, monkeypatch):
    from flows.review import signing

    def full(*_):
        raise OSError("No space left on device")

    seen = see_bin(*laboratory.at(), seen=laboratory.bench().seen)
    monkeypatch.setattr(signing, "write_bytes", full)
    with pytest.raises(OSError, match="No space"):
        sign(*laboratory.signing(), meaning="released", seen=seen)
    monkeypatch.undo()
    assert laboratory.bench().seen == seen
    assert laboratory.bench().versions == ()
