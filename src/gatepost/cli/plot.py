"""A small chart as SVG: an audience's size over time, with who entered and who left below it."""

from collections.abc import Sequence
from typing import Any
from xml.sax.saxutils import escape

_WIDTH, _HEIGHT = 960, 420
_LEFT, _RIGHT, _TOP = 64, 24, 56
_LINE_BOTTOM = 290
_FLOW_MIDDLE, _FLOW_HALF = 345, 40
_TICKS = 4
_DATES = 6


def svg_of(title: str, points: Sequence[dict[str, Any]]) -> str:
    """Return a chart of points with `at`, `size`, `entered` and `left`."""
    sizes = [point["size"] for point in points]
    flows = [max(point["entered"], point["left"]) for point in points]
    parts = [
        *_frame(title, points),
        *_levels(_round_up(max(sizes, default=0))),
        _area(sizes, _round_up(max(sizes, default=0))),
        *_flows(points, max([*flows, 1])),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _frame(title: str, points: Sequence[dict[str, Any]]) -> list[str]:
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" '
        'font-family="system-ui, sans-serif" font-size="13" fill="#334155">'
    )
    parts = [head, f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="#ffffff"/>']
    parts.append(f'<text x="{_LEFT}" y="30" font-size="18" fill="#0f172a">{escape(title)}</text>')
    for number in range(_DATES + 1):
        place = round(number * (len(points) - 1) / _DATES) if points else 0
        if points:
            x = _x(place, len(points))
            day = escape(str(points[place]["at"])[:10])
            anchor = {0: "start", _DATES: "end"}.get(number, "middle")
            parts.append(f'<text x="{x:.1f}" y="{_HEIGHT - 12}" text-anchor="{anchor}">{day}</text>')
    legend = (
        f'<text x="{_WIDTH - _RIGHT}" y="30" text-anchor="end">'
        '<tspan fill="#2563eb">size</tspan> · <tspan fill="#0d9488">entered</tspan> · '
        '<tspan fill="#ea580c">left</tspan></text>'
    )
    return [*parts, legend]


def _levels(most: int) -> list[str]:
    parts = []
    for tick in range(_TICKS + 1):
        y = _LINE_BOTTOM - (_LINE_BOTTOM - _TOP) * tick / _TICKS
        parts.append(f'<path d="M{_LEFT} {y:.1f}H{_WIDTH - _RIGHT}" stroke="#e2e8f0"/>')
        parts.append(
            f'<text x="{_LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{most * tick // _TICKS:,}</text>'
        )
    return parts


def _area(sizes: Sequence[int], most: int) -> str:
    line = " ".join(
        f"L{_x(place, len(sizes)):.1f} {_LINE_BOTTOM - (_LINE_BOTTOM - _TOP) * size / most:.1f}"
        for place, size in enumerate(sizes)
    )
    end = _x(len(sizes) - 1, len(sizes))
    filled = f'<path d="M{_LEFT} {_LINE_BOTTOM} {line} L{end:.1f} {_LINE_BOTTOM}Z" fill="#dbeafe"/>'
    return f'{filled}<path d="M{line[1:]}" fill="none" stroke="#2563eb" stroke-width="2"/>'


def _flows(points: Sequence[dict[str, Any]], most: int) -> list[str]:
    width = max(1.0, (_WIDTH - _LEFT - _RIGHT) / max(len(points), 1) * 0.7)
    parts = [f'<path d="M{_LEFT} {_FLOW_MIDDLE}H{_WIDTH - _RIGHT}" stroke="#94a3b8"/>']
    for place, point in enumerate(points):
        x = _x(place, len(points)) - width / 2
        up, down = (_FLOW_HALF * point[way] / most for way in ("entered", "left"))
        if up:
            parts.append(_bar(x, _FLOW_MIDDLE - up, (width, up), "#0d9488"))
        if down:
            parts.append(_bar(x, _FLOW_MIDDLE, (width, down), "#ea580c"))
    return parts


def _bar(x: float, y: float, size: tuple[float, float], colour: str) -> str:
    return f'<rect x="{x:.1f}" y="{y:.1f}" width="{size[0]:.1f}" height="{size[1]:.1f}" fill="{colour}"/>'


def _x(place: int, count: int) -> float:
    return _LEFT + (_WIDTH - _LEFT - _RIGHT) * (place / (count - 1) if count > 1 else 0)


def _round_up(most: int) -> int:
    """Return a round number at or above, so that the levels are whole."""
    step = _TICKS
    while step < most:
        step = step * 5 // 2 if str(step)[0] == "4" else step * 2
    return step
