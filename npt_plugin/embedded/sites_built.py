"""Roads, buildings and other built places, seen from above."""

from __future__ import annotations

from npt_plugin.embedded.drawing import colour
from npt_plugin.embedded.ground import Draw, Rng, curve, disc, rect, tint


def airport(d: Draw, rng: Rng) -> None:
    """Draw an airport."""
    rect(d, 38, -1, 18, 98, tint("paved", rng))
    for y in range(2, 96, 12):
        rect(d, 46, y, 2, 6, tint("white", rng))
    rect(d, 66, 20, 22, 56, tint("city", rng))
    for y in (28, 46, 64):
        d.polygon((70, y, 84, y - 5, 84, y + 5), fill=tint("white", rng))


def harbor(d: Draw, rng: Rng) -> None:
    """Draw a harbor."""
    rect(d, 0, 0, 20, 96, tint("paved", rng))
    for y in range(8, 96, 22):
        rect(d, 20, y, 50, 5, tint("city", rng))
        for x in range(26, 68, 11):
            disc(d, x, y + 10, 3, tint("white", rng), 5)


def parking(d: Draw, rng: Rng) -> None:
    """Draw a parking lot."""
    for y in range(4, 96, 20):
        for x in range(2, 96, 8):
            if rng.random() < 0.75:
                rect(d, x, y, 5, 10, colour(rng.integers(30, 250, 3)))


def roundabout(d: Draw, rng: Rng) -> None:
    """Draw a roundabout."""
    crossroads(d, rng)
    disc(d, 48, 48, 27, tint("road", rng))
    disc(d, 48, 48, 14, tint("lawn", rng))


def crossroads(d: Draw, rng: Rng) -> None:
    """Draw a crossroads."""
    rect(d, 40, -1, 16, 98, tint("road", rng, 4))
    rect(d, -1, 40, 98, 16, tint("road", rng, 4))


def stadium(d: Draw, rng: Rng) -> None:
    """Draw a stadium."""
    disc(d, 48, 48, 42, tint("steel", rng), 33)
    disc(d, 48, 48, 32, tint("clay", rng), 23)
    disc(d, 48, 48, 26, tint("lawn", rng), 18)


def tennis(d: Draw, rng: Rng) -> None:
    """Draw tennis courts."""
    for x in (8, 52):
        rect(d, x, 10, 36, 76, tint("court", rng))
        d.rectangle((x + 6, 18, x + 30, 78), outline=tint("white", rng), width=2)
        rect(d, x + 6, 47, 24, 2, tint("white", rng))


def highway(d: Draw, rng: Rng) -> None:
    """Draw a highway."""
    rect(d, 26, -1, 44, 98, tint("road", rng))
    rect(d, 46, -1, 4, 98, tint("lawn", rng))
    for x in (35, 60):
        for y in range(0, 96, 12):
            rect(d, x, y, 2, 6, tint("white", rng))


def bridge(d: Draw, rng: Rng) -> None:
    """Draw a bridge."""
    rect(d, -1, 40, 98, 16, tint("paved", rng))
    rect(d, -1, 47, 98, 2, tint("white", rng))
    rect(d, -1, -1, 14, 98, tint("grass", rng))
    rect(d, 84, -1, 14, 98, tint("grass", rng))


def railway(d: Draw, rng: Rng) -> None:
    """Draw a railway."""
    for x in (24, 54):
        for y in range(0, 96, 6):
            rect(d, x, y, 20, 2, tint("soil", rng))
        rect(d, x + 3, -1, 2, 98, tint("steel", rng))
        rect(d, x + 15, -1, 2, 98, tint("steel", rng))


def village(d: Draw, rng: Rng) -> None:
    """Draw a village."""
    d.line(curve(rng, 8), fill=tint("road", rng), width=6)
    for _ in range(11):
        rect(d, rng.uniform(2, 84), rng.uniform(2, 84), 10, 9, tint("roof", rng))


def tanks(d: Draw, rng: Rng) -> None:
    """Draw oil tanks."""
    for x in (20, 48, 76):
        for y in (20, 48, 76):
            if rng.random() < 0.85:
                disc(d, x, y, 12, tint("road", rng))
                disc(d, x - 1, y - 1, 10.5, tint("white", rng))


def pool(d: Draw, rng: Rng) -> None:
    """Draw a swimming pool."""
    rect(d, 20, 24, 56, 46, tint("white", rng))
    rect(d, 26, 30, 44, 34, tint("pool", rng))


def race(d: Draw, rng: Rng) -> None:
    """Draw a race track."""
    for r, name in ((42, "road"), (30, "grass")):
        d.rounded_rectangle(
            (48 - r, 48 - r * 0.72, 48 + r, 48 + r * 0.72), radius=r * 0.7, fill=tint(name, rng)
        )
