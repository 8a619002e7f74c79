"""Serving the application until it is stopped."""

from __future__ import annotations

import logging

from cellcensus.settings import Settings

LOOPBACK = ("127.0.0.1", "localhost", "::1")


def serve(settings: Settings, host: str | None = None, port: int | None = None) -> None:
    """Serve the application of a home; on this machine only, unless another address is asked for.

    Raises
    ------
    StoreError
        The database cannot be used.
    """
    import uvicorn  # noqa: PLC0415  only for those who serve

    from db.schema import upgrade  # noqa: PLC0415
    from web.app import create_app  # noqa: PLC0415

    host, port = host or settings.web.host, port or settings.web.port
    # Before the server starts: an error here reaches the person as words.
    upgrade(settings.database_address())
    hosts = ("127.0.0.1", "localhost", "[::1]") if host in LOOPBACK else ("*",)
    if host not in LOOPBACK:
        logging.getLogger("uvicorn.error").warning(
            "Listening on %s: everybody who reaches this address can read all reports.", host
        )
    uvicorn.run(
        create_app(settings, hosts=hosts),
        host=host,
        port=port,
        server_header=False,
        # Addresses hold the names of specimens: they are not for logs.
        access_log=False,
    )
