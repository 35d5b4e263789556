"""A corpus is encoded at once, in arrays: the windows are those of its examples one by one."""

from functools import partial
from itertools import accumulate, chain, groupby
from operator import itemgetter

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import AddedToken, Regex, normalizers, pre_tokenizers

from uxla.models import task_model
from uxla.models.loading import load_tokenizer
from uxla.models.ragged import Ragged, side_by_side, stacked
from uxla.models.runtime import Runtime
from uxla.models.task_model import TaskModel, predict_each
from uxla.models.tasks import SentenceTask, Tagging
from uxla.models.windows import cut_sentence, longest_first
from uxla.models.word_by_word import is_ordinary, reads_word_by_word
from uxla.models.word_tokenizer import Split, WordTokenizer
from uxla.records import Corpus, Example
from uxla.testbed import asset

KINDS = ["metaspace", "bytelevel", "wordpiece", "roberta", "deberta", "albert", "testbed"]
LONG = 20
"""A length that many of the sentences and pairs exceed."""

words = st.one_of(
    st.sampled_from(
        ["river", "the", "lake", "Lamps,", "não", "río", "नदी", "النهر", "老磨坊在河边没有人看守，灯却亮着。", "x" * 40]
    ),
    st.sampled_from(
        ["<mask>", "</s>", "a<s>b", "<MASK>", "``", "▁a", "Ġ", "می\u200cروم", "👩\u200d🌾", "🏻", "12\u00a0km"]
    ),
    st.sampled_from(
        ["", "\u0301", "\u200b", "\ufe0f", "\u3000", "\u00a8", "\u0e33", "\t", "a\n", "\u0600", "\u0d4e", "\u1b00"]
    ),
    st.text(max_size=4).map(lambda text: text.replace(" ", "")),
)
few = settings(max_examples=30)  # for each of seven tokenizers
lines = st.lists(words, min_size=1, max_size=12).map(" ".join)


@pytest.fixture(scope="module", params=KINDS)
def tokenizer(request, make_tokenizer):
    made = load_tokenizer(asset()) if request.param == "testbed" else make_tokenizer(request.param)
    return WordTokenizer.of(made, request.param)


def corpus(rows):
    return Corpus.from_examples("t", (), [Example(str(i), "x", tuple(texts)) for i, texts in enumerate(rows)])


