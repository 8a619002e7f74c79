"""What a donor's blood holds, what the analyser says of it, and which cells reach the camera."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from cellcensus.blood import USUAL_SHARE
from cellcensus.study import Role
from pipeline.simulation.settings import SimulationSettings

# Classes of other names than adult blood's get these shares in order.
OTHER_SHARES = (0.35, 0.25, 0.15, 0.12, 0.08, 0.05)
ANALYSER_CV = {
    "neutrophil": 0.03,
    "lymphocyte": 0.05,
    "monocyte": 0.10,
    "eosinophil": 0.12,
    "basophil": 0.3,
}
OTHER_CV, TOTAL_CV = 0.08, 0.02
USUAL_PER_UL, DILUTION = 6500.0, 20.0
NORMAL_CONCENTRATION = 70.0  # Dirichlet; spreads of neutrophils of about 6 points


@dataclass(frozen=True)
class Plan:
    """One specimen: what is true, and what the laboratory knows."""

    specimen_id: str
    donor_id: str
    role: Role
    group: str
    per_ul: np.ndarray  # (K,) true cells per µL of blood
    counts: np.ndarray  # (K,) cells filmed
    intruders: int
    recovery: float
    imaged_volume_ul: float
    cell_class: int | None = None
    purity: float | None = None  # as stated
    measured: np.ndarray | None = None  # (K,) analyser
    total: float | None = None  # analyser


def usual_shares(classes: tuple[str, ...]) -> np.ndarray:
    """Usual share of each class, (K,)."""
    spare = iter(OTHER_SHARES)
    shares = np.array([USUAL_SHARE[c] if c in USUAL_SHARE else next(spare) for c in classes])
    return shares / shares.sum()


def plan_specimens(settings: SimulationSettings, rng: np.random.Generator) -> list[Plan]:
    """Every specimen of the study, each of a donor of its own."""
    counts = {
        Role.PURIFIED: settings.purified_per_class * len(settings.classes),
        Role.MIXED: settings.mixed,
        Role.BLANK: settings.blanks,
        Role.CONTROL: settings.controls,
        Role.UNKNOWN: settings.unknown,
    }
    recoveries = np.exp(rng.normal(0, settings.class_recovery_sd, len(settings.classes)))
    plans: list[Plan] = []
    for role, number in counts.items():
        for index in range(number):
            n = len(plans) + 1
            name = f"{role.value[0].upper()}{n:03d}"
            # Alternating, so that small studies hold both kinds in every role.
            abnormal = int((index + 1) * settings.abnormal_share) > int(
                index * settings.abnormal_share
            )
            plan = _blank(f"D{n:03d}", name, role, settings, rng)
            if role is not Role.PURIFIED:
                plan = replace(plan, group="abnormal" if abnormal else "normal")
            if role is Role.PURIFIED:
                plan = _purified(plan, index // settings.purified_per_class, settings, rng)
            elif role is not Role.BLANK:
                plan = _blood(plan, settings, rng)
            if role in (Role.MIXED, Role.CONTROL):
                plan = _measured(plan, settings, rng)
            plans.append(_filmed(plan, recoveries, settings, rng))
    return plans


def _blank(
    donor: str, name: str, role: Role, settings: SimulationSettings, rng: np.random.Generator
) -> Plan:
    recovery = float(np.clip(rng.normal(settings.recovery, settings.recovery_sd), 0.3, 1.0))
    nothing = np.zeros(len(settings.classes))
    # How much is filmed follows from a glance at the count, so it is never quite the aim.
    volume = settings.cells * DILUTION / (USUAL_PER_UL * settings.recovery)
    return Plan(name, donor, role, "", nothing, nothing.astype(int), 0, recovery, round(volume, 5))


def _purified(
    plan: Plan, cell_class: int, settings: SimulationSettings, rng: np.random.Generator
) -> Plan:
    purity = rng.uniform(*settings.purity)
    rest = usual_shares(settings.classes) * rng.gamma(1.0, size=len(settings.classes)) + 1e-9
    rest[cell_class] = 0.0
    shares = (1 - purity) * rest / rest.sum()
    shares[cell_class] = purity
    stated = float(np.clip(purity + rng.normal(0, settings.purity_error), 0.5, 0.999))
    per_ul = shares * rng.lognormal(np.log(5000), 0.1)
    return replace(plan, per_ul=per_ul, cell_class=cell_class, purity=round(stated, 3))


def _blood(plan: Plan, settings: SimulationSettings, rng: np.random.Generator) -> Plan:
    shares = usual_shares(settings.classes)
    shares = rng.dirichlet(shares * NORMAL_CONCENTRATION + 0.3)
    total = rng.lognormal(np.log(USUAL_PER_UL), 0.22)
    if plan.role is Role.CONTROL:  # made in the laboratory, so that rare classes are common in it
        shares = rng.dirichlet(np.full(shares.size, 4.0))
    elif plan.group == "abnormal":
        shares = shares * np.exp(rng.normal(0, 0.9, shares.size))
        total *= rng.lognormal(0, 0.5)
    return replace(plan, per_ul=shares / shares.sum() * total)


def _measured(plan: Plan, settings: SimulationSettings, rng: np.random.Generator) -> Plan:
    cv = np.array([ANALYSER_CV.get(name, OTHER_CV) for name in settings.classes])
    noise = rng.normal(0, 1, cv.size) * cv * settings.analyser
    total = plan.per_ul.sum() * (1 + rng.normal(0, TOTAL_CV * settings.analyser))
    return replace(
        plan, measured=np.maximum(plan.per_ul * (1 + noise), 0).round(1), total=round(total, 1)
    )


def _filmed(
    plan: Plan, recoveries: np.ndarray, settings: SimulationSettings, rng: np.random.Generator
) -> Plan:
    total = plan.per_ul.sum()
    if total == 0:
        return plan
    aim = settings.cells * rng.lognormal(0, 0.08)
    volume = round(float(aim * DILUTION / (total * settings.recovery)), 5)
    expected = plan.per_ul * volume / DILUTION * plan.recovery * recoveries
    intruders = 0
    if plan.role is Role.UNKNOWN and plan.group == "abnormal":
        intruders = int(rng.poisson(settings.intruder_share * expected.sum()))
    return replace(plan, imaged_volume_ul=volume, counts=rng.poisson(expected), intruders=intruders)
