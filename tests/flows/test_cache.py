import threading
import time

import pytest

from flows.cache import Cache


def _put(size):
    def fetch(folder):
        (folder / "content").write_bytes(b"x" * size)

    return fetch


def _names(folder):
    return sorted(path.name for path in folder.iterdir() if path.name != ".locks")


def _use(cache, key, size=40):
    with cache.copy(key, size, _put(size)) as entry:
        assert (entry / "content").stat().st_size == size
    time.sleep(0.02)  # the order of use is told by the files' times


def test_what_was_not_used_for_longest_makes_room(tmp_path):
    cache = Cache(tmp_path, 100)
    _use(cache, "a")
    _use(cache, "b")
    _use(cache, "a")
    _use(cache, "c")
    assert _names(tmp_path) == ["a", "c"]


def test_what_is_in_use_stays(tmp_path):
    cache = Cache(tmp_path, 100)
    with cache.copy("a", 80, _put(80)) as entry:
        _use(cache, "b", 80)
        assert (entry / "content").exists()
    _use(cache, "c", 10)
    assert _names(tmp_path) == ["b", "c"]


def test_a_copy_is_whole_or_not_there(tmp_path):
    def fail(folder):
        (folder / "half").write_bytes(b"x")
        raise OSError("the network hiccuped")

    cache = Cache(tmp_path, 100)
    with pytest.raises(OSError, match="hiccup"), cache.copy("a", 1, fail):
        pass
    assert _names(tmp_path) == []
    _use(cache, "a")


def test_two_at_once_fetch_once(tmp_path):
    fetched = []

    def fetch(folder):
        fetched.append(folder)
        time.sleep(0.2)
        (folder / "content").write_bytes(b"x")

    def use():
        with Cache(tmp_path, 100).copy("a", 1, fetch) as entry:
            assert (entry / "content").exists()

    threads = [threading.Thread(target=use) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(fetched) == 1
