"""What the benchmarks share: arguments, interleaved rounds, the machine's matmul peak, memory, a table."""

import argparse
import json
import os
import resource
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import median

import torch

from uxla.config.run import RunConfig, load_config
from uxla.files import atomic_folder
from uxla.models.linear import linear
from uxla.testbed import SHIPPED_WORLD
from uxla.testbed.pretrain import build

SHORT = ["testbed.train=100", "testbed.unlabelled=100", "testbed.test=100", "warmup.epochs=1"]
_PRODUCTS = ("::addmm", "::mm", "::bmm", "::baddbmm", "::_linear_pointwise", "::_scaled_dot_product")
"""Parts of the names of torch's operations that multiply matrices."""
Product = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


def parser(description: str) -> argparse.ArgumentParser:
    """With `short` (under two minutes) and `json` (a file for the figures, or None)."""
    made = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--short", action="store_true", help="under two minutes")
    made.add_argument("--json", type=Path, default=None, metavar="FILE", help="write the figures there too")
    return made


def arguments(description: str) -> argparse.Namespace:
    """`short` and `json` of the command line."""
    return parser(description).parse_args()


def write_json(path: Path | None, values: Mapping[str, object]) -> None:
    """The figures as one JSON object, if a file was asked for."""
    if path is not None:
        path.write_text(json.dumps(values, indent=1) + "\n", encoding="utf-8")


def rounds(variants: Mapping[str, Callable[[], float]], count: int) -> dict[str, list[float]]:
    """CPU seconds a unit of work of each variant: all of them once a round, so that other jobs disturb all alike.

    A variant does some work and returns how many units it was. CPU time, since the machine may be shared.
    """
    seconds: dict[str, list[float]] = {name: [] for name in variants}
    for _ in range(count):
        for name, work in variants.items():
            began = time.process_time()
            units = work()
            seconds[name].append((time.process_time() - began) / units)
    return seconds


def ratio(slow: Sequence[float], fast: Sequence[float]) -> float:
    """How many times faster: the median of the rounds' ratios."""
    return median(a / b for a, b in zip(slow, fast, strict=True))


def matmul_peak(product: Product = torch.mm, size: int = 1536, repeats: int = 5) -> float:
    """The best FLOP a CPU second of a square float32 product at this number of threads."""
    left, right = torch.rand(size, size), torch.rand(size, size)
    best = float("inf")
    for _ in range(repeats):
        began = time.process_time()
        product(left, right)
        best = min(best, time.process_time() - began)
    return 2 * size**3 / best


def faster(left: torch.Tensor, right: torch.Tensor) -> torch.Tensor:
    """The product that uxla's models take on a CPU: by oneDNN where it is faster."""
    with torch.inference_mode():
        return linear(left, right, None)


def shares(work: Callable[[], object]) -> dict[str, float]:
    """Which part of some work's time goes to matrix products, to torch's other operations, and to Python."""
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU]) as profile:
        began = time.perf_counter()
        work()
        whole = (time.perf_counter() - began) * 1e6
    found = {operation.key: operation.self_cpu_time_total / whole for operation in profile.key_averages()}
    products = sum(share for name, share in found.items() if any(part in name for part in _PRODUCTS))
    return {"products": products, "other": sum(found.values()) - products, "python": 1 - sum(found.values())}


def peak_memory() -> float:
    """The most memory this process has held so far, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def testbed_model(world: int, folder: Path) -> str:
    """The masked LM of a world of the testbed: the shipped one, or one that is made in `folder`, once."""
    if world == SHIPPED_WORLD:
        return "testbed"
    place = folder / f"model-{world}"
    if not place.is_dir():
        with atomic_folder(place) as into:
            build(into, world=world)
    return str(place)


def testbed_config(world: int, target: str, seed: int, folder: Path, more: Sequence[str]) -> RunConfig:
    """The preset `testbed` in a world of its own masked LM, with the methods zero_shot and uxla."""
    settings = [f"testbed.world={world}", f"model={testbed_model(world, folder)}", f"target={target}", f"seed={seed}"]
    return load_config("testbed", [*settings, "methods=[zero_shot,uxla]", *more])


def of_runs(description: str) -> argparse.ArgumentParser:
    """For runs of the testbed: `worlds`, `seeds`, `targets`, and `out`, where they and their store are kept."""
    made = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--worlds", type=int, nargs="+", default=[0, 1])
    made.add_argument("--seeds", type=int, default=3)
    made.add_argument("--targets", nargs="+", default=["far", "near"])
    made.add_argument("--out", type=Path, default=None, help="keep runs and store here, to go on or to use them again")
    made.add_argument("--short", action="store_true", help="tiny runs of one seed, which show that it works")
    return made


def short_or_given(given: argparse.Namespace, temporary: Path) -> tuple[list[int], int, list[str], Path, list[str]]:
    """The worlds, the number of seeds, the targets, the folder, and further settings; the store is in the folder."""
    folder = given.out or temporary
    os.environ.setdefault("UXLA_CACHE", str(folder.absolute() / "store"))
    return (
        ([0], 1, given.targets, folder, SHORT)
        if given.short
        else (given.worlds, given.seeds, given.targets, folder, [])
    )


def table(header: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Prints a Markdown table: text to the left, figures to the right."""
    print("| " + " | ".join(header) + " |")
    print("| --- |" + " ---: |" * (len(header) - 1))
    for row in rows:
        print("| " + " | ".join(map(str, row)) + " |")
