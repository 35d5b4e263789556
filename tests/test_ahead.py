import threading

import pytest

from uxla.ahead import Ahead


def threads():
    return [thread for thread in threading.enumerate() if thread.name.startswith("uxla-ahead")]


def test_each_piece_is_made_once_the_next_one_before_it_is_asked_for():
    made, second = [], threading.Event()

    def make(number):
        made.append((number, threading.current_thread() is threading.main_thread()))
        if number == 1:
            second.set()
        return -number

    with Ahead(make, 3) as ahead:
        assert ahead(0) == 0
        assert second.wait(10)
        assert [ahead(1), ahead(2)] == [-1, -2]
    assert sorted(made) == [(0, True), (1, False), (2, False)]
    assert threads() == []


def test_pieces_that_nobody_asks_for_are_left_out():
    with Ahead(str, 9) as ahead:
        assert [ahead(number) for number in (2, 3, 7)] == ["2", "3", "7"]
    with Ahead(str, 1) as ahead:
        pass


def test_an_error_comes_out_where_the_piece_is_asked_for():
    def make(number):
        if number == 1:
            raise OSError("full")
        return number

    with Ahead(make, 3) as ahead:
        assert ahead(0) == 0
        with pytest.raises(OSError, match="full"):
            ahead(1)
        assert ahead(2) == 2
    assert threads() == []


def test_an_interrupt_leaves_no_thread():
    with pytest.raises(KeyboardInterrupt), Ahead(str, 2) as ahead:
        ahead(0)
        raise KeyboardInterrupt
    assert threads() == []
