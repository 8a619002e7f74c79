"""The two losses, both under one reference prior.

The network gives log-likelihoods g(x). A posterior under prior r is softmax(g + log r), so a
purified and a mixed specimen teach the same g, whatever is common in each.
"""

from __future__ import annotations

import torch

# On the scale arcsin sqrt p: 31 % may be 20 to 43 %, 8 % may be 3 to 16 %, 1 % may be 0 to 5 %.
_PLAUSIBLE = 0.12


def purity_loss(
    logits: torch.Tensor, share: torch.Tensor, holds: torch.Tensor, prior: torch.Tensor
) -> torch.Tensor:
    """(n,) −log P(specimen | cell): which specimen a cell is from, told through its class only.

    P(b | x) ∝ sum_k P(b | k) f_k(x), P(b | k) = holds_bk w_b / prior_k, and f the posterior under
    the prior of the training mixture, prior_k = sum_b w_b holds_bk. A class label is never
    claimed, so that a specimen of 90 % purity does not teach that its other 10 % are alike.

    Parameters
    ----------
    logits
        (n, C) log-likelihoods.
    share
        (n,) w_b of the specimen of each cell.
    holds
        (n, C) what that specimen holds, rows adding to 1.
    prior
        (C,) of the training mixture.
    """
    # The mixture's prior cancels but in the evidence for the cell as a whole.
    whole = torch.logsumexp(logits + prior.log(), dim=1)
    return whole - torch.logsumexp(logits + holds.clamp_min(1e-9).log(), dim=1) - share.log()


def specimen_fractions(mean: torch.Tensor, log_recovery: torch.Tensor) -> torch.Tensor:
    """Mean posteriors → shares of the donor's leukocytes.

    Artefacts are left out (their share is free) and each class is divided by its recovery:
    p_k ∝ N_k / R_k.

    Parameters
    ----------
    mean
        (B, K + 1) mean posterior of each bag, the last column artefacts.
    log_recovery
        (K,)
    """
    cells = mean[:, :-1] * torch.exp(-log_recovery)
    return cells / cells.sum(1, keepdim=True).clamp_min(1e-6)


def proportion_loss(
    fractions: torch.Tensor, target: torch.Tensor, known: torch.Tensor, weight: torch.Tensor
) -> torch.Tensor:
    """Cross-entropy between known and found shares, class by class.

    Each class against the rest, so that a class that is not known simply drops out and one that
    the analyser measures badly weighs less: ``weight`` = n_eff / (n_eff + n), n_eff =
    p (1 − p) / sd², is what is left of n cells' information once the analyser's noise is added.

    Parameters
    ----------
    fractions, target, known, weight
        (B, K); ``target`` may hold anything where ``known`` is false.
    """
    found = fractions.clamp(1e-5, 1 - 1e-5)
    goal = torch.where(known, target, found.detach())
    return (_cross_entropy(goal, found) * weight * known).sum(1).mean()


def plausible_loss(shown: torch.Tensor, expected: torch.Tensor) -> torch.Tensor:
    """Cross-entropy between mean shares and the nearest that is plausible.

    No slope within 0.12 of what is expected on the scale arcsin sqrt p: what is rare in one study
    may be common in another, but no class is nine tenths of the blood of all donors, or none.

    Parameters
    ----------
    shown, expected
        (m,) mean shares of some donors' blood.
    """
    found = shown.clamp(1e-5, 1 - 1e-5)
    middle = expected.clamp(0, 1).sqrt().asin()
    low = (middle - _PLAUSIBLE).clamp_min(0).sin().square()
    high = (middle + _PLAUSIBLE).clamp_max(torch.pi / 2).sin().square()
    goal = torch.minimum(torch.maximum(found.detach(), low), high)
    return _cross_entropy(goal, found).sum()


def _cross_entropy(goal: torch.Tensor, found: torch.Tensor) -> torch.Tensor:
    """Of each share against the rest."""
    return -(goal * found.log() + (1 - goal) * (-found).log1p())
