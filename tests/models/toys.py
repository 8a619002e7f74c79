"""Toy specimens whose cells even a tiny network tells apart: discs, rings and bars."""

import numpy as np

from models.bag import Bag, Known

CLASSES = ("disc", "ring", "bar")
SIDE = 48


def draw_cell(kind: int, rng: np.random.Generator) -> np.ndarray:
    y, x = np.mgrid[:SIDE, :SIDE] - (SIDE - 1) / 2
    angle = rng.uniform(0, np.pi)
    u, v = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
    radius = np.hypot(u, v)
    size = rng.normal(11, 0.7)
    inside = (radius < size, (radius < size) & (radius > 0.55 * size), (abs(u) < 14) & (abs(v) < 4))
    return 128 - rng.normal(75, 5) * inside[kind] + rng.normal(0, 3, (SIDE, SIDE))


def dirt(rng: np.random.Generator) -> np.ndarray:
    y, x = np.mgrid[:SIDE, :SIDE] - (SIDE - 1) / 2
    return 128 + rng.normal(60, 5) * (np.hypot(x, y) < 5) + rng.normal(0, 3, (SIDE, SIDE))


def crops(counts, rng, *, specks: int = 0, gain: float = 1.0) -> np.ndarray:
    pictures = [draw_cell(k, rng) for k, n in enumerate(counts) for _ in range(n)]
    pictures += [dirt(rng) for _ in range(specks)]
    if not pictures:
        return np.zeros((0, 1, SIDE, SIDE), np.uint8)
    stacked = 128 + (np.stack(pictures) - 128) * gain
    order = rng.permutation(len(stacked))
    return np.clip(stacked[order, None], 0, 255).astype(np.uint8)


def make_bag(name: str, known: Known, pictures: np.ndarray, **more) -> Bag:
    values = {"donor_id": "D" + name, "imaged_volume_ul": 1.0, "dilution": 20.0, **more}
    return Bag(
        study="toy",
        specimen_id=name,
        instrument_id="bench",
        known=known,
        crops=pictures,
        features=np.zeros((len(pictures), 0), np.float32),
        **values,
    )


def make_study(seed: int = 0, mixed: int = 8, cells: int = 60) -> list[Bag]:
    rng = np.random.default_rng(seed)
    bags = []
    for k, name in enumerate(CLASSES):
        counts = np.full(3, 2)
        counts[k] = cells - 4
        known = Known("purified", cell_class=name, purity=0.93)
        bags.append(make_bag(f"P{k}", known, crops(counts, rng)))
    bags.append(make_bag("B0", Known("blank"), crops((0, 0, 0), rng, specks=40)))
    for i in range(mixed):
        bags.append(mixed_bag(f"M{i}", rng, cells))
    return bags


def mixed_bag(name: str, rng: np.random.Generator, cells: int, shares=None) -> Bag:
    shares = rng.dirichlet((4, 3, 2)) if shares is None else np.asarray(shares)
    counts = rng.multinomial(cells, shares)
    # Twenty-fold diluted, one microlitre filmed, nine of ten cells found.
    per_ul = {c: float(v) * 20 / 0.9 for c, v in zip(CLASSES, counts, strict=True)}
    known = Known("mixed", wbc_per_ul=sum(per_ul.values()), per_ul=per_ul)
    return make_bag(name, known, crops(counts, rng, specks=3, gain=rng.uniform(0.8, 1.2)))
