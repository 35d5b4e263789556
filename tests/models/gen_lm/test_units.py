"""What is masked as one, in every script and for every kind of tokenizer; and that all else stays as it is."""

import re
import unicodedata
from itertools import chain, pairwise

import pytest
import regex
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from uxla.algorithm.vicinity import MaskRequest, Vicinity
from uxla.models.gen_lm.masked_lm import MaskedLM
from uxla.models.gen_lm.units import unspaced, word_spans
from uxla.models.tasks import Tagging
from uxla.models.word_tokenizer import WordTokenizer
from uxla.records import Corpus, Example

KINDS = ["metaspace", "bytelevel", "wordpiece", "roberta", "deberta"]
ZH = "老磨坊在河边没有人看守，灯却亮着。"
LOOSE = "\u200b\u200c\u200e\u200f\u00ad\u061c\u2060\ufeff"


@pytest.fixture(scope="module", params=KINDS)
def kind(request) -> str:
    return request.param


@pytest.fixture(scope="module")
def lm(kind, folder_of) -> MaskedLM:
    return MaskedLM.load(str(folder_of(kind)), unit="piece")


@pytest.fixture(scope="module")
def auto(kind, folder_of) -> MaskedLM:
    return MaskedLM.load(str(folder_of(kind)), unit="auto")


def cut(lm: MaskedLM, text: str) -> list[str]:
    return [text[start:stop] for start, stop in lm.units([text])[0]]


def test_words_are_what_lies_between_white_space():
    text = " a\u00a0b  ç\u3000d\t\n e\u200bf "
    assert [text[a:b] for a, b in word_spans(text)] == ["a", "b", "ç", "d", "e\u200bf"]


def test_cells_hold_all_pieces_of_the_text_in_their_order(lm, auto, texts):
    for engine in (lm, auto):
        for text, cells in zip(texts, engine.cutter.cut(texts), strict=True):
            words = engine.tokenizer.encode_words([text[a:b] for a, b in word_spans(text)])
            assert list(chain(*(cell.ids for cell in cells))) == list(chain(*words))


def test_units_are_single_pieces_where_a_piece_is_whole_characters(folder_of):
    """WordPiece cuts at Chinese characters, known or not; here each is a unit, and so is the punctuation."""
    assert cut(MaskedLM.load(str(folder_of("wordpiece")), unit="piece"), ZH) == list(ZH)


def test_a_text_without_spaces_has_many_units_and_covers_all_its_letters(lm, texts):
    for text in texts:
        if " " not in text:
            units = cut(lm, text)
            assert len(units) >= 3
            assert "".join(units) == text


def test_a_unit_takes_candidates_of_its_own_place(lm):
    """A word's first unit is replaced by what starts a word; a later one by what is glued or stands apart."""
    text = "riverwise lamps"
    cells = [cell for cell in lm.cutter.cut([text])[0] if cell.start < cell.stop]
    assert [cell.slot for cell in cells if cell.start in (0, text.index("lamps"))] == ["start", "start"]
    assert {cell.slot for cell in cells if cell.start not in (0, text.index("lamps"))} == {"inside"}
    for cell in cells:
        (sample,) = lm.fill([MaskRequest(text, ((cell.start, cell.stop),), 0)])
        assert sample.startswith(text[: cell.start])
        assert sample.endswith(text[cell.stop :])
        middle = sample[cell.start : len(sample) - (len(text) - cell.stop)]
        assert middle in lm.candidates[cell.slot].surfaces


ALPHABETS = [
    "abcdé,.'",
    "نهرةي\u200c",
    "नदीक्षी\u200d्",
    "မြစ်ရေ္ာ",
    "老磨坊河，。",
    "水車が\u3099は小",
    "โรงสีน้ำ",
    "រោងម៉ា្ស",
    "ລາວນ້ຳ",
    "방앗간\u1112\u1161\u11ab",
    "👩🌾🙂\u200d\ufe0f🏽🇩🇪",
    "e\u0301o\u0328\u0301",
    "1½…\u200b\u00ad\ufeff\x00\ufffd",
]
WORD = st.sampled_from(ALPHABETS).flatmap(lambda letters: st.text(letters, min_size=1, max_size=8))
SPACE = st.sampled_from([" ", "  ", "\u00a0", "\u3000", "\n", "\r\n", "\t", "\u2028", "\u0085"])
TEXT = st.lists(WORD | SPACE | st.sampled_from(["<mask>", "</s>"]), min_size=1, max_size=12).map("".join)


