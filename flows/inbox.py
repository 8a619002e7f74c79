"""The inbox: study folders that instruments and people copy into, taken in as they become whole."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from cellcensus.errors import CellcensusError, RecordingError
from cellcensus.study import Study
from db import cells, registry
from flows.completion import is_complete
from flows.context import Context, Outcome
from flows.identity import find_recording
from flows.ingest import ingest_study
from flows.intake import read, take_in
from flows.retrain import retrain
from flows.run import predict_new, run_study

BEING_COPIED = (".part", ".partial", ".tmp", ".temp", ".filepart", ".crdownload")
"""Endings that copying programs give a file until it is whole."""

ABSENT = "recording_missing"
"""The finding about a row whose recording is not there: in an inbox, not there yet."""


@dataclass(frozen=True)
class Look:
    """What of a study lies in the inbox: ``specimen_id`` → stamp of its recording."""

    study: Study
    folder: Path
    stamps: dict[str, str]
    waiting: tuple[str, ...]


def take_from_inbox(
    ctx: Context, inbox: Path, *, wait: Callable[[float], None] = time.sleep
) -> list[Outcome]:
    """Ingest, predict and report what is whole in each study of the inbox; the rest is left alone.

    A recording is whole when neither its size nor its time changes while it is watched. A study
    whose classes have no model yet is only ingested until all of it is there, and then run. With
    ``inbox.retrain`` a complete study that the champion has not learned from makes a candidate.

    Parameters
    ----------
    inbox
        Folder of study folders; what has no ``study.yaml`` and ``specimens.csv`` is left alone.
    wait
        Lets the time between two looks pass, s.
    """
    outcomes: list[Outcome] = []
    first = list(_look(ctx, inbox))
    if any(_is_new(ctx, look) for look in first):
        wait(ctx.settings.inbox.settle_seconds)
    for look in first:
        try:
            outcomes += _take(ctx, _again(ctx, look))
        except CellcensusError as error:  # one bad study never stops the others
            outcomes.append(Outcome("inbox", look.study.name, failed=[("inbox", str(error))]))
    return outcomes


def _look(ctx: Context, inbox: Path) -> Iterator[Look]:
    for folder in sorted(path for path in inbox.iterdir() if path.is_dir()):
        if not all((folder / name).is_file() for name in ("study.yaml", "specimens.csv")):
            continue
        try:
            study, findings = read(folder)
        except CellcensusError:
            continue  # half a sheet looks like a bad one: `check` tells, once it is whole
        absent = {f.specimen_id for f in findings if f.code == ABSENT and f.specimen_id}
        yield _watched(ctx, study, folder, sorted(absent))


def _watched(ctx: Context, study: Study, folder: Path, absent: Sequence[str]) -> Look:
    stamps, waiting = {}, list(absent)
    for specimen in study.specimens:
        try:
            found = find_recording(folder, specimen.recording, ctx.settings)
        except RecordingError:
            waiting.append(specimen.specimen_id)
            continue
        beside = [file.with_name(file.name + end) for file in found.files for end in BEING_COPIED]
        if any(file.exists() for file in beside):
            waiting.append(specimen.specimen_id)
        else:
            stamps[specimen.specimen_id] = found.stamp
    return Look(study, folder, stamps, tuple(waiting))


def _is_new(ctx: Context, look: Look) -> bool:
    key = take_in(ctx, look.folder).key
    paths = {s.specimen_id: s.recording for s in look.study.specimens}
    with ctx.store.reading() as session:
        return any(
            cells.recording_with_stamp(session, key, paths[name], stamp) is None
            for name, stamp in look.stamps.items()
        )


def _again(ctx: Context, before: Look) -> Look:
    """The second look: what changed since the first is still being copied."""
    known = {specimen.specimen_id for specimen in before.study.specimens}
    absent = [name for name in before.waiting if name not in known]
    now = _watched(ctx, before.study, before.folder, absent)
    whole = {name: s for name, s in now.stamps.items() if before.stamps.get(name) == s}
    changing = sorted(now.stamps.keys() - whole.keys())
    return Look(now.study, now.folder, whole, (*now.waiting, *changing))


def _take(ctx: Context, look: Look) -> list[Outcome]:
    if not look.stamps:
        return []
    with ctx.store.reading() as session:
        champion = registry.champion(session, look.study.classes)
    names = list(look.stamps)
    if champion is not None:
        outcomes = predict_new(ctx, look.folder, specimens=names)
    elif look.waiting:
        outcomes = [ingest_study(ctx, look.folder, specimens=names)]
    else:
        outcomes = run_study(ctx, look.folder)
    if look.waiting:
        outcomes[0].notes.append(f"not whole yet, left alone: {', '.join(look.waiting)}")
    elif champion and ctx.settings.inbox.retrain and is_complete(ctx, look.folder, champion):
        outcomes.append(retrain(ctx, [look.folder]))
    return outcomes
