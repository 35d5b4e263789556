"""Real languages: every cell of the protocol (docs/protocol.md) as a run folder of its own.

    python bench/languages.py [--set test] [--group G…] [--corpora C…] [--seeds N…] [--jobs N]
                              [--list | --plan | --record | --shared]

A cell is one `uxla run`: a target language of a corpus at one seed. bench/languages.yaml has all cells and settings.
The development languages are there to choose on; `--set test` refuses to run until docs/protocol.md, committed, names
the SHA-256 of languages.yaml as frozen. Days of one core; interrupted, the same command goes on, also on another
machine: what is recorded in bench/cells is done. To make such cells once more, give new folders, --out runs/again and
--records runs/again. Cells that share their warm-ups run one after the other, in one process; with --jobs other ones
run at the same time, one thread each.

--list shows what is done and how much time is left, by what finished cells of the same corpus and group took.
--record records the cells that have a finished run folder, and makes none.
--plan counts the hours of a set before the first cell is run, as `uxla plan` does, in minutes.
--shared counts the test sentences that also stand in training files. It reads files and runs nothing.
Data sets and models are looked for in ../shared; without them nothing is run.
"""

import json
import multiprocessing
import os
import sys
from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from hashlib import sha256
from itertools import chain
from pathlib import Path
from statistics import fmean
from subprocess import CalledProcessError
from tempfile import TemporaryDirectory

from common import table
from languages_cells import RECORDS, ROOT, Cell, Places, Protocol, chains, not_frozen
from languages_data import in_language, texts
from languages_records import facts_of, of_run, record

from uxla import api
from uxla.console import showing
from uxla.errors import UxlaError
from uxla.files import write_file
from uxla.progress import note
from uxla.study.grid import Planned, make

SHARED = ROOT.parent / "shared"


def main(given: Namespace) -> None:
    places, protocol = Places(given.data, given.models, given.out, given.records), Protocol.read()
    os.environ.setdefault("UXLA_CACHE", str(places.out.absolute() / "store"))
    cells = [
        cell
        for cell in protocol.cells(given.set, given.group)
        if cell.corpus in (given.corpora or [cell.corpus]) and cell.seed in (given.seeds or [cell.seed])
    ]
    if places.missing or not cells:
        print(places.missing or "no such cells")
    elif given.list:
        show_list(protocol, cells, places)
    elif given.plan:
        show_plan(protocol, cells, places)
    elif given.record:
        kept = [cell for cell in cells if not is_done(protocol, cell, places) and keep(protocol, cell, places)]
        print(f"{len(kept)} cells recorded")
    elif given.shared:
        show_shared(protocol, cells, places)
    else:
        refusal = not_frozen() if given.set == "test" else None
        sys.exit(refusal or run(protocol, cells, places, given.jobs, overwrite=given.overwrite))


def run(protocol: Protocol, cells: Sequence[Cell], places: Places, jobs: int, *, overwrite: bool) -> str | None:
    """Make and record all cells that are not done, after the masked LMs that they share; the errors of those that
    failed, a line each."""
    left = [cell for cell in cells if not is_done(protocol, cell, places)]
    failed = {cell: error for cell in left if (error := _tune(protocol, cell, places))}
    left = [cell for cell in left if cell not in failed]
    todo = [(protocol, found, cells, places, overwrite) for found in chains(left)]
    if jobs == 1:
        with showing():
            errors = [run_chain(*one) for one in todo]
    else:
        with ProcessPoolExecutor(jobs, mp_context=multiprocessing.get_context("spawn")) as pool:
            errors = [found.result() for found in [pool.submit(run_chain, *one) for one in todo]]
    print(time_left(protocol, cells, places))
    return "\n".join([*failed.values(), *chain(*errors)]) or None


def _tune(protocol: Protocol, cell: Cell, places: Places) -> str | None:
    try:
        protocol.prepare(cell, places)
    except CalledProcessError as error:
        return f"{cell.name}: {error}"
    return None


def run_chain(
    protocol: Protocol, cells: Sequence[Cell], of: Sequence[Cell], places: Places, overwrite: bool
) -> list[str]:
    """Make and record these cells, one by one, among others; the errors of those that failed."""
    failed = []
    for cell in cells:
        note(f"{cell.name}: {time_left(protocol, of, places)}")
        try:
            failed += [f"{cell.name}: {error}" for error in run_cell(protocol, cell, places, overwrite)]
        except UxlaError as error:
            failed.append(f"{cell.name}: {error}")
    return failed


