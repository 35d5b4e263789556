"""What checkpoints cost a training: 0.5 GB of weights, one thread, and as much again for each of AdamW's two moments.

    python bench/checkpoint.py [--short] [--json FILE]

The same steps without a checkpoint and with one, in turns. The loop waits until the tensors are copied and handed over;
a thread writes them while the training goes on. CPU seconds, the least of the rounds.
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

SETTINGS, STEPS = TrainingSettings(batch_size=2, learning_rate=1e-5, dropout=0.0), 2


def encoder(folder: Path, layers: int) -> None:
    """An encoder of so many layers of 1024 with the testbed's tokenizer: ten have 0.5 GB of weights."""
    tokenizer = AutoTokenizer.from_pretrained(asset())
    tokenizer.save_pretrained(folder)
    sizes = {"hidden_size": 1024, "num_hidden_layers": layers, "num_attention_heads": 16, "intermediate_size": 4096}
    XLMRobertaModel(XLMRobertaConfig(vocab_size=len(tokenizer), **sizes)).save_pretrained(folder)


def training(loop: TrainingLoop, steps: list, checkpoints: Checkpoints | None) -> tuple[float, float]:
    """CPU seconds of some steps and of what is written beside them; of these, what the training waits for."""
    began, waited = time.process_time(), time.thread_time()
    if checkpoints is not None:
        loop.save(checkpoints)
    waited = time.thread_time() - waited
    for step in steps:
        loop.step(step)
    if checkpoints is not None:
        checkpoints.wait()
    return time.process_time() - began, waited


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
            plain.append(training(loop, steps, None)[0])
            kept.append(training(loop, steps, Checkpoints(Path(place))))
        size = Path(place, "checkpoint.safetensors").stat().st_size
    gigabytes = 4e-9 * sum(weight.numel() for weight in loaded.module.parameters())
    waited, whole = min(one[1] for one in kept), max(min(kept)[0] - min(plain), 0.0)
    rows = [
        ("weights, GB", f"{gigabytes:.2f}"),
        ("checkpoint, GB", f"{size / 1e9:.2f}"),
        ("the training waits for it, s", f"{waited:.2f}"),
        ("with what the thread does, s", f"{whole:.2f}"),
        ("share of ten minutes, %", f"{100 * whole / 600:.2f}"),
        ("share of a minute, %", f"{100 * whole / 60:.2f}"),
    ]
    table(("one checkpoint", ""), rows)
    write_json(given.json, {"checkpoint_share": whole / 600, "checkpoint_seconds": waited, "gigabytes": gigabytes})


if __name__ == "__main__":
    main()
