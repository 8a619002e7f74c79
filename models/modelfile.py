"""Models on disk: ``model.safetensors`` and ``card.json``, never pickle.

The hash covers both files; ``load`` refuses a model whose hash is not the one it was stored under.
"""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors

from cellcensus.errors import ModelFileError
from cellcensus.files import publish_folder
from cellcensus.recipe import hash_paths
from models.composition import Calibration
from models.drift import UsualLook
from models.embedding import Embedding, Lens
from models.excess import Excess
from models.intervals import Errors
from models.kinds import Kinds
from models.model import Member, Model
from models.normalise import ClassLooks
from models.novelty import Familiar
from models.rarity import Rarity
from models.recovery import Recovery
from models.shifts import Shifts

FORMAT = 6
_SHIFTS = tuple(part.name for part in fields(Shifts))
_EXCESS = tuple(part.name for part in fields(Excess) if part.name != "shifts")
_LENS = ("centre", "scale", "frequency", "phase")
TENSORS, CARD = "model.safetensors", "card.json"


def save(model: Model, folder: Path) -> str:
    """Publish a model in ``folder``; its sha256, 64 hexadecimal digits.

    Held-out predictions are not stored with it: they are results, and live where results do.
    """
    with publish_folder(folder) as temporary:
        (temporary / TENSORS).write_bytes(save_tensors(_tensors(model)))
        text = json.dumps(_card(model), indent=1, ensure_ascii=False, sort_keys=True)
        (temporary / CARD).write_text(text, encoding="utf-8")
    return fingerprint(folder)


def fingerprint(folder: Path) -> str:
    """The sha256 of a stored model.

    Raises
    ------
    ModelFileError
        A file is missing.
    """
    try:
        return hash_paths([folder / TENSORS, folder / CARD])
    except OSError as error:
        raise ModelFileError(
            "A model file cannot be read",
            file=error.filename,
            next_step="restore it from a backup, or train again",
        ) from error


def load(folder: Path, sha256: str | None = None) -> Model:
    """Read a model.

    Parameters
    ----------
    sha256
        The hash it was stored under; ``None``: not checked.

    Raises
    ------
    ModelFileError
        Missing, altered, or not one of ours.
    """
    found = fingerprint(folder)
    if sha256 is not None and found != sha256:
        raise ModelFileError(
            "The model file was altered since it was stored",
            file=folder / TENSORS,
            next_step="restore it from a backup, or train again",
        )
    try:
        card = json.loads((folder / CARD).read_text(encoding="utf-8"))
        tensors = load_tensors((folder / TENSORS).read_bytes())
        _check_format(card["format"], folder)
        return _rebuild(card, tensors)
    except (ValueError, KeyError, TypeError, SafetensorError) as error:
        raise ModelFileError(
            "This is not a model file of cellcensus",
            file=folder / CARD,
            next_step="train again, or name a folder that `cellcensus train` made",
        ) from error


def _check_format(written: object, folder: Path) -> None:
    if written == FORMAT:
        return
    raise ModelFileError(
        f"The model was written by another version of cellcensus (format {written}, not {FORMAT})",
        file=folder / CARD,
        next_step="`cellcensus run STUDY` trains another in its place; its results stay",
    )


def _tensors(model: Model) -> dict[str, torch.Tensor]:
    c, e, f = model.calibration, model.errors, model.familiar
    arrays = {
        "prior": model.prior,
        "calibration.matrix": c.matrix,
        "calibration.bias": c.bias,
        "calibration.recovery": c.recovery,
        "errors.between": e.between,
        "kinds.centre": f.kinds.centre,
        "kinds.scale": f.kinds.scale,
        "kinds.middle": f.kinds.middle,
        "kinds.precision": f.kinds.precision,
        "kinds.offset": f.kinds.offset,
        "look.middle": model.look.middle,
        "look.centre": model.look.centre,
        "look.precision": model.look.precision,
        "familiar.apart": f.apart.quantiles,
        "familiar.dissent": f.dissent.quantiles,
        "familiar.both": f.both.quantiles,
        "familiar.threshold": np.array([f.threshold]),
        "excess": np.array([getattr(f.usual, name) for name in _EXCESS]),
    }
    arrays |= {f"shifts.{name}": getattr(f.usual.shifts, name) for name in _SHIFTS}
    arrays |= {f"recovery.{name}": value for name, value in c.recoveries.items()}
    arrays |= {} if c.recovery_sd is None else {"calibration.recovery_sd": c.recovery_sd}
    arrays |= _embedding_arrays(c.embedding)
    tensors: dict[str, torch.Tensor] = {}
    for i, member in enumerate(model.members):
        arrays[f"member{i}.prior"] = member.prior
        arrays[f"member{i}.centre"] = member.looks.centre
        arrays[f"member{i}.classes"] = member.looks.classes
        arrays[f"member{i}.trust"] = member.looks.trust
        arrays[f"member{i}.log_recovery"] = member.log_recovery
        for name, value in member.weights.items():
            tensors[f"member{i}.weights.{name}"] = value.contiguous()
    for name, array in arrays.items():
        tensors[name] = torch.from_numpy(np.ascontiguousarray(array, dtype=np.float64))
    return tensors


