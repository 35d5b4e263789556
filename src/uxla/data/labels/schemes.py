"""The four ways of writing entity spans as one tag a word, and how to get from each to IOB2 and back.

IOB1 opens an entity with B only right after another of its type; IOB2 always opens with B; BIOES also marks the last
word (E) and the only word (S); BILOU calls these L and U. Inside the library everything is IOB2.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, pairwise
from typing import Literal

from uxla.data.labels.names import has_unseen, missing
from uxla.errors import ConfigError

Scheme = Literal["IOB2", "IOB1", "BIOES", "BILOU"]
SCHEMES: tuple[Scheme, ...] = ("IOB2", "IOB1", "BIOES", "BILOU")
"""If several fit equally well, `detect` prefers the first of them."""

OUTSIDE = "O"
_LETTERS: dict[Scheme, str] = {"IOB2": "BI", "IOB1": "BI", "BIOES": "BIES", "BILOU": "BILU"}
_LAST_AND_ONLY: dict[Scheme, tuple[str, str]] = {"BIOES": ("E", "S"), "BILOU": ("L", "U")}
_IN_IOB2 = {"S": "B", "U": "B", "E": "I", "L": "I"}

_LETTERED = re.compile(
    r"[BIESLUMO]|.\W*[-_.:/\u2010-\u2015\u2212 ].*|.*[-_.:/][BIESLUM]|[^A-Za-z]*", re.IGNORECASE | re.DOTALL
)
_SEPARATOR = re.compile(r"\s*[-_\u2010-\u2015\u2212]\s*")
_Pair = tuple[str | None, str | None]  # two neighbouring tags; None is the edge of the sentence


@dataclass(frozen=True, slots=True)
class Violation:
    """One place where a tag breaks its scheme; both indices count from 0."""

    sentence: int
    word: int
    message: str


def entity_type(tag: str) -> str:
    """The type of a well-formed tag, "" for O."""
    return tag[2:]


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
    """The index into `names` of every IOB2 tag of the types in `names` and `label_map`. None in the map makes a type O.

    ConfigError for a map onto a type that is not in `names`.
    """
    index = {name: i for i, name in enumerate(names)}
    known = known_types(names)
    if lacking := [name for name in label_names(known) if name not in index]:
        raise ConfigError(f"label_names: {lacking[0]} is not there, expected O, and B and I of each type")
    ids = {OUTSIDE: index[OUTSIDE]}
    for type_ in dict.fromkeys((*known, *label_map)):
        new = label_map.get(type_, type_)
        if new is not None and new not in known:
            raise ConfigError(f"labels: {type_} -> {new}, expected one of {', '.join(known)}, or null for O")
        for letter in "BI":
            ids[f"{letter}-{type_}"] = index[OUTSIDE if new is None else f"{letter}-{new}"]
    return ids


def detect(tags: Iterable[Sequence[str]]) -> Scheme:
    """The scheme with the fewest violations; among equals the first of `SCHEMES`.

    So only O, or tags that are right both as IOB1 and IOB2, count as IOB2; and a file with a few slips is still
    recognised as what it was meant to be.
    """
    pairs = _pairs(tags)
    return min(SCHEMES, key=lambda scheme: sum(n for pair, n in pairs.items() if _fault(pair, scheme)))


def violations(tags: Sequence[Sequence[str]], scheme: Scheme) -> Iterator[Violation]:
    """Every place where `tags` break `scheme`, in order.

    An entity that is not closed is reported at the word after it, or at the last word of the sentence.
    """
    faults = {pair: message for pair in _pairs(tags) if (message := _fault(pair, scheme))}
    if not faults:
        return
    for sentence, row in enumerate(tags):
        for word, pair in enumerate(pairwise(chain([None], row, [None]))):
            if pair in faults:
                yield Violation(sentence, min(word, len(row) - 1), faults[pair])


def to_iob2(tags: Sequence[str], scheme: Scheme) -> list[str]:
    """One sentence's tags, valid in `scheme`, written as IOB2."""
    if scheme == "IOB1":
        return opened(tags, scheme)
    if scheme == "IOB2":
        return list(tags)
    return [_IN_IOB2.get(tag[0], tag[0]) + tag[1:] for tag in tags]


def from_iob2(tags: Sequence[str], scheme: Scheme) -> list[str]:
    """One sentence's IOB2 tags written in `scheme`.

    A model can put an I where nothing is open. In IOB2 that stays as it is; in the other schemes, which cannot say it,
    the I begins an entity.
    """
    if scheme == "IOB2":
        return list(tags)
    tags = opened(tags, "IOB2")
    if scheme == "IOB1":
        followed = zip([OUTSIDE, *tags], tags, strict=False)
        return ["I" + tag[1:] if tag[0] == "B" and before[2:] != tag[2:] else tag for before, tag in followed]
    last, only = _LAST_AND_ONLY[scheme]
    written = []
    for tag, after in pairwise([*tags, OUTSIDE]):
        closes = after != "I" + tag[1:] and tag != OUTSIDE
        letter = {"B": only, "I": last}[tag[0]] if closes else tag[0]
        written.append(letter + tag[1:])
    return written


