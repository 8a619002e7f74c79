"""How often one address may fail to sign in; kept in memory, and forgotten at a restart."""

from __future__ import annotations

import time
from collections import OrderedDict, deque
from collections.abc import Callable
from ipaddress import IPv6Address, IPv6Network, ip_address
from threading import Lock

WINDOW_S = 900.0
_MOST_ADDRESSES = 10_000


class FailureLimit:
    """Counts failures by client address, over the last quarter of an hour."""

    def __init__(self, most: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.most = most
        self._clock = clock
        self._failures: OrderedDict[str, deque[float]] = OrderedDict()
        self._lock = Lock()

    def begin(self, address: str) -> bool:
        """Count an attempt; false, without counting, where there were too many."""
        with self._lock:
            times = self._failures.setdefault(_network(address), deque())
            while times and times[0] <= self._clock() - WINDOW_S:
                times.popleft()
            if len(times) >= self.most:
                return False
            times.append(self._clock())
            self._failures.move_to_end(_network(address))
            while len(self._failures) > _MOST_ADDRESSES:
                self._failures.popitem(last=False)
            return True

    def succeeded(self, address: str) -> None:
        """Take the attempt back: it was no failure."""
        with self._lock:
            times = self._failures.get(_network(address))
            if times:
                times.pop()


def _network(address: str) -> str:
    # Whoever has one address of IPv6 has 2^64 of them.
    try:
        found = ip_address(address)
    except ValueError:
        return address
    if isinstance(found, IPv6Address):
        return str(IPv6Network((found, 64), strict=False))
    return address
