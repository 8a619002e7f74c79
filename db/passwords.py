"""Passwords: kept as argon2id hashes only, and compared in the same time for everybody."""

from __future__ import annotations

import unicodedata
from functools import cache
from threading import BoundedSemaphore

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from cellcensus.errors import UsageError

LONGEST = 1024

_hasher = PasswordHasher()  # the library's defaults, which follow RFC 9106 and grow with time
# Each hash takes 64 MiB for its time: many at once would be an attack on memory.
_turns = BoundedSemaphore(4)


def hash_password(password: str) -> str:
    """The password's argon2id hash, with its parameters and salt."""
    with _turns:
        return _hasher.hash(_plain(password))


def verify_password(stored: str | None, password: str) -> bool:
    """Whether it is the password of that hash.

    Without a hash (nobody of that name) it takes as long and is never right, so that the time
    does not tell which names exist.
    """
    with _turns:
        try:
            return _hasher.verify(stored or _nobody(), _plain(password)) and stored is not None
        except (VerificationError, InvalidHashError):
            return False


def is_outdated(stored: str) -> bool:
    """Whether the hash was made with weaker parameters than today's."""
    return _hasher.check_needs_rehash(stored)


def check_new_password(password: str, *, name: str, fewest: int) -> None:
    """Refuse what cannot serve as a password.

    Raises
    ------
    UsageError
        It is too short, too long, or the account's own name.
    """
    length = len(_plain(password))
    if length < fewest:
        raise UsageError(
            f"the password has {length} characters, at least {fewest} are needed",
            next_step="choose a longer one; a few words in a row are easy to remember",
        )
    if length > LONGEST:
        raise UsageError(
            f"the password has more than {LONGEST} characters", next_step="choose a shorter one"
        )
    if _plain(password).casefold() == name.casefold():
        raise UsageError(
            "the password is the account's name", next_step="choose one that nobody can guess"
        )


@cache
def _nobody() -> str:
    return _hasher.hash("nobody has this password")


def _plain(password: str) -> str:
    # The same letters typed on another keyboard may come as other code points.
    return unicodedata.normalize("NFKC", password)
