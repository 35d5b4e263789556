"""The Gen-LM engine against a loop that does one sentence, one mask and all logits at a time."""

import json
import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from safetensors import safe_open
from transformers import (
    AutoModelForMaskedLM,
    DebertaV2Config,
    DebertaV2Model,
    XLMRobertaConfig,
    XLMRobertaForMaskedLM,
    XLMRobertaForTokenClassification,
)

from uxla.algorithm.vicinity import MaskRequest, Vicinity
from uxla.errors import ModelError, spelled_as
from uxla.models.gen_lm.batches import fitting
from uxla.models.gen_lm.mask_heads import FullHead, GatheredHead
from uxla.models.gen_lm.masked_lm import MaskedLM
from uxla.models.gen_lm.sampling import uniform
from uxla.models.gen_lm.units import word_spans
from uxla.models.memory import Budget
from uxla.models.runtime import Runtime
from uxla.records import Corpus, Example

SHARED = Path(__file__).parents[4] / "shared"
KINDS = ["metaspace", "bytelevel", "wordpiece", "roberta", "deberta", "albert"]
TINY = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64}
LOUD = {**TINY, "initializer_range": 0.4, "pad_token_id": 1, "bos_token_id": 0, "eos_token_id": 2}


@pytest.fixture(scope="module", params=KINDS)
def lm(request, folder_of) -> MaskedLM:
    return MaskedLM.load(str(folder_of(request.param)))


@pytest.fixture(scope="module", params=KINDS)
def piece_lm(request, folder_of) -> MaskedLM:
    return MaskedLM.load(str(folder_of(request.param)), unit="piece")


@pytest.fixture(scope="module")
def xlmr(folder_of) -> Path:
    return folder_of("metaspace")


@cache
def plain_model(folder: str) -> Any:
    """The model of a folder as transformers opens it, told which head DeBERTa's authors use."""
    head = {"legacy": False} if "microsoft" in folder else {}
    return AutoModelForMaskedLM.from_pretrained(folder, dtype=torch.float32, **head)


def naive(lm: MaskedLM, request: MaskRequest) -> str:
    """§2.2 word for word: mask, one forward, all logits, the best (or the drawn) candidate, the next mask."""
    cells = lm.cutter.cut([request.text])[0]
    ids = [list(cell.ids) for cell in cells]
    model = plain_model(next(iter(lm.heads.values())).model.name_or_path)
    made = {}
    for step, span in enumerate(request.spans):
        unit = [(cell.start, cell.stop) for cell in cells].index(span)
        ids[unit] = [lm.tokenizer.mask]
        row = [*lm.tokenizer.prefix, *chain(*ids), *lm.tokenizer.suffix]
        at = len(lm.tokenizer.prefix) + len(list(chain(*ids[:unit])))
        candidates = lm.candidates[lm.places.at(cells[unit].slot, request.text[slice(*span)])]
        with torch.no_grad():
            scores = model(torch.tensor([row])).logits[0, at, torch.tensor(candidates.ids)]
        best = scores.argsort(descending=True, stable=True)[: lm.top]
        cumulative = scores[best].double().softmax(0).cumsum(0).tolist()
        column = int(best[bisect_right(cumulative[:-1], uniform(request.seed, step))])
        ids[unit] = [candidates.ids[column]]
        made[span[0]] = candidates.surfaces[column]
    text = request.text
    for start, stop in sorted(request.spans, reverse=True):
        text = text[:start] + made[start] + text[stop:]
    return text


def fits(lm: MaskedLM, text: str) -> bool:
    """Whether the naive loop, which knows no windows, can hold the text."""
    return sum(len(cell.ids) for cell in lm.cutter.cut([text])[0]) <= lm.room


def words_of(text: str) -> list[str]:
    """Words and the white space between them, by turns, white space first."""
    return re.split(r"(\S+)", text)


