"""How languages, methods and figures are called in the tables and pictures about real languages."""

from collections.abc import Iterable, Sequence

from languages_records import Key

from uxla.report.paired import Difference
from uxla.report.table import METHODS, SINGLE

CORPORA = {
    **{"conll": "CoNLL", "masakhaner": "MasakhaNER", "panx": "PAN-X", "panx_small": "PAN-X"},
    **{"xnli": "XNLI", "pawsx": "PAWS-X", "sib200": "SIB-200"},
}
DAGGER = "\N{DAGGER}"
TASKS = {"ner": "NER", "nli": "Inference", "paraphrase": "Paraphrases", "classification": "Topics"}
IN_BOTH = ("ar", "hin", "sw", "swh")
"""Test languages that are also development languages, in another corpus and under another name."""


def language(key: Key) -> str:
    """`ar† (PAN-X)`; the dagger is for `IN_BOTH`."""
    short = key[1].partition("_")[0]
    return f"{short}{DAGGER * (short in IN_BOTH)} ({CORPORA.get(key[0], key[0])})"


def name(row: str) -> str:
    """A row's title: `UXLA, epoch 1`, `tri-training (ensemble)`."""
    method, comma, epoch = row.partition(", ")
    titles = {**METHODS, **SINGLE, "uxla": "UXLA"}
    base = method.removesuffix("_ensemble")
    own = titles.get(method) or f"{titles.get(base, base)}{' (ensemble)' * (base != method)}"
    return own + comma + epoch


def markdown(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table: text to the left, figures to the right."""
    lines = [header, ["---", *["---:"] * (len(header) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def signed(value: float) -> str:
    """`+1.2`, `−0.3`"""
    return minus(f"{value:+.1f}")


def minus(text: str) -> str:
    """With the sign that figures in text have."""
    return text.replace("-", "\N{MINUS SIGN}")


def shown(found: Difference | None, star: bool = False) -> str:
    """`+1.2 [0.3, 2.1] *`"""
    if found is None:
        return ""
    bounds = minus(f"[{found.low:.1f}, {found.high:.1f}]")
    return f"{signed(found.value)} {bounds}{' *' * star}"
