"""Cheap password hashes: the real ones take a tenth of a second and 64 MiB each, on purpose."""

import pytest
from argon2 import PasswordHasher

from db import passwords


@pytest.fixture
def quick_hashes(monkeypatch):
    """Hash with the least argon2 can do."""
    monkeypatch.setattr(passwords, "_hasher", PasswordHasher(1, 8, 1))
    passwords._nobody.cache_clear()
    yield
    passwords._nobody.cache_clear()
