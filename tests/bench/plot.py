"""Draws how figures grow, as SVG: points with what the middle half lies between, joined by lines."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

from tests.bench.harness import number

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 640, 320, 64, 16, 40, 48
FONT: Final = 'font-family="sans-serif" font-size="12"'
COLOURS: Final = ("#0b6e99", "#c2571a", "#5b8c2a")
SPREAD_OF_LOGARITHM: Final = 20  # from this ratio of the largest to the smallest on, an axis is logarithmic


@dataclass(frozen=True, slots=True)
class Point:
    """A median at `x`, and what the middle half lies between."""

    x: float
    median: float
    low: float
    high: float


def svg(title: str, across: str, unit: str, lines: Mapping[str, Sequence[Point]]) -> str:
    """A plot of one or more lines that share a unit; `across` names the horizontal axis."""
    points = [point for line in lines.values() for point in line]
    xs = sorted({point.x for point in points})
    place_x, _ = _axis(xs[0], xs[-1], LEFT, WIDTH - RIGHT)
    place_y, marks = _axis(0, max(point.high for point in points), HEIGHT - BOTTOM, TOP)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" {FONT}>',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
        _text(LEFT, 18, f"{title}, {unit}" if unit else title, "start", weight="bold"),
        _text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 8, across, "middle"),
        *(_mark(place_y(value), value) for value in marks),
        *(_text(place_x(x), HEIGHT - BOTTOM + 18, f"{x:,.0f}", "middle") for x in xs),
    ]
    for place, (name, line) in enumerate(lines.items()):
        parts += _line(line, place_x, place_y, COLOURS[place % len(COLOURS)])
        parts.append(_text(WIDTH - RIGHT, 18 + 15 * place, name, "end", COLOURS[place % len(COLOURS)]))
    return "\n".join([*parts, "</svg>"]) + "\n"


def _axis(least: float, most: float, start: float, end: float) -> tuple[Callable[[float], float], list[float]]:
    """Where a value stands, and round values to mark."""
    if least > 0 and most / least >= SPREAD_OF_LOGARITHM:
        low, high = math.log10(least), math.log10(most)
        return lambda value: start + (math.log10(value) - low) / (high - low) * (end - start), []
    most = most if most > least else least + 1
    step = 10 ** math.floor(math.log10(most - least))
    step = next(size for size in (step / 5, step / 2, step, 2 * step) if (most - least) / size <= 6)
    marks = [index * step for index in range(int(least / step), int(most / step) + 1)]
    return lambda value: start + (value - least) / (most - least) * (end - start), marks


def _mark(y: float, value: float) -> str:
    line = f'<line x1="{LEFT}" y1="{y:.1f}" x2="{WIDTH - RIGHT}" y2="{y:.1f}" stroke="#dddddd"/>'
    return line + _text(LEFT - 8, y + 4, number(value) if value else "0", "end")


def _line(
    line: Sequence[Point], place_x: Callable[[float], float], place_y: Callable[[float], float], colour: str
) -> list[str]:
    at = [(place_x(point.x), point) for point in sorted(line, key=lambda point: point.x)]
    path = " ".join(f"{x:.1f},{place_y(point.median):.1f}" for x, point in at)
    return [
        f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>',
        *(
            f'<line x1="{x:.1f}" y1="{place_y(point.low):.1f}" x2="{x:.1f}" y2="{place_y(point.high):.1f}" '
            f'stroke="{colour}" stroke-width="4" stroke-opacity="0.35"/>'
            f'<circle cx="{x:.1f}" cy="{place_y(point.median):.1f}" r="3.5" fill="{colour}"/>'
            for x, point in at
        ),
    ]


def _text(x: float, y: float, text: str, anchor: str, colour: str = "#333333", weight: str = "normal") -> str:
    style = f'text-anchor="{anchor}" fill="{colour}" font-weight="{weight}"'
    return f'<text x="{x:.1f}" y="{y:.1f}" {style}>{escape(text)}</text>'