def opened(tags: Iterable[str], scheme: Scheme) -> list[str]:
    """Labels of `scheme`, some of which may be out of place, as valid IOB2: one that continues no entity becomes B."""
    last, _ = _LAST_AND_ONLY.get(scheme, ("", ""))
    rewritten: list[str] = []
    before = OUTSIDE
    for tag in tags:
        is_open = before[0] in "BI"  # nothing goes on after E or S
        goes_on = tag[0] in ("I", last) and is_open and before[1:] == tag[1:]
        rewritten.append(tag if tag == OUTSIDE else ("I" if goes_on else "B") + tag[1:])
        before = tag
    return rewritten


def is_label(tag: str, scheme: Scheme) -> bool:
    """Whether `tag` is O, or a letter of `scheme`, a hyphen and a type without invisible characters."""
    if tag == OUTSIDE:
        return True
    type_ = tag[2:]
    sound = type_ == type_.strip() and not missing(type_) and not has_unseen(type_)
    return tag[1:2] == "-" and tag[0] in _LETTERS[scheme] and sound


def are_labels(tags: Iterable[str]) -> bool:
    """Whether there are labels and all of them belong to one scheme."""
    kinds = set(tags)
    return bool(kinds) and any(all(is_label(tag, scheme) for tag in kinds) for scheme in SCHEMES)


def plainly(tag: str) -> str:
    """The label that `tag` was probably meant to be: in capitals, with a hyphen, no quotes or blanks; O for a zero.

    >>> plainly('"b_per"'), plainly("B \u2013PER"), plainly("0")
    ('B-PER', 'B-PER', 'O')
    """
    tag = _SEPARATOR.sub("-", tag.strip("\"' ").upper(), count=1)
    return OUTSIDE if tag == "0" else tag


def are_bare(kinds: Collection[str]) -> bool:
    """Whether labels (those other than O) are bare types, without a letter such as B- before or after them."""
    return bool(kinds) and not any(missing(kind) or has_unseen(kind) or _LETTERED.fullmatch(kind) for kind in kinds)


def remedy_of(found: Collection[str], scheme: Scheme, *, bare: str, elsewhere: str) -> str:
    """What to do about the labels in `found` that `scheme` does not have; "" if only a few are wrong.

    `bare` is the remedy for labels without B- and I-, `elsewhere` the setting that names another column.
    """
    unknown = [label for label in found if not is_label(label, scheme)]
    if any(missing(label) or (label[1:2] == "-" and missing(label[2:])) for label in unknown):
        return f"a sign of a missing value is no label: write O, or set {elsewhere}"
    if OUTSIDE in found and are_bare(set(found) - {OUTSIDE}):
        return f"labels without B- and I-: {bare}"
    if unknown and are_labels(map(plainly, found)):
        return "write O, and B- and I- in capitals with a hyphen, without quotes and blanks"
    if unknown and all(label.lstrip("-").isdecimal() for label in found):
        return "numbers stand for labels; write the labels themselves"
    if unknown and len(unknown) == len(found):
        return f"uxla tags entities only, as O, B-PER, I-PER, with no other tags of words; or set {elsewhere}"
    return ""


def _pairs(tags: Iterable[Sequence[str]]) -> Counter[_Pair]:
    """How often each pair of neighbours occurs. Every rule of every scheme is about two neighbours."""
    flat = chain([None], chain.from_iterable(chain(row, [None]) for row in tags))
    return Counter(pairwise(flat))


def _fault(pair: _Pair, scheme: Scheme) -> str | None:
    """What is wrong with the second tag of `pair`, if anything."""
    before, tag = pair
    if tag is not None and not is_label(tag, scheme):
        letters = ", ".join(_LETTERS[scheme])
        shown = repr(tag) if tag[:2].isascii() else ascii(tag)  # letters of other scripts that look like these
        return f"label {shown} is not in {scheme}: expected O, or one of {letters} with a hyphen and a type"
    if _may_follow(before or OUTSIDE, tag or OUTSIDE, scheme):
        return None
    if tag is None:
        return f"a sentence cannot end with {before} in {scheme}"
    return f"{tag} cannot {'start a sentence' if before is None else f'follow {before}'} in {scheme}"


def _may_follow(before: str, tag: str, scheme: Scheme) -> bool:
    same = before[1:] == tag[1:]
    if scheme == "IOB1":
        return tag[0] != "B" or same
    if scheme == "IOB2":
        return tag[0] != "I" or same
    last, _ = _LAST_AND_ONLY[scheme]
    is_open = before[0] in "BI"
    continues = tag[0] in ("I", last)
    return is_open == continues and (same or not continues)
