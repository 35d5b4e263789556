"""A cut vocabulary reads what is made of its pieces as the whole one does, whatever kind of tokenizer it is."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

from uxla.compress.vocabulary import closed, cut, pieces
from uxla.errors import ModelError

WORDS = ("lima", "limas", "alima", "mala", "malas", "lamina", "animal", "minima", "añil", "niño", "niñas", "salami")
TEXT = [" ".join(WORDS[i:] + WORDS[:i]) for i in range(len(WORDS))]
SPECIAL = ["<s>", "<pad>", "</s>", "<unk>"]


def unigram():
    made = Tokenizer(models.Unigram())
    made.normalizer, made.pre_tokenizer = normalizers.NFKC(), pre_tokenizers.Metaspace()
    trainer = trainers.UnigramTrainer(vocab_size=60, special_tokens=[*SPECIAL], unk_token="<unk>", show_progress=False)
    return made, trainer


def bpe_of_bytes():
    made = Tokenizer(models.BPE())
    made.pre_tokenizer, made.decoder = pre_tokenizers.ByteLevel(), decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    return made, trainers.BpeTrainer(
        vocab_size=320, special_tokens=SPECIAL, initial_alphabet=alphabet, show_progress=False
    )


def bpe():
    made = Tokenizer(models.BPE(unk_token="<unk>", continuing_subword_prefix="##"))
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    return made, trainers.BpeTrainer(
        vocab_size=80, special_tokens=SPECIAL, continuing_subword_prefix="##", show_progress=False
    )


def word_piece():
    made = Tokenizer(models.WordPiece(unk_token="<unk>"))
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    return made, trainers.WordPieceTrainer(vocab_size=80, special_tokens=SPECIAL, show_progress=False)


def word_level():
    made = Tokenizer(models.WordLevel(unk_token="<unk>"))
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    return made, trainers.WordLevelTrainer(special_tokens=SPECIAL, show_progress=False)


def trained(kind):
    made, trainer = kind()
    made.train_from_iterator(TEXT, trainer)
    made.add_special_tokens([AddedToken("<mask>", special=True)])
    ids = [(token, made.token_to_id(token)) for token in ("<s>", "</s>")]
    made.post_processor = processors.TemplateProcessing("<s> $A </s>", "<s> $A </s> $B </s>", ids)
    return made


KINDS = {kind.__name__: trained(kind) for kind in (unigram, bpe_of_bytes, bpe, word_piece, word_level)}
SENTENCES = st.lists(st.sampled_from(WORDS), min_size=1, max_size=6).map(" ".join)
OTHERS = st.lists(st.text("alimnsñ?🙂", min_size=1, max_size=8), min_size=1, max_size=3).map(" ".join)


def ids(tokenizer, text):
    return tokenizer.encode(text, add_special_tokens=False).ids


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=60, deadline=None)
@given(needed=SENTENCES, other=SENTENCES | OTHERS)
def test_text_of_the_kept_pieces_is_read_in_the_same_pieces(kind, needed, other):
    whole = KINDS[kind]
    values = json.loads(whole.to_str())
    kept = closed(values, set(ids(whole, needed)))
    less = Tokenizer.from_str(json.dumps(cut(values, kept)))
    assert less.get_vocab_size(with_added_tokens=True) == len(kept) < whole.get_vocab_size(with_added_tokens=True)
    assert [kept[i] for i in ids(less, needed)] == ids(whole, needed)
    unknown = whole.token_to_id("<unk>")
    if set(ids(whole, other)) <= set(kept) - ({unknown} if kind == "word_piece" else set()):
        assert [kept[i] for i in ids(less, other)] == ids(whole, other)


@pytest.mark.parametrize("kind", KINDS)
def test_special_tokens_stay_around_a_text_and_the_mask_a_token(kind):
    whole = KINDS[kind]
    values = json.loads(whole.to_str())
    kept = closed(values, set(ids(whole, "lima")))
    less = Tokenizer.from_str(json.dumps(cut(values, kept)))
    for tokenizer in (whole, less):
        assert tokenizer.encode("lima").tokens[:: len(tokenizer.encode("lima")) - 1] == ["<s>", "</s>"]
        assert tokenizer.encode("lima <mask> lima").tokens.count("<mask>") == 1


@pytest.mark.parametrize("kind", ["unigram", "bpe_of_bytes", "bpe", "word_piece"])
def test_other_words_can_still_be_spelled(kind):
    whole = KINDS[kind]
    values = json.loads(whole.to_str())
    less = Tokenizer.from_str(json.dumps(cut(values, closed(values, set(ids(whole, "lamina"))))))
    assert less.token_to_id("<unk>") not in ids(less, "animal")


def test_bytes_that_spell_unknown_characters_are_kept():
    vocabulary = {piece: i for i, piece in enumerate([*SPECIAL, *(f"<0x{byte:02X}>" for byte in range(256)), "a", "b"])}
    values = {"model": {"type": "BPE", "vocab": vocabulary, "merges": [], "byte_fallback": True, "unk_token": "<unk>"}}
    whole = Tokenizer.from_str(json.dumps({**json.loads(KINDS["bpe"].to_str()), **values, "added_tokens": []}))
    settings = json.loads(whole.to_str())
    kept = closed(settings, {vocabulary["a"]})
    assert vocabulary.keys() - {whole.id_to_token(i) for i in kept} == {"b", "<pad>"}
    less = Tokenizer.from_str(json.dumps(cut(settings, kept)))
    assert less.encode("é", add_special_tokens=False).tokens == ["<0xC3>", "<0xA9>"]


@pytest.mark.parametrize("kind", ["BertProcessing", "RobertaProcessing"])
def test_the_older_forms_of_special_tokens_get_their_new_ids(kind):
    whole = KINDS["word_piece"]
    values = json.loads(whole.to_str())
    values["post_processor"] = {"type": kind, "sep": ["</s>", 2], "cls": ["<s>", 0]}
    values["post_processor"] |= {"trim_offsets": True, "add_prefix_space": False} if kind[0] == "R" else {}
    values["added_tokens"] = []
    kept = closed(values, set(ids(whole, "lima")))
    less = Tokenizer.from_str(json.dumps(cut(values, kept)))
    assert less.encode("lima").ids[:: len(less.encode("lima")) - 1] == [kept.index(0), kept.index(2)]


def test_a_kind_of_vocabulary_that_is_not_known_is_refused():
    with pytest.raises(ModelError, match="of type Neural, expected one of Unigram, BPE, WordPiece, WordLevel"):
        pieces({"model": {"type": "Neural"}})
