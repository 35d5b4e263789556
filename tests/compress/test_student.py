"""What a student is trained by: the distance of its probabilities from the teachers', and whose these are."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
import torch

import uxla
from uxla.algorithm.cotraining import Epoch
from uxla.algorithm.distil import MostConfident
from uxla.compress.run import Length, teachers
from uxla.compress.student import _texts
from uxla.config.run import load_config
from uxla.errors import ArtifactError, ConfigError
from uxla.methods.method import Method
from uxla.methods.registry import METHODS
from uxla.models.training.losses import SoftLabels
from uxla.store.store import Store


def test_soft_labels_are_a_divergence_that_is_zero_where_the_model_says_what_the_teacher_says():
    teacher = torch.tensor([[0.5, 0.25, 0.25], [0.9, 0.05, 0.05], [0.0, 1.0, 0.0]])
    loss = SoftLabels(teacher)
    assert float(loss(teacher[:2].log(), torch.tensor([0, 1]), penalty=0.0)) == pytest.approx(0.0, abs=1e-6)
    uniform = torch.zeros(2, 3)
    by_hand = 0.5 * np.log(0.5 * 3) + 0.5 * np.log(0.25 * 3) + np.log(3)
    assert float(loss(uniform, torch.tensor([0, 2]), penalty=0.0)) == pytest.approx(by_hand)


def test_soft_labels_go_by_the_row_of_the_teacher_and_add_the_penalty():
    teacher = torch.tensor([[0.5, 0.5], [0.1, 0.9]])
    loss, logits = SoftLabels(teacher), torch.tensor([[0.0, 1.0]])
    first, second = (float(loss(logits, torch.tensor([row]), penalty=0.0)) for row in (0, 1))
    assert first > second
    p = torch.softmax(logits, -1)
    assert float(loss(logits, torch.tensor([0]), penalty=2.0)) == pytest.approx(first + 2 * float((p * p.log()).sum()))


@pytest.mark.parametrize("name", ["epochs", "learning_rate"])
@pytest.mark.parametrize("value", [0, -1, "2", float("nan")])
def test_a_length_of_nothing_is_refused(name, value):
    with pytest.raises(ConfigError, match=rf"^{name}: got {value!r}, expected a number above 0$"):
        Length(**{name: value})


@pytest.mark.parametrize(
    ("train", "error", "said"),
    [
        ("(in memory) en", ArtifactError, "call compress on the result of uxla.adapt"),
        ("/data (in memory) of/en.conll", ConfigError, r"no such file: /data \(in memory\) of/en.conll"),
    ],
)
def test_data_is_in_memory_by_what_its_name_begins_with(tmp_path, train, error, said):
    single = {"mean": 50.0, "sd": 0.0, "models": [50.0], "strict_f1": 50.0}
    run = {"version": 2, "task": "ner", "metric": "f1", "source": {"name": "source"}, "inputs": {}}
    results = run | {"targets": {"far": {"uxla_ensemble": single}}}
    (tmp_path / "results.json").write_text(json.dumps(results), encoding="utf-8")
    text = load_config("testbed").to_yaml()
    (tmp_path / "config.yaml").write_text(text.replace("testbed:source/train", train), encoding="utf-8")
    with pytest.raises(error, match=said):
        teachers(tmp_path, Store(tmp_path / "store"))


EPOCHS = (
    Epoch(MostConfident(0.8), source=True, target=True),
    Epoch(MostConfident(1.0), target_vicinity=True),
    Epoch(MostConfident(1.0), source=True, source_vicinity=True, target_vicinity=True),
)


@pytest.mark.parametrize(
    ("method", "virtual"),
    [
        (METHODS["uxla"], ["en 3", "far 3"]),
        (METHODS["penalty"], []),
        (METHODS["self_training"], []),
        (METHODS["source_vicinity"], ["en 3"]),
        (Method("two", "two", schedule=lambda epochs: epochs[:2]), ["far 2"]),
        (Method("own", "own", steps=lambda lab, target, models: [models]), []),
    ],
)
def test_a_student_reads_the_texts_that_the_final_method_learned_from_and_makes_no_others(method, virtual):
    source, raw = uxla.read(["one"], name="en"), uxla.read(["ein"], name="far")
    study = SimpleNamespace(
        source=source,
        epochs=EPOCHS,
        final=method,
        around=None,
        vicinity=lambda corpus, epoch: corpus.renamed(f"{corpus.name} {epoch}"),
    )
    assert [corpus.name for corpus in _texts(study, SimpleNamespace(train=raw))] == ["en", "far", *virtual]
