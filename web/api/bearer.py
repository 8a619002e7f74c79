"""Who comes with a token: a machine that reads in the name of an account."""

from __future__ import annotations

from cellcensus.rights import Right
from db import tokens
from db.store import Store
from web.visitor import Visitor

RIGHTS = frozenset({Right.READ})
"""Whatever the account may do: a token only reads."""


def read_token(store: Store, secret: str) -> Visitor | None:
    """The holder of a token that lives, of an account that is open."""
    with store.reading() as session:
        found = tokens.find_token(session, secret)
    if found is None:
        return None
    account, token = found
    if tokens.is_touch_due(token):
        with store.unit_of_work() as session:
            tokens.touch(session, token.key)
            session.commit()
    # An account that only machines use keeps its first password: it is not asked to change it.
    return Visitor(
        account.key, account.name, account.full_name, account.role, csrf="", narrowed_to=RIGHTS
    )
