import shutil

import pytest

from flows.inbox import take_from_inbox
from flows.registry import list_models
from tests.flows.conftest import Folder


@pytest.fixture
def inbox(tmp_path):
    folder = tmp_path / "inbox"
    folder.mkdir()
    return folder


@pytest.fixture
def arrived(inbox):
    """A study that has been copied whole."""
    return Folder(inbox / "first")


class Clock:
    """Lets no time pass, but something may happen meanwhile."""

    def __init__(self, meanwhile=lambda: None):
        self.waited, self.meanwhile = [], meanwhile

    def __call__(self, seconds):
        self.waited.append(seconds)
        self.meanwhile()


def stages(outcomes):
    return [outcome.stage for outcome in outcomes]


def test_a_whole_study_is_run_once(ctx, calls, inbox, arrived):
    clock = Clock()
    outcomes = take_from_inbox(ctx, inbox, wait=clock)
    assert stages(outcomes) == ["ingest", "train", "predict", "report"]
    assert clock.waited == [ctx.settings.inbox.settle_seconds]
    before = dict(calls)
    again = take_from_inbox(ctx, inbox, wait=clock)
    assert all(outcome.done == 0 for outcome in again)
    assert len(clock.waited) == 1  # nothing new, nothing to watch
    assert calls == before


def test_a_recording_still_being_copied_is_left_alone(ctx, calls, inbox, arrived):
    take_from_inbox(ctx, inbox, wait=Clock())
    arrived.add("U2", "unknown", "D9", "round round")
    arrived.write()
    outcomes = take_from_inbox(
        ctx, inbox, wait=Clock(lambda: arrived.film("U2", "round round lobed lobed lobed"))
    )
    assert "left alone: U2" in " ".join(outcomes[0].notes)
    assert not any(outcome.quarantined for outcome in outcomes)
    assert calls["ingest"] == 6
    take_from_inbox(ctx, inbox, wait=Clock())
    assert calls["ingest"] == 7


@pytest.mark.parametrize("state", ["absent", "part"])
def test_what_is_not_there_yet_is_waited_for(ctx, calls, inbox, arrived, state):
    take_from_inbox(ctx, inbox, wait=Clock())
    arrived.add("U2", "unknown", "D9", "round round lobed lobed")
    arrived.write()
    film = arrived.path / "recordings" / "U2.avi"
    if state == "absent":
        film.unlink()
    else:
        film.with_name("U2.avi.part").write_text("")
    take_from_inbox(ctx, inbox, wait=Clock())
    assert calls["ingest"] == 6


def test_without_a_model_all_of_it_is_waited_for(ctx, calls, inbox, arrived):
    film = arrived.path / "recordings" / "P1.avi"
    content = film.read_text()
    film.unlink()
    assert stages(take_from_inbox(ctx, inbox, wait=Clock())) == ["ingest"]
    assert "train" not in calls
    film.write_text(content)
    assert "train" in stages(take_from_inbox(ctx, inbox, wait=Clock()))


def test_half_a_sheet_and_strange_folders_are_no_studies(ctx, inbox, arrived):
    (inbox / "notes").mkdir()
    (inbox / "a.txt").write_text("")
    (inbox / "half").mkdir()
    shutil.copy(arrived.path / "study.yaml", inbox / "half" / "study.yaml")
    (inbox / "half" / "specimens.csv").write_text("specimen_id,don")
    outcomes = take_from_inbox(ctx, inbox, wait=Clock())
    assert {outcome.study for outcome in outcomes} == {"made-up"}


def test_a_complete_study_makes_a_candidate_where_it_is_asked_for(opened, calls, inbox, arrived):
    ctx = opened(inbox={"retrain": True})
    take_from_inbox(ctx, inbox, wait=Clock())
    second = Folder(inbox / "second", name="second")
    second.rows["U1"]["recording"] = "recordings/late.avi"
    second.write()
    assert "retrain" not in stages(take_from_inbox(ctx, inbox, wait=Clock()))
    (second.path / "recordings" / "late.avi").write_text("round lobed lobed lobed")
    assert "retrain" in stages(take_from_inbox(ctx, inbox, wait=Clock()))
    assert len(list_models(ctx)) == 2
    assert stages(take_from_inbox(ctx, inbox, wait=Clock())).count("retrain") <= 1
    assert len(list_models(ctx)) == 2
