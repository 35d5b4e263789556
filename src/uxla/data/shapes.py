"""What one example of a task is."""

from __future__ import annotations

from uxla.data.columns import Shape

SHAPES: dict[str, Shape] = {"ner": "tagging", "nli": "pair", "paraphrase": "pair", "classification": "single"}
"""What one example of a task is."""
