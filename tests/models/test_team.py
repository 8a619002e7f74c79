"""Training by two processes, as ``torchrun`` begins them: the same as by one."""

import os
import subprocess
import sys
import time

import numpy as np
import pytest
import torch

from models.team import ALONE, Team, present

TORCHRUN = (*("-m", "torch.distributed.run"), "--standalone")
LONGEST_S = 240


def _run(folder, *arguments, processes=1):
    folder.mkdir()
    begin = (*TORCHRUN, "--nproc-per-node", str(processes)) if processes > 1 else ()
    command = [sys.executable, *begin, "-m", "tests.models.apart", str(folder), *arguments]
    began = time.monotonic()
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=LONGEST_S, env=environment, check=False
    )
    assert time.monotonic() - began < LONGEST_S
    return done


def _learned(folder):
    with np.load(folder / "learned.npz") as found:
        return dict(found)


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    folder = tmp_path_factory.mktemp("alone") / "one"
    assert _run(folder).returncode == 0
    return _learned(folder)


@pytest.mark.integration
@pytest.mark.parametrize("processes", [2, 4])
def test_the_losses_are_those_of_one_process(alone, tmp_path, processes):
    """Four processes are more than specimens of a step: one has nothing to show, and takes part."""
    done = _run(tmp_path / "many", processes=processes)
    assert done.returncode == 0, done.stderr
    found = _learned(tmp_path / "many")
    assert len(found["losses"]) == len(alone["losses"]) == 18
    np.testing.assert_allclose(found["losses"], alone["losses"], rtol=1e-5)
    np.testing.assert_allclose(found["weights"], alone["weights"], atol=1e-4)
    np.testing.assert_allclose(found["recovery"], alone["recovery"], atol=1e-5)
    np.testing.assert_allclose(found["fractions"], alone["fractions"], atol=1e-4)


@pytest.mark.integration
def test_memory_that_ends_in_one_process_halves_the_step_of_all(tmp_path):
    done = _run(tmp_path / "two", "short", processes=2)
    assert done.returncode == 0, done.stderr
    found = _learned(tmp_path / "two")
    assert "Memory was short" in str(found["said"])
    assert len(found["losses"]) == 5 + 18


@pytest.mark.integration
@pytest.mark.parametrize(("happens", "words"), [("failed", "failed"), ("killed", "ended")])
def test_what_ends_one_process_ends_all_in_words(tmp_path, happens, words):
    done = _run(tmp_path / "two", happens, processes=2)
    assert done.returncode != 0
    if happens == "failed":
        assert "ZeroDivisionError: a defect" in done.stderr
    told = tmp_path / "two" / "words"
    assert not told.is_file() or words in told.read_text()
    assert not (tmp_path / "two" / "learned.npz").exists()


def test_alone_every_specimen_is_its_own_and_nothing_is_added():
    assert present() == ALONE
    assert ALONE.own(3) == [True] * 3
    weight = torch.nn.Parameter(torch.ones(2))
    loss = (3 * weight).sum()
    loss.backward()
    assert float(ALONE.add_up(loss, [weight])) == 6
    assert weight.grad.tolist() == [3, 3]


def test_each_specimen_of_a_step_is_some_processes_own():
    shares = [Team(rank, 3).own(7) for rank in range(3)]
    assert [sum(one) for one in shares] == [3, 2, 2]
    assert all(sum(column) == 1 for column in zip(*shares, strict=True))
