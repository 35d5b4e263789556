"""A model as an ONNX file gives the labels and probabilities that torch gives."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import onnxruntime
import pytest
import torch
from transformers import AutoTokenizer

from uxla.decoding import decode
from uxla.errors import ModelError
from uxla.models.ensemble import Ensemble
from uxla.models.onnx import check_onnx, export_onnx
from uxla.models.runtime import Runtime
from uxla.models.task_model import TaskModel
from uxla.models.tasks import TASKS
from uxla.records import Corpus, Example
from uxla.save_tokenizer import save_tokenizer
from uxla.testbed.world import World

LABELS = ("O", "B-PER", "I-PER", "B-LOC", "I-LOC")


def ensemble_of(folder, tmp_path, task="ner", count=3):
    """Models of one encoder with other classification layers."""
    names, members = dict(enumerate(LABELS)), []
    for seed in range(count):
        place = tmp_path / str(seed)
        drawn = TaskModel.open(TASKS[task](), folder, folder, Runtime("cpu"), id2label=names, head_seed=seed)
        drawn.module.save_pretrained(place)
        save_tokenizer(AutoTokenizer.from_pretrained(folder), place, length=64)
        members.append(TaskModel.open(TASKS[task](), place, place, Runtime("cpu")))
    return Ensemble(task, LABELS, tuple(members))


class Session:
    """An ONNX file in the place of a module."""

    def __init__(self, file, config):
        self.session = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
        self.config, self.names = config, [given.name for given in self.session.get_inputs()]

    def eval(self):
        return self

    def __call__(self, input_ids, **more):
        given = {"attention_mask": torch.ones_like(input_ids), "token_type_ids": torch.zeros_like(input_ids), **more}
        given["input_ids"] = input_ids
        (logits,) = self.session.run(None, {name: given[name].numpy() for name in self.names})
        return SimpleNamespace(logits=torch.from_numpy(logits))


def through(file, ensemble):
    first = ensemble.members[0]
    return replace(ensemble, members=(replace(first, module=Session(file, first.module.config)),))


@pytest.mark.parametrize(
    "kind",
    ["metaspace", *(pytest.param(kind, marks=pytest.mark.slow) for kind in ("bytelevel", "wordpiece", "deberta"))],
)
def test_the_file_labels_three_hundred_sentences_as_the_ensemble_does(kind, folder_of, tmp_path):
    ensemble = ensemble_of(folder_of(kind), tmp_path)
    file = export_onnx(ensemble, tmp_path / "onnx")
    rows = World(0).sentences("far", "test", 300)
    corpus = Corpus.from_examples("t", LABELS, [Example(str(i), "", (" ".join(w),)) for i, (w, _) in enumerate(rows)])
    expected, found = ensemble.probabilities(corpus), through(file, ensemble).probabilities(corpus)
    assert np.abs(expected.probs - found.probs).max() < 1e-4
    assert decode(found, LABELS).tolist() == decode(expected, LABELS).tolist()
    assert {name.name for name in (tmp_path / "onnx").iterdir()} >= {"model.onnx", "config.json", "tokenizer.json"}
    assert AutoTokenizer.from_pretrained(tmp_path / "onnx").model_max_length == 64
    with pytest.raises(ModelError, match=r"model\.onnx: its probabilities differ by .* from the models'; try another"):
        check_onnx(file, replace(ensemble, members=ensemble.members[:1]))


def test_pairs_keep_their_segment_numbers(folder_of, tmp_path):
    ensemble = ensemble_of(folder_of("wordpiece"), tmp_path, "nli", count=1)
    file = export_onnx(ensemble, tmp_path / "onnx")
    pairs = [("the old miller", "walked down to the river"), ("a boat", "seven red sails came slowly"), ("x", "y")]
    expected, found = ensemble.probabilities(pairs), through(file, ensemble).probabilities(pairs)
    assert np.abs(expected.probs - found.probs).max() < 1e-5
