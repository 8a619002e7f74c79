"""The people page: who has an account, and every change of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Query
from sqlalchemy.orm import Session
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, RedirectResponse, Response

from cellcensus.errors import UsageError
from cellcensus.rights import MEANINGS, ROLE_RIGHTS, Right
from db import accounts
from db.store import Store
from db.tables import Account
from web import drawing
from web.access import Visitor, may
from web.given import Configured, Database

router = APIRouter(default_response_class=HTMLResponse)

Manager = Annotated[Visitor, Depends(may(Right.PEOPLE))]
Text = Annotated[str, Form(max_length=200)]
Secret = Annotated[str, Form(max_length=2000)]
DONE = {
    "added": "The account was added. Its password has to be changed at the first sign-in.",
    "role": "The role was changed, and the sessions of the account ended.",
    "closed": "The account was closed, and its sessions ended.",
    "reopened": "The account is open again.",
    "password": "The password was set. It has to be changed at the next sign-in.",
}


@router.get("/people")
def people(
    store: Database, _: Manager, done: Annotated[str, Query(max_length=20)] = ""
) -> Response:
    """All accounts."""
    return _page(store, said=DONE.get(done, ""))


@router.post("/people")
def add(
    store: Database,
    settings: Configured,
    visitor: Manager,
    *,
    name: Text = "",
    full_name: Text = "",
    role: Text = "",
    password: Secret = "",
    again: Secret = "",
) -> Response:
    """Add a person; the password is for the first sign-in only."""

    def change(session: Session) -> None:
        _check_same(password, again)
        accounts.add_account(
            session,
            name=name,
            full_name=full_name,
            role=role,
            password=password,
            settings=settings.access,
            temporary=True,
        )

    return _done(store, visitor, change, "added")


@router.post("/people/{name}/role")
def change_role(name: str, store: Database, visitor: Manager, role: Text = "") -> Response:
    """Give somebody another role."""
    return _done(store, visitor, _of(name, lambda s, a: accounts.set_role(s, a, role)), "role")


@router.post("/people/{name}/close")
def close(name: str, store: Database, visitor: Manager) -> Response:
    """Close an account."""
    return _done(store, visitor, _of(name, accounts.close_account), "closed")


@router.post("/people/{name}/reopen")
def reopen(name: str, store: Database, visitor: Manager) -> Response:
    """Open a closed account again."""
    return _done(store, visitor, _of(name, accounts.reopen_account), "reopened")


@router.post("/people/{name}/password")
def reset_password(
    name: str,
    store: Database,
    settings: Configured,
    visitor: Manager,
    *,
    password: Secret = "",
    again: Secret = "",
) -> Response:
    """Set a password for somebody who has forgotten it; it lifts a lock, too."""

    def change(session: Session, account: Account) -> None:
        _check_same(password, again)
        accounts.set_password(session, account, password, settings=settings.access, temporary=True)

    return _done(store, visitor, _of(name, change), "password")


def _of(name: str, change: Callable[[Session, Account], None]) -> Callable[[Session], None]:
    def on_account(session: Session) -> None:
        account = accounts.find_account(session, name)
        if account is None:
            raise HTTPException(404)
        change(session, account)

    return on_account


def _done(store: Store, visitor: Visitor, change: Callable[[Session], None], word: str) -> Response:
    try:
        with store.unit_of_work(visitor.name) as session:
            change(session)
            session.commit()
    except UsageError as error:
        return _page(store, wrong=str(error), status=422)
    return RedirectResponse(f"/people?done={word}", status_code=303)


def _page(store: Store, *, said: str = "", wrong: str = "", status: int = 200) -> Response:
    with store.reading() as session:
        return drawing.page(
            "people.html",
            status=status,
            here="people",
            accounts=accounts.list_accounts(session),
            roles=ROLE_RIGHTS,
            meanings=MEANINGS,
            said=said,
            wrong=wrong,
        )


def _check_same(password: str, again: str) -> None:
    if password != again:
        raise UsageError("the two passwords differ", next_step="type the same one twice")
