"""What remembering saves: a testbed run's Gen-LM runs, inferences and trainings against Algorithm 1 nested literally.

    python bench/endtoend.py [--short] [--json FILE]

The literal nesting has 18 inner rounds in three epochs: in each both Gen-LM runs, both peers' labels of both virtual
sets and one peer's of the target (the other's once for every k), and one training. Its figures are those counts times
the cost that one such piece of work had in the run with `order=in_place`. A forward unit is one example through the
encoder: once for a label, once for each masked word, three times for an example of a training.
"""

import argparse
import json
import os
import tempfile
import time
from collections import Counter
from pathlib import Path

from uxla.api import run
from uxla.config.run import load_config
from uxla.models.gen_lm.masked_lm import MaskedLM
from uxla.store.journal import read

SHORT = ["testbed.train=300", "testbed.unlabelled=200", "testbed.dev=50", "testbed.test=50"]
STAGES = ("vicinity", "predict", "fit")
NAMES = {"vicinity": "Gen-LM runs", "predict": "inferences", "fit": "trainings"}
ROUNDS = 18
"""Three epochs of six ordered pairs."""


class Tally:
    """Counts and costs of one run's adaptation."""

    def __init__(self, folder: Path, order: str, more: list[str]) -> None:
        masked = Counter()
        plain = MaskedLM.fill

        def fill(lm: MaskedLM, requests: list) -> list[str]:
            masked["words"] += sum(len(request.spans) for request in requests)
            return plain(lm, requests)

        MaskedLM.fill = fill
        os.environ["UXLA_CACHE"] = str(folder / f"{order}-store")
        values = ["threads=1", "target=far", "methods=[uxla]", f"order={order}", *more]
        began = time.perf_counter()
        run(load_config("testbed", values), folder / order)
        self.seconds = time.perf_counter() - began
        MaskedLM.fill = plain
        events = read(folder / order / "journal.jsonl")
        start = next(i for i, event in enumerate(events) if event["event"] == "co_label")
        warm = [i for i, event in enumerate(events) if event["event"] == "stage" and event["stage"] == "fit"][2]
        stages = [(i, event) for i, event in enumerate(events) if event["event"] == "stage"]
        last = max(i for i, event in stages if event["stage"] == "fit" and not event["hit"])
        assert warm < start < last
        self.made = [event for i, event in stages if warm < i <= last and event["stage"] in STAGES]
        self.masked = masked["words"]

    def twice(self) -> int:
        """Pieces of work that were made although they had been made before."""
        keys = Counter((event["stage"], event["key"]) for event in self.made if not event["hit"])
        return sum(count - 1 for count in keys.values())

    def counts(self) -> Counter:
        return Counter(event["stage"] for event in self.made if not event["hit"])

    def units(self) -> int:
        labelled = sum(event["examples"] for event in self._done("predict"))
        return labelled + self.masked + 3 * sum(event["examples"] for event in self._done("fit"))

    def mean(self, stage: str, key: str, name: str = "") -> float:
        found = [event[key] for event in self._done(stage) if not name or event.get("corpus") == name]
        return sum(found) / len(found)

    def _done(self, stage: str) -> list:
        return [event for event in self.made if event["stage"] == stage and not event["hit"]]


def literal(run: Tally) -> tuple[Counter, float, float]:
    """Counts, forward units and seconds of the literal nesting at the mean costs of `run`."""
    labels = {"far": 9 + ROUNDS, "source~": 2 * ROUNDS, "far~": 2 * ROUNDS}
    counts = Counter({"vicinity": 2 * ROUNDS, "predict": sum(labels.values()), "fit": ROUNDS})
    units = ROUNDS * run.masked + 3 * ROUNDS * run.mean("fit", "examples")
    seconds = 2 * ROUNDS * run.mean("vicinity", "seconds") + ROUNDS * run.mean("fit", "seconds")
    for name, times in labels.items():
        units += times * run.mean("predict", "examples", name)
        seconds += times * run.mean("predict", "seconds", name)
    return counts, units, seconds


def main(more: list[str], out: Path | None) -> None:
    with tempfile.TemporaryDirectory() as place:
        runs = {order: Tally(Path(place), order, more) for order in ("in_place", "synchronous")}
    counts, units, seconds = literal(runs["in_place"])
    rows = {"literal nesting": (counts, units, seconds)}
    for order, tally in runs.items():
        spent = sum(event["seconds"] for event in tally.made)
        rows[order] = (tally.counts(), tally.units(), spent)
    print("| adaptation | Gen-LM runs | inferences | trainings | forward units | share | seconds |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    for name, (count, forward, spent) in rows.items():
        cells = " | ".join(str(count[stage]) for stage in STAGES)
        print(f"| {name} | {cells} | {forward:,.0f} | {forward / units:.3f} | {spent:.1f} |")
    again = {order: tally.twice() for order, tally in runs.items()}
    print(f"\nmade twice: {again}; whole runs: " + ", ".join(f"{o} {r.seconds:.1f} s" for o, r in runs.items()))
    if out is not None:
        shares = {f"share_{name}": rows[name][1] / units for name in runs}
        out.write_text(json.dumps({**shares, "made_twice": sum(again.values())}, indent=1) + "\n")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--short", action="store_true")
    parser.add_argument("--json", type=Path, default=None)
    given = parser.parse_args()
    main(SHORT if given.short else [], given.json)