def requests_by_piece(lm: MaskedLM, texts: Sequence[str], every: int = 3) -> list[MaskRequest]:
    units = zip(texts, lm.units(texts), strict=True)
    return [MaskRequest(text, tuple(spans[::-1][::every]), seed=n) for n, (text, spans) in enumerate(units)]


def requests_of(texts: Sequence[str], every: int = 3) -> list[MaskRequest]:
    """Requests over each text, from one word to all of them, right to left."""
    return [
        MaskRequest(text, tuple(word_spans(text)[::-1][first::every]), seed=100 * number + first)
        for number, text in enumerate(texts)
        for first in range(every)
        if word_spans(text)[::-1][first::every]
    ]


def test_the_engine_equals_the_naive_loop_word_by_word(lm, texts):
    requests = requests_of(texts) + requests_of(texts, every=1)
    assert lm.fill(requests) == [naive(lm, request) for request in requests]


def test_the_head_that_debertas_authors_name_otherwise_is_read_and_not_drawn(folder_of, texts):
    """`microsoft/mdeberta-v3-base` calls it lm_predictions.lm_head; transformers alone would draw another."""
    folder = folder_of("microsoft")
    with safe_open(folder / "model.safetensors", framework="np") as tensors:
        names = set(tensors.keys())
    assert {"lm_predictions.lm_head.dense.weight", "lm_predictions.lm_head.bias"} <= names
    assert not any(name.startswith("cls.") for name in names)
    lm = MaskedLM.load(str(folder), top=3)
    assert isinstance(lm.heads["start"], GatheredHead)
    requests = requests_of(texts)
    assert lm.fill(requests) == [naive(lm, request) for request in requests]


@pytest.mark.parametrize("top", [1, 5])
@pytest.mark.parametrize("every", [1, 3])
def test_the_engine_equals_the_naive_loop_piece_by_piece(piece_lm, every, top, texts):
    lm = replace(piece_lm, top=top)
    requests = [request for request in requests_by_piece(lm, texts, every) if fits(lm, request.text)]
    assert len(requests) >= 10
    assert lm.fill(requests) == [naive(lm, request) for request in requests]


@pytest.mark.parametrize("top", [1, 4])
def test_neither_batch_size_nor_order_changes_a_sample_of_pieces(piece_lm, top, texts):
    lm = replace(piece_lm, top=top)
    requests = requests_by_piece(lm, texts)
    whole = lm.fill(requests)
    small = replace(lm, budget=Budget(1))
    assert small.fill(requests[::-1]) == whole[::-1]
    assert [lm.fill([request])[0] for request in requests] == whole


def test_a_long_text_without_spaces_is_masked_in_windows_and_loses_no_character(folder_of, texts):
    """No text of the test has a space; what stands between the drawn units comes out as it went in."""
    lm = MaskedLM.load(str(folder_of("metaspace")), Runtime(max_length=12), unit="piece")
    heads = {place: CountingHead(head) for place, head in lm.heads.items()}
    text = "".join(text for text in texts if " " not in text) * 6
    spans = lm.units([text])[0]
    drawn = spans[2::7]
    (sample,) = replace(lm, heads=heads).fill([MaskRequest(text, tuple(drawn[::-1]), 0)])
    edges = [0, *(edge for span in drawn for edge in span), len(text)]
    kept = [re.escape(text[a:b]) for a, b in zip(edges[::2], edges[1::2], strict=True)]
    assert re.fullmatch(r"(\S+?)".join(kept), sample)
    assert len(drawn) > 20
    assert max(length for head in heads.values() for _, length in head.shapes) <= 12


def test_sampling_equals_the_naive_loop_with_the_same_keys(lm, texts):
    sampling = replace(lm, top=5)
    requests = requests_of(texts)
    filled = sampling.fill(requests)
    assert filled == [naive(sampling, request) for request in requests]
    assert filled != lm.fill(requests)


