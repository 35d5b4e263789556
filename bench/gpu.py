"""Attention and compiled layers: Gen-LM, labelling and training on a GPU in bfloat16, a model of XLM-R large's shape.

    python bench/gpu.py [--short] [--json FILE] [--device auto|cuda|cpu]

24 layers of 1024 with 16 heads, 250,002 pieces, random weights; sentences of 5 to 50 pieces, P = 0.3, δ = 3. Seconds
are wall clock with the GPU caught up before and after, medians over rounds, behind one round that warms up (and
compiles). The peak is the best of this run's square products. Work in FLOP: Gen-LM, the products of its forwards as
torch.utils.flop_counter counts them; labelling 2 · parameters · tokens, training 6 · parameters · tokens, parameters
being those of the encoder's layers (look-up tables multiply nothing) and padding no token.

Without CUDA `auto` measures nothing: with `--short` it runs a tiny shape on the CPU, to prove that the script works.
`--device cpu` measures 6 layers of 384 with 8,192 pieces in float32, for the ratios.
"""

import json
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median

import torch
from baselines import naive
from common import flop, parser, table, write_json
from genlm import Material, cost_of, material, requests_of
from material import quiet

from uxla.models.gen_lm.masked_lm import MaskedLM
from uxla.models.memory import Budget
from uxla.models.runtime import Runtime
from uxla.models.task_model import TaskModel
from uxla.models.tasks import Tagging
from uxla.models.training.loop import fit
from uxla.models.training.settings import TrainingSettings
from uxla.records import Corpus, Example

LABELS = ("O", "B-X", "I-X")
PAPER_HOURS_A_MILLION = (12, 48)
"""The paper's half a day to two days of a V100 for a million sentences."""


@dataclass(frozen=True)
class Size:
    """How much work one run is."""

    layers: int
    hidden: int
    heads: int
    pieces: int
    sentences: int
    one_by_one: int
    rounds: int
    matrix: int
    precision: str
    compiled: tuple[str, ...]
    """What is measured with compiled layers too."""


WORKS = ("gen-lm", "labelling", "training")
FULL = Size(24, 1024, 16, 250_002, 4000, 40, 3, 8192, "bf16", WORKS)
SHORT = Size(24, 1024, 16, 250_002, 600, 10, 1, 8192, "bf16", ())
ON_CPU = Size(6, 384, 6, 8192, 32, 6, 2, 1536, "fp32", WORKS)
PROOF = Size(2, 64, 2, 1024, 24, 4, 1, 256, "bf16", ("labelling",))
TYPES = {"bf16": torch.bfloat16, "fp32": torch.float32}


@dataclass(frozen=True)
class Machine:
    """Where it runs, and how its seconds are taken."""

    device: torch.device
    rounds: int

    def seconds(self, work: Callable[[], object]) -> float:
        """The median wall-clock time of some rounds of `work`, behind one that warms up."""
        work()
        return median(self._once(work) for _ in range(self.rounds))

    def peak(self, size: int, precision: str) -> float:
        """The best FLOP a second of a square product."""
        left, right = (torch.rand(size, size, device=self.device).to(TYPES[precision]) for _ in range(2))
        torch.mm(left, right)
        return 2 * size**3 / min(self._once(lambda: torch.mm(left, right)) for _ in range(20))

    def _once(self, work: Callable[[], object]) -> float:
        self._caught_up()
        began = time.perf_counter()
        work()
        self._caught_up()
        return time.perf_counter() - began

    def _caught_up(self) -> None:
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)


