import random
import threading
import time
from contextlib import closing

import pytest

from pipeline.ahead import Helper


def nothing():
    return None


@pytest.mark.parametrize("number", [0, 1, 2, 3, 16])
def test_the_items_in_order(number):
    with closing(Helper(range(50), number, 4)) as helper:
        assert list(helper) == list(range(50))


@pytest.mark.parametrize("number", [0, 1, 3, 16])
def test_an_error_comes_where_its_item_would_have_been(number):
    def source():
        yield 1
        raise OSError("cut off")

    with closing(Helper(source(), number, 4)) as helper:
        items = iter(helper)
        assert next(items) == 1
        with pytest.raises(OSError, match="cut off"):
            next(items)


@pytest.mark.parametrize("number", [1, 4, 16])
def test_no_more_is_made_than_may_wait_and_the_thread_ends_when_closed(number):
    made = []

    def source():
        for item in range(1000):
            made.append(item)
            yield item

    before = threading.active_count()
    helper = Helper(source(), number, 4)
    items = iter(helper)
    for _ in range(10):
        next(items)
    time.sleep(0.05)
    assert len(made) <= 10 + number + 1
    helper.close()
    assert threading.active_count() == before


def test_it_can_be_closed_before_anything_was_asked_for():
    helper = Helper(range(3), 4, 4)
    helper.do(nothing)
    helper.close()


@pytest.mark.parametrize("number", [0, 1, 2, 16])
@pytest.mark.parametrize("waiting", [1, 3, 64])
def test_things_are_done_one_after_the_other_in_order_whoever_does_them(number, waiting):
    rng, done, inside = random.Random(number), [], []

    def source():
        for item in range(60):
            time.sleep(rng.choice([0, 0, 0.001]))
            yield item

    def thing(index, nap):
        inside.append(index)
        time.sleep(nap)
        assert inside.pop() == index
        done.append((index, threading.get_ident()))

    with closing(Helper(source(), number, waiting)) as helper:
        for item in helper:
            for part in range(2):
                nap = rng.choice([0, 0, 0.001])
                helper.do(lambda index=2 * item + part, nap=nap: thing(index, nap))
            time.sleep(rng.choice([0, 0, 0.001]))
        helper.finish()
    assert [index for index, _ in done] == list(range(120))
    assert len({name for _, name in done}) <= 2


def test_the_thread_does_things_while_its_items_wait_to_be_taken():
    names = set()
    with closing(Helper(range(1000), 4, 100)) as helper:
        items = iter(helper)
        next(items)
        for _ in range(20):
            helper.do(lambda: names.add(threading.get_ident()))
        deadline = time.monotonic() + 10
        while not names and time.monotonic() < deadline:
            time.sleep(0.01)
        assert names == {helper._thread.ident}


@pytest.mark.parametrize("number", [0, 2, 12])
def test_the_error_of_a_thing_is_raised_and_nothing_is_done_after_it(number):
    def fail():
        raise ValueError("broken")

    done = []
    with (
        closing(Helper(range(100), number, 8)) as helper,
        pytest.raises(ValueError, match="broken"),
    ):
        helper.do(fail)
        for item in helper:
            helper.do(lambda item=item: done.append(item))
        helper.finish()
    assert done == []
