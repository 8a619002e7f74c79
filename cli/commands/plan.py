"""``plan``: what more donors, cells or purified specimens would bring."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from cli.options import Command, wants_json
from cli.outcomes import open_home

_STAGES = {"purified": "purified specimens", "mixed": "and totals of mixed ones"}


@click.command(cls=Command)
@click.argument("study", type=click.Path(path_type=Path))
def plan(study: Path) -> int:
    """Say what error to expect with more donors, more cells or more purified specimens."""
    from cli.terminal import print_json
    from flows.plan import plan_study

    with open_home() as context:
        found = plan_study(context, study)
    if wants_json():
        print_json(found)
    else:
        _show(found)
    return 0


def _show(found: dict[str, Any]) -> None:
    from cli.terminal import print_table, say

    if "said" in found:
        say(found["said"])
    else:
        print_table(
            f"{found['study']}: error of a class's share to be expected, in points",
            ("with", *found["classes"], "mean"),
            (
                (name, *(round(v, 2) for v in values), round(sum(values) / len(values), 2))
                for name, values in found["expected"].items()
            ),
        )
        print_table(
            "Learning curve: mean error over left-out donors, in points",
            ("donors", "error", "from", "to"),
            [(m, *(round(v, 2) for v in rest)) for m, *rest in found["curve"]],
        )
        print_table(
            "Size: mean error of a head on so many numbers a bag, in points",
            ("numbers", "bare", "with ridge"),
            [(size, round(bare, 2), round(ridge, 2)) for size, bare, ridge in found["capacity"]],
        )
        print_table(
            "Course of the training: mean error over left-out donors, in points",
            ("learned from", "done", "error"),
            [
                (_STAGES[p["stage"]], f"{100 * p['part']:.0f} %", round(100 * p["error"], 2))
                for p in found["course"]
            ],
        )
        fit, wanted = found["fit"], found["wanted"]
        say(f"Fit: error² = {fit['floor']:.2f}² + {fit['slope']:.2f}² ÷ donors.")
        say(
            f"Most would be learned from a donor with about {100 * wanted['share']:.0f} % "
            f"{wanted['cell_class']}s; the most so far is {100 * wanted['largest_so_far']:.0f} %."
        )
    say(found["guarantee"])
