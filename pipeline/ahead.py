"""Frames read a little ahead and finished cells drawn aside, each in a thread.

Decoders and the operations on pictures release the interpreter while they work. On two processors a
recording then takes about as long as the slower side; where recordings themselves are spread over
processes, threads gain nothing and are left out.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Generator, Iterable
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


class Aside:
    """Does things one after the other in a thread; in order, so that nothing depends on timing.

    Parameters
    ----------
    number
        Things that may wait; 0 for no thread: each is done at once.
    """

    def __init__(self, number: int) -> None:
        self._waiting: queue.Queue[Callable[[], object] | None] = queue.Queue(maxsize=number)
        self._error: BaseException | None = None
        self._thread: threading.Thread | None = None
        if number:
            self._thread = threading.Thread(target=self._work, daemon=True)
            self._thread.start()

    def do(self, thing: Callable[[], object]) -> None:
        """Do a thing now or soon; raises what an earlier one raised."""
        if self._thread is None:
            thing()
            return
        if self._error is not None:
            raise self._error
        self._waiting.put(thing)

    def close(self) -> None:
        """Wait until all is done; raises what one of them raised."""
        if self._thread is None:
            return
        self._waiting.put(None)
        self._thread.join()
        self._thread = None
        if self._error is not None:
            raise self._error

    def _work(self) -> None:
        while (thing := self._waiting.get()) is not None:
            try:
                if self._error is None:
                    thing()
            except BaseException as error:
                self._error = error
