import numpy as np
import pytest
import torch
from scipy import ndimage

from models.grain import blur, eroded, grain_columns, mean_inside


def disc(radius=16):
    y, x = np.mgrid[:48, :48] - 23.5
    return torch.from_numpy((np.hypot(y, x) < radius).astype(np.float32))[None]


def test_blur_is_gaussian_and_darkness_runs_off_the_edge():
    picture = np.random.default_rng(0).normal(size=(2, 48, 48)).astype(np.float32)
    found = blur(torch.from_numpy(picture), 1.4).numpy()
    wanted = ndimage.gaussian_filter(picture, (0, 1.4, 1.4), mode="constant", radius=(0, 5, 5))
    assert found == pytest.approx(wanted, abs=1e-5)


def test_erosion_takes_the_outermost_pixels():
    mask = np.random.default_rng(1).random((3, 48, 48)) < 0.95
    found = eroded(torch.from_numpy(mask.astype(np.float32)), 2).numpy()
    for one, wanted in zip(found, mask, strict=True):
        # Sides are outside, as everywhere beyond the picture.
        assert (one == ndimage.binary_erosion(wanted, np.ones((3, 3)), iterations=2)).all()


def test_a_mean_over_nothing_is_none_at_all():
    assert mean_inside(torch.ones(1, 48, 48), torch.zeros(1, 48, 48)).tolist() == [0.0]


def test_grain_is_strongest_between_the_scales_of_its_size():
    noise = torch.from_numpy(np.random.default_rng(2).normal(size=(1, 48, 48)).astype(np.float32))
    fine, coarse = 0.3 * noise, blur(noise, 3.0)
    strength = [grain_columns(picture, disc())[0:12:3] for picture in (fine, coarse)]
    gain = [float(a - b) for a, b in zip(*strength, strict=True)]
    assert gain[0] > 0.5
    assert gain == sorted(gain, reverse=True)
    assert gain[-1] < -0.2


def test_dark_spots_and_pale_ones_are_told_apart():
    y, x = np.mgrid[:48, :48]
    dots = torch.from_numpy(((y % 6 < 2) & (x % 6 < 2)).astype(np.float32))[None]
    dark, pale = (grain_columns(sign * dots, disc()) for sign in (-0.5, 0.5))
    skewness, hollow = 1, 13
    assert float(dark[skewness]) < -0.5 < 0.5 < float(pale[skewness])
    assert float(dark[hollow]) < 0.5 < float(pale[hollow])