def run_cell(protocol: Protocol, cell: Cell, places: Places, overwrite: bool) -> Iterator[str]:
    """Make a cell's folder and record it, unless that is done; why it failed. A run that was there keeps its
    `cell.json`, with the commit it is of."""
    if is_done(protocol, cell, places):
        return
    config, before = protocol.config(cell, places), results_digest(cell, places)
    _, errors = make([Planned(cell.name, (), config)], folder(places), api.run, overwrite=overwrite)
    yield from errors.values()
    now, file = results_digest(cell, places), folder(places) / cell.name / "cell.json"
    if not errors and now != before:
        write_file(file, json.dumps(protocol.facts(cell, config) | {"results": now}, indent=1))
    if not errors and not keep(protocol, cell, places):
        yield "its cell.json is missing or names other settings; delete the folder to make the run anew"


def keep(protocol: Protocol, cell: Cell, places: Places) -> bool:
    """Record a cell, if its `cell.json` is about the results there and today's settings of it."""
    file, digest = folder(places) / cell.name / "cell.json", results_digest(cell, places)
    facts = json.loads(file.read_bytes()) if file.is_file() else {}
    if digest is None or (facts.get("results"), facts.get("own_settings")) != (digest, protocol.digest_of(cell)):
        return False
    record(of_run(file.parent), places.records)
    return True


def folder(places: Places) -> Path:
    """Where the run folders are."""
    return places.out / "cells"


def is_done(protocol: Protocol, cell: Cell, places: Places) -> bool:
    """Whether the cell is recorded with today's settings of it."""
    found = facts_of(cell.name, places.records)
    return found is not None and found[0]["own_settings"] == protocol.digest_of(cell)


def results_digest(cell: Cell, places: Places) -> str | None:
    """The SHA-256 of the run's results.json; None where there is none."""
    file = folder(places) / cell.name / "results.json"
    return sha256(file.read_bytes()).hexdigest() if file.is_file() else None


def minutes(cell: Cell, places: Places) -> float:
    """What the work that was done for a recorded cell took; what it found in the store took nothing."""
    found = facts_of(cell.name, places.records)
    return 0.0 if found is None else sum(found[1].values()) / 60


def measured(protocol: Protocol, cells: Sequence[Cell], places: Places) -> dict[tuple[str, str], float]:
    """The mean minutes of the finished cells, by group and corpus."""
    found: dict[tuple[str, str], list[float]] = {}
    for cell in cells:
        if is_done(protocol, cell, places):
            found.setdefault((cell.group, cell.corpus), []).append(minutes(cell, places))
    return {kind: fmean(took) for kind, took in found.items()}


def time_left(protocol: Protocol, cells: Sequence[Cell], places: Places) -> str:
    """`5 of 12 cells done, 2.3 hours left`, by the finished cells of the same kind, or else of any kind."""
    took = measured(protocol, cells, places)
    left = [cell for cell in cells if not is_done(protocol, cell, places)]
    done = f"{len(cells) - len(left)} of {len(cells)} cells done"
    if not took:
        return f"{done}; --plan says how long they take"
    hours = sum(took.get((cell.group, cell.corpus), fmean(took.values())) for cell in left) / 60
    return f"{done}, {hours:.1f} hours of one core left"


def show_list(protocol: Protocol, cells: Sequence[Cell], places: Places) -> None:
    """Prints the cells, which are done, and the time left."""
    states = ["done" if is_done(protocol, cell, places) else "" for cell in cells]
    took = [f"{minutes(c, places):.0f}" if done else "" for c, done in zip(cells, states, strict=True)]
    rows = [[c.name, c.group, done, time] for c, done, time in zip(cells, states, took, strict=True)]
    table(["cell", "group", "state", "minutes"], rows)
    print(f"\n{time_left(protocol, cells, places)}")


