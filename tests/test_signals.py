"""Held work is finished before a signal is heard."""

import os
import signal

import pytest

from uxla import signals


def send(number):
    os.kill(os.getpid(), number)


@pytest.mark.parametrize(
    ("number", "raised"), [(signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, signals.Terminated)]
)
def test_a_signal_is_heard_at_once_where_nothing_is_held(number, raised):
    with pytest.raises(raised), signals.handling():
        send(number)
        raise AssertionError("not reached")


def test_held_work_is_finished_first():
    done = []
    with pytest.raises(signals.Terminated), signals.handling():
        with signals.held():
            with signals.held():
                send(signal.SIGTERM)
                done.append("inner")
            done.append("outer")
            assert signals.pending()
        done.append("not reached")
    assert done == ["inner", "outer"]


def test_a_second_signal_does_not_wait():
    with pytest.raises(KeyboardInterrupt), signals.handling(), signals.held():
        send(signal.SIGTERM)
        send(signal.SIGINT)
        raise AssertionError("not reached")


def test_an_error_in_held_work_is_not_hidden_by_the_signal():
    with pytest.raises(ValueError, match="disk"), signals.handling(), signals.held():
        send(signal.SIGTERM)
        raise ValueError("disk")
    assert not signals.pending()


def test_the_handlers_before_come_back():
    before = signal.getsignal(signal.SIGTERM)
    with signals.handling():
        assert signal.getsignal(signal.SIGTERM) is not before
    assert signal.getsignal(signal.SIGTERM) is before
