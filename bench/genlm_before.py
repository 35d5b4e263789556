"""Gen-LM (§2.2): this tree against `BEFORE`, whose float32 products were those of torch's BLAS library alone.

    python bench/genlm_before.py [--short] [--json FILE]

The models and sentences of bench/genlm.py, one thread; both trees must give the same samples. Each works in a process
of its own, and they take turns. Seconds are CPU seconds, a ratio is the median over the rounds. It needs a clone with
its history.
"""

import json
import sys
import time
import zlib
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from trees import NOW, begin, by_turns

from uxla.algorithm.vicinity import MaskRequest
from uxla.models.gen_lm.masked_lm import MaskedLM

BEFORE = "b533a8f"
HEADER = ("model", f"{BEFORE}, samples a second", "this tree, samples a second", "times faster")


def works(folder: Path) -> None:
    """Make the samples of the folder's requests for each line of standard input; a line of figures for each."""
    lm = MaskedLM.load(str(folder))
    asked = json.loads((folder / "requests.json").read_text(encoding="utf-8"))
    requests = [MaskRequest(text, tuple(map(tuple, spans)), seed) for text, spans, seed in asked]
    for _ in sys.stdin:
        began = time.process_time()
        samples = lm.fill(requests)
        seconds = (time.process_time() - began) / len(requests)
        print(json.dumps({"seconds": seconds, "samples": zlib.crc32("\n".join(samples).encode())}), flush=True)


def main() -> None:
    from common import arguments, ratio, table, write_json
    from genlm import SHAPES, material, requests_of
    from material import quiet

    given = arguments(__doc__)
    quiet()
    rows, ratios = [], {}
    for suffix, (vocabulary, layers, hidden) in SHAPES.items():
        with TemporaryDirectory() as place:
            made = material(Path(place), vocabulary, layers=layers, hidden=hidden)
            requests = requests_of(MaskedLM.load(place), made.sentences(150 if given.short else 1000))
            asked = [(request.text, request.spans, request.seed) for request in requests]
            Path(place, "requests.json").write_text(json.dumps(asked), encoding="utf-8")
            found = by_turns(BEFORE, __file__, Path(place), 1 if given.short else 3)
        assert len({one["samples"] for each in found.values() for one in each}) == 1, "the samples differ"
        seconds = {name: [one["seconds"] for one in each] for name, each in found.items()}
        ratios[f"ratio_genlm_before{suffix}"] = faster = ratio(seconds[BEFORE], seconds[NOW])
        paces = (f"{1 / median(seconds[name]):.1f}" for name in (BEFORE, NOW))
        rows.append((f"{vocabulary:,} pieces, {layers} x {hidden}", *paces, f"{faster:.2f}"))
    table(HEADER, rows)
    write_json(given.json, ratios)


if __name__ == "__main__":
    begin(main, works)
