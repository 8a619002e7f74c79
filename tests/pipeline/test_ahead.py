import threading

import pytest

from pipeline.ahead import Aside, ahead


@pytest.mark.parametrize("number", [0, 1, 5, 16])
def test_the_items_in_order(number):
    assert list(ahead(iter(range(20)), number)) == list(range(20))


@pytest.mark.parametrize("number", [3, 16])
def test_an_error_comes_where_its_item_would_have_been(number):
    def source():
        yield 1
        raise OSError("cut off")

    items = ahead(source(), number)
    assert next(items) == 1
    with pytest.raises(OSError, match="cut off"):
        next(items)


@pytest.mark.parametrize("number", [4, 16])
def test_no_more_is_made_than_may_wait_and_the_thread_ends_with_the_iterator(number):
    made = []

    def source():
        for item in range(1000):
            made.append(item)
            yield item

    before = threading.active_count()
    items = ahead(source(), number)
    for _ in range(10):
        next(items)
    items.close()
    assert len(made) < 20 + 2 * number
    assert threading.active_count() == before


@pytest.mark.parametrize("number", [0, 2, 12])
def test_things_are_done_aside_in_order_and_their_error_is_raised(number):
    done = []
    aside = Aside(number)
    for index in range(20):
        aside.do(lambda index=index: done.append(index))
    aside.close()
    assert done == list(range(20))

    def fail():
        raise ValueError("broken")

    aside = Aside(number)
    with pytest.raises(ValueError, match="broken"):
        for thing in (fail, *[lambda: None] * 10):
            aside.do(thing)
        aside.close()
