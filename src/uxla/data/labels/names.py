"""Sets of tags: from entity types to label names, and from the tags of a file to indices into them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from uxla.data.labels.missing import missing, odd_type
from uxla.data.labels.schemes import OUTSIDE, entity_type
from uxla.errors import ConfigError

__all__ = ["known_types", "label_names", "missing", "odd_type", "tag_ids"]


def label_names(types: Iterable[str]) -> tuple[str, ...]:
    """The IOB2 label set of `types`: O, then B and I of each type in alphabetical order.

    >>> label_names(["PER", "LOC"])
    ('O', 'B-LOC', 'I-LOC', 'B-PER', 'I-PER')
    """
    return (OUTSIDE, *(f"{letter}-{type_}" for type_ in sorted(set(types)) for letter in "BI"))


def known_types(names: Iterable[str]) -> list[str]:
    """The types of a label set, sorted."""
    return sorted({entity_type(name) for name in names} - {""})


def tag_ids(names: Sequence[str], label_map: Mapping[str, str | None]) -> dict[str, int]:
    """The index into `names` of every IOB2 tag of a type that `names` or `label_map` has; null makes a type O.

    ConfigError for a map onto a type that is not in `names`.
    """
    index = {name: i for i, name in enumerate(names)}
    known = known_types(names)
    ids = {OUTSIDE: index[OUTSIDE]}
    for type_ in {*known, *label_map}:
        new = label_map.get(type_, type_)
        if new is not None and new not in known:
            raise ConfigError(f"labels: {type_} -> {new}, expected one of {', '.join(known)}, or null for O")
        for letter in "BI":
            ids[f"{letter}-{type_}"] = index[OUTSIDE if new is None else f"{letter}-{new}"]
    return ids
