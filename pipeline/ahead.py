"""A thread that reads frames ahead, and shares with its caller what is to be done beside them.

Decoders and compiled operations release the interpreter while they work. Two threads that take
whatever waits keep two processors busy, however decoding and drawing compare; a third would only
take turns with them. Where recordings themselves are spread over processes, a thread gains nothing
and is left out.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from multiprocessing import parent_process
from typing import Generic, TypeVar

Item = TypeVar("Item")
Thing = Callable[[], object]

#: So many things are worth waking a thread for.
_WORTH = 4


def alone() -> bool:
    """Whether no neighbour uses the other processors: this is no worker process of several."""
    return parent_process() is None


class Helper(Generic[Item]):
    """Makes items ahead of the one who takes them, and does things beside.

    Things are done one after the other in the order in which they came, by whichever of both has
    nothing better to do, so that nothing depends on timing. The thread ends with `close`.

    Parameters
    ----------
    items
        Used in one thread only.
    ahead
        Items that may wait; 0 for no thread: each is made when it is asked for.
    waiting
        Things that may wait; 0: each is done at once.
    """

    def __init__(self, items: Iterable[Item], ahead: int, waiting: int) -> None:
        self._items = iter(items)
        self._ahead, self._waiting = ahead, waiting if ahead else 0
        self._ready: deque[Item] = deque()
        self._things: deque[Thing] = deque()
        self._busy = self._ended = self._stopped = self._asleep = False
        self._item_error: BaseException | None = None
        self._thing_error: BaseException | None = None
        self._changed = threading.Condition(threading.Lock())
        self._thread: threading.Thread | None = None

    def __iter__(self) -> Iterator[Item]:
        """The items in order; the error of their source is raised where the missing one would be.

        To be asked for once.
        """
        if not self._ahead:
            yield from self._items
            return
        self._thread = threading.Thread(target=self._help, daemon=True)
        self._thread.start()
        while True:
            with self._changed:
                # Once half of what may wait is gone, waking the thread is worth it.
                if self._asleep and len(self._ready) <= self._ahead // 2:
                    self._changed.notify_all()
                self._changed.wait_for(lambda: self._ready or self._ended or self._may_do())
                item = self._ready.popleft() if self._ready else None
                thing = self._claim() if item is None and not self._ended else None
            if item is not None:
                yield item
            elif thing is not None:
                self._perform(thing)
            elif self._item_error is not None:
                raise self._item_error
            else:
                return

    def do(self, thing: Thing) -> None:
        """Have a thing done now or soon; raises what an earlier one raised."""
        self._check()
        with self._changed:
            self._things.append(thing)
            if self._asleep and len(self._things) >= _WORTH:
                self._changed.notify_all()
        self._do_until(self._waiting)

    def finish(self) -> None:
        """Wait until all things are done; raises what one of them raised."""
        self._do_until(0)
        self._check()

    def close(self) -> None:
        """End the thread; what was not done is left undone."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def _check(self) -> None:
        if self._thing_error is not None:
            raise self._thing_error

    def _do_until(self, left: int) -> None:
        """Do things until no more than so many are left, and none is being done if that is 0."""
        while True:
            with self._changed:
                if len(self._things) > left or (not left and self._busy):
                    self._changed.wait_for(lambda: not self._busy)
                thing = self._claim() if len(self._things) > left else None
            if thing is None:
                return
            self._perform(thing)

    def _help(self) -> None:
        while True:
            with self._changed:
                self._asleep = True
                self._changed.wait_for(lambda: self._stopped or self._may_make() or self._may_do())
                self._asleep = False
                if self._stopped:
                    return
                thing = None if self._may_make() else self._claim()
            if thing is not None:
                self._perform(thing)
            else:
                self._make()

    def _may_make(self) -> bool:
        return not self._ended and len(self._ready) < self._ahead

    def _may_do(self) -> bool:
        return bool(self._things) and not self._busy

    def _claim(self) -> Thing | None:
        if not self._may_do():
            return None
        self._busy = True
        return self._things.popleft()

    def _perform(self, thing: Thing) -> None:
        try:
            if self._thing_error is None:
                thing()
        except BaseException as error:
            self._thing_error = error
        finally:
            with self._changed:
                self._busy = False
                self._changed.notify_all()

    def _make(self) -> None:
        try:
            item = next(self._items)
        except StopIteration:
            self._end(None)
        except BaseException as error:
            self._end(error)
        else:
            with self._changed:
                self._ready.append(item)
                self._changed.notify_all()

    def _end(self, error: BaseException | None) -> None:
        with self._changed:
            self._ended, self._item_error = True, error
            self._changed.notify_all()
