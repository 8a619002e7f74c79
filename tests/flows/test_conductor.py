import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cellcensus.errors import RecordingError
from flows.conductor import LocalConductor, WorkerDiedError, batches


def square(number):
    if number == 3:
        raise RecordingError("no film", code="empty", specimen_id="S3", next_step="film it")
    print("this must not reach the terminal")  # noqa: T201
    return number * number


def die_on_seven(number):
    if number == 7:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def count_attempts(file):
    with Path(file).open("a") as stream:
        stream.write("x")
    raise OSError("again")


@pytest.mark.parametrize("processes", [1, 2])
def test_every_job_is_done_and_errors_come_back(processes, capfd):
    found = dict(LocalConductor().map(square, range(5), label="x", processes=processes))
    error = found.pop(3)
    assert found == {0: 0, 1: 1, 2: 4, 4: 16}
    assert isinstance(error, RecordingError)
    assert (error.code, error.next_step) == ("empty", "film it")
    if processes > 1:
        assert capfd.readouterr() == ("", "")


def test_one_dying_worker_takes_only_its_own_job_with_it():
    found = dict(LocalConductor().map(die_on_seven, [1, 7, 2, 3], label="x", processes=2))
    assert isinstance(found.pop(7), WorkerDiedError)
    assert found == {1: 1, 2: 2, 3: 3}


def test_what_may_pass_is_tried_twice(tmp_path):
    file = tmp_path / "attempts"
    ((_, error),) = LocalConductor().map(count_attempts, [file], label="x")
    assert isinstance(error, OSError)
    assert file.read_text() == "xx"


@pytest.mark.parametrize("after", [0.1, 0.4, 1.5])
def test_the_interrupt_of_a_terminal_ends_the_pool_without_a_word(tmp_path, after):
    script = tmp_path / "script.py"
    script.write_text(
        "import time\n"
        "from flows.conductor import LocalConductor\n"
        "if __name__ == '__main__':\n"
        "    try:\n"
        "        print('ready', flush=True)\n"
        "        list(LocalConductor().map(time.sleep, [60] * 5, label='x', processes=2))\n"
        "    except KeyboardInterrupt:\n"
        "        print('stopped', flush=True)\n"
    )
    process = subprocess.Popen(
        [sys.executable, str(script)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env={**os.environ, "PYTHONPATH": str(Path.cwd())},
    )
    assert process.stdout.readline() == "ready\n"
    time.sleep(after)
    began = time.monotonic()
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=20)
    assert time.monotonic() - began < 5
    assert (out, err) == ("stopped\n", "")


@pytest.mark.parametrize(
    ("jobs", "most", "sizes"), [(10, 3, [4, 3, 3]), (2, 5, [1, 1]), (0, 4, [])]
)
def test_batches_are_even_and_in_order(jobs, most, sizes):
    cut = batches(list(range(jobs)), most)
    assert [len(batch) for batch in cut] == sizes
    assert [job for batch in cut for job in batch] == list(range(jobs))


def test_ten_thousand_specimens_are_few_batches():
    assert len(batches(list(range(10_000)), 60)) == 60
