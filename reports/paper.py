"""Reports as PDF: drawn by Typst from the same words and numbers as the HTML pages.

The templates hold no text; what is said goes to them as data, never as markup, so that no name can
change the page. The same content gives the same bytes: fonts are those inside Typst, and the date
of the file is the content's.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC
from functools import cache
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from cellcensus.errors import CellcensusError
from cellcensus.settings import ReportSettings
from reports.charts.alone import label_of, standing_alone
from reports.content import CellPicture, GalleryClass, SpecimenReport, StudyReport
from reports.gallery import Strange
from reports.parts import running_title
from reports.pictures import picture_kind, png_bytes
from reports.specimen import specimen_view
from reports.study import ClassAgreement, Plot, study_view
from reports.words import Words, words

if TYPE_CHECKING:
    from typst import Fonts, PDFStandard

# Tagged for screen readers, and fit for archives.
STANDARDS: list[PDFStandard] = ["a-2a", "ua-1"]
_MOST_PAGES = 2  # of a specimen: a sheet of paper
_PAPER = {"A4": "a4", "Letter": "us-letter"}
_REGION = {"en": "GB", "de": "DE"}
_Files = dict[str, bytes]


def specimen_pdf(
    content: SpecimenReport, settings: ReportSettings | None = None, language: str | None = None
) -> bytes:
    """The report of one specimen as a PDF.

    Parameters
    ----------
    content
        What to show.
    settings
        Paper, language, reference ranges and quantification; defaults where not given.
    language
        Another language than that of the settings.

    Raises
    ------
    CellcensusError
        The page could not be drawn.
    """
    settings = settings or ReportSettings()
    say = words(language or settings.language)
    view = specimen_view(content, settings, say)
    pictures: _Files = {}
    data = {
        **_shared(view, content, settings, say),
        "name": content.specimen_id,
        "running": running_title(content, content.specimen_id, say),
        "hold": view["hold"],
        "flags": [
            {**asdict(flag), "level": flag.level.value, "tag": say.of("level", flag.level.value)}
            for flag in view["flags"]
        ],
        "lines": [asdict(line) for line in view["lines"]],
        "total": asdict(view["total"]),
        **{key: view[key] for key in ("caption", "remarks", "analyser", "gallery_note")},
        "fractions_caption": view["fractions_caption"],
        "fractions_alt": _chart("fractions.svg", view["fractions"], pictures),
        "ranges_caption": view["ranges_caption"],
        "ranges_alt": _chart("ranges.svg", view["ranges"], pictures),
        "main_figures": [asdict(figure) for figure in view["main_figures"]],
        "other_figures": [asdict(figure) for figure in view["other_figures"]],
        "preview": _preview(content.preview, pictures),
        "gallery": _gallery(view["shelves"], pictures, say),
        "strange": _strange(view["strange"], pictures, say),
    }
    return _draw("specimen", data, pictures, content)


def study_pdf(
    content: StudyReport, settings: ReportSettings | None = None, language: str | None = None
) -> bytes:
    """The report of one study as a PDF; see :func:`specimen_pdf`."""
    settings = settings or ReportSettings()
    say = words(language or settings.language)
    view = study_view(content, say)
    pictures: _Files = {}
    data = {
        **_shared(view, content, settings, say),
        "name": content.study,
        "running": running_title(content, content.study, say),
        "agreements": [
            _agreement(i, found, pictures, say) for i, found in enumerate(view["agreements"])
        ],
        "examples": [_examples(i, shelf, pictures) for i, shelf in enumerate(view["examples"])],
        "plots": [_plot(plot, pictures) for plot in view["plots"]],
        **{
            key: view[key]
            for key in ("classes", "controls", "quarantined", "learning", "specimens")
        },
    }
    return _draw("study", data, pictures, content)


def _shared(
    view: Mapping[str, Any],
    content: SpecimenReport | StudyReport,
    settings: ReportSettings,
    say: Words,
) -> dict[str, Any]:
    return {
        "messages": say.messages,
        "language": say.language,
        "region": _REGION[say.language],
        "paper": _PAPER[settings.paper],
        "author": content.laboratory or "cellcensus",
        **{
            key: view[key] for key in ("title", "laboratory", "badge", "replaces", "lead", "limits")
        },
        **{
            key: [asdict(item) for item in view[key]]
            for key in ("facts", "findings", "made_by", "made_with", "signatures")
        },
    }


def _examples(i: int, shelf: Mapping[str, Any], pictures: _Files) -> dict[str, Any]:
    rows = []
    for j, (label, cells) in enumerate(shelf["rows"]):
        shown = []
        for n, cell in enumerate(cells):
            file = f"example-{i}-{j}-{n}.png"
            pictures[file] = png_bytes(cell.pixels)
            shown.append({"file": file, "alt": cell.alt, "value": cell.value})
        rows.append({"label": label, "cells": shown})
    return {"name": shelf["name"], "rows": rows}


def _plot(plot: Plot, pictures: _Files) -> dict[str, Any]:
    file = f"{plot.name}.svg"
    return {"file": file, "alt": _chart(file, plot.picture, pictures), "caption": plot.caption}


def _agreement(i: int, found: ClassAgreement, pictures: _Files, say: Words) -> dict[str, Any]:
    values = {
        key: getattr(found, key)
        for key in ("cell_class", "n", "mean_error", "largest_error", "bias", "limits")
    }
    lines = {"passing_bablok": found.passing_bablok, "deming": found.deming}
    return {
        **values,
        "concordance": found.concordance,
        "coverage": found.coverage,
        "lines": say("study.lines", **lines),
        "scatter_alt": _chart(f"scatter-{i}.svg", found.scatter, pictures),
        "differences_alt": _chart(f"differences-{i}.svg", found.differences, pictures),
    }


def _chart(name: str, chart: str | None, pictures: _Files) -> str | None:
    if chart is None:
        return None
    pictures[name] = standing_alone(chart)
    return label_of(chart)


def _preview(preview: bytes | None, pictures: _Files) -> str | None:
    kind = picture_kind(preview) if preview else None
    if preview is None or kind is None:
        return None
    name = f"preview.{kind.removeprefix('image/')}"
    pictures[name] = preview
    return name


def _gallery(
    shelves: tuple[GalleryClass, ...], pictures: _Files, say: Words
) -> list[dict[str, Any]]:
    def drawn(row: GalleryClass, cells: tuple[CellPicture, ...]) -> list[dict[str, str]]:
        name = say.cell_class(row.cell_class)
        return [
            _cell(cell, say("gallery.cell", **{"class": name}, cell=cell.cell_id), pictures, say)
            for cell in cells
        ]

    return [
        {
            "name": say.cell_class(row.cell_class),
            "typical": drawn(row, row.typical),
            "uncertain": drawn(row, row.uncertain),
        }
        for row in shelves
    ]


def _strange(shelf: Strange | None, pictures: _Files, say: Words) -> dict[str, Any] | None:
    if shelf is None:
        return None
    cells = [
        _cell(cell, say("gallery.unclassified_cell", cell=cell.cell_id), pictures, say)
        for cell in shelf.cells
    ]
    return {
        "heading": shelf.heading,
        "meaning": shelf.meaning,
        "label": shelf.label,
        "cells": cells,
    }


def _cell(cell: CellPicture, alt: str, pictures: _Files, say: Words) -> dict[str, str]:
    file = f"cell-{len(pictures)}.png"
    pictures[file] = png_bytes(cell.pixels)
    return {"file": file, "alt": alt, "probability": say.percent(cell.probability, 0)}


def _draw(
    template: str, data: Mapping[str, Any], pictures: _Files, content: SpecimenReport | StudyReport
) -> bytes:
    # From the easiest page to the closest set, until it takes no more than its sheet.
    ways = ("easy", "tight", "crammed") if template == "specimen" else ("easy",)
    first = b""
    for way in ways:
        how = {"tight": way != "easy", "crammed": way == "crammed"}
        drawn = _compile(template, {**data, **how}, pictures, content)
        if _pages(drawn) <= _MOST_PAGES:
            return drawn
        first = first or drawn
    return first  # where even that is too long, the easier page is the better one


def _pages(pdf: bytes) -> int:
    found = re.search(rb"/Type\s*/Pages\s*/Count (\d+)", pdf)
    return int(found.group(1)) if found else 0


def _compile(
    template: str, data: Mapping[str, Any], pictures: _Files, content: SpecimenReport | StudyReport
) -> bytes:
    import typst  # noqa: PLC0415  40 MB of fonts and code, only for those who want PDF

    moment = content.generated_at
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    sources = {name: _template(name) for name in ("sheet.typ", f"{template}.typ")}
    values = {"data.json": json.dumps(data, ensure_ascii=False).encode()}
    # In memory Typst takes text alone, so the pictures go through a folder.
    with TemporaryDirectory(prefix="cellcensus-") as folder:
        for name, held in {**pictures, **sources, **values}.items():
            (Path(folder) / name).write_bytes(held)
        try:
            drawn = typst.compile(
                str(Path(folder) / f"{template}.typ"),
                root=folder,
                font_paths=_fonts(),
                ignore_system_fonts=True,
                pdf_standards=STANDARDS,
                timestamp=int(moment.timestamp()),
            )
        except typst.TypstError as error:
            raise CellcensusError(
                f"the PDF of this report could not be drawn ({error.message})",
                next_step="use the HTML report, and report this with the specimen's id",
            ) from error
    assert isinstance(drawn, bytes)
    return drawn


@cache
def _template(name: str) -> bytes:
    return (files("reports") / "typst" / name).read_bytes()


@cache
def _fonts() -> Fonts:
    from typst import Fonts  # noqa: PLC0415

    return Fonts(include_system_fonts=False, include_embedded_fonts=True)
