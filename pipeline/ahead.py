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
from multiprocessing import parent_process
from typing import TypeVar

Item = TypeVar("Item")

#: What may wait is handed over in so many parts: waking a thread costs more than many a thing done.
_PARTS = 4


def alone() -> bool:
    """Whether no neighbour uses the other processors: this is no worker process of several."""
    return parent_process() is None


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
    size = max(number // _PARTS, 1)
    waiting: queue.Queue[list[Item] | _End] = queue.Queue(maxsize=number // size)
    stopped = threading.Event()
    thread = threading.Thread(target=_fill, args=(items, size, waiting, stopped), daemon=True)
    thread.start()
    try:
        while not isinstance(part := waiting.get(), _End):
            yield from part
        if part.error is not None:
            raise part.error
    finally:
        stopped.set()
        while thread.is_alive():
            _drain(waiting)
            thread.join(0.02)


def _fill(
    items: Iterable[Item],
    size: int,
    waiting: queue.Queue[list[Item] | _End],
    stopped: threading.Event,
) -> None:
    end, part = _End(), list[Item]()
    try:
        for item in items:
            if stopped.is_set():
                return
            part.append(item)
            if len(part) == size:
                waiting.put(part)
                part = []
    except BaseException as error:
        end = _End(error)
    if part:
        waiting.put(part)
    waiting.put(end)


def _drain(waiting: queue.Queue[list[Item] | _End]) -> None:
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
        self._size = max(number // _PARTS, 1)
        self._part: list[Callable[[], object]] = []
        self._waiting: queue.Queue[list[Callable[[], object]] | None]
        self._waiting = queue.Queue(maxsize=number // self._size)
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
        self._part.append(thing)
        if len(self._part) == self._size:
            self._waiting.put(self._part)
            self._part = []

    def close(self) -> None:
        """Wait until all is done; raises what one of them raised."""
        if self._thread is None:
            return
        self._waiting.put(self._part)
        self._waiting.put(None)
        self._thread.join()
        self._thread = None
        if self._error is not None:
            raise self._error

    def _work(self) -> None:
        while (part := self._waiting.get()) is not None:
            try:
                for thing in part:
                    if self._error is None:
                        thing()
            except BaseException as error:
                self._error = error
