"""Serving the application until it is stopped."""

from __future__ import annotations

import logging
import socket

from cellcensus.errors import UsageError
from cellcensus.settings import Settings

LOOPBACK = ("127.0.0.1", "localhost", "::1")


def serve(settings: Settings, host: str | None = None, port: int | None = None) -> None:
    """Serve the application of a home; on this machine only, unless another address is asked for.

    Raises
    ------
    StoreError
        The database cannot be used.
    UsageError
        The address cannot be listened on.
    """
    import uvicorn  # noqa: PLC0415  only for those who serve

    from db.schema import upgrade  # noqa: PLC0415
    from flows.deliver import sending  # noqa: PLC0415
    from web.app import create_app  # noqa: PLC0415
    from web.working import working  # noqa: PLC0415

    host, port = host or settings.web.host, port or settings.web.port
    # Before the server starts: an error here reaches the person as words.
    _check_free(host, port)
    upgrade(settings.database_address())
    hosts = ("127.0.0.1", "localhost", "[::1]") if host in LOOPBACK else ("*",)
    if host not in LOOPBACK:
        logging.getLogger("uvicorn.error").warning(
            "Listening on %s without encryption: put a proxy with https before it, and see "
            "CELLCENSUS_ACCESS__SECURE_COOKIES.",
            host,
        )
    with sending(settings), working(settings):
        uvicorn.run(
            create_app(settings, hosts=hosts),
            host=host,
            port=port,
            server_header=False,
            # Addresses hold the names of specimens: they are not for logs.
            access_log=False,
        )


def _check_free(host: str, port: int) -> None:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        raise UsageError(
            f"{host}:{port} cannot be listened on: {error.strerror or error}",
            next_step="choose another with --port or --host, or end what uses it",
        ) from error
