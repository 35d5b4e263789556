"""What a model takes of a GPU's memory: by arithmetic, and against what a training really keeps."""

import pytest
import torch
from transformers import (
    FNetConfig,
    FNetForTokenClassification,
    FunnelConfig,
    FunnelForTokenClassification,
    XLMRobertaConfig,
    XLMRobertaForMaskedLM,
    XLMRobertaForTokenClassification,
)

from uxla.models import footprint
from uxla.models.device import autocast
from uxla.models.footprint import Footprint
from uxla.models.memory import Budget
from uxla.models.runtime import Runtime

LARGE = XLMRobertaConfig(
    vocab_size=250_002,
    hidden_size=1024,
    num_hidden_layers=24,
    num_attention_heads=16,
    intermediate_size=4096,
    max_position_embeddings=514,
    type_vocab_size=1,
    num_labels=9,
)
SMALL = XLMRobertaConfig(
    vocab_size=300,
    hidden_size=96,
    num_hidden_layers=5,
    num_attention_heads=4,
    intermediate_size=384,
    max_position_embeddings=66,
    num_labels=9,
)


@pytest.fixture(scope="module")
def large():
    with torch.device("meta"):
        return XLMRobertaForTokenClassification(LARGE)


def test_the_figures_of_xlm_r_large_worked_out_by_hand(large):
    """558,850,057 numbers, 250,002 x 1024 of them embeddings, of which 65,536 rows count in the optimiser.

    A token: 24 layers of 4 + 8 hidden states in float32 (12 x 4096 bytes), four more and two masks (18 x 1024), 16
    heads (64), and 32 x 1024 beside the layers."""
    numbers = sum(parameter.numel() for parameter in large.parameters())
    assert numbers == 558_850_057
    moving = numbers - (250_002 - 65_536) * 1024
    found = Footprint.of(large, "fp32")
    assert found == Footprint(8 * numbers + 12 * moving, 24 * (12 * 4096 + 18 * 1024 + 64) + 32 * 1024)
    assert Footprint.of(large, "bf16").token == 24 * ((6 + 8) * 2048 + 18 * 1024 + 64) + 32 * 1024


@pytest.mark.parametrize(
    ("gigabytes", "tokens"),
    [(8, 256), (15.8, 2048), (23.7, 4096), (40, 8192), (75, 16_384), (145, 32_768), (1000, 65_536)],
)
def test_the_passes_of_xlm_r_large_by_memory(large, gigabytes, tokens):
    assert Footprint.of(large, "fp32").tokens(int(gigabytes * 1e9)) == tokens


def test_a_frozen_model_and_a_smaller_precision_take_more_tokens_and_a_trained_decoder_fewer(large):
    with torch.device("meta"):
        lm = XLMRobertaForMaskedLM(LARGE)
    memory = int(40e9)
    trained = Footprint.of(lm, "fp32")
    frozen = Footprint.of(lm.requires_grad_(False), "fp32")
    assert trained.token > Footprint.of(large, "fp32").token > Footprint.of(large, "bf16").token
    assert frozen.fixed < trained.fixed
    assert frozen.tokens(memory) > Footprint.of(large, "bf16").tokens(memory) >= trained.tokens(memory)


@pytest.mark.parametrize(
    ("auto_class", "config"),
    [(FNetForTokenClassification, FNetConfig()), (FunnelForTokenClassification, FunnelConfig())],
)
@pytest.mark.parametrize("attention", ["eager", "sdpa"])
def test_models_without_heads_or_without_a_longest_window_have_a_footprint(auto_class, config, attention):
    with torch.device("meta"):
        model = auto_class(config)
    model.config._attn_implementation = attention
    assert 0 < Footprint.of(model, "fp32").token < 10_000_000


def test_a_longest_window_of_minus_one_counts_as_512(large):
    scores = []
    for length in (512, -1):
        config = XLMRobertaConfig(**LARGE.to_dict())
        config._attn_implementation, config.max_position_embeddings = "eager", length
        large_alike = XLMRobertaForTokenClassification.__new__(XLMRobertaForTokenClassification)
        large_alike.__dict__.update(large.__dict__ | {"config": config})
        scores.append(Footprint.of(large_alike, "fp32"))
    assert scores[0] == scores[1]
    assert scores[0].token > Footprint.of(large, "fp32").token


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("attention", ["sdpa", "eager"])
def test_a_training_keeps_at_most_what_the_footprint_says_and_not_much_less(precision, attention):
    dropout = 0.1 if attention == "eager" else 0.0  # with dropout, a CPU computes what is called sdpa eagerly
    config = XLMRobertaConfig(**SMALL.to_dict() | {"attention_probs_dropout_prob": dropout})
    model = XLMRobertaForTokenClassification(config)
    model.set_attn_implementation(attention)
    kept = {}

    def note(tensor):
        kept[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    weights = {parameter.untyped_storage().data_ptr() for parameter in model.parameters()}
    ids = torch.randint(5, 300, (32, 64))
    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor), autocast(ids.device, precision):
        loss = model(input_ids=ids).logits.sum()
    copies = 0 if precision == "fp32" else sum(p.numel() * 2 for p in model.parameters() if p.ndim == 2)
    measured = sum(size for place, size in kept.items() if place not in weights) - copies
    assert loss.requires_grad
    assert 0.6 < measured / ids.numel() / Footprint.of(model, precision).token < 1.05


# --- the budget ------------------------------------------------------------------------------------------------------


@pytest.fixture
def gpu(monkeypatch):
    """A function that sets what is free of a GPU and what it has, in GB, as torch tells it."""

    def memory(free, whole):
        footprint.free_memory.cache_clear()
        monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (int(free * 1e9), int(whole * 1e9)))
        return torch.device("cuda:0")

    yield memory
    footprint.free_memory.cache_clear()


def test_auto_is_found_by_free_memory_and_told_once_and_halved_for_all(large, gpu, hearing):
    runtime, device = Runtime(budget=Budget("auto")), gpu(21.3, 24)
    with hearing() as told:
        found = [runtime.budget_of(large, device) for _ in range(2)]
    assert told == ["forward passes of at most 4,096 tokens: 21.3 GB are free on cuda:0"]
    assert found[0] is found[1]
    assert found[0].tokens == 4096


@pytest.mark.parametrize(("free", "own"), [(149, 37.2), (20, 20)])
def test_jobs_of_one_gpu_share_its_memory(large, gpu, hearing, free, own):
    device = gpu(free, 149)
    with hearing() as told:
        Runtime(jobs=4).budget_of(large, device)
    assert told[0].endswith(f": {own:.1f} GB are free on cuda:0 for each of 4 jobs")


def test_a_number_is_taken_as_it_is_and_the_cpu_has_8192(large, gpu):
    device = gpu(149, 149)
    assert Runtime(budget=Budget(512)).budget_of(large, device).tokens == 512
    assert Runtime().budget_of(large, torch.device("cpu")).tokens == 8192
