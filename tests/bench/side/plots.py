"""Line plots as SVG, with two logarithmic axes and no library."""

import html
import math

WIDTH, HEIGHT = 760, 400
LEFT, RIGHT, TOP, BOTTOM = 70, 190, 36, 46
COLOURS = ("#0b6e4f", "#b5446e", "#3d5a80", "#e09f3e", "#7b2d26", "#6c757d", "#8e7dbe", "#4d908e", "#333333")
_STYLE = "font-family:sans-serif;font-size:12px;fill:#333"


def _short(value):
    for size, letter in ((1e6, "M"), (1e3, "k")):
        if value >= 10 * size or value == size:
            return f"{value / size:g}{letter}"
    return f"{value:,g}"


def _decades(values):
    low, high = min(values), max(values)
    return [10.0**power for power in range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)]


def _scale(low, high, start, end):
    def place(value):
        share = 0.5 if high == low else (math.log10(value) - math.log10(low)) / (math.log10(high) - math.log10(low))
        return start + share * (end - start)

    return place


def lines(title, across, up, series, labels_across=None):
    """`series` is {name: [(x, y), ...]}; everything is above 0. `labels_across` names the places that are no numbers. Gives
    the SVG's text."""
    series = {name: sorted(points) for name, points in series.items() if points}
    steps = sorted({x for points in series.values() for x, _ in points})
    decades = _decades([y for points in series.values() for _, y in points])
    x_of = _scale(steps[0], steps[-1], LEFT, WIDTH - RIGHT)
    y_of = _scale(decades[0], decades[-1], HEIGHT - BOTTOM, TOP)
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" style="{_STYLE};background:white">']

    def text(x, y, words, anchor="middle", extra=""):
        out.append(f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" {extra}>{html.escape(words)}</text>')

    text(LEFT, 20, title, "start", 'font-weight="bold"')
    for value in decades:
        y = y_of(value)
        out.append(f'<path d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}" stroke="#ddd"/>')
        text(LEFT - 6, y + 4, _short(value), "end")
    for value in steps:
        text(x_of(value), HEIGHT - BOTTOM + 18, (labels_across or {}).get(value) or _short(value))
    text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 8, across)
    text(16, HEIGHT / 2, up, extra=f'transform="rotate(-90 16 {HEIGHT / 2})"')
    labels = []
    for number, (name, points) in enumerate(series.items()):
        colour = COLOURS[number % len(COLOURS)]
        path = "L".join(f"{x_of(x):.1f} {y_of(y):.1f}" for x, y in points)
        out.append(f'<path d="M{path}" fill="none" stroke="{colour}" stroke-width="{3 if number == 0 else 1.5}"/>')
        out += [f'<circle cx="{x_of(x):.1f}" cy="{y_of(y):.1f}" r="3" fill="{colour}"/>' for x, y in points]
        labels.append([y_of(points[-1][1]) + 4, x_of(points[-1][0]) + 8, name, colour])
    labels.sort()
    for above, label in zip(labels, labels[1:]):
        label[0] = max(label[0], above[0] + 14)  # None over another.
    for y, x, name, colour in labels:
        text(max(x, WIDTH - RIGHT + 8), y, name, "start", f'style="fill:{colour}"')
    return "\n".join([*out, "</svg>"]) + "\n"