def show_plan(protocol: Protocol, cells: Sequence[Cell], places: Places) -> None:
    """Prints the hours of each corpus, from an empty store, as `uxla plan` counts those of one seed."""
    rows = list(_plans(protocol, cells, places))
    table(["corpus", "group", "targets", "cells", "trainings a seed", "hours"], rows)
    print(f"\n{len(cells)} cells, {sum(float(row[-1]) for row in rows):.1f} hours of one core")


def _plans(protocol: Protocol, cells: Sequence[Cell], places: Places) -> Iterator[list[object]]:
    kinds: dict[tuple[str, str, str], list[Cell]] = {}
    for cell in cells:
        kinds.setdefault((cell.group, cell.variant, cell.corpus), []).append(cell)
    for (_, variant, corpus), alike in kinds.items():
        targets = list(dict.fromkeys(cell.target for cell in alike))
        config = protocol.config(alike[0], places, targets)
        if protocol.tuned(alike[0], places):  # it is tuned before the first run: plan with one of its size
            config = config.model_copy(update={"vicinity": config.vicinity.model_copy(update={"model": config.model})})
        with TemporaryDirectory() as empty:
            os.environ["UXLA_CACHE"] = empty
            plan = api.plan(config)
        assert plan.seconds is not None
        hours = plan.seconds / 3600 * len({cell.seed for cell in alike})
        yield [corpus, variant, len(targets), len(alike), plan.trainings, f"{hours:.1f}"]


def show_shared(protocol: Protocol, cells: Sequence[Cell], places: Places) -> None:
    """Prints how many test sentences also stand in the target's training files; of corpora that are translations, how
    many raw and how many scored pairs have, in English, a sentence of a labelled one."""
    rows = []
    for cell in {(cell.corpus, cell.target): cell for cell in cells}.values():
        config = protocol.config(cell, places)
        count = len(texts(in_language(Path(str(config.target_data.test)), cell.target)))
        common = len(protocol.facts(cell, config)["shared"])
        row = [cell.corpus, cell.target, str(count), str(common), f"{100 * common / count:.1f} %", "", ""]
        if "parallel" in protocol.said["corpora"][cell.corpus]:
            found = protocol.in_english(cell, places)
            known = {part for text in found["train"] for part in text.split("\t")}
            for place, slot in enumerate(("raw", "scored"), start=5):
                with_one = sum(not known.isdisjoint(text.split("\t")) for text in found[slot])
                row[place] = f"{with_one} of {len(found[slot])}"
        rows.append(row)
    header = ["corpus", "target", "scored", "in training files", "share"]
    table([*header, "raw with a labelled sentence", "scored with one"], rows)


if __name__ == "__main__":
    wanted = ArgumentParser(description=__doc__, formatter_class=RawDescriptionHelpFormatter)
    wanted.add_argument("--set", choices=("development", "test"), default="development")
    names = list(Protocol.read().groups)
    wanted.add_argument("--group", nargs="+", default=["main"], choices=names, metavar="G", help=", ".join(names))
    wanted.add_argument("--corpora", nargs="+", metavar="C", help="these alone")
    wanted.add_argument("--seeds", nargs="+", type=int, metavar="N", help="these alone")
    wanted.add_argument("--jobs", type=int, default=1, metavar="N", help="processes, each with one thread")
    wanted.add_argument("--list", action="store_true", help="what is done, and the time left")
    wanted.add_argument("--record", action="store_true", help="record finished run folders, and make none")
    wanted.add_argument("--plan", action="store_true", help="the hours of all these cells, as `uxla plan` counts them")
    wanted.add_argument("--shared", action="store_true", help="the sentences that stand in two splits")
    wanted.add_argument("--overwrite", action="store_true", help="replace cells that were made with other settings")
    data, models = (os.environ.get(f"UXLA_BENCH_{name}") for name in ("DATA", "MODELS"))
    wanted.add_argument("--data", type=Path, default=data or SHARED / "data", help="data sets; also UXLA_BENCH_DATA")
    wanted.add_argument("--models", type=Path, default=models or SHARED / "models", help="also UXLA_BENCH_MODELS")
    wanted.add_argument("--out", type=Path, default=ROOT / "runs/languages", metavar="DIR", help="runs and their store")
    wanted.add_argument(
        "--records", type=Path, default=RECORDS, metavar="DIR", help="finished cells; they count as done"
    )
    try:
        main(wanted.parse_args())
    except UxlaError as error:
        sys.exit(str(error))
