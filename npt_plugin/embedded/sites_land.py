"""Fields, coasts and other open land, seen from above."""

from __future__ import annotations

import math

from npt_plugin.embedded.ground import Draw, Rng, blob, curve, disc, dots, rect, tint


def beach(d: Draw, rng: Rng) -> None:
    """Draw a beach."""
    edge = curve(rng, 4)
    d.polygon([-10, -10, *edge, -10, 106], fill=tint("water", rng))
    d.line(edge, fill=tint("white", rng), width=5)


def golf(d: Draw, rng: Rng) -> None:
    """Draw a golf course."""
    for _ in range(4):
        disc(
            d,
            rng.uniform(10, 86),
            rng.uniform(10, 86),
            rng.uniform(12, 18),
            tint("lawn", rng),
            rng.uniform(8, 14),
        )
    dots(d, rng, 7, 3, 5, "sand")
    dots(d, rng, 10, 3, 5, "forest")


def island(d: Draw, rng: Rng) -> None:
    """Draw an island."""
    blob(d, rng, 30, tint("sand", rng))
    blob(d, rng, 21, tint("forest", rng))


def quarry(d: Draw, rng: Rng) -> None:
    """Draw a quarry."""
    for r, name in ((44, "sand"), (34, "soil"), (25, "sand"), (16, "soil"), (8, "water")):
        blob(d, rng, r, tint(name, rng))


def swamp(d: Draw, rng: Rng) -> None:
    """Draw a swamp."""
    dots(d, rng, 22, 4, 9, "water")
    dots(d, rng, 20, 2, 4, "forest")


def desert(d: Draw, rng: Rng) -> None:
    """Draw the dunes of a desert."""
    for y in range(6, 100, 15):
        d.line((-5, y, 30, y - 8, 60, y + 4, 105, y - 5), fill=tint("dry", rng), width=3)


def terraces(d: Draw, rng: Rng) -> None:
    """Draw terraces."""
    cx, cy = rng.uniform(-10, 30), rng.uniform(-10, 30)
    for k, r in enumerate(range(130, 8, -11)):
        disc(d, cx, cy, r, tint(("lawn", "marsh")[k % 2], rng))


def mountain(d: Draw, rng: Rng) -> None:
    """Draw a snowy mountain."""
    x, y = rng.uniform(36, 60), rng.uniform(36, 60)
    d.polygon((x, y, -10, 10, 20, -10, 80, -10), fill=tint("snow", rng))
    d.polygon((x, y, 106, 30, 106, 106, 60, 106), fill=tint("road", rng))


def farmland(d: Draw, rng: Rng) -> None:
    """Draw a farmland."""
    xs, ys = ((0, int(rng.integers(26, 40)), int(rng.integers(58, 72)), 97) for _ in range(2))
    for i in range(3):
        for j in range(3):
            name = str(rng.choice(["grass", "dry", "soil", "lawn", "sand"]))
            d.rectangle((xs[i], ys[j], xs[i + 1] - 2, ys[j + 1] - 2), fill=tint(name, rng, 12))


def wind(d: Draw, rng: Rng) -> None:
    """Draw a wind farm."""
    for x, y in ((24, 24), (72, 30), (28, 74), (74, 76)):
        a0 = rng.uniform(0, 2)
        for k in range(3):
            a = a0 + k * 2.094
            d.line(
                (x, y, x + 17 * math.cos(a), y + 17 * math.sin(a)), fill=tint("white", rng), width=3
            )
        disc(d, x, y, 3, tint("steel", rng))


def solar(d: Draw, rng: Rng) -> None:
    """Draw a solar farm."""
    for y in range(3, 96, 14):
        rect(d, 4, y, 88, 9, tint("panel", rng))
        for x in range(12, 92, 8):
            rect(d, x, y, 1, 9, tint("steel", rng))


def baseball(d: Draw, rng: Rng) -> None:
    """Draw a baseball field."""
    d.pieslice((-22, 2, 118, 142), 225, 315, fill=tint("lawn", rng))
    d.polygon((48, 40, 70, 62, 48, 84, 26, 62), fill=tint("clay", rng))
    d.polygon((48, 50, 60, 62, 48, 74, 36, 62), fill=tint("lawn", rng))


def cemetery(d: Draw, rng: Rng) -> None:
    """Draw a cemetery."""
    for x in range(5, 96, 11):
        for y in range(5, 96, 13):
            rect(d, x, y, 3, 6, tint("steel", rng))
    rect(d, 44, -1, 7, 98, tint("dry", rng))
