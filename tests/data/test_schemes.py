from itertools import chain

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uxla.data.labels.schemes import SCHEMES, Violation, detect, from_iob2, to_iob2, violations

ENTITY = st.tuples(st.sampled_from(["PER", "LOC", "A-B"]), st.integers(1, 4)).map(
    lambda e: [f"B-{e[0]}", *[f"I-{e[0]}"] * (e[1] - 1)]
)
IOB2_SENTENCE = st.lists(st.one_of(st.just(["O"]), ENTITY), min_size=1).map(lambda parts: list(chain(*parts)))
ANY_SENTENCE = st.lists(st.sampled_from(["O", "B-PER", "I-PER", "B-LOC", "I-LOC"]))

SAME = {
    "IOB2": ["B-PER", "I-PER", "B-PER", "O", "B-LOC", "B-PER", "I-PER", "I-PER"],
    "IOB1": ["I-PER", "I-PER", "B-PER", "O", "I-LOC", "I-PER", "I-PER", "I-PER"],
    "BIOES": ["B-PER", "E-PER", "S-PER", "O", "S-LOC", "B-PER", "I-PER", "E-PER"],
    "BILOU": ["B-PER", "L-PER", "U-PER", "O", "U-LOC", "B-PER", "I-PER", "L-PER"],
}


@pytest.mark.parametrize("scheme", SCHEMES)
def test_one_annotation_in_each_scheme(scheme):
    assert from_iob2(SAME["IOB2"], scheme) == SAME[scheme]
    assert to_iob2(SAME[scheme], scheme) == SAME["IOB2"]
    assert detect([SAME[scheme]]) == scheme


@pytest.mark.parametrize("scheme", SCHEMES)
@given(tags=IOB2_SENTENCE)
def test_to_a_scheme_and_back_is_the_same(scheme, tags):
    written = from_iob2(tags, scheme)
    assert not list(violations([written], scheme))
    assert to_iob2(written, scheme) == tags


@pytest.mark.parametrize("scheme", SCHEMES)
@given(sentences=st.lists(IOB2_SENTENCE, min_size=1))
def test_a_valid_file_with_entities_is_valid_in_one_scheme_only(scheme, sentences):
    written = [from_iob2(tags, scheme) for tags in sentences]
    has_entities = any(tag != "O" for tags in sentences for tag in tags)
    assert detect(written) == (scheme if has_entities else "IOB2")


@pytest.mark.parametrize("scheme", ["IOB1", "BIOES", "BILOU"])
@given(tags=ANY_SENTENCE)
def test_a_models_stray_i_is_written_as_an_entity_where_the_scheme_has_no_stray_i(scheme, tags):
    written = from_iob2(tags, scheme)
    assert not list(violations([written], scheme))
    assert [tag[2:] for tag in written] == [tag[2:] for tag in tags]


@given(tags=ANY_SENTENCE)
def test_a_models_stray_i_stays_in_iob2(tags):
    assert from_iob2(tags, "IOB2") == tags


def test_only_o_counts_as_iob2():
    assert detect([["O", "O"], ["O"]]) == "IOB2"
    assert detect([]) == "IOB2"


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_file_with_one_slip_is_still_recognised(scheme):
    slip = {"IOB2": "I-LOC", "IOB1": "B-LOC", "BIOES": "E-LOC", "BILOU": "L-LOC"}[scheme]
    assert detect([SAME[scheme], SAME[scheme], ["O", slip, "O"]]) == scheme


@pytest.mark.parametrize(
    ("scheme", "tags", "word", "message"),
    [
        ("IOB2", ["O", "I-PER"], 1, "I-PER cannot follow O in IOB2"),
        ("IOB2", ["I-PER"], 0, "I-PER cannot start a sentence in IOB2"),
        ("IOB2", ["B-PER", "I-LOC"], 1, "I-LOC cannot follow B-PER in IOB2"),
        ("IOB1", ["O", "B-PER"], 1, "B-PER cannot follow O in IOB1"),
        ("IOB1", ["I-LOC", "B-PER"], 1, "B-PER cannot follow I-LOC in IOB1"),
        ("BIOES", ["B-PER"], 0, "a sentence cannot end with B-PER in BIOES"),
        ("BIOES", ["B-PER", "O"], 1, "O cannot follow B-PER in BIOES"),
        ("BIOES", ["B-PER", "E-LOC"], 1, "E-LOC cannot follow B-PER in BIOES"),
        ("BILOU", ["B-PER", "L-PER", "L-PER"], 2, "L-PER cannot follow L-PER in BILOU"),
        ("BILOU", ["S-PER"], 0, "label 'S-PER' is not in BILOU"),
        ("IOB2", ["PER"], 0, "label 'PER' is not in IOB2: expected O, or one of B, I"),
        ("IOB2", ["B-"], 0, "label 'B-' is not in IOB2"),
        ("IOB2", [""], 0, "label '' is not in IOB2"),
    ],
)
def test_a_violation_is_named_with_its_place(scheme, tags, word, message):
    first = next(violations([["O"], tags], scheme))
    assert (first.sentence, first.word) == (1, word)
    assert first.message.startswith(message)


def test_every_violation_is_listed():
    found = list(violations([["I-A", "O", "I-B"], ["O"], ["I-A"]], "IOB2"))
    assert [(v.sentence, v.word) for v in found] == [(0, 0), (0, 2), (2, 0)]
    assert isinstance(found[0], Violation)
