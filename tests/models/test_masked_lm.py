"""The Gen-LM engine against a loop that does one sentence, one mask and all logits at a time."""

import json
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, decoders, normalizers, pre_tokenizers, processors, trainers
from tokenizers import models as subwords
from transformers import (
    AlbertConfig,
    AlbertForMaskedLM,
    BertConfig,
    BertForMaskedLM,
    ModernBertConfig,
    ModernBertForMaskedLM,
    PreTrainedTokenizerFast,
    XLMRobertaConfig,
    XLMRobertaForMaskedLM,
    XLMRobertaForTokenClassification,
)

from uxla.algorithm.vicinity import MaskRequest, Vicinity
from uxla.errors import ModelError
from uxla.models.mask_head import FullHead, GatheredHead
from uxla.models.masked_lm import MaskedLM, uniform, window
from uxla.models.pieces import word_spans
from uxla.records import Corpus, Example

SHARED = Path(__file__).parents[3] / "shared"

TEXTS = [
    "the old miller walked down to the river and washed his hands",
    "a boat with seven red sails came slowly over the lake",
    "she counted the lamps , one after another , until it was dark",
    "el molino viejo está junto al río y nadie lo vigila",
    "الطاحونة القديمة تقع قرب النهر ولا أحد يحرسها",
    "पुरानी चक्की नदी के पास है और कोई पहरा नहीं देता",
    "ရေစက်ဟောင်း သည် မြစ် နား မှာ ရှိ သည်",
    "老磨坊 在 河边 没有 人 看守",
    "می\u200cروم به خانه\u200cها 👩\u200d🌾 🙂 na\u00efve 12\u00a0km",
]
SPECIAL = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
TINY = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 64,
    "initializer_range": 0.4,
    "pad_token_id": 1,
    "bos_token_id": 0,
    "eos_token_id": 2,
    "cls_token_id": 0,
    "sep_token_id": 2,
}


def tokenizer_of(kind: str) -> PreTrainedTokenizerFast:
    if kind == "metaspace":
        tokenizer = Tokenizer(subwords.BPE(unk_token="<unk>"))
        tokenizer.normalizer = normalizers.NFKC()
        tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
        tokenizer.decoder = decoders.Metaspace()
        trainer = trainers.BpeTrainer(vocab_size=400, special_tokens=SPECIAL, show_progress=False)
    elif kind == "bytelevel":
        tokenizer = Tokenizer(subwords.BPE())
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        tokenizer.decoder = decoders.ByteLevel()
        alphabet = pre_tokenizers.ByteLevel.alphabet()
        trainer = trainers.BpeTrainer(
            vocab_size=600, special_tokens=SPECIAL, initial_alphabet=alphabet, show_progress=False
        )
    else:
        tokenizer = Tokenizer(subwords.WordPiece(unk_token="<unk>"))
        tokenizer.normalizer = normalizers.BertNormalizer(lowercase=False)
        tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
        tokenizer.decoder = decoders.WordPiece()
        trainer = trainers.WordPieceTrainer(vocab_size=400, special_tokens=[*SPECIAL, "[unused1]"], show_progress=False)
    tokenizer.train_from_iterator(TEXTS, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    names = dict(zip(("bos_token", "pad_token", "eos_token", "unk_token", "mask_token"), SPECIAL, strict=True))
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, **names)


MODELS = {
    "metaspace": (XLMRobertaConfig, XLMRobertaForMaskedLM, {"max_position_embeddings": 66}),
    "bytelevel": (ModernBertConfig, ModernBertForMaskedLM, {"max_position_embeddings": 64}),
    "wordpiece": (BertConfig, BertForMaskedLM, {"max_position_embeddings": 64}),
    "albert": (AlbertConfig, AlbertForMaskedLM, {"max_position_embeddings": 64, "embedding_size": 16}),
}
KINDS = list(MODELS)


def write_model(folder: Path, kind: str) -> Path:
    tokenizer = tokenizer_of("wordpiece" if kind == "albert" else kind)
    config, model, more = MODELS[kind]
    torch.manual_seed(11)
    model(config(vocab_size=len(tokenizer), **TINY, **more)).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module", params=KINDS)
