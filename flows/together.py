"""One training by several processes, begun by ``torchrun``.

The first process does what the command says: it alone opens home and database, and writes. The
others wait for its word, do their part of each step of a training (``models.team``), and end with
it.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import TypeAdapter

from cellcensus.errors import CellcensusError, FailedElsewhereError
from cellcensus.settings import Settings, TrainingSettings
from cellcensus.study import Specimen
from flows.bags import BagSource, load_bag
from flows.keptcells import kept_cells

if TYPE_CHECKING:
    from torch.distributed import Store

    from models.bag import Bag

POLL_S, GRACE_S = 0.1, 10.0
_OVER = "over"


@dataclass(frozen=True)
class Taught:
    """A specimen to learn from; ``path`` as the database has it."""

    study: str
    specimen: Specimen
    path: str


@dataclass(frozen=True)
class Lesson:
    """What the others must know of a training; where cells are kept their own settings say."""

    taught: tuple[Taught, ...]
    classes: tuple[str, ...]
    settings: TrainingSettings


class Others:
    """The other processes, as the first one sees them."""

    def __init__(self, store: Store) -> None:
        self._store, self._said = store, 0

    def teach(self, lesson: Lesson) -> None:
        """Let them begin a training; the first process begins it too."""
        self._say(_lessons().dump_json(lesson).decode())

    def dismiss(self) -> None:
        """Let them end."""
        self._say(_OVER)

    def _say(self, word: str) -> None:
        self._store.set(f"word-{self._said}", word)
        self._said += 1


def with_others(settings: Settings, first: Callable[[Others | None], int]) -> int:
    """Call ``first`` in the first of torchrun's processes, train beside it in the others.

    Without torchrun there are no others.

    Returns
    -------
    The exit code: what ``first`` returned, 0 in the others.
    """
    begun = os.environ.keys() >= {"RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT"}
    if not begun or int(os.environ["WORLD_SIZE"]) < 2:
        return first(None)
    from models.team import joined, present

    signal.signal(signal.SIGTERM, _end_soon)
    with joined() as store:
        if present().rank:
            return _beside(store, settings)
        others = Others(store)
        try:
            return first(others)
        finally:
            others.dismiss()


def load_taught(settings: Settings, taught: Sequence[Taught], others: Others | None) -> list[Bag]:
    """The bags of a training; where they cannot be read here, the other processes end too."""
    if others:
        return _load_in_step(settings, taught)
    return _load(settings, taught)


def _load(settings: Settings, taught: Sequence[Taught]) -> list[Bag]:
    sources = [BagSource(of.study, of.specimen, kept_cells(settings, of.path)) for of in taught]
    return [load_bag(source) for source in sources]


def _load_in_step(settings: Settings, taught: Sequence[Taught]) -> list[Bag]:
    from models.device import choose_device
    from models.team import present

    with present().stepping(choose_device()):
        return _load(settings, taught)


def _beside(store: Store, settings: Settings) -> int:
    heard = 0
    while (word := _hear(store, heard)) != _OVER:
        heard += 1
        try:
            _learn(_lessons().validate_json(word), settings)
        except FailedElsewhereError:
            break  # said where it happened
        except BaseException:
            _let_the_first_end(store, heard)
            raise
    return 0


def _learn(lesson: Lesson, settings: Settings) -> None:
    from models.training import train_beside

    bags = _load_in_step(settings, lesson.taught)
    try:
        train_beside(bags, lesson.classes, settings=lesson.settings)
    except FailedElsewhereError:
        raise
    except CellcensusError:
        pass  # the first process finds the same, and says it


def _hear(store: Store, number: int) -> str:
    while not store.check([f"word-{number}"]):
        time.sleep(POLL_S)
    return store.get(f"word-{number}").decode()


def _let_the_first_end(store: Store, heard: int) -> None:
    """Wait for it a moment: torchrun ends every process as soon as one has failed."""
    over = time.monotonic() + GRACE_S
    while time.monotonic() < over and not store.check([f"word-{heard}"]):
        time.sleep(POLL_S)


def _end_soon(_number: int, _frame: object) -> None:
    # Another process ended, or somebody stops torchrun. Who takes steps learns it at the next one
    # and ends in words; who does not is ended here.
    timer = threading.Timer(GRACE_S, os._exit, [1])
    timer.daemon = True
    timer.start()


def _lessons() -> TypeAdapter[Lesson]:
    return TypeAdapter(Lesson)
