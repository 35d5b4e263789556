"""What a person is told of a step of Algorithm 1 while it runs."""

from __future__ import annotations

from typing import Any


def sentence(event: str, counts: dict[str, Any]) -> str:
    """One line for an event that `CoTraining.record` was given."""
    if event == "co_label":
        kept = f"{counts['data']}: of {counts['of']} kept by k {counts['kept_by_k']}, by j {counts['kept_by_j']}"
        if counts["collapsed"]:
            return f"{kept}; model {' and '.join(counts['collapsed'])} gives nearly one label only and teaches nobody"
        return f"{kept}, agreed {counts['agreed']}"
    place = "epoch {epoch}: model {l} taught by {k} and {j}".format(**counts)
    if event == "skip":
        return f"{place}: distillation left nothing, the model stays as it is"
    drawn = ", ".join(f"{count} of {name} ({counts['sizes'][name]})" for name, count in counts["drawn"].items())
    return f"{place}: draws {drawn}"
