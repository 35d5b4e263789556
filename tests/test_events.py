"""The one channel for what happens: every listener hears every event, in order, and an event prints as one line."""

import json
from dataclasses import FrozenInstanceError

import pytest

from uxla import events
from uxla.algorithm.agreement import Exact
from uxla.algorithm.events import Part, Skipped, Step, Trained, Trains

PARTS = (Part("en", 50, 60), Part("es~", 5, 6, {"of": 9}))
STEP = {"step": Step(1, 0, 2, 1), "parts": PARTS, "epochs": 3}
ALL = [
    events.Began(),
    events.DataRead("es", 10, 20, 5, 0),
    events.Doubted("es", "labels", "there are none"),
    events.StageEnded("fit", "key", False, 1.5, {"loss": 0.5}),
    events.TextsCut("es", 1, 2, 8),
    events.Measured("fit", {"loss": 0.5}),
    events.TrainingEnded("uxla", "es", 2, 1, [1, 3], [], 4, 8, 0.5, 70.0, 3),
    events.Warned("look again"),
    events.Scored({"targets": {}}),
    events.Finished(),
    Trains(**STEP, agreement=Exact()),
    Skipped(**STEP),
    Trained(**STEP, model="m", began_with="b"),
    events.Planned(24),
]


def test_every_listener_hears_every_event_in_order():
    heard = []
    emit = events.heard_by(
        [lambda event: heard.append(("first", event)), lambda event: heard.append(("second", event))]
    )
    for event in ALL[:2]:
        emit(event)
    assert heard == [(who, event) for event in ALL[:2] for who in ("first", "second")]


@pytest.mark.parametrize("event", ALL, ids=lambda event: type(event).__name__)
def test_an_event_prints_as_one_line_begins_with_its_name_and_has_facts_for_a_journal(event):
    assert str(event).split(" ")[0] == event.name
    assert "\n" not in str(event)
    assert json.loads(json.dumps(event.facts)) == event.facts


def test_no_two_kinds_of_events_have_one_name():
    assert len({event.name for event in ALL}) == len(ALL)


def test_an_event_is_frozen():
    with pytest.raises(FrozenInstanceError):
        ALL[1].source = 11


def test_a_step_is_counted_from_one_and_says_whose_it_is_where_that_is_known():
    assert Trains(**STEP).facts == {
        **{"epoch": 1, "k": 1, "j": 3, "l": 2},
        **{"sizes": {"en": 50, "es~": 5}, "drawn": {"en": 60, "es~": 6}},
    }
    assert list(Skipped(**STEP, method="uxla", target="es").facts)[:2] == ["method", "target"]


def test_the_history_of_a_training_is_what_results_hold():
    assert set(ALL[6].facts) == {
        *("method", "target", "model", "epoch", "peers", "learned_from", "steps", "examples", "loss", "dev"),
    }
