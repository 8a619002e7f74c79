"""The command as a person meets it: help at once, exit codes, errors without traceback."""

import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cli.main import COMMANDS, cellcensus

CELLCENSUS = Path(sys.executable).with_name("cellcensus")


def call(*arguments, cwd, **environment):
    return subprocess.run(
        [str(CELLCENSUS), *map(str, arguments)],
        capture_output=True,
        text=True,
        cwd=cwd,
        timeout=120,
        check=False,
    )


@pytest.mark.e2e
def test_help_answers_in_under_half_a_second(tmp_path):
    seconds = []
    for _ in range(5):
        began = time.perf_counter()
        answer = call("--help", cwd=tmp_path)
        seconds.append(time.perf_counter() - began)
    assert answer.returncode == 0
    assert all(name in answer.stdout for name in COMMANDS)
    assert statistics.median(seconds) < 0.5


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_of_the_table_can_be_loaded_and_helps(name):
    with cellcensus.make_context("cellcensus", [name, "--help"], resilient_parsing=True) as context:
        command = cellcensus.get_command(context, name)
    assert command is not None
    assert command.help
    options = {option for parameter in command.params for option in parameter.opts}
    assert {"--home", "--json"} <= options


@pytest.mark.e2e
def test_wrong_use_ends_with_2(tmp_path):
    assert call("no-such-command", cwd=tmp_path).returncode == 2
    assert call("run", cwd=tmp_path).returncode == 2


@pytest.mark.e2e
def test_an_unusable_study_ends_with_2_and_says_what_to_do(tmp_path):
    answer = call("check", tmp_path / "nowhere", cwd=tmp_path)
    assert answer.returncode == 2
    assert "Traceback" not in answer.stdout + answer.stderr
    assert "→" in answer.stdout


@pytest.mark.e2e
def test_json_holds_nothing_but_json(tmp_path):
    answer = call("check", tmp_path / "nowhere", "--json", cwd=tmp_path)
    found = json.loads(answer.stdout)
    assert found["usable"] is False
    assert found["findings"][0]["level"] == "violation"
    assert list(tmp_path.iterdir()) == []
