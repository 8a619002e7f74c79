"""What of the bags can be learned from, and in which form training holds it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import torch

from cellcensus.errors import TrainingError
from cellcensus.settings import TrainingSettings
from models.bag import Bag
from models.knowledge import Target, expected_shares, population_prior, purity_vector, read_target
from models.network import NO_ARTEFACTS
from models.normalise import ClassLooks, donor_effect, fit_looks, measure_cells, typical
from models.pictures import prepare, to_window
from models.shelf import Shelf

# How much of a purified or mixed specimen's detections is expected to be dirt, before any is seen.
ARTEFACT_SHARE = 0.05
_PRIOR_FLOOR, _FEWEST_CELLS, _FEWEST_DIRT = 0.02, 10, 30


@dataclass
class Material:
    """Bags that teach, sorted by what they teach.

    Parameters
    ----------
    classes
        The reporting order.
    bags
        All of them.
    purified, blank, mixed
        Numbers of the bags of each kind.
    holds
        Of a purified bag, (K,) what it holds.
    targets
        Of a mixed bag, its differential.
    means
        Of each bag, (2,) typical log contrast and log diameter.
    whole
        The bags before they were thinned and brought to one scale, in the same order: what is
        found in a held-out specimen is said of every cell it has.
    left_out
        Why bags were left aside: specimen → reason.
    window_um
        What a crop shows, of the first bag that says; the others are brought to it.
    """

    classes: tuple[str, ...]
    bags: list[Bag]
    purified: list[int] = field(default_factory=list)
    blank: list[int] = field(default_factory=list)
    mixed: list[int] = field(default_factory=list)
    holds: dict[int, np.ndarray] = field(default_factory=dict)
    targets: dict[int, Target] = field(default_factory=dict)
    means: dict[int, np.ndarray] = field(default_factory=dict)
    whole: list[Bag] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)
    window_um: float | None = None

    def donor(self, index: int) -> str:
        """The donor of a bag; the same name in two studies is two people."""
        bag = self.bags[index]
        return f"{bag.study}/{bag.donor_id}"

    def donor_shares(self) -> dict[str, np.ndarray]:
        """Mean differential of each donor of mixed specimens, (K,)."""
        rows: dict[str, list[np.ndarray]] = {}
        for i in self.mixed:
            rows.setdefault(self.donor(i), []).append(self.targets[i].fraction)
        return {donor: np.mean(found, axis=0) for donor, found in rows.items()}


def collect(bags: Sequence[Bag], classes: tuple[str, ...], settings: TrainingSettings) -> Material:
    """Sort bags by what they teach.

    Raises
    ------
    TrainingError
        Fewer than two classes, or no specimen that could teach a classifier.
    """
    if len(classes) < 2:
        raise TrainingError(
            "A model needs two classes or more", next_step="name them in study.yaml"
        )
    material = Material(classes, [])
    for bag in bags:
        if bag.known.role in ("purified", "blank", "mixed"):
            _sort_in(material, bag, settings)
    _require(material)
    return material


def _sort_in(material: Material, bag: Bag, settings: TrainingSettings) -> None:
    reason = _unusable(material.classes, bag)
    if reason:
        material.left_out[bag.specimen_id] = reason
        return
    index = len(material.bags)
    material.window_um = material.window_um or bag.window_um
    material.bags.append(_thin(bag, settings.cells_per_specimen, material.window_um))
    material.whole.append(bag)
    material.means[index] = typical(measure_cells(material.bags[-1].crops))
    if bag.known.role == "purified":
        material.purified.append(index)
        material.holds[index] = purity_vector(bag.known, material.classes)
    elif bag.known.role == "blank":
        material.blank.append(index)
    else:
        target = read_target(bag.known, material.classes)
        assert target is not None
        material.mixed.append(index)
        material.targets[index] = target


def _unusable(classes: tuple[str, ...], bag: Bag) -> str | None:
    if len(bag) < (_FEWEST_CELLS if bag.known.role != "blank" else 1):
        return f"{len(bag)} cells are too few to learn from"
    if bag.known.role == "purified" and bag.known.cell_class not in classes:
        return "its class is none of the study's classes"
    if bag.known.role == "mixed" and read_target(bag.known, classes) is None:
        return "no share of any class is known"
    return None


def _thin(bag: Bag, most: int, window_um: float | None) -> Bag:
    """At most so many cells, evenly over the recording, in one scale, read into memory once."""
    chosen = np.unique(np.linspace(0, len(bag) - 1, min(most, len(bag))).astype(int))
    features = bag.features[chosen] if len(bag.features) == len(bag) else bag.features
    crops = to_window(np.ascontiguousarray(bag.crops[chosen]), bag.window_um, window_um)
    return replace(bag, crops=crops, features=features)


def _require(material: Material) -> None:
    if not material.purified and len(material.mixed) < 2 * len(material.classes):
        raise TrainingError(
            f"{len(material.mixed)} mixed and no purified specimens cannot teach "
            f"{len(material.classes)} classes",
            next_step="film a purified specimen of each class, or more mixed specimens",
        )
    known = {material.bags[i].known.cell_class for i in material.purified}
    if not material.mixed and len(known) < len(material.classes):
        missing = ", ".join(name for name in material.classes if name not in known)
        raise TrainingError(
            f"Nothing tells what these cells look like: {missing}",
            next_step="film a purified specimen of each of them, or mixed specimens with totals",
        )


def make_prior(material: Material, mixed: Sequence[int]) -> np.ndarray:
    """Reference prior (K + 1,): the mean composition of ``mixed``, artefacts last."""
    k = len(material.classes)
    cells = population_prior([material.targets[i] for i in mixed], k, floor=_PRIOR_FLOOR)
    dirt = dirt_share(material)
    return np.append(cells * (1 - dirt), dirt)


def dirt_share(material: Material) -> float:
    """Share of artefacts that is expected: next to nothing where no blank shows any.

    Without a specimen of pure dirt nothing tells what it looks like, and a network that may put
    cells aside as it pleases would put aside the difficult ones.
    """
    cells = sum(len(material.bags[i]) for i in material.blank)
    return ARTEFACT_SHARE if cells >= _FEWEST_DIRT else NO_ARTEFACTS


def fit_material_looks(
    material: Material, purified: Sequence[int], mixed: Sequence[int]
) -> ClassLooks:
    """Normalisation learned from these purified and these mixed specimens."""
    k = len(material.classes)
    means = np.array([material.means[i] for i in [*purified, *mixed]]).reshape(-1, 2)
    shares = [material.holds[i] for i in purified]
    shares += [expected_shares(material.targets[i], material.classes) for i in mixed]
    flags = [True] * len(purified) + [False] * len(mixed)
    return fit_looks(means, np.array(shares).reshape(-1, k), flags)


def make_shelves(
    material: Material,
    looks: ClassLooks,
    chosen: Sequence[int],
    device: torch.device,
    *,
    cells: int | None = None,
) -> list[Shelf]:
    """Shelves of these bags, normalised by ``looks``.

    With ``cells`` only so many of each and their best picture, for those that are merely looked at.
    """
    return [_shelf(material, looks, i, device, cells) for i in chosen]


def _shelf(
    material: Material, looks: ClassLooks, index: int, device: torch.device, cells: int | None
) -> Shelf:
    shares = _shares(material, index)
    effect = np.zeros(2)
    if shares is not None:
        certain = index in material.holds
        effect = donor_effect(looks, material.means[index], shares, certain=certain)
    crops = material.bags[index].crops
    crops = crops if cells is None else crops[:cells, :1]
    pictures = prepare(crops, looks.centre + effect, device)
    shelf = Shelf(material.bags[index].specimen_id, material.donor(index), pictures)
    target = material.targets.get(index)
    if target is not None and shares is not None:
        shelf.fraction = torch.from_numpy(np.nan_to_num(target.fraction)).float().to(device)
        shelf.known = torch.from_numpy(target.known).to(device)
        shelf.sd = torch.from_numpy(np.nan_to_num(target.sd, nan=1.0)).float().to(device)
        shelf.expected = torch.from_numpy(shares).float().to(device)
        shelf.relative = target.relative
    else:
        shelf.holds = torch.from_numpy(_holds(material, index)).float()
    return shelf


def _shares(material: Material, index: int) -> np.ndarray | None:
    if index in material.holds:
        return material.holds[index]
    target = material.targets.get(index)
    return None if target is None else expected_shares(target, material.classes)


def _holds(material: Material, index: int) -> np.ndarray:
    """What a purified or blank specimen holds, (K + 1,), artefacts last."""
    if index not in material.holds:
        return np.append(np.zeros(len(material.classes)), 1.0)
    dirt = dirt_share(material)
    return np.append(material.holds[index] * (1 - dirt), dirt)
