"""One's own page: password and sessions."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Query
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from cellcensus.errors import UsageError
from cellcensus.rights import MEANINGS
from cellcensus.settings import AccessSettings
from db import accounts, sessions
from db.sessions import Begun
from db.store import Store
from flows.signin import confirm_password
from web import cookies, drawing
from web.access import SignedIn, Visitor
from web.given import Configured, Database

router = APIRouter(default_response_class=HTMLResponse)

Secret = Annotated[str, Form(max_length=2000)]
DONE = {
    "password": "The password was changed. You are signed in here only.",
    "ended": "The session was ended.",
}


@router.get("/account")
def account_page(
    request: Request,
    store: Database,
    settings: Configured,
    visitor: SignedIn,
    done: Annotated[str, Query(max_length=20)] = "",
) -> Response:
    """Who one is here, and where one is signed in."""
    return _page(request, store, settings.access, visitor, said=DONE.get(done, ""))


@router.post("/account/password")
def change_password(
    request: Request,
    store: Database,
    settings: Configured,
    visitor: SignedIn,
    *,
    present: Secret = "",
    password: Secret = "",
    again: Secret = "",
) -> Response:
    """Choose another password; all other sessions end and this one begins anew."""
    if not confirm_password(store, settings.access, visitor.key, present):
        wrong = "The present password is wrong, or was wrong too often: then wait a little."
        return _page(request, store, settings.access, visitor, wrong=wrong, status=422)
    try:
        begun = _change(store, settings.access, visitor, password, again)
    except UsageError as error:
        return _page(request, store, settings.access, visitor, wrong=str(error), status=422)
    answer = RedirectResponse("/account?done=password", status_code=303)
    cookies.put(request, answer, cookies.SESSION, begun.token)
    return answer


@router.post("/account/sessions/{key}/end")
def end(key: int, store: Database, visitor: SignedIn) -> Response:
    """End one of one's own sessions."""
    with store.unit_of_work(visitor.name) as session:
        sessions.end_session_of(session, visitor.key, key)
        session.commit()
    return RedirectResponse("/account?done=ended", status_code=303)


def _change(
    store: Store, settings: AccessSettings, visitor: Visitor, password: str, again: str
) -> Begun:
    if password != again:
        raise UsageError("the two new passwords differ", next_step="type the same one twice")
    with store.unit_of_work(visitor.name) as session:
        account = accounts.get_account(session, visitor.name)
        accounts.set_password(session, account, password, settings=settings)
        begun = sessions.begin_session(session, account, settings)
        session.commit()
    return begun


def _page(
    request: Request,
    store: Store,
    settings: AccessSettings,
    visitor: Visitor,
    *,
    said: str = "",
    wrong: str = "",
    status: int = 200,
) -> Response:
    present = sessions.digest_of(cookies.read(request, cookies.SESSION) or "")
    with store.reading() as session:
        return drawing.page(
            "account.html",
            status=status,
            here="account",
            sessions=sessions.open_sessions(session, visitor.key, settings),
            present=present,
            rights=[meaning for right, meaning in MEANINGS.items() if visitor.can(right)],
            fewest=settings.password_length,
            said=said,
            wrong=wrong,
        )
