"""``users``: accounts of the web application."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from cellcensus.errors import UsageError
from cellcensus.rights import ROLES
from cli.lazy import LazyGroup
from cli.options import Command, common_parameters, wants_json
from cli.outcomes import open_home

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from cellcensus.settings import AccessSettings
    from db.tables import Account

_role = click.Choice(ROLES)
_from_stdin = click.option(
    "--password-stdin", is_flag=True, help="Read the password from standard input: its first line."
)


@click.command(cls=Command)
@click.argument("name")
@click.option("--role", type=_role, required=True, help="What the person is in the laboratory.")
@click.option("--full-name", help="As it stands on what the person signs.  [default: NAME]")
@_from_stdin
def add(name: str, role: str, full_name: str | None, *, password_stdin: bool) -> int:
    """Make an account."""
    from db.accounts import add_account

    password = _ask(password_stdin)
    with _work() as (session, access):
        account = add_account(
            session,
            name=name,
            full_name=full_name or name,
            role=role,
            password=password,
            settings=access,
        )
        return _tell(account, "added")


@click.command("list", cls=Command)
def list_() -> int:
    """List all accounts."""
    from cli.terminal import print_json, print_table
    from db.accounts import list_accounts

    with _work() as (session, _):
        rows = [_row(account) for account in list_accounts(session)]
    if wants_json():
        print_json(rows)
    else:
        print_table("", ("name", "full name", "role", "state"), [list(r.values()) for r in rows])
    return 0


@click.command("role", cls=Command)
@click.argument("name")
@click.argument("role", type=_role)
def set_role(name: str, role: str) -> int:
    """Give an account another role."""
    from db import accounts

    return _change(name, lambda session, account, _: accounts.set_role(session, account, role))


@click.command(cls=Command)
@click.argument("name")
def close(name: str) -> int:
    """Close an account; what its owner signed keeps the name."""
    from db import accounts

    return _change(name, lambda session, account, _: accounts.close_account(session, account))


@click.command(cls=Command)
@click.argument("name")
def reopen(name: str) -> int:
    """Open a closed account again."""
    from db import accounts

    return _change(name, lambda session, account, _: accounts.reopen_account(session, account))


@click.command(cls=Command)
@click.argument("name")
@_from_stdin
def password(name: str, *, password_stdin: bool) -> int:
    """Give an account another password; this lifts a lock, and its sessions end."""
    from db import accounts

    chosen = _ask(password_stdin)

    def change(session: Session, account: Account, access: AccessSettings) -> None:
        accounts.set_password(session, account, chosen, settings=access)

    return _change(name, change)


@contextmanager
def _work() -> Iterator[tuple[Session, AccessSettings]]:
    with open_home() as context, context.store.unit_of_work() as session:
        yield session, context.settings.access
        session.commit()


def _change(name: str, change: Callable[[Session, Account, AccessSettings], None]) -> int:
    from db.accounts import get_account

    with _work() as (session, access):
        account = get_account(session, name)
        change(session, account, access)
        return _tell(account, "changed")


def _ask(from_stdin: bool) -> str:
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    if not _is_terminal():
        raise UsageError(
            "there is no terminal to ask for the password",
            next_step="give it on standard input, with --password-stdin",
        )
    answer: str = click.prompt("Password", hide_input=True, confirmation_prompt=True)
    return answer


def _is_terminal() -> bool:
    return sys.stdin.isatty()


def _row(account: Account) -> dict[str, str]:
    return {
        "name": account.name,
        "full_name": account.full_name,
        "role": account.role,
        "state": "open" if account.active else "closed",
    }


def _tell(account: Account, what: str) -> int:
    from cli.terminal import print_json, say

    row = _row(account)
    if wants_json():
        print_json(row)
    else:
        say(f"{what}: {row['name']} ({row['full_name']}), {row['role']}, {row['state']}")
    return 0


_HERE = "cli.commands.users"
users = LazyGroup(
    "users",
    table={
        "add": (f"{_HERE}:add", "Make an account."),
        "list": (f"{_HERE}:list_", "All accounts, their roles and states."),
        "role": (f"{_HERE}:set_role", "Give an account another role."),
        "close": (f"{_HERE}:close", "Close an account."),
        "reopen": (f"{_HERE}:reopen", "Open a closed account again."),
        "password": (f"{_HERE}:password", "Give an account another password."),
    },
    help="Accounts of the web application.",
    params=common_parameters(),
)
