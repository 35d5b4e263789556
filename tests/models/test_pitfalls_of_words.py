"""Words of no piece, of many, and sentences of too many: every word keeps its place, its label and its characters."""

from itertools import chain

import numpy as np
import pytest
from tokenizers import Regex, normalizers
from transformers import AutoTokenizer, RobertaTokenizer

from uxla.algorithm.vicinity import MaskRequest
from uxla.models.gen_lm.candidates import Vocabulary
from uxla.models.gen_lm.masked_lm import MaskedLM
from uxla.models.gen_lm.units import Cutter, word_spans
from uxla.models.loading import load_tokenizer
from uxla.models.tasks import Tagging
from uxla.models.word_tokenizer import WordTokenizer
from uxla.records import Corpus, Example

KINDS = ["metaspace", "bytelevel", "wordpiece", "roberta", "deberta"]
NOTHING = ["\u200b", "\ufe0f", "\u200b\u200b", "\u200b\ufe0f"]


@pytest.fixture(scope="module", params=["metaspace", "wordpiece", "deberta"])
def deaf(request, make_tokenizer) -> WordTokenizer:
    """A tokenizer that drops zero-width spaces and variation selectors, as XLM-R's and BERT's do."""
    tokenizer = make_tokenizer(request.param)
    backend = tokenizer.backend_tokenizer
    steps = [normalizers.Replace(Regex("[\u200b\ufe0f]"), "")]
    backend.normalizer = normalizers.Sequence([*steps, *([backend.normalizer] if backend.normalizer else [])])
    return WordTokenizer.of(tokenizer, request.param)


@pytest.mark.parametrize("nothing", NOTHING)
def test_a_word_that_becomes_nothing_is_unknown_and_keeps_its_label(deaf, nothing):
    words = ["river", nothing, "lake", nothing]
    example = Example("1", "xx", (" ".join(words),), (1, 2, 3, 4))
    corpus = Corpus.from_examples("t", ("O", "a", "b", "c", "d"), [example])
    windows = Tagging().encode(corpus, deaf, 64)
    read = deaf.encode_words(words)
    assert [bool(ids) for ids in read] == [True] * 4
    assert read[1] == read[3] == deaf.unknown
    assert windows.ids.values[windows.positions.values].tolist() == [ids[0] for ids in read]
    assert corpus.gold_labels[windows.rows].tolist() == [1, 2, 3, 4]
    assert Tagging().rows(corpus).tolist() == [4]


@pytest.mark.parametrize("nothing", NOTHING)
def test_a_word_that_becomes_nothing_is_no_piece_to_replace_but_keeps_its_place(deaf, nothing):
    cutter = Cutter(deaf, Vocabulary.of(deaf, 10_000), "piece")
    text = f"river {nothing} lake"
    (cells,) = cutter.cut([text])
    assert list(chain(*(cell.ids for cell in cells))) == list(chain(*deaf.encode_words(text.split(" "))))
    seen = [text[cell.start : cell.stop] for cell in cells if cell.start < cell.stop]
    assert "".join(seen) == "riverlake"


@pytest.mark.parametrize("roberta_class", [True, False])
def test_a_saved_tokenizer_reads_words_split_beforehand_as_the_task_did(folder_of, tmp_path, roberta_class):
    """Who opens a run's model with transformers gives it a list of words: each must be read as in mid-sentence."""
    words = ["the", "old", "miller", "río", "12\u00a0km"]
    original = AutoTokenizer.from_pretrained(folder_of("roberta" if roberta_class else "bytelevel"))
    backbone = RobertaTokenizer(tokenizer_object=original.backend_tokenizer) if roberta_class else original
    backbone.save_pretrained(tmp_path / "backbone")
    load_tokenizer(tmp_path / "backbone").save_pretrained(tmp_path / "model")
    opened = AutoTokenizer.from_pretrained(tmp_path / "model")
    found = opened(words, is_split_into_words=True, add_special_tokens=False)["input_ids"]
    assert found == list(chain(*WordTokenizer.of(original, "original").encode_words(words)))


@pytest.mark.parametrize("max_length", [8, 13, 64])
def test_each_window_learns_the_labels_of_its_own_words(make_tokenizer, texts, max_length):
    tokenizer = WordTokenizer.of(make_tokenizer("metaspace"), "metaspace")
    words = " ".join(texts[:8]).split(" ")
    names = tuple(map(str, range(len(words))))
    corpus = Corpus.from_examples("t", names, [Example("1", "xx", (" ".join(words),), tuple(range(len(words))))])
    windows = Tagging().encode(corpus, tokenizer, max_length)
    assert len(windows) > 1
    heads = [ids[0] for ids in tokenizer.encode_words(words)]
    for number in np.random.default_rng(0).permutation(len(windows)):
        window = windows.take(np.array([number]))
        labels = corpus.gold_labels[window.rows]
        assert window.ids.values[window.positions.values].tolist() == [heads[label] for label in labels]
    assert windows.rows.tolist() == list(range(len(words)))


KEPT = ["ﬁn", "e\u0301", "é", "می\u200cروم", "क्\u200dष", "علي", "علی", "كتاب", "کتاب", "İI", "12\u00a0km", "a\u3000b"]


@pytest.mark.parametrize("unit", ["word", "auto", "piece"])
@pytest.mark.parametrize("kind", KINDS)
def test_all_that_is_not_replaced_stays_character_by_character(kind, unit, folder_of):
    lm = MaskedLM.load(str(folder_of(kind)), unit=unit)
    text = "  " + "  ".join(f"{word} river\n" for word in KEPT)
    rivers = [span for span in word_spans(text) if text[slice(*span)] == "river"]
    parts = text.split("river")
    units = set(lm.units([text])[0])
    drawn = [span for span in rivers if span in units] or [
        next(u for u in sorted(units) if start <= u[0] < stop) for start, stop in rivers
    ]
    (sample,) = lm.fill([MaskRequest(text, tuple(drawn[::-1]), 0)])
    for part in parts:
        assert part in sample
        sample = sample[sample.index(part) + len(part) :]
    assert sample == ""
