"""What happened, for machines: one JSON object a line in ``HOME/logs/cellcensus.jsonl``.

Only names of events, ids and figures are written, never messages: a message may quote a sheet or a
file's name, and those may hold what identifies a patient.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from logging.handlers import WatchedFileHandler
from pathlib import Path
from typing import Any

from cellcensus import __version__

EVENTS = logging.getLogger("cellcensus.events")
LARGEST_BYTES = 16 * 2**20


def log_file(home: Path) -> Path:
    """Where the log of a home lies."""
    return home / "logs" / "cellcensus.jsonl"


def open_log(home: Path) -> logging.Handler:
    """Let events be written to the log of a home; close the handler with :func:`close_log`.

    Several processes append to the same file; each line is one write, so they do not mix.
    """
    from pythonjsonlogger.json import JsonFormatter  # noqa: PLC0415  only where a home is opened

    file = log_file(home)
    file.parent.mkdir(parents=True, exist_ok=True)
    handler = WatchedFileHandler(file, encoding="utf-8", delay=True)
    handler.setFormatter(
        JsonFormatter(
            "%(asctime)s %(levelname)s %(message)s %(process)d",
            rename_fields={"asctime": "time", "levelname": "level", "message": "event"},
            static_fields={"software": __version__},
            datefmt="%Y-%m-%dT%H:%M:%S%z",
        )
    )
    EVENTS.addHandler(handler)
    EVENTS.setLevel(logging.INFO)
    EVENTS.propagate = False
    return handler


def close_log(handler: logging.Handler) -> None:
    """Write no more to it."""
    EVENTS.removeHandler(handler)
    handler.close()


def event(name: str, ids: Mapping[str, Any], *, level: int = logging.INFO) -> None:
    """Tell that something happened; ``ids`` are ids, codes and figures, never free text."""
    EVENTS.log(level, name, extra=ids)


def turn_log(home: Path) -> bool:
    """Put a large log aside as ``….1``, in place of the one before; whether it was large."""
    file = log_file(home)
    if not file.is_file() or file.stat().st_size < LARGEST_BYTES:
        return False
    file.replace(file.with_name(file.name + ".1"))
    return True
