import unicodedata

import pytest
from argon2 import PasswordHasher

from cellcensus.errors import UsageError
from db import passwords
from db.passwords import check_new_password, hash_password, is_outdated, verify_password
from tests.hashes import quick_hashes

__all__ = ["quick_hashes"]


def test_the_defaults_are_argon2id_with_the_librarys_parameters():
    stored = hash_password("correct horse battery")
    library = PasswordHasher()
    assert stored.startswith("$argon2id$")
    assert f"m={library.memory_cost},t={library.time_cost},p={library.parallelism}" in stored
    assert not is_outdated(stored)
    assert verify_password(stored, "correct horse battery")
    assert not verify_password(stored, "correct horse batterz")


@pytest.mark.usefixtures("quick_hashes")
def test_the_same_letters_in_other_code_points_are_the_same_password():
    typed = "Zählkammer 12 µl"
    assert verify_password(
        hash_password(unicodedata.normalize("NFD", typed)), unicodedata.normalize("NFC", typed)
    )


@pytest.mark.usefixtures("quick_hashes")
def test_the_same_password_is_stored_differently_each_time():
    assert hash_password("the same") != hash_password("the same")


@pytest.mark.usefixtures("quick_hashes")
def test_nobodys_password_takes_a_real_check_and_is_never_right(monkeypatch):
    checked = []
    real = passwords._hasher

    class Watching:
        def verify(self, stored, password):
            checked.append(stored)
            return real.verify(stored, password)

        def __getattr__(self, name):
            return getattr(real, name)

    monkeypatch.setattr(passwords, "_hasher", Watching())
    assert not verify_password(None, "nobody has this password")
    assert len(checked) == 1
    assert checked[0].startswith("$argon2id$")


def test_a_hash_that_is_none_fits_no_password():
    assert not verify_password("!", "!")


def test_a_hash_of_weaker_parameters_is_outdated():
    assert is_outdated(PasswordHasher(1, 8, 1).hash("x"))


@pytest.mark.parametrize(
    ("password", "words"),
    [("short", "5 characters"), ("x" * 1025, "more than"), ("Grace.Hopper.1", "account's name")],
)
def test_what_cannot_serve_is_refused_with_the_reason(password, words):
    with pytest.raises(UsageError, match=words):
        check_new_password(password, name="grace.hopper.1", fewest=12)


def test_no_kind_of_character_is_asked_for():
    check_new_password("aaaaaaaaaaaa", name="ada", fewest=12)
