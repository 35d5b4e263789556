"""What checkpoints cost a training: 0.5 GB of weights, one thread, and as much again for each of AdamW's two moments.

    python bench/checkpoint.py [--short] [--json FILE]

The same steps without a checkpoint and with one, in turns. The loop waits until the tensors are copied and handed over;
a thread writes them while the training goes on. Wall-clock seconds, the least of the rounds.
"""

import time
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from common import arguments, table, write_json
from material import opened, quiet, tagged
from transformers import AutoTokenizer, XLMRobertaConfig, XLMRobertaModel

from uxla.models.tasks import Tagging
from uxla.models.training.checkpoint import Checkpoints
from uxla.models.training.loop import TrainingLoop
from uxla.models.training.selection import CheckpointChoice
from uxla.models.training.settings import TrainingSettings
from uxla.testbed import asset

SETTINGS = TrainingSettings(batch_size=2, learning_rate=1e-5, dropout=0.0)
STEPS = 6


def encoder(folder: Path, layers: int) -> None:
    """An encoder of so many layers of 1024 with the testbed's tokenizer: ten have 0.5 GB of weights."""
    tokenizer = AutoTokenizer.from_pretrained(asset())
    tokenizer.save_pretrained(folder)
    sizes = {"hidden_size": 1024, "num_hidden_layers": layers, "num_attention_heads": 16, "intermediate_size": 4096}
    XLMRobertaModel(XLMRobertaConfig(vocab_size=len(tokenizer), **sizes)).save_pretrained(folder)


def training(loop: TrainingLoop, steps: list, checkpoints: Checkpoints | None) -> tuple[float, float, float]:
    """Seconds of some steps, of waiting for a checkpoint before them, and until it is on the disk."""
    began, waited = time.perf_counter(), 0.0
    if checkpoints is not None:
        loop.save(checkpoints)
        waited = time.perf_counter() - began
    for step in steps:
        loop.step(step)
    seconds = time.perf_counter() - began
    if checkpoints is not None:
        checkpoints.wait()
    return seconds, waited, time.perf_counter() - began


def main() -> None:
    given = arguments(__doc__)
    torch.set_num_threads(1)
    quiet()
    corpus = tagged(SETTINGS.step_size * STEPS)
    with TemporaryDirectory() as place:
        encoder(Path(place), 2 if given.short else 10)
        loaded = opened(Tagging(), Path(place), corpus.label_names)
        loop = TrainingLoop(loaded, SETTINGS, 1000, "training", CheckpointChoice())
        steps = list(corpus.parts(SETTINGS.step_size))
        loop.step(steps[0])  # the optimiser's moments are made in it
        plain, kept = [], []
        for _ in range(1 if given.short else 3):
            plain.append(training(loop, steps, None))
            kept.append(training(loop, steps, Checkpoints(Path(place))))
        size = (Path(place) / "checkpoint.safetensors").stat().st_size
    gigabytes = 4e-9 * sum(weight.numel() for weight in loaded.module.parameters())
    without, waited, written = min(plain)[0], min(one[1] for one in kept), min(one[2] for one in kept)
    rows = [
        ("weights, GB", f"{gigabytes:.2f}"),
        ("checkpoint, GB", f"{size / 1e9:.2f}"),
        (f"{STEPS} steps without a checkpoint, s", f"{without:.2f}"),
        (f"{STEPS} steps with one, s", f"{min(kept)[0]:.2f}"),
        ("the training waits for it, s", f"{waited:.2f}"),
        ("it is on the disk after, s", f"{written:.2f}"),
        ("share of a training, one in ten minutes, %", f"{100 * waited / 600:.2f}"),
        ("share of a training, one a minute, %", f"{100 * waited / 60:.2f}"),
    ]
    table(("checkpoint", ""), rows)
    write_json(given.json, {"checkpoint_share": waited / 600, "checkpoint_seconds": waited, "gigabytes": gigabytes})


if __name__ == "__main__":
    main()