def _embedding_arrays(embedding: Embedding | None) -> dict[str, np.ndarray]:
    if embedding is None:
        return {}
    lens = {f"lens.{name}": getattr(embedding.lens, name) for name in _LENS}
    return {**lens, "embedding.means": embedding.means, "embedding.weight": embedding.weight}


def _embedding(arrays: dict[str, np.ndarray]) -> Embedding | None:
    if "embedding.means" not in arrays:
        return None
    lens = Lens(**{name: arrays[f"lens.{name}"] for name in _LENS})
    return Embedding(lens, arrays["embedding.means"], arrays["embedding.weight"])


def _card(model: Model) -> dict[str, Any]:
    c, e, r = model.calibration, model.errors, model.recovery
    return {
        "format": FORMAT,
        "card": model.card,
        "model": {
            "classes": list(model.classes),
            "width": model.width,
            "window_um": model.window_um,
            "members": len(model.members),
            "temperature": c.temperature,
            "method": c.method,
            "scores": {name: list(values) for name, values in c.scores.items()},
            "donors": e.donors,
            "factor": e.factor,
            "conformal": e.conformal,
            "recovery": {name: list(values) for name, values in r.log_total.items()},
            "recovery_between_sd": r.between_sd,
            "recovery_specimens": r.specimens,
        },
    }


def _rebuild(card: dict[str, Any], tensors: dict[str, torch.Tensor]) -> Model:
    said = card["model"]
    arrays = {n: t.numpy() for n, t in tensors.items() if ".weights." not in n}
    members = tuple(_member(i, arrays, tensors) for i in range(said["members"]))
    scores = {name: (values[0], values[1]) for name, values in said["scores"].items()}
    recovery = {name: (values[0], values[1]) for name, values in said["recovery"].items()}
    return Model(
        classes=tuple(said["classes"]),
        members=members,
        width=said["width"],
        prior=arrays["prior"],
        calibration=Calibration(
            arrays["calibration.matrix"],
            said["temperature"],
            arrays["calibration.bias"],
            arrays["calibration.recovery"],
            said["method"],
            scores,
            {n.removeprefix("recovery."): a for n, a in arrays.items() if n[:9] == "recovery."},
            arrays.get("calibration.recovery_sd"),
            _embedding(arrays),
        ),
        errors=Errors(
            arrays["errors.between"],
            said["donors"],
            said["factor"],
            said["conformal"],
        ),
        recovery=Recovery(recovery, said["recovery_between_sd"], said["recovery_specimens"]),
        familiar=_familiar(arrays),
        look=UsualLook(*(arrays[f"look.{name}"] for name in ("middle", "centre", "precision"))),
        window_um=said["window_um"],
        card=card["card"],
    )


def _familiar(arrays: dict[str, np.ndarray]) -> Familiar:
    parts = ("centre", "scale", "middle", "precision", "offset")
    usual = dict(zip(_EXCESS, arrays["excess"].tolist(), strict=True))
    usual["donors"] = int(usual["donors"])
    shifts = Shifts(*(arrays[f"shifts.{name}"] for name in _SHIFTS))
    return Familiar(
        Kinds(*(arrays[f"kinds.{name}"] for name in parts)),
        Rarity(arrays["familiar.apart"]),
        Rarity(arrays["familiar.dissent"]),
        Rarity(arrays["familiar.both"]),
        float(arrays["familiar.threshold"][0]),
        Excess(shifts=shifts, **usual),
    )


def _member(i: int, arrays: dict[str, np.ndarray], tensors: dict[str, torch.Tensor]) -> Member:
    start = f"member{i}.weights."
    return Member(
        weights={n[len(start) :]: t for n, t in tensors.items() if n.startswith(start)},
        prior=arrays[f"member{i}.prior"],
        looks=ClassLooks(
            arrays[f"member{i}.centre"],
            arrays[f"member{i}.classes"],
            arrays[f"member{i}.trust"],
        ),
        log_recovery=arrays[f"member{i}.log_recovery"],
    )
