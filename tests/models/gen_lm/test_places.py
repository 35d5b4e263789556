"""Which candidates may replace a unit: letters letters, digits digits, capitals capitals, short words short ones."""

import unicodedata
from collections.abc import Sequence
from dataclasses import replace
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uxla.algorithm.vicinity import MaskRequest
from uxla.choices import Match
from uxla.models.gen_lm.candidates import Candidates
from uxla.models.gen_lm.masked_lm import MaskedLM
from uxla.models.gen_lm.places import Places, slot_of
from uxla.models.memory import Budget

START = (
    *("Lima", "A", "río", "de", "mcX", "EU", "नदी", "نهر", "河", "d'or", "e-mail"),
    *("7", "1.5", "२०", ",", "...", "€", "A4", "end.", "(s", "7%"),
)
INSIDE = ("s", "ID", "9", "।")


def places(match, start: Sequence[str] = START) -> Places:
    slots = {"start": start, "inside": INSIDE}
    return Places.of({slot: Candidates(tuple(range(len(some))), tuple(some)) for slot, some in slots.items()}, match)


@pytest.mark.parametrize(
    ("match", "unit", "surfaces"),
    [
        ("none", "Madrid", START),
        ("kind", "Madrid", START[:11]),
        ("kind", "C-47", START[:11]),
        ("kind", "नदी", START[:11]),
        ("kind", "1,143", ("7", "1.5", "२०")),
        ("kind", "$3", ("7", "1.5", "२०")),
        ("case", "Madrid", ("Lima", "A")),
        ("case", "Él", ("Lima", "A")),
        ("case", "S.", ("Lima", "A")),
        ("case", "ǅ", ("Lima", "A")),
        ("case", "McX", ("Lima", "A")),
        ("case", "molino", ("río", "de", "mcX", "d'or", "e-mail")),
        ("case", "(con", ("río", "de", "mcX", "d'or", "e-mail")),
        ("case", "iPhone", ("río", "de", "mcX", "d'or", "e-mail")),
        ("case", "EFE-", ("EU",)),
        ("case", "पुरानी", ("नदी", "نهر", "河")),
        ("case", "1999", ("7", "1.5", "२०")),
        ("length", "Madrid", ("Lima",)),
        ("length", "Él", ("A",)),
        ("length", "molino", ("d'or", "e-mail")),
        ("length", "por", ("río", "de", "mcX")),
        ("length", "1999", ("7", "1.5", "२०")),
    ],
)
def test_a_unit_is_replaced_by_what_is_like_it(match, unit, surfaces):
    found = places(match)
    assert found.candidates[found.at("start", unit)].surfaces == surfaces


@pytest.mark.parametrize("sign", [",", "...", "--", "👩\u200d🌾", "€"])
def test_signs_stay_where_a_match_is_asked_for(sign):
    assert [match for match in get_args(Match) if places(match).takes(sign)] == ["none"]
    assert all(places(match).takes(word) for match in get_args(Match) for word in ("no", "नी", "7%", "河"))


def test_each_slot_has_places_of_its_own():
    found = places("case")
    assert found.candidates[found.at("inside", "en")].surfaces == ("s",)
    assert found.candidates[found.at("inside", "EN")].surfaces == ("ID",)


@pytest.mark.parametrize(
    ("start", "surfaces"),
    [(("río", "7"), ("río",)), (("7", "end."), ("7", "end.")), (("7", "NATO", "a"), ("NATO", "a"))],
)
def test_where_nothing_is_so_like_it_the_next_wider_place_is_taken(start, surfaces):
    """As for a capital in a vocabulary without capitals."""
    found = places("case", start)
    assert found.candidates[found.at("start", "Madrid")].surfaces == surfaces


@given(
    st.lists(st.text("aZz1२.-é字नी", min_size=1, max_size=3), min_size=1, unique=True),
    st.sampled_from(["kind", "case", "length"]),
)
def test_a_candidate_of_one_kind_has_letters_or_digits_alone_at_its_edges(start, match):
    found = places(match, start)
    for place, candidates in found.candidates.items():
        kind = place.split()[1:2]
        assert slot_of(place) in ("start", "inside")
        for surface in candidates.surfaces if kind else ():
            majors = [unicodedata.category(char)[0] for char in surface]
            assert ("L" in majors, "N" in majors) == (kind == ["letters"], kind == ["digits"])
            assert not {majors[0], majors[-1]} & {"P", "S"}


@pytest.fixture(scope="module", params=["metaspace", "wordpiece", "albert"])
def lm(request, folder_of) -> MaskedLM:
    return MaskedLM.load(str(folder_of(request.param)), unit="auto", match="length")


def requests_of(lm: MaskedLM, texts: Sequence[str]) -> list[MaskRequest]:
    return [MaskRequest(text, tuple(lm.units([text])[0][::-2]), seed) for seed, text in enumerate(texts)]


@pytest.mark.parametrize("top", [1, 4])
def test_neither_batch_size_nor_order_nor_neighbours_change_a_sample_of_its_kind(lm, top, texts):
    lm = replace(lm, top=top)
    requests = requests_of(lm, [text.title() for text in texts] + texts)
    whole = lm.fill(requests)
    assert replace(lm, budget=Budget(1)).fill(requests[::-1]) == whole[::-1]
    assert [lm.fill([request])[0] for request in requests] == whole


def test_words_replace_words_and_signs_are_no_units_where_a_match_is_asked_for(folder_of, texts):
    """The spaced texts, whose first characters are all letters but for the commas of the third."""
    loads = [MaskedLM.load(str(folder_of("metaspace")), match=match) for match in ("none", "kind", "length")]
    made = [lm.fill([MaskRequest(text, tuple(lm.units([text])[0]), 0) for text in texts[:7]]) for lm in loads]
    free, *matched = ([[word[0].isalpha() for word in sample.split(" ")] for sample in samples] for samples in made)
    assert matched == [[[word[0].isalpha() for word in text.split(" ")] for text in texts[:7]]] * 2
    assert free not in matched
    assert [sample.count(" , ") for sample in made[1][:3]] == [0, 0, 2]
