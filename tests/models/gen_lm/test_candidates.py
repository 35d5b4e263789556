"""Which pieces may stand at the start of a word, inside one, or apart, for every kind of tokenizer."""

import unicodedata
from pathlib import Path

import pytest
from tokenizers import AddedToken, Tokenizer, decoders, pre_tokenizers
from tokenizers import models as subwords
from transformers import AutoTokenizer, PreTrainedTokenizerFast

from uxla.models.gen_lm.candidates import Vocabulary, is_word
from uxla.models.word_tokenizer import WordTokenizer

SHARED = Path(__file__).parents[4] / "shared"
SPECIAL = {"<s>", "<pad>", "</s>", "<unk>", "<mask>", "[unused1]"}


@pytest.fixture(scope="module", params=["metaspace", "bytelevel", "wordpiece", "roberta"])
def tokenizer(request, make_tokenizer) -> WordTokenizer:
    return WordTokenizer.of(make_tokenizer(request.param), request.param)


@pytest.fixture(scope="module")
def vocabulary(tokenizer) -> Vocabulary:
    return Vocabulary.of(tokenizer, 10_000)


def spelled(tokenizer: WordTokenizer) -> dict[str, tuple[str, str]]:
    """Each visible piece's marker and text, by each kind's own convention."""
    found = {}
    tokens = set(tokenizer.backend.get_vocab()) - SPECIAL
    marker = next((m for m in "▁Ġ" if sum(token.startswith(m) for token in tokens) > 20), "##")
    for token in tokens:
        body = token.removeprefix(marker)
        text = decoders.ByteLevel().decode([body]) if marker == "Ġ" else body
        if body and is_word(text):
            found[token] = (token[: len(token) - len(body)], text)
    return found


def test_start_and_inside_are_what_the_markers_say(tokenizer, vocabulary):
    """`▁x`, `Ġx` and WordPiece's `x` start a word, `x` and `##x` are inside; none is missing, none too many."""
    ids = tokenizer.backend.get_vocab()
    wordpiece = any(token.startswith("##") for token in ids)
    marked = {token: bool(marker) != wordpiece for token, (marker, _) in spelled(tokenizer).items()}
    texts = {token: text for token, (_, text) in spelled(tokenizer).items()}
    start, inside = vocabulary.candidates["start"], vocabulary.candidates["inside"]
    apart = set(vocabulary.candidates["apart"].surfaces) if wordpiece else set()
    assert dict(zip(start.ids, start.surfaces, strict=True)) == {ids[t]: texts[t] for t in marked if marked[t]}
    assert dict(zip(inside.ids, inside.surfaces, strict=True)) == {
        ids[t]: texts[t] for t in marked if not marked[t] and texts[t] not in apart
    }
    assert min(len(start.ids), len(inside.ids)) > 50


def test_no_candidate_is_special_invisible_half_or_blank(tokenizer, vocabulary):
    for candidates in vocabulary.candidates.values():
        assert not {tokenizer.backend.id_to_token(i) for i in candidates.ids} & {*SPECIAL, "▁", "Ġ"}
        for surface in candidates.surfaces:
            assert surface == "".join(surface.split()) != ""
            assert "\ufffd" not in surface
            assert "##" not in surface
            assert surface[0] not in "▁Ġ"
            assert unicodedata.category(surface[0])[0] != "M"


def test_half_characters_exist_in_a_byte_level_vocabulary_and_are_no_candidates(make_tokenizer):
    tokenizer = WordTokenizer.of(make_tokenizer("bytelevel"), "bytelevel")
    decoded = tokenizer.backend.decode_batch([[i] for i in range(700)], skip_special_tokens=False)
    halves = {i for i, text in enumerate(decoded) if "\ufffd" in text}
    assert any(decoded[i].startswith(" ") for i in halves)
    assert not halves & set(Vocabulary.of(tokenizer, 700).slots)