def lm(request, tmp_path_factory) -> MaskedLM:
    return MaskedLM.load(str(write_model(tmp_path_factory.mktemp(request.param), request.param)))


@pytest.fixture(scope="module")
def xlmr(tmp_path_factory) -> Path:
    return write_model(tmp_path_factory.mktemp("xlmr"), "metaspace")


def naive(lm: MaskedLM, request: MaskRequest) -> str:
    """§2.2 word for word: mask, one forward, all logits, the best (or the drawn) candidate, the next mask."""
    words = request.text.split(" ")
    ids = [list(lm.pieces.read([word])[0]) if word else [] for word in words]
    starts = {start: words_before(request.text, start) for start, _ in request.spans}
    candidates = torch.tensor(lm.candidate_ids)
    for step, (start, _) in enumerate(request.spans):
        word = starts[start]
        ids[word] = [lm.pieces.mask]
        row = [*lm.pieces.prefix, *chain(*ids), *lm.pieces.suffix]
        at = len(lm.pieces.prefix) + len(list(chain(*ids[:word])))
        with torch.no_grad():
            scores = lm.head.model(torch.tensor([row])).logits[0, at, candidates]
        best = scores.argsort(descending=True, stable=True)[: lm.top]
        cumulative = scores[best].double().softmax(0).cumsum(0).tolist()
        column = int(best[bisect_right(cumulative[:-1], uniform(request.seed, step))])
        ids[word] = [lm.candidate_ids[column]]
        words[word] = lm.surfaces[column]
    return " ".join(words)


def words_before(text: str, start: int) -> int:
    return text[:start].count(" ")


def requests_of(texts: Sequence[str], every: int = 3) -> list[MaskRequest]:
    """Requests over each text, from one word to all of them, right to left."""
    return [
        MaskRequest(text, tuple(word_spans(text)[::-1][first::every]), seed=100 * number + first)
        for number, text in enumerate(texts)
        for first in range(every)
        if word_spans(text)[::-1][first::every]
    ]


def test_the_engine_equals_the_naive_loop_word_by_word(lm):
    requests = requests_of(TEXTS) + requests_of(TEXTS, every=1)
    assert lm.fill(requests) == [naive(lm, request) for request in requests]


def test_sampling_equals_the_naive_loop_with_the_same_keys(lm):
    sampling = replace(lm, top=5)
    requests = requests_of(TEXTS)
    filled = sampling.fill(requests)
    assert filled == [naive(sampling, request) for request in requests]
    assert filled != lm.fill(requests)


@pytest.mark.parametrize("top", [1, 4])
def test_neither_batch_size_nor_order_nor_neighbours_change_a_sample(lm, top):
    requests = requests_of(TEXTS)
    whole = replace(lm, top=top).fill(requests)
    small = replace(lm, top=top, tokens_per_batch=1)
    assert small.fill(requests) == whole
    assert small.fill(requests[::-1]) == whole[::-1]
    assert [replace(lm, top=top).fill([request])[0] for request in requests] == whole


def test_a_prediction_sees_the_replacements_before_it(lm):
    """All words in one request against each word in a request of its own: equal only if none saw another."""
    text = TEXTS[0]
    spans = word_spans(text)
    together = lm.fill([MaskRequest(text, tuple(spans), 0)])[0].split(" ")
    apart = lm.fill([MaskRequest(text, (span,), 0) for span in spans])
    assert together[0] == apart[0].split(" ")[0]
    assert together != [sample.split(" ")[n] for n, sample in enumerate(apart)]


