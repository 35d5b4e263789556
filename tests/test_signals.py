"""Held work is finished before a signal is heard."""

import gc
import os
import signal
import sys
import weakref

import pytest

from uxla import progress, signals


def send(number):
    os.kill(os.getpid(), number)


@pytest.mark.parametrize(
    ("number", "raised"),
    [
        (signal.SIGINT, KeyboardInterrupt),
        (signal.SIGTERM, signals.Terminated),
        (signal.SIGUSR1, signals.Terminated),
        (signal.SIGUSR2, signals.Terminated),
    ],
)
def test_a_signal_is_heard_at_once_where_nothing_is_held(number, raised):
    with pytest.raises(raised), signals.handling():
        send(number)
        raise AssertionError("not reached")


def test_held_work_is_finished_first():
    done = []
    with pytest.raises(signals.Terminated), signals.handling():
        with signals.postponed():
            with signals.postponed():
                send(signal.SIGTERM)
                done.append("inner")
            done.append("outer")
            assert signals.pending()
        done.append("not reached")
    assert done == ["inner", "outer"]


def test_a_second_signal_does_not_wait():
    with pytest.raises(KeyboardInterrupt), signals.handling(), signals.postponed():
        send(signal.SIGTERM)
        send(signal.SIGINT)
        raise AssertionError("not reached")


def test_where_nobody_is_in_a_hurry_further_signals_wait_as_well():
    done = []
    with pytest.raises(signals.Terminated), signals.handling(second_at_once=False):
        with signals.postponed():
            send(signal.SIGINT)
            send(signal.SIGTERM)
            done.append("held")
        done.append("not reached")
    assert done == ["held"]


def test_an_error_in_held_work_is_not_hidden_by_the_signal():
    with pytest.raises(ValueError, match="disk"), signals.handling(), signals.postponed():
        send(signal.SIGTERM)
        raise ValueError("disk")
    assert not signals.pending()


def test_the_handlers_before_come_back():
    before = signal.getsignal(signal.SIGTERM)
    with signals.handling():
        assert signal.getsignal(signal.SIGTERM) is not before
    assert signal.getsignal(signal.SIGTERM) is before


class Finalised:
    """An object whose end a signal falls into; Python drops what is raised there."""

    def __del__(self):
        send(signal.SIGTERM)
        raise AssertionError("the signal was raised before")


def in_del():
    del [Finalised()][0]


def in_a_callback():
    reference = weakref.ref(thing := type("Thing", (), {})(), lambda _: send(signal.SIGTERM))
    del thing
    assert reference() is None


def in_a_closed_generator():
    def waiting():
        try:
            yield
        finally:
            send(signal.SIGTERM)

    next(left := waiting())
    del left
    gc.collect()


DROPPED = (in_del, in_a_callback, in_a_closed_generator)


@pytest.mark.parametrize("drop", DROPPED)
def test_a_signal_that_python_drops_is_heard_at_the_next_point_of_progress(drop, capsys):
    reached = []
    with pytest.raises(signals.Terminated), signals.handling(), progress.bar("work", 3) as bar:
        bar.advance()
        drop()
        reached.append("dropped")
        bar.advance()
        reached.append("not reached")
    assert reached == ["dropped"]
    assert capsys.readouterr().err == "", "Python's report of it would be a traceback"


@pytest.mark.parametrize("drop", DROPPED)
def test_a_signal_that_python_drops_is_heard_where_new_work_begins_and_where_held_work_ends(drop):
    with pytest.raises(signals.Terminated), signals.handling():
        drop()
        with progress.bar("work", 3):
            raise AssertionError("not reached")
    done = []
    with pytest.raises(signals.Terminated), signals.handling():
        drop()
        with signals.postponed(), progress.bar("work", 0) as bar:
            bar.advance()
            assert signals.pending()
            done.append("held")
        done.append("not reached")
    assert done == ["held"]


def test_what_else_python_drops_is_reported_as_ever(monkeypatch):
    reported = []
    monkeypatch.setattr(sys, "unraisablehook", lambda dropped: reported.append(str(dropped.exc_value)))

    class Faulty:
        def __del__(self):
            raise ValueError("disk")

    with signals.handling():
        Faulty()
    assert reported == ["disk"]


def test_no_signal_is_left_over_for_the_next_command():
    with signals.handling():
        in_del()
    with progress.bar("work", 1) as bar:
        bar.advance()
    signals.check()
    assert not signals.pending()


def test_a_signal_carries_what_is_told_of_the_work_it_ended():
    ended = pytest.raises(signals.Terminated, match="nothing was written")
    with ended, signals.handling(), signals.with_message("nothing was written"):
        send(signal.SIGTERM)
        raise AssertionError("not reached")
