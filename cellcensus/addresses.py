"""Addresses of recordings that lie in a storage, such as ``s3://laboratory/may/U1.avi``."""

from __future__ import annotations

import re

_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]{1,15}://\S")
_SIGNS = frozenset("*?[")


def is_address(text: str) -> bool:
    """Whether ``text`` is the address of something in a storage, and no path."""
    return _ADDRESS.match(text) is not None


def is_plain(address: str) -> bool:
    """Whether an address leads where it seems to: no ``..``, and no storage within a storage."""
    return "::" not in address and ".." not in address.split("/")


def is_within(address: str, place: str) -> bool:
    """Whether an address lies below ``place``."""
    return is_plain(address) and address.startswith(place.rstrip("/") + "/")


def join(place: str, path: str) -> str:
    """The address of ``path`` below ``place``."""
    return f"{place.rstrip('/')}/{path.lstrip('/')}"


def root_of(address: str) -> tuple[str, str]:
    """The part of an address without signs of a pattern, and the pattern below it, or ``""``."""
    parts = address.split("/")
    for place, part in enumerate(parts):
        if _SIGNS & set(part):
            return "/".join(parts[:place]), "/".join(parts[place:])
    return address, ""
