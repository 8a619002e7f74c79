from web import throttle
from web.throttle import WINDOW_S, FailureLimit


def test_failures_count_until_they_are_old():
    now = [0.0]
    limit = FailureLimit(2, clock=lambda: now[0])
    assert limit.begin("10.0.0.1")
    now[0] = 10.0
    assert limit.begin("10.0.0.1")
    assert not limit.begin("10.0.0.1")
    assert limit.begin("10.0.0.2")
    now[0] = WINDOW_S
    assert limit.begin("10.0.0.1")
    assert not limit.begin("10.0.0.1")


def test_a_success_is_taken_back():
    limit = FailureLimit(1)
    for _ in range(3):
        assert limit.begin("10.0.0.1")
        limit.succeeded("10.0.0.1")
    assert limit.begin("10.0.0.1")
    assert not limit.begin("10.0.0.1")
    limit.succeeded("10.0.0.9")


def test_a_network_of_ipv6_counts_as_one_address():
    limit = FailureLimit(1)
    assert limit.begin("2001:db8::1")
    assert not limit.begin("2001:db8::ffff")
    assert limit.begin("2001:db8:0:1::1")
    assert limit.begin("a unix socket")


def test_memory_is_bounded(monkeypatch):
    monkeypatch.setattr(throttle, "_MOST_ADDRESSES", 3)
    limit = FailureLimit(1)
    for number in range(10):
        assert limit.begin(f"10.0.0.{number}")
    assert not limit.begin("10.0.0.9")
    assert limit.begin("10.0.0.0")  # forgotten
