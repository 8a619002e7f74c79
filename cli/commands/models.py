"""``models``: the registry."""

from __future__ import annotations

import click

from cli.lazy import LazyGroup
from cli.options import Command, common_parameters, wants_json
from cli.outcomes import open_home, tell


@click.command("list", cls=Command)
def list_() -> int:
    """List every model: state, when trained, on what, and how well it does."""
    from cli.terminal import print_json, print_table
    from flows.registry import list_models

    with open_home() as context:
        rows = list_models(context)
    if wants_json():
        print_json(rows)
    else:
        rows_shown = [
            (
                row["id"],
                row["state"],
                str(row["created_at"])[:16].replace("T", " "),
                ", ".join(row["studies"]),
                row["held_out_worst_class_error_points"],
            )
            for row in rows
        ]
        columns = ("model", "state", "trained (UTC)", "studies", "worst class, points")
        print_table("", columns, rows_shown)
    return 0


@click.command(cls=Command)
@click.argument("model_id", metavar="ID")
def show(model_id: str) -> int:
    """Show one model: its card, its errors and the decisions taken about it."""
    from cli.terminal import print_json
    from flows.registry import show_model

    with open_home() as context:
        print_json(show_model(context, model_id))
    return 0


@click.command(cls=Command)
@click.argument("model_id", metavar="ID")
def compare(model_id: str) -> int:
    """Compare a model's predictions with the champion's, on specimens both have predicted."""
    from cli.terminal import print_json, print_table
    from flows.shadow import beside_champion

    with open_home() as context:
        found = beside_champion(context, model_id)
    if wants_json():
        print_json(found)
        return 0
    title = f"{found['model']} − {found['champion']}, {found['specimens']} specimens, points"
    columns = ("class", "difference", "distance", "largest")
    print_table(
        title,
        columns,
        [
            (name, *(f"{values[column]:.2f}" if values else "–" for column in columns[1:]))
            for name, values in found["by_class"].items()
        ],
    )
    return 0


@click.command(cls=Command)
@click.argument("model_id", metavar="ID")
@click.option("--reason", default="", help="Why; kept with the decision.")
def promote(model_id: str, reason: str) -> int:
    """Make a candidate the champion."""
    from flows.registry import promote as promote_model

    with open_home() as context:
        return tell([promote_model(context, model_id, reason=reason)])


@click.command(cls=Command)
@click.option("--reason", default="", help="Why; kept with the decision.")
def rollback(reason: str) -> int:
    """Make the previous champion the champion again."""
    from flows.registry import rollback as roll_back

    with open_home() as context:
        return tell([roll_back(context, reason=reason)])


_HERE = "cli.commands.models"
models = LazyGroup(
    "models",
    table={
        "list": (f"{_HERE}:list_", "Every model and its state."),
        "show": (f"{_HERE}:show", "One model: card, errors, decisions."),
        "compare": (f"{_HERE}:compare", "One model's predictions against the champion's."),
        "promote": (f"{_HERE}:promote", "Make a candidate the champion."),
        "rollback": (f"{_HERE}:rollback", "Make the previous champion the champion again."),
    },
    help="The registry of models.",
    params=common_parameters(),
)
