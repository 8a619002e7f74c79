import os
import signal

import pytest

from flows.conductor import LocalConductor
from flows.pools import pool_named, shared_pool


def who(_number):
    return os.getpid()


def die(_number):
    os.kill(os.getpid(), signal.SIGKILL)


def processes_of(name, work=who):
    conductor = LocalConductor(pool_named(name))
    return {result for _, result in conductor.map(work, [1, 2], label="x", processes=2)}


def test_batches_share_the_processes_of_one_pool():
    with shared_pool(1) as name:
        first, second = processes_of(name), processes_of(name)
    assert first == second
    assert os.getpid() not in first
    assert pool_named(name) is None
    assert processes_of(name).isdisjoint(first)  # elsewhere a batch has a pool of its own
    with pytest.raises(ProcessLookupError):
        os.kill(first.pop(), 0)


def test_a_pool_that_lost_a_process_is_replaced():
    with shared_pool(1) as name:
        first = processes_of(name)
        processes_of(name, die)
        assert processes_of(name).isdisjoint(first)
