"""``simulate``: a study folder with known truth."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from cellcensus.errors import UsageError
from cli.options import Command, wants_json

if TYPE_CHECKING:
    from pipeline.simulation import SimulationSettings


@click.command(cls=Command)
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option(
    "--crops",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="FOLDER",
    help="Paste pictures of real cells, FOLDER/<class>/*.png, instead of drawn ones.",
)
@click.option("--scenario", default="plain", show_default=True, help="A named kind of difficulty.")
@click.option("--seed", type=int, help="Seed of every random draw.")
@click.option(
    "--set",
    "changes",
    multiple=True,
    metavar="NAME=VALUE",
    help="Any other setting, for example --set mixed=24; may be repeated.",
)
def simulate(
    folder: Path, crops: Path | None, scenario: str, seed: int | None, changes: tuple[str, ...]
) -> int:
    """Write a study with known truth into the new folder DIR.

    The truth lies in DIR/truth; nothing in the study points to it.
    """
    from cli.terminal import TerminalProgress, print_json, say
    from pipeline.simulation import simulate_study

    settings = _settings(folder, scenario, seed, changes, crops)
    simulate_study(folder, settings=settings, crops=crops, progress=TerminalProgress())
    if wants_json():
        print_json({"study": str(folder), "name": settings.name, "truth": str(folder / "truth")})
    else:
        say(f"study {settings.name} written to {folder}")
    return 0


def _settings(
    folder: Path, scenario: str, seed: int | None, changes: tuple[str, ...], crops: Path | None
) -> SimulationSettings:
    from pydantic import ValidationError

    from pipeline.simulation import SCENARIOS
    from pipeline.simulation import scenario as settings_of

    if scenario not in SCENARIOS:
        raise UsageError(
            f"there is no scenario {scenario!r}", next_step=f"choose one of {', '.join(SCENARIOS)}"
        )
    values: dict[str, object] = {"name": folder.resolve().name}
    if seed is not None:
        values["seed"] = seed
    if crops is not None:
        values["classes"] = _classes_of(crops)
    for change in changes:
        name, sign, value = change.partition("=")
        if not sign:
            raise UsageError(f"--set {change} has no value", next_step="write --set NAME=VALUE")
        values[name] = _value(value)
    try:
        return settings_of(scenario, **values)
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(map(str, first["loc"])) or "settings"
        if first["type"] == "extra_forbidden":
            known = ", ".join(type(settings_of(scenario)).model_fields)
            raise UsageError(
                f"the simulation has no setting {name}", next_step=f"choose one of {known}"
            ) from error
        raise UsageError(
            f"the simulation's {name} cannot be used: {first['msg']}", next_step="correct it"
        ) from error


def _value(text: str) -> object:
    import yaml

    return yaml.safe_load(text)


def _classes_of(crops: Path) -> tuple[str, ...]:
    """The usual classes that have pictures, in their usual order, else all folders by name."""
    from pipeline.simulation.settings import CLASSES

    if not crops.is_dir():
        raise UsageError("there is no folder of pictures", file=crops, next_step="correct --crops")
    present = {path.name for path in crops.iterdir() if path.is_dir() and any(path.glob("*.png"))}
    usual = tuple(name for name in CLASSES if name in present)
    return usual if len(usual) >= 2 else tuple(sorted(present))
