"""What each training of a run learned from, as `results.json` and the journal have it."""

from __future__ import annotations

from typing import Any

from uxla.algorithm.events import Part, Skipped, Trained


def learned_from(event: Trained | Skipped, target: str) -> list[dict[str, Any]]:
    """What became of each data set of a training. `kept`, by k and by j, is None for gold labels."""
    return [_data_set(part, event, target) for part in event.parts]


def _data_set(part: Part, event: Trained | Skipped, target: str) -> dict[str, Any]:
    found, peers = part.labelled, {"k": event.step.k + 1, "j": event.step.j + 1}
    of = part.size if found is None else found["of"]
    kept = None if found is None else [found["selected_by_k"], found["selected_by_j"]]
    collapsed = [] if found is None else [peers[peer] for peer in found["collapsed"]]
    kind = part.kind(target)
    return {"kind": kind, "of": of, "kept": kept, "taught": part.size, "drawn": part.drawn, "collapsed": collapsed}