@dataclass(frozen=True)
class Bench:
    """One model and its sentences on one machine."""

    machine: Machine
    made: Material
    size: Size
    peak: float

    def genlm(self, attention: str, compile: bool) -> dict[str, float]:
        """Samples a second, and against the naive loop where layers are not compiled."""
        lm = MaskedLM.load(str(self.made.folder), self._runtime(None, attention, compile))
        requests = sorted(requests_of(lm, self.made.sentences(self.size.sentences)), key=cost_of)
        seconds = self.machine.seconds(lambda: lm.fill(requests)) / len(requests)
        found = {"samples_a_second": 1 / seconds, "million_hours": 1e6 * seconds / 3600}
        if compile:  # whose products cannot be counted
            return found
        found["share_of_peak"] = flop(lambda: lm.fill(requests)) / len(requests) / seconds / self.peak
        some = requests[:: -(-len(requests) // self.size.one_by_one)]
        model = lm.heads["start"].model
        loop = partial(naive, lambda row: model(row.to(lm.device)), lm)
        weight = sum(map(cost_of, some)) / (sum(map(cost_of, requests)) / len(requests))
        slow = self.machine.seconds(lambda: [loop(request) for request in some]) / weight
        return {**found, "ratio_to_naive": slow / seconds}

    def labelling(self, attention: str, compile: bool) -> dict[str, float]:
        """Tokens a second through `TaskModel.predict`."""
        loaded, corpus = self._opened(attention, compile), self._corpus()
        seconds = self.machine.seconds(lambda: loaded.predict(corpus, "label"))
        return self._tokens(loaded, corpus, seconds, flop=2)

    def training(self, attention: str, compile: bool) -> dict[str, float]:
        """Tokens a second through `fit`."""
        loaded, corpus = self._opened(attention, compile), self._corpus()
        settings = TrainingSettings(batch_size=32, learning_rate=1e-6)
        seconds = self.machine.seconds(lambda: fit(loaded, corpus, settings, seed=0, label="train"))
        return self._tokens(loaded, corpus, seconds, flop=6)

    def _tokens(self, loaded: TaskModel, corpus: Corpus, seconds: float, *, flop: int) -> dict[str, float]:
        tokens = int(loaded.encode(corpus).lengths.sum())
        parameters = sum(p.numel() for p in loaded.module.base_model.encoder.parameters())
        return {
            "tokens_a_second": tokens / seconds,
            "share_of_peak": flop * parameters * tokens / seconds / self.peak,
        }

    def _opened(self, attention: str, compile: bool) -> TaskModel:
        names = dict(enumerate(LABELS))
        values = {"id2label": names, "label2id": {name: i for i, name in names.items()}, "head_seed": 0}
        runtime = self._runtime(256, attention, compile)
        return TaskModel.open(Tagging(), self.made.folder, self.made.folder, runtime, **values)

    def _runtime(self, max_length: int | None, attention: str, compile: bool) -> Runtime:
        options = {"precision": self.size.precision, "attention": attention, "compile": compile}
        return Runtime(self.machine.device.type, max_length, Budget(16_384), **options)

    def _corpus(self) -> Corpus:
        texts = self.made.sentences(self.size.sentences)
        examples = (
            Example(str(n), "xx", (text,), tuple(len(word) % 3 for word in text.split()))
            for n, text in enumerate(texts)
        )
        return Corpus.from_examples("bench", LABELS, examples)


def shaped(folder: Path, size: Size) -> Material:
    """`genlm.material` with XLM-R's number of attention heads, which no weight's shape depends on."""
    made = material(folder, size.pieces, layers=size.layers, hidden=size.hidden)
    file = folder / "config.json"
    config = json.loads(file.read_text(encoding="utf-8"))
    file.write_text(json.dumps({**config, "num_attention_heads": size.heads}), encoding="utf-8")
    return made


def measure(bench: Bench) -> dict[str, dict[str, float]]:
    """The figures of each kind of work by attention and compilation."""
    works: dict[str, Callable[[str, bool], dict[str, float]]] = {
        "gen-lm": bench.genlm, "labelling": bench.labelling, "training": bench.training,
    }  # fmt: skip
    return {
        f"{name}, {attention}{', compiled' if compile else ''}": work(attention, compile)
        for name, work in works.items()
        for attention, compile in (("eager", False), ("sdpa", False), ("sdpa", True))
        if name in bench.size.compiled or not compile
    }


def rows(found: Mapping[str, Mapping[str, float]]) -> list[Sequence[object]]:
    """The table: speed, what it is against the same work's first row, share of the peak, against the naive loop."""
    first: dict[str, float] = {}
    made = []
    for name, figures in found.items():
        speed = figures.get("samples_a_second", figures.get("tokens_a_second", 0.0))
        base = first.setdefault(name.split(",")[0], speed)
        more = (f"{figures[key]:.3g}" if key in figures else "" for key in ("share_of_peak", "ratio_to_naive"))
        made.append((name, f"{speed:,.1f}", f"{speed / base:.2f}", *more))
    return made


def main() -> None:
    options = parser(__doc__)
    options.add_argument("--device", choices=("auto", "cuda", "cpu"), default="auto")
    given = options.parse_args()
    cuda = given.device != "cpu" and torch.cuda.is_available()
    proof = not cuda and given.short
    if not cuda and (given.device == "cuda" or (given.device == "auto" and not given.short)):
        sys.exit("bench/gpu.py: no CUDA device here; --device cpu measures a smaller model, --short proves the script")
    size = (SHORT if given.short else FULL) if cuda else PROOF if proof else ON_CPU
    quiet()
    machine = Machine(torch.device("cuda" if cuda else "cpu"), size.rounds)
    peak = machine.peak(size.matrix, size.precision)
    name = torch.cuda.get_device_name() if cuda else "CPU, tiny model: NO MEASUREMENT" if proof else "CPU"
    shape = f"{size.layers} x {size.hidden}, {size.pieces:,} pieces, {size.precision}"
    print(f"{name}; {shape}; peak of square products {peak / 1e12:,.2f} TFLOP/s\n")
    with tempfile.TemporaryDirectory() as place:
        found = measure(Bench(machine, shaped(Path(place), size), size, peak))
    table(("work", "samples or tokens a second", "times the first", "share of peak", "times naive"), rows(found))
    hours = min(figures["million_hours"] for figures in found.values() if "million_hours" in figures)
    low, high = PAPER_HOURS_A_MILLION
    print(f"\nGen-LM at its best: {1e6 / hours:,.0f} samples an hour; a million in {hours:.2f} hours", end="")
    print(f" ({low} to {high} in the paper, on a V100)" if cuda else " (not the paper's model)")
    facts = {"device": name, "model": shape, "measurement": not proof, "peak_tflops": peak / 1e12}
    write_json(given.json, {**facts, "figures": found})


if __name__ == "__main__":
    main()
