"""A chart as a file of its own, for paper: what a page's style sheet does stands inside it."""

from __future__ import annotations

import re

FONT = "Libertinus Serif"

# As in report.css for print. Nothing is told by colour alone: what is high or low also lies beyond
# its band, and the greys of bar, band and ink stay apart on a grey printer.
_STYLE = f"""
text {{ font-family: "{FONT}"; font-size: 13px; fill: #000000 }}
.tick, .axis {{ font-size: 12px; fill: #444444 }}
.end {{ text-anchor: end }} .middle {{ text-anchor: middle }} .start {{ text-anchor: start }}
.grid {{ stroke: #c4c4c4; stroke-width: 0.8 }}
.bar {{ fill: #a9c3c9 }}
.whisker {{ stroke: #000000; stroke-width: 1.5 }} .thin {{ stroke: #555555; stroke-width: 0.9 }}
.analyser {{ fill: #ffffff; stroke: #000000; stroke-width: 1.4 }}
.band {{ fill: #dfe9e0; stroke: #5c6e5e; stroke-width: 0.9 }}
.limit, .zero {{ stroke: #555555; stroke-width: 0.9; stroke-dasharray: 3 3 }}
.point {{ fill: #000000 }}
.soft {{ fill: #0b5a6b; fill-opacity: 0.8; stroke: #ffffff; stroke-width: 0.7 }}
.high {{ stroke: #8c1c12; fill: #8c1c12 }} .low {{ stroke: #173f86; fill: #173f86 }}
.identity {{ stroke: #444444; stroke-width: 0.9; stroke-dasharray: 4 3 }}
.bias {{ stroke: #0b5a6b; stroke-width: 1.6 }}
.loa {{ stroke: #0b5a6b; stroke-width: 1.2; stroke-dasharray: 6 4 }}
.ci {{ stroke: none; fill: #0b5a6b; fill-opacity: 0.14 }}
.trend {{ fill: none; stroke: #0b5a6b; stroke-width: 1.6 }}
.ahead {{ stroke-dasharray: 6 4 }} .method {{ font-weight: bold }}
"""


def standing_alone(chart: str) -> bytes:
    """An SVG file of a chart that was drawn to stand in a page."""
    opening = re.sub(r"<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', chart, count=1)
    return opening.replace(">", f"><style>{_STYLE}</style>", 1).encode()


def label_of(chart: str) -> str:
    """What a screen reader says in the place of a chart."""
    from xml.etree.ElementTree import fromstring  # noqa: PLC0415  our own chart

    return fromstring(chart).get("aria-label", "")  # noqa: S314
