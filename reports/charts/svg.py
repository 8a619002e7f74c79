"""A sheet to draw on, and the axis that maps values to it."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import floor, isfinite, log10
from xml.etree.ElementTree import Element, SubElement, tostring

from markupsafe import Markup


@dataclass(frozen=True, slots=True)
class Axis:
    """Maps values ``low…high`` to positions ``start…end`` (px); values beyond are clipped."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        """Position of a value, px."""
        share = (min(max(value, self.low), self.high) - self.low) / (self.high - self.low)
        return round(self.start + share * (self.end - self.start), 2)

    def covers(self, value: float) -> bool:
        """Whether the value lies on the axis and needs no clipping."""
        return self.low <= value <= self.high

    def ticks(self, about: int = 5) -> list[float]:
        """Round numbers on the axis, about so many."""
        step = nice_step((self.high - self.low) / max(about, 1))
        first = -floor(-self.low / step + 1e-9)
        last = floor(self.high / step + 1e-9)
        return [round(i * step, 10) for i in range(first, last + 1)]


def nice_step(rough: float) -> float:
    """The round step (1, 2, 2.5 or 5 times a power of ten) just above ``rough``."""
    if not isfinite(rough) or rough <= 0:
        return 1.0
    power = 10.0 ** floor(log10(rough))
    return next(m * power for m in (1, 2, 2.5, 5, 10) if m * power >= rough * (1 - 1e-9))


def nice_ceiling(value: float, about: int = 5) -> float:
    """The end of an axis that starts at 0 and holds ``value``."""
    step = nice_step(value / about) if value > 0 else 1.0
    return step * -floor(-value / step + 1e-9)


@dataclass
class Sheet:
    """One SVG picture; ``label`` is what a screen reader says in its place."""

    width: float
    height: float
    label: str
    kind: str = "chart"
    root: Element = field(init=False)

    def __post_init__(self) -> None:
        self.root = Element(
            "svg",
            {
                "viewBox": f"0 0 {self.width:g} {self.height:g}",
                "role": "img",
                "aria-label": self.label,
                "class": self.kind,
            },
        )

    def line(self, x1: float, y1: float, x2: float, y2: float, kind: str) -> None:
        """A straight line."""
        self._add("line", kind, x1=x1, y1=y1, x2=x2, y2=y2)

    def box(self, x: float, y: float, width: float, height: float, kind: str) -> None:
        """A rectangle; negative sizes are drawn as nothing."""
        self._add("rect", kind, x=x, y=y, width=max(width, 0), height=max(height, 0))

    def dot(self, x: float, y: float, radius: float, kind: str, title: str = "") -> None:
        """A circle; ``title`` appears when it is pointed at."""
        element = self._add("circle", kind, cx=x, cy=y, r=radius)
        if title:
            SubElement(element, "title").text = title

    def shape(self, points: list[tuple[float, float]], kind: str) -> None:
        """A closed polygon."""
        self._add("polygon", kind, points=" ".join(f"{x:g},{y:g}" for x, y in points))

    def path(self, points: list[tuple[float, float]], kind: str) -> None:
        """A polyline."""
        self._add("polyline", kind, points=" ".join(f"{x:g},{y:g}" for x, y in points))

    def text(self, x: float, y: float, words: str, kind: str, *, turned: bool = False) -> None:
        """Words; ``kind`` holds their anchor: ``start``, ``middle`` or ``end``."""
        element = self._add("text", kind, x=x, y=y)
        element.text = words
        if turned:
            element.set("transform", f"rotate(-90 {x:g} {y:g})")

    def markup(self) -> Markup:
        """The picture, ready for a page: every text and attribute is escaped."""
        return Markup(tostring(self.root, encoding="unicode"))  # noqa: S704  escaped by ElementTree

    def _add(self, tag: str, kind: str, **numbers: float | str) -> Element:
        attributes = {
            name: value if isinstance(value, str) else f"{value:g}"
            for name, value in numbers.items()
        }
        return SubElement(self.root, tag, {"class": kind, **attributes})
