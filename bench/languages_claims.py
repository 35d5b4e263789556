"""The claims of docs/protocol.md, computed from finished cells exactly as the page says."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from languages_names import TASKS, language, name
from languages_records import Finished
from languages_scores import by_key, difference

from uxla.report.paired import Difference, holm

LEVEL = 0.05


@dataclass(frozen=True)
class Tested:
    """One difference of a claim, and its p-value adjusted for all of them (None where there is none)."""

    name: str
    found: Difference
    adjusted: float | None

    @property
    def is_clear(self) -> bool:
        """Whether it is above zero, and clear of it."""
        return self.found.value > 0 and self.adjusted is not None and self.adjusted < LEVEL


@dataclass(frozen=True)
class Claim:
    """A claim, the differences it is about, whether it is reached, and the difference that none may be below."""

    text: str
    tested: tuple[Tested, ...]
    reached: bool
    most_lost: float | None = None


def adjusted(named: dict[str, Difference | None]) -> tuple[Tested, ...]:
    """The differences that could be computed, with Holm's correction over those that have a p-value."""
    there = {name: found for name, found in named.items() if found is not None}
    p_values = {name: found.p for name, found in there.items() if found.p is not None}
    corrected = dict(zip(p_values, holm(list(p_values.values())), strict=True))
    return tuple(Tested(name, found, corrected.get(name)) for name, found in there.items())


def claims(cells: Sequence[Finished], given: Mapping[str, Any]) -> list[Claim]:
    """Claims (a) to (d), over the cells of the test languages; `given` is what languages.yaml says of them."""
    languages, baselines = by_key(cells), given["baselines"]
    of_task: dict[str, list[list[Finished]]] = {}
    for found in languages.values():
        of_task.setdefault(found[0].facts["task"], []).append(found)
    ner = of_task.pop("ner", [])
    a = adjusted({f"{name(row)} − {name(base)}": difference(ner, row, base) for base, row in baselines.items()})
    b = adjusted({language(one[0].key): difference([one], "uxla_ensemble", "tri_training_ensemble") for one in ner})
    c = adjusted({TASKS[task]: difference(found, "uxla_ensemble", "ensemble") for task, found in of_task.items()})
    d = adjusted({language(one[0].key): difference([one], given["default"], "ensemble") for one in languages.values()})
    return [
        Claim(
            "(a) UXLA beats what is cheaper, on the mean over the NER languages",
            a,
            len(a) == len(baselines) and all(one.is_clear for one in a),
        ),
        Claim(
            "(b) UXLA beats tri-training with equal steps, on at least half of the NER languages",
            b,
            bool(ner) and sum(one.is_clear for one in b) >= len(ner) / 2,
        ),
        Claim("(c) UXLA helps beside NER, on the mean over the languages of a task", c, any(one.is_clear for one in c)),
        Claim(
            "(d) the default costs no language more than half a point",
            d,
            bool(d) and len(d) == len(languages) and all(one.found.value >= given["most_lost"] for one in d),
            given["most_lost"],
        ),
    ]
