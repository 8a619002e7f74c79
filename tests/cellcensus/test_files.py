import os
from hashlib import sha256

import pytest

from cellcensus.files import (
    publish_file,
    publish_folder,
    read_unaltered,
    sweep_leftovers,
    write_text,
)


def test_a_file_is_published_whole(tmp_path):
    target = tmp_path / "new" / "report.html"
    write_text(target, "first")
    write_text(target, "second")
    assert target.read_text() == "second"
    assert list(target.parent.iterdir()) == [target]


def test_a_failed_write_leaves_the_old_file(tmp_path):
    target = tmp_path / "numbers.txt"
    write_text(target, "old")
    with pytest.raises(RuntimeError), publish_file(target) as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_a_folder_is_published_whole_or_not_at_all(tmp_path):
    target = tmp_path / "cells"
    with pytest.raises(RuntimeError), publish_folder(target) as temporary:
        (temporary / "crops.npy").write_bytes(b"half")
        raise RuntimeError
    assert not target.exists()
    with publish_folder(target) as temporary:
        (temporary / "crops.npy").write_bytes(b"whole")
    assert (target / "crops.npy").read_bytes() == b"whole"
    assert list(tmp_path.iterdir()) == [target]


def test_leftovers_are_swept(tmp_path):
    (tmp_path / "a" / ".partial-x").mkdir(parents=True)
    (tmp_path / "a" / ".partial-y.npy").write_bytes(b"")
    (tmp_path / "a" / "kept.npy").write_bytes(b"")
    assert sweep_leftovers(tmp_path) == 2
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["kept.npy"]


def test_what_another_machine_may_be_writing_is_left_alone_for_a_day(tmp_path, monkeypatch):
    monkeypatch.setattr("socket.gethostname", lambda: "other")
    with publish_file(tmp_path / "a.txt") as at_work, publish_file(tmp_path / "b.txt") as old:
        os.utime(old, (0, 0))
        monkeypatch.setattr("socket.gethostname", lambda: "this")
        assert sweep_leftovers(tmp_path) == 1
        assert at_work.exists()
        assert not old.exists()
        old.touch()  # so that it can be published
        monkeypatch.setattr("socket.gethostname", lambda: "other")
        assert sweep_leftovers(tmp_path) == 2
        at_work.touch()
        old.touch()


def test_only_what_was_written_down_is_read(tmp_path):
    home = tmp_path / "home"
    write_text(home / "report.html", "signed")
    write_text(tmp_path / "secret", "signed")
    digest = sha256(b"signed").hexdigest()
    assert read_unaltered(home, "report.html", digest) == b"signed"
    assert read_unaltered(home, "../secret", digest) is None
    assert read_unaltered(home, "missing.html", digest) is None
    write_text(home / "report.html", "altered")
    assert read_unaltered(home, "report.html", digest) is None
