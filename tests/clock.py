"""A clock that tests can set: what the service calls now is moved by ``ahead``."""

from __future__ import annotations

from datetime import datetime, timedelta


class Clock:
    """Move what :func:`db.types.utc_now` says; undone with the test."""

    def __init__(self, monkeypatch):
        clock = self
        self.ahead = timedelta()

        class Moved(datetime):
            @classmethod
            def now(cls, tz=None):
                return datetime.now(tz) + clock.ahead

        monkeypatch.setattr("db.types.datetime", Moved)
