"""``serve``: the technicians' web application."""

from __future__ import annotations

import click

from cli.options import Command, load_settings


@click.command(cls=Command)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(1, 65535))
def serve(host: str, port: int) -> int:
    """Serve the web application until it is stopped."""
    from web.serve import serve as serve_web

    serve_web(load_settings(), host=host, port=port)
    return 0
