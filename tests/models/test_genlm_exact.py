"""What makes Gen-LM fast changes no sample: against a naive loop with a trained model, and part by part."""

from dataclasses import replace
from functools import cache
from itertools import chain
from typing import Any

import pytest
import torch
from transformers import AutoModelForMaskedLM

from uxla.algorithm.vicinity import MaskRequest
from uxla.models.gen_lm.candidates import Vocabulary
from uxla.models.gen_lm.last_layer import LastLayer, last_layer
from uxla.models.gen_lm.mask_heads import FullHead, GatheredHead, agrees
from uxla.models.gen_lm.masked_lm import MaskedLM
from uxla.models.gen_lm.units import word_spans
from uxla.models.memory import Budget
from uxla.models.runtime import Runtime
from uxla.models.word_tokenizer import WordTokenizer
from uxla.testbed import asset
from uxla.testbed.world import World

BERT_LIKE = ["metaspace", "wordpiece", "roberta"]
OTHERS = ["bytelevel", "deberta"]


@pytest.fixture(scope="module")
def trained() -> MaskedLM:
    return MaskedLM.load(str(asset()))


@pytest.fixture(scope="module")
def requests() -> list[MaskRequest]:
    """Three samples of each of 60 sentences of a language the model has read, a third of the words replaced."""
    texts = [" ".join(words) for words, _ in World(0).sentences("far", "train", 60)]
    return [
        MaskRequest(text, tuple(word_spans(text)[first::3]), seed=number)
        for number, text in enumerate(texts)
        for first in range(3)
    ]


@cache
def plain_model() -> Any:
    """The trained model as transformers opens it."""
    return AutoModelForMaskedLM.from_pretrained(asset(), dtype=torch.float32)


def naive(lm: MaskedLM, request: MaskRequest) -> str:
    """Mask, forward one sentence, all logits, the best candidate, the next mask: none of the engine."""
    words = request.text.split(" ")
    ids = [list(read) for read in lm.tokenizer.encode_words(words)]
    start, model = lm.candidates["start"], plain_model()
    number = {first: n for n, (first, _) in enumerate(word_spans(request.text))}
    for first, _ in request.spans:
        unit = number[first]
        ids[unit] = [lm.mask]
        row = [*lm.tokenizer.prefix, *chain(*ids), *lm.tokenizer.suffix]
        with torch.no_grad():
            logits = model(torch.tensor([row])).logits[0, row.index(lm.mask), torch.tensor(start.ids)]
        best = int(logits.argmax())
        ids[unit], words[unit] = [start.ids[best]], start.surfaces[best]
    return " ".join(words)


def test_a_trained_model_gives_the_naive_loops_samples(trained, requests):
    assert isinstance(trained.heads["start"], GatheredHead)
    assert trained.heads["start"].last is not None
    samples = trained.fill(requests)
    assert samples == [naive(trained, request) for request in requests]
    assert sum(sample != request.text for sample, request in zip(samples, requests, strict=True)) > len(requests) / 2


def test_neither_batch_size_nor_company_nor_order_changes_a_trained_models_sample(trained, requests):
    samples = trained.fill(requests)
    assert replace(trained, budget=Budget(1)).fill(requests) == samples
    assert trained.fill(requests[::-1]) == samples[::-1]
    assert [trained.fill([request])[0] for request in requests[:40]] == samples[:40]


class Awaited:
    """The logits of a batch; notes when they are read."""

    def __init__(self, logits: torch.Tensor, log: list[str]) -> None:
        self.logits, self.log = logits, log

    def double(self) -> torch.Tensor:
        self.log.append("read")
        return self.logits.double()


class Watched:
    """A head that notes when a batch begins."""

    def __init__(self, head: Any, log: list[str]) -> None:
        self.head, self.log = head, log

    def __getattr__(self, name: str) -> Any:
        return getattr(self.head, name)

    def __call__(self, ids: torch.Tensor, at: torch.Tensor) -> torch.Tensor:
        return self.head(ids, at)

    def best(self, features: torch.Tensor, top: int) -> tuple[Awaited, torch.Tensor]:
        self.log.append("begun")
        logits, columns = self.head.best(features, top)
        return Awaited(logits, self.log), columns


@pytest.mark.parametrize(
    ("device", "expected"), [("cpu", ["begun", "read"] * 2), ("cuda", ["begun", "begun", "read", "begun"])]
)
def test_a_gpu_computes_for_one_group_of_requests_while_the_results_of_another_are_read(
    trained, requests, device, expected
):
    log = []
    heads = {slot: Watched(head, log) for slot, head in trained.heads.items()}
    lm = replace(trained, heads=heads, device=torch.device(device))  # says how requests take turns, and no more
    assert lm.fill(requests) == trained.fill(requests)
    assert log[:4] == expected
    assert lm.fill([]) == []


def test_the_number_of_threads_changes_no_sample(trained, requests):
    before, made = torch.get_num_threads(), []
    try:
        for threads in (1, 2):
            torch.set_num_threads(threads)
            made.append(trained.fill(requests[:60]))
    finally:
        torch.set_num_threads(before)
    assert made[0] == made[1]


def rows_of(lm: MaskedLM) -> tuple[torch.Tensor, torch.Tensor]:
    ids = torch.randint(5, 300, (6, 9), generator=torch.Generator().manual_seed(1))
    at = torch.tensor([0, 8, 4, 4, 1, 7])
    ids[torch.arange(6), at] = lm.mask
    return ids, at


