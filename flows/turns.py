"""What only one process of all machines does at a time: whoever comes second is told who does."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy.orm import Session

from cellcensus.errors import CellcensusError
from cellcensus.machine import machine_name
from cellcensus.progress import Silent
from db import leases
from db.runs import abandon_turns, finish_run, start_run
from flows.context import SOFTWARE, Context, process_name
from flows.heartbeat import beating
from flows.locks import exclusive
from flows.sharing import alone


@dataclass(frozen=True)
class Turn:
    """The run that has a turn, and in words whom it waited for."""

    run: int
    waited: list[str]


@contextmanager
def one_at_a_time(ctx: Context, turn: str) -> Iterator[Turn]:
    """Wait for one's turn, and be recorded as the one who has it.

    Among processes of one machine a lock of its operating system decides, among machines a lease
    (:mod:`db.leases`), which ends with its holder's signs of life.

    Parameters
    ----------
    turn
        One of :data:`db.leases.TURNS`.

    Yields
    ------
    Turn
        Whoever changes anything checks in the same transaction that the turn was not lost meanwhile
        (:func:`db.leases.check_alive`).
    """
    waiting = _Waiting(ctx, turn)
    with (
        exclusive(ctx.home, turn, on_wait=waiting.say),
        beating(ctx.store, _begin(ctx, turn), ctx.settings.conductor.lease_seconds) as run,
        alone(ctx, run, turn, on_wait=lambda: _look_again(ctx, run, waiting)),
    ):
        notes: list[str] = []
        try:
            yield Turn(run, waiting.said)
        except BaseException as error:
            notes = [error.message if isinstance(error, CellcensusError) else type(error).__name__]
            raise
        finally:
            with ctx.store.unit_of_work() as session:
                state = "failed" if notes else "done"
                finish_run(session, run, state=state, counts={}, notes=[*waiting.said, *notes])
                session.commit()


def _look_again(ctx: Context, run: int, waiting: _Waiting) -> None:
    # The row of who was killed a moment ago may still be locked by what is left of it.
    with ctx.store.unit_of_work() as session:
        _abandon_earlier(ctx, session, waiting.turn, but=run)
        session.commit()
    waiting.say()


def _abandon_earlier(ctx: Context, session: Session, turn: str, but: int | None = None) -> None:
    # Who holds the machine's lock knows that earlier holders are dead.
    abandon_turns(session, turn, machine=machine_name(), home=str(ctx.home), but=but)


def _begin(ctx: Context, turn: str) -> int:
    with ctx.store.unit_of_work() as session:
        _abandon_earlier(ctx, session, turn)
        run = start_run(
            session,
            command=ctx.command,
            stage=turn,
            study_key=None,
            recipe={},
            software=SOFTWARE,
            process=process_name(ctx),
            lease_seconds=ctx.settings.conductor.lease_seconds,
        )
        session.commit()
        return run.key


class _Waiting:
    """Says once of each holder that it goes first."""

    def __init__(self, ctx: Context, turn: str) -> None:
        self._ctx, self.turn = ctx, turn
        self.said: list[str] = []

    def say(self) -> None:
        with self._ctx.store.reading() as session:
            holder = leases.holder(session, self.turn)
            if holder is None:
                return
            machine, number, _ = holder.process.split(":", 2)
            words = (
                f"waited for the {self.turn} of {machine} (process {number}), "
                f"begun {holder.started_at:%F %T}Z"
            )
        if words in self.said:
            return
        self.said.append(words)
        if not isinstance(self._ctx.progress, Silent):
            self._ctx.progress.start(words.replace("waited", "waiting", 1), 1)
            self._ctx.progress.finish("its turn comes first")
