"""What models read of a corpus is encoded once, and found by every other model that labels it."""

from collections import Counter
from dataclasses import dataclass, field, replace

import numpy as np
import pytest

from uxla.models.hub import resolve
from uxla.models.ragged import Ragged
from uxla.models.runtime import Runtime
from uxla.models.task_model import TaskModel
from uxla.models.tasks import SentenceTask
from uxla.models.training.settings import TrainingSettings
from uxla.models.windows import Windows
from uxla.plan.counting import CountingStore, characters
from uxla.records import Corpus, Example, ModelHandle
from uxla.store.store import Store
from uxla.study import remembered
from uxla.study.remembered import StoredLearner
from uxla.testbed import asset

LABELS = ("no", "yes")
SETTINGS = TrainingSettings(batch_size=4, learning_rate=1e-3, dropout=0.0)
TEXTS = Corpus.from_examples("raw", LABELS, [Example(str(i), "x", ("ko mira " * (i % 5 + 1),)) for i in range(9)])


@dataclass(frozen=True)
class Counted(SentenceTask):
    """Topics; how many examples were encoded together, each time."""

    encoded: list[int] = field(default_factory=list)

    def encode(self, corpus, tokenizer, max_length):
        self.encoded.append(len(corpus))
        return super().encode(corpus, tokenizer, max_length)


@pytest.fixture
def labelled(tmp_path, monkeypatch):
    """The predictions of one model of three, which are trained on as many mixes, and what was encoded for them."""
    monkeypatch.setattr(remembered, "_LABELLED_TOGETHER", 4)
    task, backbone = Counted(1), resolve(str(asset()))
    learner = StoredLearner("classification", task, backbone, SETTINGS, Runtime("cpu"), Store(tmp_path), "t")

    def label(number, *, texts=TEXTS, **changed) -> tuple[bytes, list[int], ModelHandle]:
        mix = texts.take(np.arange(4)).with_labels(np.array([0, 1, 1, 0]), np.arange(5))
        model = learner.fit(backbone, mix, seed=number)
        task.encoded.clear()
        found = replace(learner, **changed).predict(model, texts)
        return found.probs.tobytes(), list(task.encoded), model

    return label


def test_the_first_model_encodes_each_part_and_the_others_none(labelled, tmp_path):
    found = [labelled(number) for number in range(3)]
    assert [sorted(encoded) for _, encoded, _ in found] == [[1, 4, 4], [], []]
    made = Counter(path.parts[-3] for path in tmp_path.glob("*/*/meta.json"))
    assert made == {"fit": 3, "predict": 9, "encoded": 3}
    assert len({probs for probs, *_ in found}) == 3


def test_probabilities_are_those_of_a_model_that_encodes_for_itself(labelled):
    for number in range(2):
        probs, _, handle = labelled(number)
        model = TaskModel.open(SentenceTask(1), handle.path, asset(), Runtime("cpu"))
        alone = [model.predict(part, "t").probs for part in TEXTS.parts(4)]
        assert np.concatenate(alone).tobytes() == probs


def test_another_length_or_another_corpus_is_encoded_anew(labelled):
    labelled(0)
    assert sum(labelled(0, runtime=Runtime("cpu", 8))[1]) == len(TEXTS)
    assert sum(labelled(0, texts=TEXTS.part(1))[1]) == len(TEXTS) - 1


def test_a_damaged_encoding_is_set_aside_and_made_again(labelled, tmp_path):
    expected, *_ = labelled(0)
    for file in [*tmp_path.glob("encoded/*/*.safetensors"), *tmp_path.glob("predict/*/*.safetensors")]:
        file.write_bytes(b"x")
    again, encoded, _ = labelled(0, store=Store(tmp_path))  # which has seen nothing yet
    assert (again, sum(encoded)) == (expected, len(TEXTS))


@pytest.mark.parametrize("highest", [200, 60_000, 250_001])
def test_windows_come_back_from_a_file_in_the_smallest_types(tmp_path, highest):
    ids = Ragged(np.array([0, highest, 2, 0, 2]), np.array([3, 2]))
    types = Ragged(np.array([0, 0, 1, 0, 1]), ids.lengths)
    windows = Windows.of(ids, Ragged(np.array([1, 2, 0]), np.array([2, 1])), types, np.array([0, 70_000]))
    windows.write(tmp_path / "w")
    found = Windows.read(tmp_path / "w")
    for name in ("ids", "positions", "types"):
        assert getattr(found, name).tolist() == getattr(windows, name).tolist()
    assert (found.cut.tolist(), found.rows.tolist()) == ([0, 70_000], [0, 1, 2])
    assert found.ids.values.nbytes == 5 * (1 if highest < 2**8 else 2 if highest < 2**16 else 4)
    assert Windows.read(tmp_path / "w").take(np.array([1])).rows.tolist() == [2]


def test_a_plan_counts_the_encoding_of_a_corpus_once_for_all_models(tmp_path):
    store, backbone = CountingStore(tmp_path / "store", imitations=tmp_path / "imitations"), resolve(str(asset()))
    learner = StoredLearner("classification", SentenceTask(1), backbone, SETTINGS, Runtime("cpu"), store, "t")
    for number in "abc":
        learner.predict(ModelHandle(backbone.path, number * 64), TEXTS)
    first, *others = [work.size for work in store.work]
    assert others == [first - characters(TEXTS)] * 2
