"""How many pixels threads may hold at once."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from zoo.reading.budget import PixelBudget


def most_at_once(budget: PixelBudget, pixels: int, threads: int = 8) -> int:
    """The most pixels that so many threads held together, each for as long as the others may come."""
    lock, now, most = threading.Lock(), 0, 0
    other = threading.Event()

    def work(_: int) -> None:
        nonlocal now, most
        with budget.hold(pixels):
            with lock:
                now += pixels
                most = max(most, now)
            other.wait(0.02)
            with lock:
                now -= pixels

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(work, range(threads)))
    return most


@pytest.mark.parametrize(("pixels", "together"), [(10, 40), (30, 30), (50, 50)])
def test_threads_wait_for_each_other_above_the_limit(pixels: int, together: int) -> None:
    assert most_at_once(PixelBudget(49), pixels) == together


def test_what_is_decoded_in_a_scope_counts_until_its_end() -> None:
    budget = PixelBudget(10)
    got = threading.Event()

    def other() -> None:
        with budget.hold(5):
            got.set()

    thread = threading.Thread(target=other)
    with budget.scope():
        with budget.hold(10):
            pass
        thread.start()
        assert not got.wait(0.05)
    thread.join()
    assert got.is_set()


def ends(work: Callable[[], None]) -> bool:
    """Whether ``work`` comes to its end, and does not wait for ever."""
    ended = threading.Event()
    threading.Thread(target=lambda: (work(), ended.set()), daemon=True).start()
    return ended.wait(5)


def test_a_thread_that_holds_something_never_waits() -> None:
    budget = PixelBudget(10)

    def twice() -> None:
        with budget.scope(), budget.hold(10), budget.hold(10):
            pass
        with budget.hold(10):
            pass

    assert ends(twice)


def test_an_error_frees_what_was_held() -> None:
    budget = PixelBudget(10)
    with pytest.raises(KeyError), budget.hold(10):
        raise KeyError

    def again() -> None:
        with budget.hold(10):
            pass

    assert ends(again)
