"""Progress for people: bars only for work that lasts, lines where there is no terminal."""

import io
import sys
from types import ModuleType

import pytest
from rich.console import Console

from uxla import progress
from uxla.console import LiveBars, NotebookBars, PlainLines, seconds_left, showing, showing_to_caller


class Clock:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def counted(items, label):
    with progress.bar(label, len(items)) as bar:
        for item in items:
            yield item
            bar.advance()


def plain() -> Console:
    return Console(file=io.StringIO(), width=200)


def terminal() -> Console:
    return Console(file=io.StringIO(), width=200, force_terminal=True, color_system=None, legacy_windows=False)


def drawn(bars: LiveBars) -> str:
    console = plain()
    console.print(bars.progress.get_renderable())
    return console.file.getvalue()


def test_a_bar_appears_only_after_two_seconds():
    clock = Clock()
    bars = LiveBars(terminal(), clock)
    bar = bars.start("warm-up [1]", 10)
    bar.advance(1)
    clock.now += 1.9
    assert "warm-up" not in drawn(bars)
    clock.now += 0.2
    assert "warm-up [1]" in drawn(bars)
    assert "1/10" in drawn(bars)
    assert "0:00:19 left" in drawn(bars)  # 2.1 s for one of ten


def test_a_bar_appears_even_if_its_work_never_reported():
    clock = Clock()
    bars = LiveBars(terminal(), clock)
    bars.start("loading", 3)
    clock.now += 5
    assert "0/3" in drawn(bars)
    assert "time left unknown" in drawn(bars)


def test_a_stopped_bar_is_gone():
    clock = Clock()
    bars = LiveBars(terminal(), clock)
    bar = bars.start("warm-up", 10)
    clock.now += 5
    bar.stop()
    assert "warm-up" not in drawn(bars)


def test_notes_are_printed_as_they_are():
    console = terminal()
    with showing(console):
        progress.note("kept [bold]1,354[/bold] of 1,500")
    assert "kept [bold]1,354[/bold] of 1,500" in console.file.getvalue()


def test_without_a_terminal_a_line_comes_every_ten_seconds_and_at_the_end():
    clock, console = Clock(), plain()
    with showing(console, clock), progress.bar("fit", 40) as bar:
        for _ in range(40):
            clock.now += 1
            bar.advance()
    assert console.file.getvalue().splitlines() == [
        "fit: 10/40, 0:00:10, 0:00:30 left",
        "fit: 20/40, 0:00:20, 0:00:20 left",
        "fit: 30/40, 0:00:30, 0:00:10 left",
        "fit: 40/40 in 0:00:40",
    ]


def test_without_a_terminal_short_work_says_nothing():
    clock, console = Clock(), plain()
    with showing(console, clock):
        for _ in counted(range(1000), "predict"):
            clock.now += 0.001
    assert console.file.getvalue() == ""


def test_unfinished_work_says_how_far_it_came():
    clock, console = Clock(), plain()
    lines = PlainLines(console, clock)
    bar = lines.start("fit", 10)
    bar.advance(3)
    clock.now += 4
    bar.stop()
    assert console.file.getvalue() == "fit: 3/10 in 0:00:04\n"


def test_the_listener_is_gone_after_the_block():
    console = plain()
    with showing(console):
        pass
    progress.note("unheard")
    assert console.file.getvalue() == ""


def test_progress_goes_to_stderr(capsys):
    with showing():
        progress.note("hello")
    assert capsys.readouterr() == ("", "hello\n")


@pytest.mark.parametrize(
    ("done", "total", "passed", "said"),
    [(0, 10, 3.0, "time left unknown"), (5, 10, 60.0, "0:01:00 left"), (1, 3, 3600.0, "2:00:00 left")],
)
def test_time_left_is_the_mean_pace_so_far(done, total, passed, said):
    assert seconds_left(done, total, passed) == said


class Stream(io.StringIO):
    """What stderr is: a terminal or a file."""

    def __init__(self, terminal):
        super().__init__()
        self.terminal = terminal

    def isatty(self):
        return self.terminal


@pytest.mark.parametrize("terminal", [True, False])
def test_a_library_call_tells_its_caller_on_a_terminal_alone(terminal, monkeypatch):
    monkeypatch.setattr("sys.stderr", Stream(terminal))
    with showing_to_caller():
        assert progress.is_heard() == terminal
    assert not progress.is_heard()


def test_who_listens_already_goes_on_listening(monkeypatch):
    monkeypatch.setattr("sys.stderr", Stream(True))
    heard = PlainLines(plain())
    with progress.listening(heard), showing_to_caller():
        progress.note("for whom?")
        assert "for whom?" in heard._console.file.getvalue()


def test_in_a_notebook_there_are_bars_of_tqdm(monkeypatch):
    class Kernel:
        kernel = None

    ipython = ModuleType("IPython")
    ipython.get_ipython = Kernel
    monkeypatch.setitem(sys.modules, "IPython", ipython)
    monkeypatch.setattr("sys.stderr", Stream(False))
    with showing_to_caller():
        progress.note("said to a person")
        assert progress.is_heard()
    assert sys.stderr.getvalue() == "said to a person\n"
    ipython.get_ipython = lambda: None  # IPython in a terminal, imported by somebody
    with showing_to_caller():
        assert not progress.is_heard()


def test_a_bar_of_a_notebook_shows_long_work_and_goes(monkeypatch):
    monkeypatch.setattr("sys.stderr", Stream(False))
    bar = NotebookBars(after=0).start("warm-up", 10)
    bar.advance(5)
    bar.stop()
    assert "warm-up" in sys.stderr.getvalue()
