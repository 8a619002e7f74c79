"""Serving the demo: an account to look at it with, and where the tour begins."""

from __future__ import annotations

import secrets

from cellcensus.settings import Settings

NAME, ROLE = "demo", "reviewer"


def serve_tour(settings: Settings, port: int | None) -> None:
    """Serve a demo home until stopped; says once with what name and password to sign in."""
    from cli.terminal import say
    from web.serve import serve

    port = port or settings.web.port
    password = demo_password(settings)
    say(f"\nThe tour begins at http://{settings.web.host}:{port}/tour")
    if password is None:
        say("Sign in with your account: this home has accounts, so that none was added.")
    else:
        say(f"Sign in as {NAME} with the password {password} (shown only now).")
    say("Ctrl-C ends it.\n")
    serve(settings, port=port)


def demo_password(settings: Settings) -> str | None:
    """Give the demo account a new password; ``None`` in a home where people have accounts."""
    from db.accounts import add_account, list_accounts, set_password
    from db.store import Store

    store = Store(settings.database_address(), actor="system")
    try:
        with store.unit_of_work() as session:
            known = {account.name: account for account in list_accounts(session)}
            if known.keys() - {NAME}:
                return None
            password = secrets.token_urlsafe(12)
            if NAME in known:
                set_password(session, known[NAME], password, settings=settings.access)
            else:
                add_account(
                    session,
                    name=NAME,
                    full_name="Demo Reviewer",
                    role=ROLE,
                    password=password,
                    settings=settings.access,
                )
            session.commit()
    finally:
        store.close()
    return password
