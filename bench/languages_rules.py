"""What rules of when to adapt (bench/adaptation.py) lose and gain on finished cells of `bench/languages.py`."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from statistics import fmean

from adaptation import RULES, STATES
from languages_names import language, markdown, shown
from languages_records import Finished, Key
from languages_scores import by_key, difference

ROWS = {"zero_shot": "ensemble", "tri_training": "tri_training_ensemble", "uxla": "uxla_ensemble"}
"""What a rule takes, and the row of the tables that it is."""


def rule_table(cells: Sequence[Finished]) -> str:
    """Each rule: its mean regret, that of the language that loses most by it, what it took, and how far it is above
    always UXLA and always zero-shot; empty where no cell has all three ensembles."""
    known = [cell for cell in cells if cell.seen_by_rules is not None]
    if not known:
        return ""
    header = ["rule", "regret", "largest", "took", "− always UXLA", "− always zero-shot"]
    return markdown(header, [_row(rule, known) for rule in RULES])


def _row(rule: str, cells: Sequence[Finished]) -> list[str]:
    taken = {cell.name: RULES[rule](cell.seen_by_rules) for cell in cells}
    regrets: dict[Key, list[float]] = {}
    for cell in cells:
        regrets.setdefault(cell.key, []).append(cell.seen_by_rules.regret(taken[cell.name]))
    worst = max(regrets, key=lambda key: fmean(regrets[key]))
    largest = f"{fmean(regrets[worst]):.1f} {language(worst)}"
    counted = Counter(taken.values())
    took = ", ".join(f"{STATES[method]} {counted[method]}" for method in STATES if method in counted)
    own = [replace(c, counted=c.counted | {rule: c.counted[ROWS[taken[c.name]]]}) for c in cells]
    gains = [
        "" if {*taken.values()} == {method} else shown(difference([*by_key(own).values()], rule, ROWS[method]))
        for method in ("uxla", "zero_shot")
    ]
    return [rule, f"{fmean(map(fmean, regrets.values())):.2f}", largest, took, *gains]