@pytest.mark.parametrize("kind", BERT_LIKE)
def test_the_last_layer_at_one_position_is_the_whole_layers(folder_of, kind):
    lm = MaskedLM.load(str(folder_of(kind)))
    model, (ids, at) = lm.heads["start"].model, rows_of(lm)
    whole = []
    last = last_layer(model)
    assert isinstance(last, LastLayer)
    for name, parameter in last.layer.named_parameters():
        if name.endswith("bias"):  # all zero in a new model
            torch.nn.init.normal_(parameter, generator=torch.Generator().manual_seed(len(name)))
    hook = last.layer.register_forward_hook(lambda _, given, made: whole.append((given[0], made)))
    with torch.inference_mode():
        model(input_ids=ids)
        hook.remove()
        given, made = whole[0]
        one = last.at(at)(given)
    torch.testing.assert_close(one[:, 0], made[torch.arange(6), at], rtol=1e-4, atol=1e-4)
    assert lm.heads["start"].last is not None


@pytest.mark.parametrize("kind", OTHERS)
def test_other_architectures_keep_their_own_last_layer(folder_of, kind):
    head = MaskedLM.load(str(folder_of(kind))).heads["start"]
    assert isinstance(head, GatheredHead)
    assert head.last is None


def test_a_last_layer_that_was_read_wrongly_is_found_out(folder_of):
    head = MaskedLM.load(str(folder_of("metaspace"))).heads["start"]
    ids = torch.tensor([[0, 5, 6, 4, 7, 2]])
    at = torch.tensor([3])
    wrong = LastLayer("roberta.encoder.layer.0", head.model.roberta.encoder.layer[0])
    with torch.inference_mode():
        logits = FullHead(head.model, head.candidates)(ids, at)
        assert agrees(head, ids, at, logits)
        assert not agrees(replace(head, last=wrong), ids, at, logits)


@pytest.mark.parametrize("copied", [0, 2**26])
@pytest.mark.parametrize("top", [1, 5])
def test_blocks_of_candidates_give_the_best_of_all_whether_their_rows_are_copied_or_not(folder_of, copied, top):
    lm = MaskedLM.load(str(folder_of("metaspace")))
    head, (ids, at) = replace(lm.heads["start"], copied=copied, block=7), rows_of(lm)
    assert len(head.rows.blocks) > 10
    with torch.inference_mode():
        expected = FullHead(head.model, head.candidates)(ids, at).topk(top)
        logits, columns = head.best(head(ids, at), top)
    torch.testing.assert_close(logits, expected.values, rtol=1e-4, atol=1e-4)
    assert torch.equal(columns, expected.indices)


def test_large_decoders_are_not_copied(folder_of):
    head = replace(MaskedLM.load(str(folder_of("metaspace"))).heads["start"], copied=0)
    assert head.rows.weight.data_ptr() == head.model.get_output_embeddings().weight.data_ptr()


@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_half_precision_halves_the_weights_and_changes_few_words(trained, requests, precision):
    half = MaskedLM.load(str(asset()), Runtime(precision=precision))
    assert half.heads["start"].model.dtype.itemsize == 2
    made = [sample.split(" ") for sample in half.fill(requests)]
    same = [sample.split(" ") for sample in trained.fill(requests)]
    pairs = [(a, b) for one, other in zip(made, same, strict=True) for a, b in zip(one, other, strict=True)]
    assert sum(a != b for a, b in pairs) / len(pairs) < 0.05


@pytest.mark.parametrize("copied", [0, 2**26])
def test_in_half_precision_candidates_are_ranked_by_sums_in_float32(copied):
    """Logits of about 100 in bfloat16 are half a unit apart: rounded so, the first three of these would be equal."""
    decoder = torch.nn.Linear(2, 6)
    decoder.weight.data = torch.tensor([[0, 0], [100, 0.25], [0, 9], [100, 0.5], [99, 0], [100, 0.125]])
    decoder.bias.data.zero_()
    model = torch.nn.ModuleDict({"decoder": decoder}).to(torch.bfloat16)
    head = GatheredHead(model, torch.tensor([1, 2, 3, 4, 5]), "decoder", None, copied, block=2)
    logits, columns = head.best(torch.ones(1, 2, dtype=torch.bfloat16), 3)
    assert columns.tolist() == [[2, 0, 4]]
    assert logits.tolist() == [[100.5, 100.25, 100.125]]


def test_a_tokenizer_read_again_is_read_once(make_tokenizer):
    first = Vocabulary.of(WordTokenizer.of(make_tokenizer("metaspace"), "a"), 10_000)
    assert Vocabulary.of(WordTokenizer.of(make_tokenizer("metaspace"), "b"), 10_000) is first
    assert len(Vocabulary.of(WordTokenizer.of(make_tokenizer("metaspace"), "c"), 100).slots) < len(first.slots)
    other = Vocabulary.of(WordTokenizer.of(make_tokenizer("wordpiece"), "d"), 100)
    assert other.candidates != first.candidates


@pytest.mark.parametrize("top", [1, 5])
def test_on_a_gpu_gen_lm_takes_deterministic_operations_alone(trained, requests, only_deterministic, top):
    lm = replace(trained, top=top)
    samples = lm.fill(requests[:30])
    with only_deterministic():
        assert lm.fill(requests[:30]) == samples
        lm.log_likelihood([request.text for request in requests[:5]])
