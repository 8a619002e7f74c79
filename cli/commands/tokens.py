"""``tokens``: how machines read, in the name of an account."""

from __future__ import annotations

from typing import Any

import click

from cli.lazy import LazyGroup
from cli.options import Command, common_parameters, wants_json
from cli.outcomes import open_home


@click.command(cls=Command)
@click.option("--account", required=True, help="The account in whose name is read.")
@click.option("--label", required=True, help="What it is for.")
@click.option("--days", type=click.IntRange(1, 3650), help="How long it lives; unset: no end.")
def add(account: str, label: str, days: int | None) -> int:
    """Make a token. It is shown once, and cannot be shown again."""
    from cli.terminal import print_json, say
    from db.accounts import get_account
    from db.tokens import add_token

    with open_home() as context, context.store.unit_of_work() as session:
        made = add_token(session, get_account(session, account), label, days=days)
        session.commit()
        if wants_json():
            print_json({"token": made.secret, **_row(account, made.row)})
        else:
            say("The token, shown only now; keep it like a password:", console=_messages())
            say(made.secret)
    return 0


@click.command("list", cls=Command)
def list_() -> int:
    """List all tokens, newest first; never their secrets."""
    from cli.terminal import print_json, print_table
    from db.tokens import list_tokens

    with open_home() as context, context.store.reading() as session:
        rows = [_row(account.name, token) for account, token in list_tokens(session)]
    if wants_json():
        print_json(rows)
    else:
        columns = ("token", "account", "label", "state", "made", "ends", "last used")
        print_table("", columns, [list(row.values()) for row in rows])
    return 0


@click.command(cls=Command)
@click.argument("number", type=int)
def revoke(number: int) -> int:
    """End a token, by its number in the list."""
    from cli.terminal import print_json, say
    from db.tokens import revoke_token

    with open_home() as context, context.store.unit_of_work() as session:
        token = revoke_token(session, number)
        session.commit()
    if wants_json():
        print_json({"number": number, "state": "revoked"})
    else:
        say(f"token {number} ({token.label}) is revoked")
    return 0


def _row(account: str, token: Any) -> dict[str, Any]:
    from db.tokens import state_of

    return {
        "number": token.key,
        "account": account,
        "label": token.label,
        "state": state_of(token),
        "created_at": f"{token.created_at:%F %R}",
        "expires_at": f"{token.expires_at:%F %R}" if token.expires_at else None,
        "used_at": f"{token.used_at:%F %R}" if token.used_at else None,
    }


def _messages() -> Any:
    from cli.terminal import messages

    return messages


_HERE = "cli.commands.tokens"
tokens = LazyGroup(
    "tokens",
    table={
        "add": (f"{_HERE}:add", "Make a token; it is shown once."),
        "list": (f"{_HERE}:list_", "All tokens and their state."),
        "revoke": (f"{_HERE}:revoke", "End a token."),
    },
    help="Tokens with which machines read the API in the name of an account.",
    params=common_parameters(),
)
