"""Where things lie in a home."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from urllib.parse import quote

_LONGEST = 100


def safe_name(text: str) -> str:
    """``text`` as one file name on every system; different texts give different names."""
    name = quote(text, safe=" +,=@()")
    if name.startswith("."):
        name = "%2E" + name[1:]
    if len(name) > _LONGEST or name.endswith(" "):
        name = f"{name[: _LONGEST - 20].rstrip()}-{sha256(text.encode()).hexdigest()[:16]}"
    return name


def study_cells_path(study: str) -> str:
    """The cells of one study, below the home."""
    return f"cells/{safe_name(study)}"


def cells_path(study: str, specimen_id: str, recipe_id: str) -> str:
    """The cells of one recording, below the home."""
    return f"{study_cells_path(study)}/{safe_name(specimen_id)}/{recipe_id}"


def model_folder(home: Path, model_id: str) -> Path:
    """A model."""
    return home / "models" / model_id


def prediction_file(home: Path, study: str, specimen_id: str, recipe_id: str) -> Path:
    """The class of every cell of one specimen."""
    folder = home / "predictions" / safe_name(study) / safe_name(specimen_id)
    return folder / f"{recipe_id}.parquet"


def report_folder(home: Path, study: str) -> Path:
    """The reports of one study."""
    return home / "reports" / safe_name(study)


def specimen_report_name(specimen_id: str) -> str:
    """File name of a specimen's report; never that of the study's."""
    name = safe_name(specimen_id)
    return f"{name}_.html" if name.lower() == "index" else f"{name}.html"


def signed_report_file(
    home: Path, study: str, specimen_id: str, version: int, *, released: bool
) -> Path:
    """One version of a specimen's signed report; each has a file of its own, for good."""
    end = "html" if released else "reviewed.html"
    return report_folder(home, study) / "signed" / f"{safe_name(specimen_id)}.v{version}.{end}"
