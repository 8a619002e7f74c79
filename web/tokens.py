"""One's own tokens: made, shown once, revoked."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Path
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, RedirectResponse, Response

from cellcensus.errors import UsageError
from cellcensus.rights import Right
from db import tokens
from db.accounts import get_account
from db.store import Store
from web import drawing
from web.access import SignedIn, Visitor, may
from web.given import Database

router = APIRouter(default_response_class=HTMLResponse)

ONE_YEAR = 365
LONGEST_DAYS = 3650


@router.get("/account/tokens")
def tokens_page(store: Database, visitor: SignedIn) -> Response:
    """One's tokens, never their secrets."""
    return _page(store, visitor)


@router.post("/account/tokens")
def add_token(
    store: Database,
    visitor: Annotated[Visitor, Depends(may(Right.TOKENS))],
    label: Annotated[str, Form(max_length=200)] = "",
    days: Annotated[int, Form(ge=1, le=LONGEST_DAYS)] = ONE_YEAR,
) -> Response:
    """Make a token, and show it this once: it is kept nowhere."""
    try:
        with store.unit_of_work(visitor.name) as session:
            account = get_account(session, visitor.name)
            secret = tokens.add_token(session, account, label, days=days).secret
            session.commit()
    except UsageError as error:
        return _page(store, visitor, wrong=str(error), status=422)
    return _page(store, visitor, secret=secret)


@router.post("/account/tokens/{key}/revoke")
def revoke_token(
    key: Annotated[int, Path(ge=1, le=2**31 - 1)], store: Database, visitor: SignedIn
) -> Response:
    """End one of one's own tokens."""
    try:
        with store.unit_of_work(visitor.name) as session:
            tokens.revoke_token(session, key, account_key=visitor.key)
            session.commit()
    except UsageError:
        raise HTTPException(404) from None
    return RedirectResponse("/account/tokens", status_code=303)


def _page(
    store: Store, visitor: Visitor, *, secret: str = "", wrong: str = "", status: int = 200
) -> Response:
    with store.reading() as session:
        rows = [
            (token, tokens.state_of(token)) for _, token in tokens.list_tokens(session, visitor.key)
        ]
    return drawing.page(
        "tokens.html",
        status=status,
        here="account",
        tokens=rows,
        makes=visitor.can(Right.TOKENS),
        secret=secret,
        wrong=wrong,
        days=ONE_YEAR,
        longest=tokens.LONGEST_LABEL,
        most_days=LONGEST_DAYS,
    )