def test_wordpiece_reads_chinese_characters_and_punctuation_apart(make_tokenizer):
    vocabulary = Vocabulary.of(WordTokenizer.of(make_tokenizer("wordpiece"), "wordpiece"), 10_000)
    apart = vocabulary.candidates["apart"].surfaces
    assert {"老", "磨", "坊", ",", "。"} <= set(apart)
    assert not any(surface.isalpha() and surface.isascii() for surface in apart)


def test_pieces_beyond_the_models_vocabulary_are_left_out(tokenizer, vocabulary):
    small = Vocabulary.of(tokenizer, 300)
    assert max(small.slots) < 300 < max(vocabulary.slots)


def test_a_piece_that_is_not_read_back_is_no_candidate_and_spoils_none_beside_it():
    """`unreachable` is in the vocabulary, but no merges lead to it."""
    letters = sorted("abcehlnru▁")
    vocab = {token: i for i, token in enumerate(["<unk>", *letters, "▁a", "▁unreachable", "▁b"])}
    tokenizer = Tokenizer(subwords.BPE(vocab, [("▁", "a"), ("▁", "b")], unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    tokenizer = WordTokenizer.of(PreTrainedTokenizerFast(tokenizer_object=tokenizer, unk_token="<unk>"), "x")
    assert Vocabulary.of(tokenizer, 100).candidates["start"].surfaces == ("a", "b")


def test_added_placeholders_are_no_candidates(make_tokenizer):
    tokenizer = make_tokenizer("metaspace")
    tokenizer.add_tokens([AddedToken("ZZZplaceholder", special=False)])
    tokenizer = WordTokenizer.of(tokenizer, "x")
    assert "ZZZplaceholder" not in Vocabulary.of(tokenizer, 10_000).candidates["inside"].surfaces


def test_of_a_byte_and_its_character_only_the_character_is_a_candidate():
    """Byte fallback: `<0x41>` decodes to `A`, which is never written with it."""
    vocab = {token: i for i, token in enumerate(["<unk>", "<0x41>", "▁", "a", "A", "▁a"])}
    tokenizer = Tokenizer(subwords.BPE(vocab, [("▁", "a")], unk_token="<unk>", byte_fallback=True))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Sequence([decoders.ByteFallback(), decoders.Metaspace()])
    tokenizer = WordTokenizer.of(PreTrainedTokenizerFast(tokenizer_object=tokenizer, unk_token="<unk>"), "x")
    assert Vocabulary.of(tokenizer, 100).candidates["inside"].ids == (3, 4)


@pytest.mark.parametrize(
    "text", ["", "a b", "\u00a0", "\u200b", "a\ufffd", "\u0301a", "\u102c", "\u0e33", "🏽", "\x00a"]
)
def test_what_is_invisible_or_joins_its_neighbour_is_no_word(text):
    assert not is_word(text)


@pytest.mark.parametrize("text", ["a", "é", "e\u0301", "老", "မြစ်", "น้ำ", "می\u200cروم", "🙂", "👩\u200d🌾", "…", "12"])
def test_what_can_be_seen_is_a_word(text):
    assert is_word(text)


@pytest.mark.slow
def test_every_real_xlmr_candidate_is_read_back_or_continues():
    folder = SHARED / "data/tokenizers/xlmr_hf"
    if not folder.exists():
        pytest.skip("the 250,002-piece tokenizer is not on this machine")
    tokenizer = WordTokenizer.of(AutoTokenizer.from_pretrained(folder), "xlmr")
    vocabulary = Vocabulary.of(tokenizer, 250_002)
    start, inside = vocabulary.candidates["start"], vocabulary.candidates["inside"]
    assert len(start.ids) > 150_000
    assert len(inside.ids) > 90_000
    assert "apart" not in vocabulary.candidates
    sample = slice(None, None, 40)
    assert tokenizer.encode_words(start.surfaces[sample]) == [(i,) for i in start.ids[sample]]
    tokens = [tokenizer.backend.id_to_token(i) for i in inside.ids]
    assert tokens == list(inside.surfaces)
