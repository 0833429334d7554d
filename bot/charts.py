"""Pictures as SVG, drawn here so that a page needs nothing but itself: lines over two axes, and bars.

Colours are the page's own (`currentColor` and its variables), so that they fit a light and a dark screen.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup, escape

WIDTH, HEIGHT = 420, 280
LEFT, RIGHT, TOP, BOTTOM = 56, 12, 12, 46
MOST_POINTS = 300
"""Points drawn of one line."""


@dataclass(frozen=True)
class Axis:
    """One axis from a number to another."""

    label: str
    low: float
    high: float
    as_percent: bool = False

    def place(self, value: float) -> float:
        """Where a value stands, 0 to 1."""
        return (min(max(value, self.low), self.high) - self.low) / ((self.high - self.low) or 1.0)

    def ticks(self) -> list[tuple[float, str]]:
        """About five round values with their names.

        >>> Axis("milliseconds", 0, 1140).ticks()
        [(0.0, '0'), (250.0, '250'), (500.0, '500'), (750.0, '750'), (1000.0, '1000')]
        """
        rough = (self.high - self.low or 1.0) / 5
        power = 10.0 ** math.floor(math.log10(rough))
        step = next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= rough * 0.999)
        first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
        values = [round(number * step, 9) for number in range(first, last + 1)]
        return [(value, f"{value:.0%}" if self.as_percent else f"{value:.12g}") for value in values]


Points = Sequence[tuple[float, float]]


def lines(title: str, x: Axis, y: Axis, drawn: Sequence[Points], dots: Points = (), dashed: Points = ()) -> Markup:
    """A picture of lines.

    Args:
        title: what it shows, for those who cannot see it.
        x: the axis across.
        y: the axis upwards.
        drawn: each from left to right.
        dots: marked points.
        dashed: a line to compare with.
    """
    parts = [Markup('<polyline class="dashed" points="{}"/>').format(_path(x, y, dashed))] if dashed else []
    parts += [Markup('<polyline class="line" points="{}"/>').format(_path(x, y, _thinned(one))) for one in drawn]
    for across, up in dots:
        parts.append(Markup('<circle class="dot" cx="{:.1f}" cy="{:.1f}" r="3.5"/>').format(*_at(x, y, across, up)))
    return _picture(title, x, y, parts)


def bars(title: str, x: Axis, y: Axis, heights: Sequence[float]) -> Markup:
    """A picture of bars that stand side by side and fill the width."""
    parts = []
    step = (x.high - x.low) / max(len(heights), 1)
    for number, height in enumerate(heights):
        left, top = _at(x, y, x.low + number * step, height)
        right, bottom = _at(x, y, x.low + (number + 1) * step, y.low)
        shape = Markup('<rect class="bar" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"/>')
        parts.append(shape.format(left + 0.5, top, max(right - left - 1, 0.5), bottom - top))
    return _picture(title, x, y, parts)


def _picture(title: str, x: Axis, y: Axis, parts: Sequence[Markup]) -> Markup:
    frame = []
    for value, name in x.ticks():
        across, bottom = _at(x, y, value, y.low)
        frame.append(
            Markup('<text x="{:.1f}" y="{:.1f}" text-anchor="middle">{}</text>').format(across, bottom + 16, name)
        )
    for value, name in y.ticks():
        left, up = _at(x, y, x.low, value)
        frame.append(
            Markup('<line class="grid" x1="{:.1f}" y1="{:.1f}" x2="{:.1f}" y2="{:.1f}"/>').format(
                left, up, WIDTH - RIGHT, up
            )
        )
        frame.append(Markup('<text x="{:.1f}" y="{:.1f}" text-anchor="end">{}</text>').format(left - 6, up + 4, name))
    middle = (LEFT + WIDTH - RIGHT) / 2
    frame.append(Markup('<text x="{:.1f}" y="{}" text-anchor="middle">{}</text>').format(middle, HEIGHT - 8, x.label))
    up = (TOP + HEIGHT - BOTTOM) / 2
    frame.append(
        Markup('<text transform="translate(14 {:.1f}) rotate(-90)" text-anchor="middle">{}</text>').format(
            up, y.label
        )
    )
    return Markup('<svg viewBox="0 0 {} {}" role="img" aria-label="{}">{}{}</svg>').format(
        WIDTH, HEIGHT, title, Markup("").join(frame), Markup("").join(parts)
    )


def _at(x: Axis, y: Axis, across: float, up: float) -> tuple[float, float]:
    return (
        LEFT + x.place(across) * (WIDTH - LEFT - RIGHT),
        HEIGHT - BOTTOM - y.place(up) * (HEIGHT - TOP - BOTTOM),
    )


def _path(x: Axis, y: Axis, points: Points) -> Markup:
    return escape(" ".join("{:.1f},{:.1f}".format(*_at(x, y, *point)) for point in points))


def _thinned(points: Points) -> Points:
    """Evenly chosen points, the first and the last among them."""
    if len(points) <= MOST_POINTS:
        return points
    return [points[place] for place in np.linspace(0, len(points) - 1, MOST_POINTS).astype(int)]
