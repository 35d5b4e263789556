"""Bars of work in parts."""

from contextlib import contextmanager

import pytest

from uxla import progress


class Bars:
    """A listener that keeps what is shown: the label, the total and the count of each bar."""

    def __init__(self):
        self.shown = []

    def start(self, label, total):
        return Shown(self.shown, label, total)

    def note(self, text):
        pass


class Shown:
    def __init__(self, shown, label, total):
        self.entry = [label, total, 0, "running"]
        shown.append(self.entry)

    def advance(self, amount=1):
        self.entry[2] += amount

    def stop(self):
        self.entry[3] = "over"


@contextmanager
def heard():
    bars = Bars()
    with progress.listening(bars):
        yield bars.shown


def test_work_in_parts_is_one_bar_over_all_of_it():
    with heard() as shown, progress.bar("labelling es", 10) as whole:
        for _ in range(2):
            with progress.bar("labelling es", 5) as part:
                part.advance(5)
            assert shown[0][3] == "running"
        assert whole.done == 10
    assert shown == [["labelling es", 10, 10, "over"]]


def test_other_work_within_it_has_a_bar_of_its_own():
    with heard() as shown, progress.bar("labelling es", 10), progress.bar("replacing masked words", 3) as inner:
        inner.advance()
    assert shown == [["labelling es", 10, 0, "over"], ["replacing masked words", 3, 1, "over"]]


def test_the_same_work_afterwards_has_a_new_bar():
    with heard() as shown:
        for _ in range(2):
            with progress.bar("labelling es", 4) as bar:
                bar.advance(4)
    assert shown == [["labelling es", 4, 4, "over"]] * 2


@pytest.mark.parametrize("part", [progress.without_bars, progress.without_notes, progress.silence])
def test_who_listens_is_still_heard_where_bars_or_notes_are_left_out(part):
    assert not progress.is_heard()
    with heard(), part():
        assert progress.is_heard()


def test_notes_may_be_left_out_and_bars_shown():
    class Notes(Bars):
        def note(self, text):
            self.shown.append(text)

    bars = Notes()
    with progress.listening(bars):
        with progress.without_notes(), progress.bar("labelling es", 1):
            progress.note("set precision='fp32'")
        progress.note("afterwards")
    assert bars.shown == [["labelling es", 1, 0, "over"], "afterwards"]
