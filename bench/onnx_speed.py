"""Labelling by onnxruntime against torch: one model, the same windows and passes, one thread, interleaved rounds.

    python bench/onnx_speed.py [--short] [--json FILE]

A ratio is the median over the rounds; the last column is the largest difference of a probability.
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Any

import numpy as np
import onnxruntime
import torch
from common import arguments, ratio, rounds, table, write_json
from material import models, opened, quiet, tagged

from uxla.models.ensemble import Ensemble
from uxla.models.onnx import export_onnx
from uxla.models.task_model import TaskModel
from uxla.models.tasks import Tagging
from uxla.records import Corpus, Predictions

HEADER = ("model", "sentences", "torch, s", "onnxruntime, s", "ratio", "largest difference")


class Session:
    """An ONNX file in the place of a torch module."""

    def __init__(self, file: Path, config: Any) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self.run, self.config = onnxruntime.InferenceSession(str(file), options).run, config

    def eval(self) -> None:
        pass

    def __call__(self, input_ids: torch.Tensor, **_: torch.Tensor) -> SimpleNamespace:
        mask = torch.ones_like(input_ids)  # rows of one length share a pass: none is padded
        [logits] = self.run(None, {"input_ids": input_ids.numpy(), "attention_mask": mask.numpy()})
        return SimpleNamespace(logits=torch.from_numpy(logits))


def measure(corpus: Corpus, folder: Path, count: int) -> dict[str, float]:
    loaded = opened(Tagging(), folder, corpus.label_names)
    with TemporaryDirectory() as temporary:
        file = export_onnx(Ensemble("ner", corpus.label_names, (loaded,)), Path(temporary) / "onnx")
        ways = {"torch": loaded, "onnx": replace(loaded, module=Session(file, loaded.module.config))}
    found: dict[str, Predictions] = {}

    def work(name: str, model: TaskModel) -> Callable[[], float]:
        def run() -> float:
            found[name] = model.predict(corpus, "labelling")
            return 1.0

        return run

    for model in ways.values():  # the first call of each warms up
        model.predict(corpus.part(0, 64), "labelling")
    seconds = rounds({name: work(name, model) for name, model in ways.items()}, count)
    return {
        "sentences": len(corpus),
        **{name: float(np.median(values)) for name, values in seconds.items()},
        "ratio": ratio(seconds["torch"], seconds["onnx"]),
        "difference": float(np.abs(found["torch"].probs - found["onnx"].probs).max()),
    }


def main() -> None:
    given = arguments(__doc__)
    torch.set_num_threads(1)
    quiet()
    with models() as folders:
        found = {name: measure(tagged(512), folder, 3 if given.short else 7) for name, folder in folders.items()}
    rows = [
        (name, one["sentences"], *(f"{one[key]:.3f}" for key in ("torch", "onnx", "ratio")), f"{one['difference']:.1e}")
        for name, one in found.items()
    ]
    table(HEADER, rows)
    write_json(given.json, found)


if __name__ == "__main__":
    main()
