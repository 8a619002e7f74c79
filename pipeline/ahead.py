"""Read a little ahead in a thread, so that decoding and looking at frames overlap.

Decoders release the interpreter while they work. On two processors a recording then takes about as
long as the slower of the two; where recordings themselves are spread over processes, reading ahead
gains nothing and is left out.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Generator, Iterable
from dataclasses import dataclass
from typing import TypeVar

Item = TypeVar("Item")


@dataclass(frozen=True)
class _End:
    """Nothing more comes, or an error instead."""

    error: BaseException | None = None


def ahead(items: Iterable[Item], number: int) -> Generator[Item]:
    """The items in order, the next ``number`` of them made in a thread meanwhile.

    The thread ends with the iterator: at its end, when it is closed, or with the error of the
    source, which is raised where the missing item would have been.

    Parameters
    ----------
    items
        Used in the thread only.
    number
        Items that may wait; 0 for no thread.
    """
    if number < 1:
        yield from items
        return
    waiting: queue.Queue[Item | _End] = queue.Queue(maxsize=number)
    stopped = threading.Event()
    thread = threading.Thread(target=_fill, args=(items, waiting, stopped), daemon=True)
    thread.start()
    try:
        while not isinstance(item := waiting.get(), _End):
            yield item
        if item.error is not None:
            raise item.error
    finally:
        stopped.set()
        while thread.is_alive():
            _drain(waiting)
            thread.join(0.02)


def _fill(
    items: Iterable[Item], waiting: queue.Queue[Item | _End], stopped: threading.Event
) -> None:
    end = _End()
    try:
        for item in items:
            if stopped.is_set():
                return
            waiting.put(item)
    except BaseException as error:
        end = _End(error)
    waiting.put(end)


def _drain(waiting: queue.Queue[Item | _End]) -> None:
    """Make room, so that the thread sees that it is to stop."""
    try:
        while True:
            waiting.get_nowait()
    except queue.Empty:
        return
