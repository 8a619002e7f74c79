"""Which machine this is: several may share one home and one database."""

from __future__ import annotations

import socket
from hashlib import sha256
from pathlib import Path

_MACHINE_ID = Path("/etc/machine-id")


def machine_name() -> str:
    """Name of this machine, without a colon; the same as long as its system is not set up anew.

    The host's name alone would do, were there not so many hosts called ``localhost``.
    """
    host = socket.gethostname().replace(":", "-") or "localhost"
    try:
        known = _MACHINE_ID.read_text().strip()
    except OSError:
        known = ""
    return f"{host}-{sha256(known.encode()).hexdigest()[:6]}" if known else host


def machine_tag() -> str:
    """The same in eight hexadecimal digits, for names of files."""
    return sha256(machine_name().encode()).hexdigest()[:8]