def tagging_alone(sentence, tokenizer, max_length):
    """(ids, positions) of the windows of one sentence."""
    budget = max_length - tokenizer.special_count
    pieces = [ids[:budget] for ids in tokenizer.encode_words(sentence.split(" "))]
    for start, stop, home, home_stop in cut_sentence([len(ids) for ids in pieces], budget, budget // 4):
        begins = list(accumulate((len(ids) for ids in pieces[start:stop]), initial=len(tokenizer.prefix)))
        yield (
            [*tokenizer.prefix, *chain(*pieces[start:stop]), *tokenizer.suffix],
            begins[home - start : home_stop - start],
        )


def whole(text, tokenizer):
    """The ids of a text that the tokenizer reads as it stands."""
    found = tokenizer.backend.encode(tokenizer.before_word + text, add_special_tokens=False).ids
    return list(chain(*([i] if i not in tokenizer.special else tokenizer.unknown for i in found)))


def framed(tokenizer, parts, max_length):
    """The ids of one window with these texts, and how many pieces were lost."""
    sample = tokenizer.backend.encode(*["a"] * len(parts))
    room = max_length - sample.sequence_ids.count(None)
    kept = longest_first([len(part) for part in parts], room)
    ids = []
    for text, run in groupby(zip(sample.sequence_ids, sample.ids, strict=True), key=itemgetter(0)):
        ids += [i for _, i in run] if text is None else parts[text][: kept[text]]
    return ids, sum(map(len, parts)) - sum(kept)


@few
@given(sentences=st.lists(lines, max_size=6), max_length=st.sampled_from([8, LONG, 512]))
def test_the_windows_of_sentences_are_those_of_each_alone(tokenizer, sentences, max_length):
    windows = Tagging().encode(corpus([text] for text in sentences), tokenizer, max_length)
    expected = list(chain(*(tagging_alone(text, tokenizer, max_length) for text in sentences)))
    assert list(zip(windows.ids.tolist(), windows.positions.tolist(), strict=True)) == expected
    assert windows.rows.tolist() == list(range(sum(text.count(" ") + 1 for text in sentences)))
    assert not windows.cut.any()


@pytest.mark.parametrize("segments", [1, 2])
@few
@given(data=st.data(), max_length=st.sampled_from([8, LONG, 512]))
def test_the_windows_of_texts_and_pairs_are_those_of_each_alone(tokenizer, segments, data, max_length):
    rows = data.draw(st.lists(st.tuples(*[lines] * segments), max_size=6))
    windows = SentenceTask(segments).encode(corpus(rows), tokenizer, max_length)
    assert windows.rows.tolist() == list(range(len(rows)))
    assert windows.positions.tolist() == [[0]] * len(rows)
    found = zip(rows, windows.ids.tolist(), windows.cut.tolist(), strict=True)
    for texts, ids, cut in found:
        parts = [whole(text, tokenizer) for text in texts]
        expected, lost = framed(tokenizer, parts, max_length)
        assert (ids, cut) == (expected, lost)


@pytest.fixture
def taggers(monkeypatch):
    """Three models that read alike and one that reads less at once, and how many examples were encoded each time."""
    monkeypatch.setattr(task_model, "BATCH_SIZE", 4)
    encoded = []

    class Counted(Tagging):
        def encode(self, corpus, tokenizer, max_length):
            encoded.append(len(corpus))
            return super().encode(corpus, tokenizer, max_length)

    names = dict(enumerate("ABC"))
    opened = partial(TaskModel.open, Counted(), asset(), asset(), id2label=names)
    alike = [opened(Runtime("cpu", 64), head_seed=seed) for seed in range(3)]
    return [*alike, opened(Runtime("cpu", 12), head_seed=0)], encoded


def test_models_that_read_alike_have_a_corpus_encoded_once(taggers):
    models, encoded = taggers
    raw = Corpus.from_examples(
        "t", ("A", "B", "C"), [Example(str(i), "x", ("ko mira " * (i + 1) + "sen",)) for i in range(9)]
    )
    alone = [model.predict(raw, "t").probs.tobytes() for model in models]
    encoded.clear()
    together = [table.probs.tobytes() for table in predict_each(models[:3], raw, "t")]
    assert encoded == [4, 4, 1]
    assert together == alone[:3]
    assert [table.probs.tobytes() for table in predict_each(models, raw, "t")] == alone
    assert encoded == [4, 4, 1, 4, 4, 4, 4, 1, 1]


def test_texts_of_all_scripts_are_read_as_they_stand_also_a_second_time(tokenizer, texts):
    rows = [*texts, *(" ".join(reversed(text.split(" "))) for text in texts)]
    for _ in range(2):
        found = tokenizer.texts(pa.array(rows, pa.large_string())).tolist()
        assert found == [whole(text, tokenizer) for text in rows]


def test_blanks_are_left_out_where_the_tokenizer_leaves_them_out(make_tokenizer):
    found = {}
    for kind in ("wordpiece", "metaspace", "bytelevel"):
        tokenizer = WordTokenizer.of(make_tokenizer(kind), kind)
        found[kind] = tokenizer.blank
        rows = ["the  old river", " the", "the ", "  ", ""]
        assert tokenizer.texts(pa.array(rows, pa.large_string())).tolist() == [whole(text, tokenizer) for text in rows]
    assert found == {"wordpiece": "", "metaspace": None, "bytelevel": None}


def test_words_that_come_again_are_not_read_again(tokenizer, texts):
    assert tokenizer.reads_word_by_word
    tokenizer.forget()
    tokenizer.texts(pa.array(["the old river", "the old lake"], pa.large_string()))
    assert set(tokenizer._known) == {"the", "old", "river", "lake"}


def changed(make_tokenizer, **parts):
    backend = make_tokenizer("metaspace").backend_tokenizer
    for name, part in parts.items():
        setattr(backend, name, part)
    return backend


@pytest.mark.parametrize(
    "parts",
    [
        {"pre_tokenizer": pre_tokenizers.Metaspace(split=False)},
        {"pre_tokenizer": pre_tokenizers.Split(Regex(r"\d \d"), "isolated")},
        {"normalizer": normalizers.Replace(Regex("a b"), "ab")},
        {"normalizer": normalizers.Replace(" -", "-")},
        {"normalizer": normalizers.Sequence([normalizers.NFC(), normalizers.Replace("x", " ")])},
        {"normalizer": normalizers.Prepend("a")},
        {"normalizer": normalizers.BertNormalizer(lowercase=False)},  # sets blanks around 字, which Metaspace shows
    ],
)
def test_a_tokenizer_that_looks_across_spaces_reads_texts_whole(make_tokenizer, parts):
    backend = changed(make_tokenizer, **parts)
    assert not reads_word_by_word(backend, "")
    assert reads_word_by_word(changed(make_tokenizer, normalizer=normalizers.Replace(Regex(" {2,}"), " ")), "")


def test_a_text_with_a_word_that_becomes_nothing_is_read_whole(make_tokenizer):
    """What is left of the text is two spaces side by side, which are a piece of their own."""
    made = make_tokenizer("metaspace")
    made.backend_tokenizer.normalizer = normalizers.Replace("x", "")
    tokenizer = WordTokenizer.of(made, "t")
    assert tokenizer.reads_word_by_word
    rows = ["the x river", "x", "the river x", "fax"]
    assert tokenizer.texts(pa.array(rows, pa.large_string())).tolist() == [whole(text, tokenizer) for text in rows]


class Custom:
    def normalize(self, text):
        text.replace(" ", "")


@pytest.mark.parametrize("sequence", [False, True])
def test_a_tokenizer_with_a_normalizer_in_python_reads_texts_whole(make_tokenizer, sequence):
    custom = normalizers.Normalizer.custom(Custom())
    backend = changed(make_tokenizer, normalizer=normalizers.Sequence([custom]) if sequence else custom)
    assert not reads_word_by_word(backend, "")


def test_a_character_that_a_normalizer_makes_a_space_of_is_read_with_its_text(make_tokenizer):
    made = make_tokenizer("metaspace")
    made.backend_tokenizer.normalizer = normalizers.Sequence(
        [normalizers.Nmt(), normalizers.Replace(Regex(" {2,}"), " ")]
    )
    tokenizer = WordTokenizer.of(made, "t")
    assert tokenizer.reads_word_by_word
    rows = ["the \ufffdriver", "the\ufffd river", "the \ufffd river"]
    assert tokenizer.texts(pa.array(rows, pa.large_string())).tolist() == [whole(text, tokenizer) for text in rows]


@pytest.mark.parametrize("token", [AddedToken("new york", special=True), AddedToken("york")])
def test_a_tokenizer_with_tokens_of_several_words_or_of_a_users_own_reads_texts_whole(make_tokenizer, token):
    backend = changed(make_tokenizer)
    (backend.add_special_tokens if token.special else backend.add_tokens)([token])
    assert not reads_word_by_word(backend, "")


@pytest.mark.parametrize(
    "word", ["", "x" * 33, "a\u00a0b", "\u0301a", "\u00a8", "🏻", "▁a", "ﬁ", "می\u200cروم", "a\tb", "a\ufffdb"]
)
def test_a_word_that_may_depend_on_what_is_beside_it_is_not_ordinary(word):
    assert not is_ordinary(word)


@pytest.mark.parametrize("word", ["a", "don't", "(12.5%)", "río", "नदी", "النهر", "灯", "“no”", "🙂"])
def test_most_words_are_ordinary(word):
    assert is_ordinary(word)


@given(st.lists(st.text(alphabet="ab \u00a0", max_size=9), max_size=5))
def test_texts_are_split_at_each_space_and_nowhere_else(texts):
    split = Split.of(pa.array(texts, pa.large_string()))
    found = Ragged(split.numbers, split.counts).tolist()
    assert [[split.words[i] for i in row] for row in found] == [text.split(" ") for text in texts]
    assert len(set(split.words)) == len(split.words)


rows = st.lists(st.lists(st.integers(0, 9), max_size=4), max_size=6)


@given(rows, st.data())
def test_rows_of_unequal_length_are_taken_cut_and_joined_as_lists_are(lists, data):
    ragged = Ragged.of(lists, np.int64)
    assert ragged.tolist() == lists
    some = data.draw(st.lists(st.sampled_from(range(len(lists))))) if lists else []
    assert ragged.take(np.array(some, dtype=np.int64)).tolist() == [lists[i] for i in some]
    assert ragged.cut(2).tolist() == [row[:2] for row in lists]
    assert stacked([ragged, ragged]).tolist() == lists * 2
    assert side_by_side([ragged, ragged.cut(1)]).tolist() == [row + row[:1] for row in lists]
    assert ragged.grouped(np.array([0, len(lists)])).tolist() == [[], list(chain(*lists))]
