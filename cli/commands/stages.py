"""``ingest``, ``train``, ``predict``, ``report``: one stage at a time."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli.options import Command, load_settings
from cli.outcomes import open_home, tell

if TYPE_CHECKING:
    from flows.together import Others

STUDY = click.Path(path_type=Path)
LANGUAGES = ("en", "de")  # those of the settings, which take too long to load for --help
_specimen = click.option(
    "--specimen",
    "specimens",
    multiple=True,
    metavar="ID",
    help="Only this specimen; may be repeated.",
)


@click.command(cls=Command)
@click.argument("study", type=STUDY)
@_specimen
def ingest(study: Path, specimens: tuple[str, ...]) -> int:
    """Find and count the cells of each recording of STUDY, and store them."""
    from flows.ingest import ingest_study

    with open_home() as context:
        return tell([ingest_study(context, study, specimens=specimens)])


@click.command(cls=Command)
@click.argument("studies", type=STUDY, nargs=-1, required=True, metavar="STUDY...")
def train(studies: tuple[Path, ...]) -> int:
    """Train a model on the ingested cells of one or more studies.

    The first model of a home becomes the champion; a later one waits as a candidate
    (see `cellcensus retrain` and `cellcensus models promote`). With several GPUs or machines:
    `torchrun --nproc-per-node 2 --no-python cellcensus train STUDY`.
    """
    from flows.together import with_others
    from flows.train import train_model

    def first(others: Others | None) -> int:
        with open_home(others) as context:
            return tell([train_model(context, list(studies))])

    return with_others(load_settings(), first)


@click.command(cls=Command)
@click.argument("study", type=STUDY)
@_specimen
@click.option("--model", "model_id", metavar="ID", help="This model instead of the champion.")
def predict(study: Path, specimens: tuple[str, ...], model_id: str | None) -> int:
    """Predict the composition of each specimen of STUDY, with intervals."""
    from flows.predict import predict_study

    with open_home() as context:
        return tell([predict_study(context, study, specimens=specimens, model_id=model_id)])


@click.command(cls=Command)
@click.argument("study", type=STUDY)
@_specimen
@click.option("--pdf/--no-pdf", default=None, help="Write a PDF beside each HTML report.")
@click.option("--language", type=click.Choice(LANGUAGES), help="Language of the reports.")
def report(study: Path, specimens: tuple[str, ...], pdf: bool | None, language: str | None) -> int:
    """Write one report a specimen and one of the whole STUDY."""
    from flows.report import report_study

    with open_home(pdf=pdf, language=language) as context:
        return tell([report_study(context, study, specimens=specimens)])
