"""Templates of the application: the reports' words and style, and its own frame around them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any
from urllib.parse import quote, urlencode

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from starlette.responses import HTMLResponse

from cellcensus import __version__
from reports.pages import word_filters
from reports.words import words
from web.navigation import entries_for
from web.visitor import current

STYLES = {
    "report.css": ("reports", "templates/report.css"),
    "web.css": ("web", "static/web.css"),
    "pages.css": ("web", "static/pages.css"),
    "bench.css": ("web", "static/bench.css"),
    "icon.svg": ("web", "static/icon.svg"),
    "htmx.min.js": ("web", "static/htmx.min.js"),
    "keys.js": ("web", "static/keys.js"),
    "inturn.js": ("web", "static/inturn.js"),
    "bench.js": ("web", "static/bench.js"),
}
KINDS = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


@cache
def environment() -> Environment:
    """The templates of the application."""
    made = Environment(
        loader=PackageLoader("web"),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(word_filters())
    made.filters["part"] = lambda text: quote(str(text), safe="")
    made.globals.update(version=__version__, style=style_address, address=with_query)
    # The application speaks English, whatever language the reports are written in.
    made.globals["say"] = words("en")
    return made


def page(template: str, *, status: int = 200, **values: Any) -> HTMLResponse:
    """One page, drawn for whoever is asking: ``visitor``, with the navigation of that role."""
    visitor = current.get()
    known = {"here": "", "visitor": visitor, "navigation": entries_for(visitor)}
    text = environment().get_template(template).render(**{**known, **values})
    return HTMLResponse(text, status_code=status)


@cache
def style_sheet(name: str) -> bytes:
    """One style sheet, script or icon."""
    package, path = STYLES[name]
    return (files(package) / path).read_bytes()


@cache
def style_address(name: str) -> str:
    """Address of a static file; it changes with its content, so that it may be kept for long."""
    return f"/static/{name}?v={hashlib.sha256(style_sheet(name)).hexdigest()[:12]}"


def with_query(path: str, values: Mapping[str, Any], **more: Any) -> str:
    """An address with query parameters; later ones replace earlier ones."""
    joined = {**values, **more}
    return f"{path}?{urlencode(joined)}" if joined else path
