"""The main navigation: a visitor is shown what the role may use."""

from __future__ import annotations

from typing import NamedTuple

from cellcensus.rights import Right
from web.visitor import Visitor


class Entry(NamedTuple):
    """A page of the navigation; ``key`` is what the page calls ``here``."""

    key: str
    address: str
    name: str
    right: Right


ENTRIES = (
    Entry("work", "/", "Work list", Right.READ),
    Entry("studies", "/studies", "Studies", Right.READ),
    Entry("models", "/models", "Models", Right.READ),
    Entry("controls", "/controls", "Controls", Right.READ),
    Entry("quarantine", "/quarantine", "Quarantine", Right.READ),
    Entry("jobs", "/jobs", "Jobs", Right.READ),
    Entry("service", "/service", "Service", Right.READ),
    Entry("flags", "/flags", "Flags", Right.READ),
    Entry("people", "/people", "People", Right.PEOPLE),
    Entry("audit", "/audit", "Audit trail", Right.AUDIT),
)


def entries_for(visitor: Visitor | None) -> list[Entry]:
    """What this visitor may use; nothing for those who are not signed in."""
    if visitor is None or visitor.password_temporary:
        return []
    return [entry for entry in ENTRIES if visitor.can(entry.right)]
