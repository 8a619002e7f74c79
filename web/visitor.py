"""Who is asking: known from the first moment of a request to the page that is drawn."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass

from cellcensus.rights import Right, allows


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody who is signed in, or a machine that came with a token of somebody's.

    ``csrf`` is what every form and script has to send along with a change. ``narrowed_to`` leaves
    only some of the role's rights, as a token does.
    """

    key: int
    name: str
    full_name: str
    role: str
    csrf: str
    password_temporary: bool = False
    narrowed_to: frozenset[Right] | None = None

    def can(self, right: Right) -> bool:
        """Whether this visitor has the right."""
        narrow = self.narrowed_to
        return allows(self.role, right) and (narrow is None or right in narrow)


# Set for the time of one request: so no page can be drawn without knowing whom it is for.
current: ContextVar[Visitor | None] = ContextVar("visitor", default=None)
