"""``export``: predictions, cells, FHIR and HL7 to a file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli.lazy import LazyGroup
from cli.options import Command, common_parameters, wants_json
from cli.outcomes import open_home

if TYPE_CHECKING:
    from flows.context import Context

_study = click.option("--study", required=True, metavar="NAME", help="Name of the study.")
_out = click.option(
    "--out", required=True, type=click.Path(dir_okay=False, path_type=Path), help="File to write."
)
_format = click.option(
    "--format",
    "format_",
    type=click.Choice(["csv", "parquet", "json"]),
    default="csv",
    show_default=True,
)
# Given to every export alike by those who script them; FHIR has no other form here.
_json_only = click.option(
    "--format", type=click.Choice(["json"]), default="json", show_default=True, expose_value=False
)


@click.command(cls=Command)
@_study
@_format
@_out
def predictions(study: str, format_: str, out: Path) -> int:
    """One row a specimen and class: fraction and concentration, each with its 95 % interval."""
    from flows.export import export_predictions

    with open_home() as context:
        return _say(context, study, export_predictions(context, study, format_, out), out)


@click.command(cls=Command)
@_study
@_format
@_out
def cells(study: str, format_: str, out: Path) -> int:
    """One row a unique cell: where and when it was seen, its size, class and probability."""
    from flows.export import export_cells

    with open_home() as context:
        return _say(context, study, export_cells(context, study, format_, out), out)


@click.command(cls=Command)
@_study
@_json_only
@_out
def fhir(study: str, out: Path) -> int:
    """A FHIR R4 bundle: one DiagnosticReport a specimen, preliminary until it is signed."""
    from flows.export import export_fhir

    with open_home() as context:
        return _say(context, study, export_fhir(context, study, out), out)


@click.command(cls=Command)
@_study
@_out
def hl7(study: str, out: Path) -> int:
    """HL7 v2.5.1 ORU^R01 messages, one a specimen."""
    from flows.export import export_hl7

    with open_home() as context:
        return _say(context, study, export_hl7(context, study, out), out)


def _say(context: Context, study: str, rows: int, out: Path) -> int:
    from cli.terminal import print_json, say
    from flows.export import left_out

    missing = left_out(context, study)
    if wants_json():
        print_json({"rows": rows, "file": str(out), "quarantined": missing})
        return 0
    say(f"{rows} rows written to {out}")
    if missing:
        say(f"quarantined, not in it: {', '.join(missing)} (`cellcensus status` says why)")
    return 0


_HERE = "cli.commands.export"
export = LazyGroup(
    "export",
    table={
        "predictions": (f"{_HERE}:predictions", "One row a specimen and class."),
        "cells": (f"{_HERE}:cells", "One row a unique cell."),
        "fhir": (f"{_HERE}:fhir", "FHIR R4 diagnostic reports."),
        "hl7": (f"{_HERE}:hl7", "HL7 v2.5.1 ORU^R01 messages."),
    },
    help="Write predictions, cells, FHIR or HL7 to a file.",
    params=common_parameters(),
)