@pytest.mark.parametrize("top", [1, 4])
def test_neither_batch_size_nor_order_nor_neighbours_change_a_sample(lm, top, texts):
    requests = requests_of(texts)
    whole = replace(lm, top=top).fill(requests)
    small = replace(lm, top=top, budget=Budget(1))
    assert small.fill(requests) == whole
    assert small.fill(requests[::-1]) == whole[::-1]
    assert [replace(lm, top=top).fill([request])[0] for request in requests] == whole


@pytest.mark.parametrize("match", ["kind", "length"])
@pytest.mark.parametrize("top", [1, 5])
def test_the_engine_equals_the_naive_loop_where_a_replacement_must_be_like_the_word(xlmr, match, top, texts):
    lm = MaskedLM.load(str(xlmr), unit="piece", top=top, match=match)
    requests = [request for request in requests_by_piece(lm, texts, every=2) if fits(lm, request.text)]
    filled = lm.fill(requests)
    assert filled == [naive(lm, request) for request in requests]
    assert filled != MaskedLM.load(str(xlmr), unit="piece", top=top).fill(requests)


def test_a_prediction_sees_the_replacements_before_it(lm, texts):
    """All words in one request against each word in a request of its own: equal only if none saw another."""
    text = texts[0]
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


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(words=SENTENCE, data=st.data())
def test_nothing_changes_but_the_drawn_words_whatever_the_script(lm, words, data):
    text = " ".join(words)
    spans = lm.units([text])[0]
    drawn = data.draw(st.permutations(spans))[: max(1, len(spans) // 2)] if spans else []
    (sample,) = lm.fill([MaskRequest(text, tuple(drawn), 0)])
    starts = {start for start, _ in drawn}
    old, new = words_of(text), words_of(sample)
    assert new[::2] == old[::2]  # all white space, of whatever kind
    begin = 0
    for before, after in zip(old, new, strict=True):
        assert after in lm.candidates["start"].surfaces if begin in starts and before.strip() else after == before
        begin += len(before)


def test_a_sample_reads_back_as_the_pieces_that_were_predicted(lm, texts):
    request = MaskRequest(texts[0], tuple(word_spans(texts[0])), 0)
    words = lm.fill([request])[0].split(" ")
    start = lm.candidates["start"]
    ids = dict(zip(start.surfaces, start.ids, strict=True))
    assert lm.tokenizer.encode_words(words) == [(ids[word],) for word in words]


def test_the_head_is_gathered_for_known_architectures_and_full_for_others(lm):
    head = lm.heads["start"]
    assert type(head) is (GatheredHead if head.model.config.model_type != "albert" else FullHead)


def test_gathered_and_full_candidates_are_equal_and_the_model_is_left_as_it_was(xlmr):
    lm = MaskedLM.load(str(xlmr))
    candidates, head = torch.tensor(lm.candidates["start"].ids), lm.heads["start"]
    ids = torch.randint(5, 300, (4, 9), generator=torch.Generator().manual_seed(0))
    at = torch.tensor([1, 7, 3, 3])
    with torch.inference_mode():
        full = FullHead(head.model, candidates)
        before = full(ids, at)
        logits, columns = head.best(head(ids, at), 50)
        expected = before.topk(50)
        torch.testing.assert_close(logits, expected.values, rtol=1e-4, atol=1e-4)
        assert torch.equal(columns, expected.indices)
        assert torch.equal(full(ids, at), before)


class CountingHead:
    def __init__(self, head):
        self.head = head
        self.rows = 0
        self.shapes: list[tuple[int, int]] = []

    @property
    def candidates(self):
        return self.head.candidates

    def __call__(self, ids, at):
        self.rows += len(ids)
        self.shapes.append(tuple(ids.shape))
        return self.head(ids, at)

    def best(self, features, top):
        return self.head.best(features, top)

    def floats_a_row(self, length):
        return self.head.floats_a_row(length)


def test_equal_rows_are_forwarded_once(xlmr, texts):
    lm = MaskedLM.load(str(xlmr))
    head = CountingHead(lm.heads["start"])
    text = texts[0]
    a, b, c = word_spans(text)[:3]
    requests = [MaskRequest(text, spans, 0) for spans in [(a, b), (a, b), (a, c), (b,)]]
    replace(lm, heads={"start": head}).fill(requests)
    assert head.rows == 4  # first steps: a, b; second steps: b and c, each after a


def test_forwards_stay_under_the_token_budget(xlmr, texts):
    lm = MaskedLM.load(str(xlmr), Runtime(budget=Budget(64)))
    head = CountingHead(lm.heads["start"])
    replace(lm, heads={"start": head}).fill(requests_of(texts, every=1) + requests_of(texts))
    assert all(rows == 1 or rows * length <= 64 for rows, length in head.shapes)
    assert any(rows > 1 for rows, _ in head.shapes)


def test_a_sentence_longer_than_the_model_is_masked_in_windows_and_loses_no_word(xlmr, texts):
    lm = MaskedLM.load(str(xlmr), Runtime(max_length=12))
    head = CountingHead(lm.heads["start"])
    text = " ".join(texts)
    spans = tuple(word_spans(text)[::4])
    (sample,) = replace(lm, heads={"start": head}).fill([MaskRequest(text, spans, 0)])
    assert max(length for _, length in head.shapes) <= 12
    old, new = text.split(" "), sample.split(" ")
    assert len(old) == len(new)
    assert all(o == n for number, (o, n) in enumerate(zip(old, new, strict=True)) if number % 4)
    assert all(word in lm.candidates["start"].surfaces for word in new[::4])


def test_max_length_is_at_most_what_the_model_takes(xlmr, folder_of, texts):
    """64 positions in each; RoBERTa's table of 66 begins after the padding's position 1."""
    bert = folder_of("wordpiece")
    for folder in (xlmr, bert):
        lm = MaskedLM.load(str(folder), Runtime(max_length=10_000))
        assert lm.room == 64 - 2
        text = " ".join(texts * 3)
        lm.fill([MaskRequest(text, tuple(word_spans(text)[:1]), 0)])


@given(st.lists(st.integers(0, 9), min_size=1, max_size=20), st.integers(0, 30), st.data())
@example([9, 1, 9], 4, None)
def test_a_window_holds_its_word_and_all_that_fits_around_it(lengths, spare, data):
    centre = data.draw(st.integers(0, len(lengths) - 1)) if data else 1
    room = lengths[centre] + spare
    first, last = fitting(lengths, centre, room)
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
    nothing = "\u0000" if lm.tokenizer.backend.encode("\u0000", add_special_tokens=False).ids == [] else "<pad>"
    for ids in lm.tokenizer.encode_words([nothing, "<mask>", "x</s>"]):
        assert lm.tokenizer.unknown[0] in ids
        assert not set(ids) & (lm.tokenizer.special - set(lm.tokenizer.unknown))
    text = f"the {nothing} river <mask> lake"
    (sample,) = lm.fill([MaskRequest(text, (word_spans(text)[4],), 0)])
    assert sample.split(" ")[:4] == text.split(" ")[:4]
    assert naive(lm, MaskRequest(text, (word_spans(text)[4],), 0)) == sample


def test_the_seed_decides_among_the_top_candidates(xlmr, texts):
    lm = MaskedLM.load(str(xlmr), top=3)
    span = word_spans(texts[1])[2]
    samples = {lm.fill([MaskRequest(texts[1], (span,), seed)])[0] for seed in range(60)}
    assert len(samples) == 3


def test_a_vicinity_of_a_tagging_corpus_keeps_the_word_count(xlmr, texts):
    corpus = Corpus.from_examples("mix", ("O",), [Example(f"e{i}", "xx", (t,)) for i, t in enumerate(texts)])
    result = Vicinity(MaskedLM.load(str(xlmr)), 0.3, (2,), seed=0, keep_unchanged=True)(corpus)
    assert result.drawn == 2 * len(texts)
    assert [len(e.words) for e in result.corpus] == [len(t.split(" ")) for t in texts for _ in range(2)]


def test_no_request_gives_no_text(xlmr):
    assert MaskedLM.load(str(xlmr)).fill([]) == []


def test_a_model_without_a_masked_lm_head_is_refused(tmp_path, make_tokenizer):
    tokenizer = make_tokenizer("metaspace")
    XLMRobertaForTokenClassification(XLMRobertaConfig(vocab_size=len(tokenizer), **LOUD)).save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    with pytest.raises(ModelError, match=r"has no masked-LM head: .* give a masked LM .* as model=: a folder"):
        MaskedLM.load(str(tmp_path))


@pytest.mark.parametrize("legacy", [True, False])
def test_a_deberta_checkpoint_without_its_head_is_refused_with_the_remedy(tmp_path, make_tokenizer, legacy):
    """DeBERTa-v3 is trained to tell replaced tokens: its checkpoints bring no masked-LM head that was trained."""
    tokenizer = make_tokenizer("deberta")
    DebertaV2Model(DebertaV2Config(vocab_size=len(tokenizer), legacy=legacy, **LOUD)).save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    said = r"has no masked-LM head: .* give a masked LM .* as vicinity\.model="
    with spelled_as("yaml"), pytest.raises(ModelError, match=said):
        MaskedLM.load(str(tmp_path))


def write_nothing(folder: Path, make_model) -> None:
    folder.rmdir()


def write_generator(folder: Path, make_model) -> None:
    (folder / "config.json").write_text(json.dumps({"model_type": "gpt2"}))


def write_damaged(folder: Path, make_model) -> None:
    make_model(folder, "metaspace")
    (folder / "model.safetensors").write_bytes(b"\x10\x00\x00\x00\x00\x00\x00\x00damaged")


@pytest.mark.parametrize("write", [write_nothing, write_generator, write_damaged])
def test_what_cannot_be_loaded_is_refused_in_one_line(tmp_path, make_model, write):
    folder = tmp_path / "lm"
    folder.mkdir()
    write(folder, make_model)
    with pytest.raises(ModelError, match=r"cannot be loaded as a masked LM .*; give a masked LM") as refused:
        MaskedLM.load(str(folder))
    assert "\n" not in str(refused.value)
    assert str(folder) in str(refused.value)


def test_a_tokenizer_without_a_mask_is_refused(tmp_path, make_model, make_tokenizer):
    make_model(tmp_path, "metaspace")
    tokenizer = make_tokenizer("metaspace")
    tokenizer.mask_token = None
    tokenizer.save_pretrained(tmp_path)
    with pytest.raises(ModelError, match=r"has no mask token"):
        MaskedLM.load(str(tmp_path))


def test_a_max_length_without_room_for_a_word_is_refused(xlmr):
    with pytest.raises(ModelError, match="no room for a word in max_length 2"):
        MaskedLM.load(str(xlmr), Runtime(max_length=2))


@pytest.mark.slow
def test_the_real_xlmr_vocabulary_goes_through_the_engine(tmp_path, texts):
    source = SHARED / "data/tokenizers/xlmr_hf"
    if not source.exists():
        pytest.skip("the 250,002-piece tokenizer is not on this machine")
    for file in source.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    torch.manual_seed(0)
    XLMRobertaForMaskedLM(XLMRobertaConfig(vocab_size=250_002, max_position_embeddings=130, **LOUD)).save_pretrained(
        tmp_path
    )
    lm = MaskedLM.load(str(tmp_path))
    assert len(lm.candidates["start"].ids) > 150_000
    assert isinstance(lm.heads["start"], GatheredHead)
    requests = requests_of(texts[2:7])
    assert lm.fill(requests) == [naive(lm, request) for request in requests]


def test_a_real_masked_lm_gives_the_naive_loops_sentences(texts):
    folder = SHARED / "models/encoder-en-es-de-nl"
    if not folder.exists():
        pytest.skip("the small real encoder is not on this machine")
    lm = MaskedLM.load(str(folder))
    requests = requests_of(texts[:4])
    assert lm.fill(requests) == [naive(lm, request) for request in requests]
