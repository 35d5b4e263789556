"""Table 8's 4 x 5 sentences a step: this tree against `BEFORE`, whose passes had at most `batch_size` sentences.

    python bench/table_8.py [--short] [--json FILE]

A 6 x 384 encoder with XLM-R's tokenizer, CoNLL's English, no dropout, one thread. Each tree trains in a process of its
own, and they take turns. Seconds are CPU seconds, a ratio is the median over the rounds. It needs the CoNLL data and
XLM-R's tokenizer, and a clone with its history; without them it does nothing.
"""

import json
import sys
import time
from copy import deepcopy
from pathlib import Path
from statistics import median

from trees import NOW, begin, by_turns

from uxla.models.memory import Budget
from uxla.models.runtime import Runtime
from uxla.models.task_model import TaskModel
from uxla.models.tasks import Tagging
from uxla.models.training.loop import fit
from uxla.models.training.settings import TrainingSettings
from uxla.records import Corpus

BEFORE = "b533a8f"
SETTINGS = TrainingSettings(
    batch_size=4, accumulation=5, learning_rate=3e-5, lr_warmup=0.1, weight_decay=0.01, dropout=0.0, penalty=1.0
)
HEADER = ("4 x 5 sentences a step", "CPU seconds a step", "passes a step", "times faster", "mean loss")


def works(folder: Path) -> None:
    """Train the model of the folder on its corpus for each line of standard input; a line of figures for each."""
    corpus = Corpus.read(folder / "corpus.arrow")
    values = {"id2label": dict(enumerate(corpus.label_names)), "head_seed": 0, "dropout": 0.0}
    loaded = TaskModel.open(Tagging(), folder, folder, Runtime("cpu", 280, Budget(8192)), **values)
    start, passes = deepcopy(loaded.module.state_dict()), []
    loaded.module.register_forward_pre_hook(lambda *_: passes.append(1))
    for _ in sys.stdin:
        loaded.module.load_state_dict(start)
        loaded.module.zero_grad()
        passes.clear()
        began = time.process_time()
        facts = fit(loaded, corpus, SETTINGS, seed=0, label="train")
        seconds = (time.process_time() - began) / facts["steps"]
        found = {"seconds": seconds, "passes": len(passes) / facts["steps"], "loss": facts["loss"]}
        print(json.dumps(found), flush=True)


def main() -> None:
    from common import arguments, ratio, table, write_json
    from material import SHARED, VOCABULARY, models, quiet, tagged

    given = arguments(__doc__)
    quiet()
    if not VOCABULARY.is_dir() or not (SHARED / "data/conll").is_dir():
        print("not measured: the CoNLL data or XLM-R's tokenizer is not here")
        return
    with models() as folders:
        folder = next(iter(folders.values()))
        tagged(SETTINGS.step_size * (6 if given.short else 16)).write(folder / "corpus.arrow")
        found = by_turns(BEFORE, __file__, folder, 1 if given.short else 3)
    seconds = {name: [one["seconds"] for one in each] for name, each in found.items()}
    faster = {name: ratio(seconds[BEFORE], own) for name, own in seconds.items()}
    last = {name: each[-1] for name, each in found.items()}
    rows = [
        (name, f"{median(own):.3f}", f"{last[name]['passes']:.2f}", f"{faster[name]:.2f}", f"{last[name]['loss']:.6f}")
        for name, own in seconds.items()
    ]
    table(HEADER, rows)
    write_json(given.json, {"ratio_table_8": faster[NOW], "passes_table_8": last[NOW]["passes"]})


if __name__ == "__main__":
    begin(main, works)