ALPHABETS = [
    "abcdé,",
    "نهرةي\u200c",
    "नदीक्षी\u200d",
    "မြစ်ရေ",
    "老磨坊河",
    "👩🌾🙂\u200d\ufe0f",
    "1\u00a0\u3000\u200b\t\u0085",
]
WORD = st.sampled_from(ALPHABETS).flatmap(lambda alphabet: st.text(alphabet, min_size=1, max_size=6))
SENTENCE = st.lists(WORD | st.just("") | st.sampled_from(["<mask>", "<pad>", "</s>x"]), min_size=1, max_size=9)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(words=SENTENCE, data=st.data())
def test_nothing_changes_but_the_drawn_words_whatever_the_script(lm, words, data):
    text = " ".join(words)
    spans = lm.units([text])[0]
    drawn = data.draw(st.permutations(spans))[: max(1, len(spans) // 2)] if spans else []
    (sample,) = lm.fill([MaskRequest(text, tuple(drawn), 0)])
    starts = {words_before(text, start) for start, _ in drawn}
    assert len(sample.split(" ")) == len(words)
    for number, (old, new) in enumerate(zip(words, sample.split(" "), strict=True)):
        assert new in lm.surfaces if number in starts else new == old


def test_units_are_what_lies_between_single_spaces():
    text = " a\u00a0b  ç\u3000d\t "
    assert [text[a:b] for a, b in word_spans(text)] == ["a\u00a0b", "ç\u3000d\t"]


def test_candidates_start_a_word_and_are_whole_visible_text(lm):
    vocabulary = {i: piece for piece, i in lm.pieces.backend.get_vocab().items()}
    pieces = [vocabulary[i] for i in lm.candidate_ids]
    assert not set(pieces) & {*SPECIAL, "[unused1]", "▁", "Ġ"}
    for piece, surface in zip(pieces, lm.surfaces, strict=True):
        assert piece[0] in "▁Ġ" or not piece.startswith("##")
        assert surface == "".join(surface.split())
        assert surface
        assert "\ufffd" not in surface
        assert surface[0] not in "▁Ġ"
        assert "##" not in surface


def test_no_piece_that_is_a_word_is_missing_among_the_candidates(lm):
    """Each kind's own marker, spelled out: `▁` and `Ġ` before a word, or no `##`."""
    vocabulary = lm.pieces.backend.get_vocab()
    marker = next((m for m in "▁Ġ" if sum(piece.startswith(m) for piece in vocabulary) > 20), "")
    expected = set()
    for piece in vocabulary:
        body = piece.removeprefix(marker)
        text = decoders.ByteLevel().decode([body]) if marker == "Ġ" else body
        starts = piece.startswith(marker) and not body.startswith("##")
        if starts and body and "\ufffd" not in text and text.isprintable():
            expected.add(piece)
    expected -= {*SPECIAL, "[unused1]"}
    assert expected <= {piece for piece, i in vocabulary.items() if i in lm.candidate_ids}
    assert len(lm.candidate_ids) > 50


def test_half_characters_exist_in_the_byte_level_vocabulary_and_are_no_candidates(tmp_path):
    lm = MaskedLM.load(str(write_model(tmp_path, "bytelevel")))
    decoded = lm.pieces.backend.decode_batch([[i] for i in range(600)], skip_special_tokens=False)
    halves = {i for i, text in enumerate(decoded) if "\ufffd" in text}
    assert any(decoded[i].startswith(" ") for i in halves)
    assert not halves & set(lm.candidate_ids)


def test_a_sample_reads_back_as_the_pieces_that_were_predicted(lm):
    request = MaskRequest(TEXTS[0], tuple(word_spans(TEXTS[0])), 0)
    words = lm.fill([request])[0].split(" ")
    ids = dict(zip(lm.surfaces, lm.candidate_ids, strict=True))
    assert lm.pieces.read(words) == [(ids[word],) for word in words]


def test_the_head_is_gathered_for_known_architectures_and_full_for_others(lm):
    kind = GatheredHead if lm.head.model.config.model_type != "albert" else FullHead
    assert type(lm.head) is kind


def test_gathered_and_full_logits_are_equal_and_the_model_is_left_as_it_was(xlmr):
    lm = MaskedLM.load(str(xlmr))
    candidates = torch.tensor(lm.candidate_ids)
    ids = torch.randint(5, 300, (4, 9), generator=torch.Generator().manual_seed(0))
    at = torch.tensor([1, 7, 3, 3])
    with torch.inference_mode():
        full = FullHead(lm.head.model, candidates)(ids, at)
        torch.testing.assert_close(lm.head(ids, at), full, rtol=1e-4, atol=1e-4)
        assert torch.equal(FullHead(lm.head.model, candidates)(ids, at), full)


class CountingHead:
    def __init__(self, head):
        self.head = head
        self.rows = 0
        self.shapes: list[tuple[int, int]] = []

    def __call__(self, ids, at):
        self.rows += len(ids)
        self.shapes.append(tuple(ids.shape))
        return self.head(ids, at)

    def floats_a_row(self, length):
        return self.head.floats_a_row(length)


def test_equal_rows_are_forwarded_once(xlmr):
    lm = MaskedLM.load(str(xlmr))
    head = CountingHead(lm.head)
    text = TEXTS[0]
    a, b, c = word_spans(text)[:3]
    requests = [MaskRequest(text, spans, 0) for spans in [(a, b), (a, b), (a, c), (b,)]]
    replace(lm, head=head).fill(requests)
    assert head.rows == 4  # first steps: a, b; second steps: b and c, each after a


def test_forwards_stay_under_the_token_budget(xlmr):
    lm = MaskedLM.load(str(xlmr), tokens_per_batch=64)
    head = CountingHead(lm.head)
    replace(lm, head=head).fill(requests_of(TEXTS, every=1) + requests_of(TEXTS))
    assert all(rows == 1 or rows * length <= 64 for rows, length in head.shapes)
    assert any(rows > 1 for rows, _ in head.shapes)


def test_a_sentence_longer_than_the_model_is_masked_in_windows_and_loses_no_word(xlmr):
    lm = MaskedLM.load(str(xlmr), max_length=12)
    head = CountingHead(lm.head)
    text = " ".join(TEXTS)
    spans = tuple(word_spans(text)[::4])
    (sample,) = replace(lm, head=head).fill([MaskRequest(text, spans, 0)])
    assert max(length for _, length in head.shapes) <= 12
    old, new = text.split(" "), sample.split(" ")
    assert len(old) == len(new)
    assert all(o == n for number, (o, n) in enumerate(zip(old, new, strict=True)) if number % 4)
    assert all(word in lm.surfaces for word in new[::4])


def test_max_length_is_at_most_what_the_model_takes(xlmr, tmp_path):
    """64 positions in each; RoBERTa's table of 66 begins after the padding's position 1."""
    bert = write_model(tmp_path, "wordpiece")
    for folder in (xlmr, bert):
        lm = MaskedLM.load(str(folder), max_length=10_000)
        assert lm.room == 64 - 2
        text = " ".join(TEXTS * 3)
        lm.fill([MaskRequest(text, tuple(word_spans(text)[:1]), 0)])


@given(st.lists(st.integers(0, 9), min_size=1, max_size=20), st.integers(0, 30), st.data())
@example([9, 1, 9], 4, None)
def test_a_window_holds_its_word_and_all_that_fits_around_it(lengths, spare, data):
    centre = data.draw(st.integers(0, len(lengths) - 1)) if data else 1
    room = lengths[centre] + spare
    first, last = window(lengths, centre, room)
    assert 0 <= first <= centre < last <= len(lengths)
    assert sum(lengths[first:last]) <= room
    left, right = sum(lengths[first:centre]), sum(lengths[centre + 1 : last])
    if max(lengths) == 1 and sum(lengths) >= room:
        assert left + right == spare
    if first > 0 and max(lengths) == 1:
        assert left >= spare // 2
    if last < len(lengths) and max(lengths) == 1:
        assert right >= spare // 2


def test_words_that_become_nothing_and_words_that_spell_special_tokens_are_unknown(lm):
    nothing = "\u0000" if lm.pieces.backend.encode("\u0000", add_special_tokens=False).ids == [] else "<pad>"
    for ids in lm.pieces.read([nothing, "<mask>", "x</s>"]):
        assert lm.pieces.unknown[0] in ids
        assert not set(ids) & (lm.pieces.special - set(lm.pieces.unknown))
    text = f"the {nothing} river <mask> lake"
    (sample,) = lm.fill([MaskRequest(text, (word_spans(text)[4],), 0)])
    assert sample.split(" ")[:4] == text.split(" ")[:4]
    assert naive(lm, MaskRequest(text, (word_spans(text)[4],), 0)) == sample


def test_the_seed_decides_among_the_top_candidates(xlmr):
    lm = MaskedLM.load(str(xlmr), top=3)
    span = word_spans(TEXTS[1])[2]
    samples = {lm.fill([MaskRequest(TEXTS[1], (span,), seed)])[0] for seed in range(60)}
    assert len(samples) == 3


def test_a_vicinity_of_a_tagging_corpus_keeps_the_word_count(xlmr):
    corpus = Corpus.from_examples("mix", ("O",), [Example(f"e{i}", "xx", (t,)) for i, t in enumerate(TEXTS)])
    result = Vicinity(MaskedLM.load(str(xlmr)), 0.3, (2,), seed=0, keep_unchanged=True)(corpus)
    assert result.drawn == 2 * len(TEXTS)
    assert [len(e.words) for e in result.corpus] == [len(t.split(" ")) for t in TEXTS for _ in range(2)]


def test_no_request_gives_no_text(xlmr):
    assert MaskedLM.load(str(xlmr)).fill([]) == []


def test_a_model_without_a_masked_lm_head_is_refused(tmp_path):
    tokenizer = tokenizer_of("metaspace")
    XLMRobertaForTokenClassification(XLMRobertaConfig(vocab_size=len(tokenizer), **TINY)).save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    with pytest.raises(ModelError, match=r"has no masked-LM head .* give a masked LM"):
        MaskedLM.load(str(tmp_path))


def write_nothing(folder: Path) -> None:
    folder.rmdir()


def write_generator(folder: Path) -> None:
    (folder / "config.json").write_text(json.dumps({"model_type": "gpt2"}))


def write_damaged(folder: Path) -> None:
    write_model(folder, "metaspace")
    (folder / "model.safetensors").write_bytes(b"\x10\x00\x00\x00\x00\x00\x00\x00damaged")


@pytest.mark.parametrize("write", [write_nothing, write_generator, write_damaged])
def test_what_cannot_be_loaded_is_refused_in_one_line(tmp_path, write):
    folder = tmp_path / "lm"
    folder.mkdir()
    write(folder)
    with pytest.raises(ModelError, match=r"cannot be loaded as a masked LM .*; give a masked LM") as refused:
        MaskedLM.load(str(folder))
    assert "\n" not in str(refused.value)
    assert str(folder) in str(refused.value)


def test_a_tokenizer_without_a_mask_is_refused(tmp_path):
    write_model(tmp_path, "metaspace")
    tokenizer = tokenizer_of("metaspace")
    tokenizer.mask_token = None
    tokenizer.save_pretrained(tmp_path)
    with pytest.raises(ModelError, match=r"has not got a mask token"):
        MaskedLM.load(str(tmp_path))


def test_a_max_length_without_room_for_a_word_is_refused(xlmr):
    with pytest.raises(ModelError, match="no room for a word in max_length 2"):
        MaskedLM.load(str(xlmr), max_length=2)


def test_the_real_xlmr_vocabulary_goes_through_the_engine(tmp_path):
    source = SHARED / "data/tokenizers/xlmr_hf"
    if not source.exists():
        pytest.skip("the 250,002-piece tokenizer is not on this machine")
    for file in source.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    torch.manual_seed(0)
    XLMRobertaForMaskedLM(XLMRobertaConfig(vocab_size=250_002, max_position_embeddings=130, **TINY)).save_pretrained(
        tmp_path
    )
    lm = MaskedLM.load(str(tmp_path))
    assert len(lm.surfaces) > 150_000
    assert isinstance(lm.head, GatheredHead)
    requests = requests_of(TEXTS[2:7])
    assert lm.fill(requests) == [naive(lm, request) for request in requests]


def test_a_real_masked_lm_gives_the_naive_loops_sentences():
    folder = SHARED / "models/encoder-en-es-de-nl"
    if not folder.exists():
        pytest.skip("the small real encoder is not on this machine")
    lm = MaskedLM.load(str(folder))
    requests = requests_of(TEXTS[:4])
    assert lm.fill(requests) == [naive(lm, request) for request in requests]
