"""One recording → its cells on disk, or the reason why there are none."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from cellcensus.errors import RecordingError
from cellcensus.files import publish_folder
from cellcensus.findings import Finding
from cellcensus.progress import Progress, Silent
from cellcensus.settings import IngestSettings
from cellcensus.study import Acquisition, CellHints, Mode
from pipeline.cells import CROPS, PREVIEW, Cells, write_cells
from pipeline.census import Census, take_census
from pipeline.preview import write_preview
from pipeline.quality import Quality, judge
from pipeline.recordings import open_recording
from pipeline.sightings import Sightings
from pipeline.tracks import TRACKS
from pipeline.watch import Watched


@dataclass(frozen=True)
class IngestSummary:
    """What was found in a recording.

    Parameters
    ----------
    n_cells
        Unique cells.
    quality
        Figures of the recording.
    findings
        What a person should know of it.
    """

    n_cells: int
    quality: Quality
    findings: tuple[Finding, ...]


def ingest(
    recording: str,
    *,
    folder: Path,
    acquisition: Acquisition,
    hints: CellHints,
    settings: IngestSettings,
    out: Path,
    specimen_id: str,
    expects_cells: bool = True,
    progress: Progress | None = None,
) -> IngestSummary:
    """Find every cell of a recording once and publish the cells as the folder ``out``.

    The original is only read. ``out`` appears whole or not at all.

    Parameters
    ----------
    recording
        Path, folder or glob, relative to the study folder.
    folder
        The study folder.
    acquisition, hints
        From the study.
    settings
        Of this stage.
    out
        Folder to publish; its parents are made.
    specimen_id
        For findings and errors.
    expects_cells
        False for blanks.
    progress
        Told of every frame.

    Raises
    ------
    RecordingError
        The recording is unusable; the error names the specimen, the file and the next step.
    """
    sightings = Sightings()
    with publish_folder(out) as temporary:
        try:
            with open_recording(recording, folder=folder) as opened:
                watched = Watched(opened)
                census = take_census(
                    watched,
                    acquisition=acquisition,
                    hints=hints,
                    settings=settings,
                    progress=progress or Silent(),
                    sightings=sightings,
                    crops_file=temporary / CROPS,
                )
            quality = Quality.of(census.figures | watched.figures())
            _check(census, quality, recording, mode=acquisition.mode, expects_cells=expects_cells)
        except RecordingError as error:
            _say_where(error, specimen_id, recording)
            raise
        write_cells(temporary, Cells(census.table, census.crops, quality))
        write_preview(temporary / PREVIEW, census.preview)
        sightings.write(temporary / TRACKS, census.tracks)
    findings = judge(
        quality,
        mode=acquisition.mode,
        limits=settings.limits,
        specimen_id=specimen_id,
        expects_cells=expects_cells,
    )
    return IngestSummary(len(census.crops), quality, findings)


def _say_where(error: RecordingError, specimen_id: str, recording: str) -> None:
    # Of a series of pictures, a person needs to know which one is damaged.
    if error.file and error.file != Path(recording).name:
        error.message = f"{error.message}: {error.file}"
    error.specimen_id, error.file = specimen_id, recording


def _check(
    census: Census, quality: Quality, recording: str, *, mode: Mode, expects_cells: bool
) -> None:
    if mode is Mode.FLOW and quality.n_frames < 2:
        raise RecordingError(
            "the recording has one frame only, so that nothing can be followed",
            code="too_few_frames",
            file=recording,
            next_step="record a film, or set the mode of study.yaml to fields",
        )
    if expects_cells and not len(census.crops):
        raise RecordingError(
            "no cell was found in the recording",
            code="no_cells",
            file=recording,
            next_step="look at the recording; check polarity and diameter in study.yaml; if it "
            "is a blank, give it the role blank",
        )
