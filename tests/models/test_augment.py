from dataclasses import replace

import pytest
import torch
from torchvision.transforms.v2 import InterpolationMode
from torchvision.transforms.v2 import functional as transform

from models.augment import Look, Spread, apply_looks, draw_grains, draw_looks, to_contrast
from models.shelf import Shelf, stack_pictures

SIDE = 48
PLAIN = Look(0.0, False, (0.0, 0.0), 1.0, 1.0, 1.0, 0.0, 0.0)


@pytest.fixture
def cells():
    """(5, 48, 48) soft patterns as a camera gives them, nothing near the rim."""
    generator = torch.Generator().manual_seed(7)
    drawn = torch.rand((5, 1, SIDE, SIDE), generator=generator) - 0.5
    soft = transform.gaussian_blur(drawn, kernel_size=[5, 5], sigma=[1.5, 1.5])[:, 0] * 6
    soft[:, :10] = soft[:, -10:] = 0.0
    soft[:, :, :10] = soft[:, :, -10:] = 0.0
    return (soft * 127 + 128).round().clamp(0, 255).byte()


def _shown(cells, *looks):
    stacked = cells.expand(len(looks), *cells.shape)
    return apply_looks(stacked, looks, torch.zeros(len(looks) * len(cells), dtype=torch.long))


def _by_torchvision(cells, look):
    out = transform.affine(
        to_contrast(cells[:, None]),
        angle=look.angle,
        translate=list(look.shift),
        scale=look.scale,
        shear=[0.0, 0.0],
        interpolation=InterpolationMode.BILINEAR,
        fill=[0.0],
    )
    if look.flip:
        out = transform.horizontal_flip(out)
    if look.blur:
        out = transform.gaussian_blur(out, kernel_size=[5, 5], sigma=[look.blur, look.blur])
    return (look.gain * out.sign() * out.abs().pow(look.gamma))[:, 0]


@pytest.mark.parametrize("seed", range(6))
def test_looks_are_those_of_torchvision(cells, seed):
    generator = torch.Generator().manual_seed(seed)
    look = replace(draw_looks(1, generator, Spread())[0], noise=0.0, blur=0.0 if seed % 2 else 0.6)
    torch.testing.assert_close(
        _shown(cells, look)[0], _by_torchvision(cells, look), atol=2e-3, rtol=0
    )


def test_each_mini_bag_has_its_own_look(cells):
    looks = [replace(PLAIN, angle=90.0), replace(PLAIN, gain=0.5), replace(PLAIN, blur=0.7)]
    together = _shown(cells, *looks)
    for part, look in zip(together, looks, strict=True):
        torch.testing.assert_close(part, _shown(cells, look)[0])
    assert (together[0] - together[1]).abs().max() > 0.1


def test_noise_is_where_the_cell_is(cells):
    noisy = _shown(cells, replace(PLAIN, noise=0.1))[0]
    apart = noisy - _shown(cells, PLAIN)[0]
    contrast = to_contrast(cells)
    inside = contrast.abs() > 0.05
    assert apart[inside].std() == pytest.approx(0.1, rel=0.1)
    assert apart[contrast == 0].abs().max() == 0


def test_the_same_state_draws_the_same_noise():
    one, other = (draw_grains(50, torch.Generator().manual_seed(2)) for _ in range(2))
    assert one.tolist() == other.tolist()
    assert len(set(one.tolist())) > 40


def _pale(cells):
    return (128 + (cells.float() - 128) * 0.5).round().byte()


def _shelf(name, pictures):
    return Shelf(name, name, pictures[:, None])


def test_mini_bags_of_different_sizes_come_in_their_order(cells):
    shelves = [_shelf("a", cells), _shelf("b", _pale(cells[:3])), _shelf("c", cells.flip(0))]
    hands = [torch.arange(5), torch.arange(3), torch.arange(5)]
    still = Spread(scale=0.0, gain=0.0, gamma=0.0, blur=0.0, noise=0.0, shift=0.0)
    shown = stack_pictures(shelves, hands, torch.Generator().manual_seed(1), still)
    assert shown.shape == (13, 1, SIDE, SIDE)
    # Turned and mirrored by chance: what a cell weighs stays.
    every = torch.cat([s.pictures[h, 0] for s, h in zip(shelves, hands, strict=True)])
    wanted = to_contrast(every).sum((1, 2))
    torch.testing.assert_close(shown.sum((1, 2, 3)), wanted, rtol=0.02, atol=1.0)
    assert wanted.diff().abs().min() > 3.0


def test_what_others_show_is_left_out_and_costs_the_same_chance(cells):
    shelves = [_shelf("a", cells), _shelf("b", _pale(cells))]
    hands = [torch.arange(5), torch.arange(5)]
    both, second = (
        stack_pictures(shelves, hands, torch.Generator().manual_seed(3), Spread(), own)
        for own in (None, [False, True])
    )
    torch.testing.assert_close(both[5:], second)
    assert stack_pictures(shelves, hands, torch.Generator(), Spread(), [False] * 2).shape[0] == 0
