"""`uxla.augment` with every architecture and tokenizer: nothing but the words it names is changed."""

import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import uxla

KINDS = ["metaspace", "bytelevel", "wordpiece", "roberta", "deberta", "albert"]
TEXT = """the old miller lamps , molino junto الطاحونة पुरानी नदी ရေစက်ဟောင်း 在 老磨坊在河边没有人看守，灯却亮着。
古い水車小屋は川のそばにあり โรงสีเก่าตั้งอยู่ใกล้แม่น้ำ រោងម៉ាស៊ីនចាស់ می\u200cروم 👩\u200d🌾 naïve \u200b <mask> x\u0301"""
WORDS = st.sampled_from([*TEXT.split(), "12\u00a0km", "字\u3000字", "a\u2028b"])
SPACES = st.sampled_from([" ", "  ", "\n", "\t", "\u00a0", "\u3000", "\r\n"])
SENTENCES = st.lists(WORDS, max_size=8)
OPTIONS = st.fixed_dictionaries(
    {
        "share": st.sampled_from([0.1, 0.3, 1.0]),
        "seed": st.integers(0, 3),
        "top": st.sampled_from([1, 4]),
        "copies": st.integers(1, 3),
    }
)
FEW = settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(params=KINDS)
def model(request, folder_of):
    return str(folder_of(request.param))


@pytest.fixture(params=["word", "auto", "piece"])
def unit(request):
    return request.param


@FEW
@given(sentences=st.lists(SENTENCES, min_size=1, max_size=4), options=OPTIONS)
def test_a_sample_has_its_parents_words_but_for_those_that_changed(model, unit, sentences, options):
    for sample in uxla.augment(sentences, model=model, unit=unit, keep_unchanged=True, **options):
        parent = sentences[sample.parent]
        assert len(sample.text) == len(parent)  # so that the parent's labels are the sample's
        assert sample.changed == (tuple(i for i, word in enumerate(parent) if sample.text[i] != word),)
        for old, new in zip(parent, sample.text, strict=True):
            assert re.findall(r"\s", old) == re.findall(r"\s", new)
            assert old == new or "<mask>" not in new


@FEW
@given(data=st.data(), options=OPTIONS)
def test_every_space_of_a_text_stays_where_it_is(model, unit, data, options):
    words = data.draw(st.lists(st.tuples(SPACES, WORDS), min_size=1, max_size=8))
    text = "".join(space + word for space, word in words)
    for sample in uxla.augment([text], model=model, unit=unit, **options):
        assert re.findall(r"\s+", sample.text) == re.findall(r"\s+", text)
        old, new = text.split(), sample.text.split()
        assert [i for i in range(len(old)) if old[i] != new[i]] == list(sample.changed[0]) != []


@settings(FEW, max_examples=3)  # each loads the model twice
@given(sentences=st.lists(st.tuples(SENTENCES, SENTENCES), min_size=1, max_size=4), options=OPTIONS)
def test_the_same_seed_gives_the_same_samples_whatever_the_batches(model, sentences, options):
    pairs = [(" ".join(first), " ".join(second)) for first, second in sentences]
    options["copies"] = (options["copies"], 2)
    once = list(uxla.augment(pairs, model=model, **options))
    assert list(uxla.augment(pairs, model=model, tokens_per_batch=8, **options)) == once