@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=TEXT, data=st.data(), unit=st.sampled_from(["piece", "auto"]))
def test_nothing_changes_but_the_drawn_units_whatever_the_script(lm, auto, text, data, unit):
    engine = lm if unit == "piece" else auto
    spans = engine.units([text])[0]
    drawn = data.draw(st.permutations(spans))[: max(1, len(spans) // 2)] if spans else []
    (sample,) = engine.fill([MaskRequest(text, tuple(drawn), 0)])
    edges = [0, *chain(*sorted(drawn)), len(text)]
    assert re.fullmatch(
        r"(\S+?)".join(re.escape(text[a:b]) for a, b in zip(edges[::2], edges[1::2], strict=True)), sample
    )
    assert re.findall(r"\s", sample) == re.findall(r"\s", text)
    assert sample.count("\ufffd") <= text.count("\ufffd")
    assert sample.encode().decode() == sample
    assert bool(engine.units([sample])[0]) == bool(spans)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=TEXT)
def test_units_are_visible_whole_characters_without_overlap(lm, text):
    spans = lm.units([text])[0]
    assert spans == sorted(spans)
    assert all(first[1] <= second[0] for first, second in pairwise(spans))
    inside = {n for match in regex.finditer(r"\X", text) for n in range(match.start() + 1, match.end())}
    for start, stop in spans:
        assert start < stop
        assert not re.search(r"\s", text[start:stop])
        assert unicodedata.category(text[start])[0] != "M"
        assert stop == len(text) or unicodedata.category(text[stop])[0] != "M"
        assert stop not in inside or text[stop] in LOOSE
        assert start not in inside or unicodedata.category(text[start - 1])[0] in "MCZ"


@pytest.mark.parametrize("joined", ["👩\u200d🌾", "စာ्क", "e\u0301", "က္က", "ស្ត", "น้ำ", "❤\ufe0f", "🇩🇪"])
def test_a_character_of_several_code_points_is_never_torn(lm, joined):
    for unit in cut(lm, f"ab{joined}cd"):
        assert (joined in unit) or not set(joined) & set(unit)


def test_auto_takes_pieces_in_scripts_without_spaces_and_words_elsewhere(auto, texts):
    for text in texts:
        pieces, words = cut(auto, text), text.split()
        assert pieces == words if not unspaced(text) else len(pieces) >= len(words)
    assert cut(auto, f"the miller {ZH} sleeps")[:2] == ["the", "miller"]
    assert cut(auto, f"the miller {ZH} sleeps")[-1] == "sleeps"
    assert len(cut(auto, f"the miller {ZH} sleeps")) >= 6


@pytest.mark.parametrize(
    ("word", "is_unspaced"),
    [
        ("老磨坊", True),
        ("川のそば", True),
        ("カタカナ", True),
        ("แม่น้ำ", True),
        ("ແມ່ນ້ຳ", True),
        ("ទន្លេ", True),
        ("မြစ်", True),
        ("방앗간", False),
        ("नदी", False),
        ("النهر", False),
        ("river", False),
        ("Café在河边没人", True),
        ("internationalization在", False),
        ("2024", False),
        ("。", False),
    ],
)
def test_a_word_is_unspaced_by_the_majority_of_its_letters(word, is_unspaced):
    assert unspaced(word) == is_unspaced


def test_a_tagging_corpus_keeps_its_word_count_in_pieces(lm, auto, texts):
    corpus = Corpus.from_examples("mix", ("O",), [Example(f"e{i}", "xx", (t,)) for i, t in enumerate(texts)])
    for engine in (lm, auto):
        result = Vicinity(engine, 0.3, (2,), seed=0, keep_unchanged=True)(corpus)
        assert [len(e.words) for e in result.corpus] == [len(t.split(" ")) for t in texts for _ in range(2)]


def test_text_without_spaces_really_changes_one_unit_at_a_time(auto, texts):
    """Every sample differs from its parent, and a share of 0.3 leaves most characters as they are."""
    unspaced_texts = [text for text in texts if " " not in text]
    corpus = Corpus.from_examples("x", ("O",), [Example(f"e{i}", "xx", (t,)) for i, t in enumerate(unspaced_texts)])
    result = Vicinity(auto, 0.3, (2,), seed=0, keep_unchanged=True)(corpus)
    assert result.unchanged == 0
    units = [len(spans) for spans in auto.units(unspaced_texts)]
    assert min(units) >= 3
    for sample in result.corpus:
        parent = unspaced_texts[int(sample.id.split("~")[0][1:])]
        assert sample.segments[0] != parent
        assert set(sample.segments[0]) & set(parent)


def test_free_pairs_keep_their_white_space(auto):
    """Two spaces, a newline, NBSP and U+3000 stand where they stood in all samples of a successive cross."""
    first = " The mill\u00a0: it  turns.\nNobody is there\t. "
    second = f"{ZH}\u3000{ZH}\r\nla nuit\u00a0!"
    corpus = Corpus.from_examples("p", ("0", "1"), [Example("p0", "xx", (first, second), (1,))])
    samples = list(Vicinity(auto, 0.5, (2, 3), seed=0, keep_unchanged=True)(corpus).corpus)
    assert len(samples) == 6
    for sample in samples:
        for made, old in zip(sample.segments, (first, second), strict=True):
            assert re.findall(r"\s+", made) == re.findall(r"\s+", old)
            assert (made[0].isspace(), made[-1].isspace()) == (old[0].isspace(), old[-1].isspace())


def test_samples_of_one_model_are_read_by_another_of_another_kind(auto, make_tokenizer, texts):
    """Text passes between them: each word of each sample has its row, whatever tokenizer the task model has."""
    corpus = Corpus.from_examples("mix", ("O",), [Example(f"e{i}", "xx", (t,)) for i, t in enumerate(texts)])
    samples = Vicinity(auto, 0.3, (1,), seed=0)(corpus).corpus
    for other in KINDS:
        pieces = WordTokenizer.of(make_tokenizer(other), other)
        windows = Tagging().encode(samples, pieces, 64)
        assert len(windows.rows) == sum(len(sample.words) for sample in samples)
