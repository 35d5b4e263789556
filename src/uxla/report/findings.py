"""What follows from a figure, in one sentence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from uxla.phrases import signed
from uxla.report.gains import Gain, Gains
from uxla.report.scores import last_states
from uxla.report.scoring import Calibration, Confusion
from uxla.report.trainings import EpochFlow

_WELL_CALIBRATED = 2.0
"""Percentage points of expected calibration error under which confidences pass for probabilities."""


def of_gains(found: Gains, parts: str) -> str:
    """Where adaptation helped most, and where least or not at all; `parts` is what the rows are."""
    ranked = sorted(found.rows, key=lambda row: row.before - row.after)
    if len(ranked) < 2:
        return ""
    best, worst = ranked[0], ranked[-1]
    if best.after <= best.before:
        return f"None of the {len(ranked)} {parts} gained; {_isolated(worst.name)} lost most ({_points(worst)})"
    lost = worst.after < worst.before
    least = f"{_isolated(worst.name)} {'lost most' if lost else 'least'} ({_points(worst)})"
    sure = sum(row.difference is not None and row.difference.sign > 0 for row in ranked)
    told = f"The gain is significant in {sure} of {len(ranked)} {parts}"
    return f"{_isolated(best.name)} gained most ({_points(best)}), {least}. {told}"


def of_scores(found: Mapping[str, Any]) -> str:
    """How the score moved from the warm-up over the epochs."""
    epochs, start = [score["mean"] for score in found["uxla"]], last_states(found).get("penalty")
    if start is None and len(epochs) == 1:
        return ""
    before = epochs[0] if start is None else start["mean"]
    moved = epochs[-1] - before
    steps = [after - earlier for earlier, after in zip([before, *epochs], epochs, strict=False)]
    most = max(range(len(steps)), key=steps.__getitem__)
    since = "the warm-up" if start is not None else "epoch 1"
    best = max(range(len(epochs)), key=epochs.__getitem__)
    if moved <= 0:
        return f"The last epoch's models score {abs(moved):.1f} points below {since}: more epochs did not help"
    told = f"The last epoch's models score {moved:.1f} points above {since}; epoch {most + 1} gained most"
    return told if best == len(epochs) - 1 else f"{told}, and epoch {best + 1} is the best"


def of_calibration(found: Calibration) -> str:
    """Whether confidences can be read as probabilities; if not, where they are furthest off."""
    if found.ece < _WELL_CALIBRATED:
        return f"Confidences can be read as probabilities: on average they are off by {found.ece:.1f} points"
    sure, right, _ = max(found.bins, key=lambda one: one[2] * abs(one[0] - one[1]))
    how = "too sure" if sure > right else "too modest"
    where = f"labels of {100 * sure:.1f} % confidence are right in {100 * right:.1f} % of the cases"
    return f"The models are {how}: {where}. On average confidences are off by {found.ece:.1f} points"


def of_flow(epochs: Sequence[EpochFlow]) -> str:
    """How much of the raw text taught in the first and in the last epoch that read it."""
    raw = [(epoch.epoch, one) for epoch in epochs for one in epoch.streams if one.kind == "target"]
    if not raw:
        return ""
    (first, begin), (last, end) = raw[0], raw[-1]
    share = f"{100 * begin.taught / max(begin.of, 1):.0f} % of the raw target sentences taught a model in epoch {first}"
    return share if first == last else f"{share}, {100 * end.taught / max(end.of, 1):.0f} % in epoch {last}"


def of_confusion(found: Confusion) -> str:
    """The most frequent mistake."""
    size = range(len(found.labels))
    cells = [(found.counts[i][j], i, j) for i in size for j in size if i != j]
    count, gold, predicted = max(cells, default=(0, 0, 0), key=lambda cell: cell[0])
    if not count:
        return "No label was mistaken for another"
    named = f"{_isolated(found.labels[gold])} labelled as {_isolated(found.labels[predicted])}"
    return f"The most frequent mistake is {named}: {count:,} times"


def _points(row: Gain) -> str:
    return f"{signed(row.after - row.before)} points"


def _isolated(name: str) -> str:
    """A name of the user's, kept apart from the direction of the sentence around it."""
    return f"\N{FIRST STRONG ISOLATE}{name}\N{POP DIRECTIONAL ISOLATE}"
