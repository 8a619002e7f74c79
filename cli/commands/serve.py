"""``serve``: the technicians' web application."""

from __future__ import annotations

import click

from cli.options import Command, load_settings


@click.command(cls=Command)
@click.option("--host", help="Address to listen on.  [default: 127.0.0.1]")
@click.option("--port", type=click.IntRange(1, 65535), help="Port to listen on.  [default: 8000]")
def serve(host: str | None, port: int | None) -> int:
    """Serve the web application until it is stopped."""
    from web.serve import serve as serve_web

    serve_web(load_settings(), host=host, port=port)
    return 0
