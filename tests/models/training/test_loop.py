from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers import AutoModelForTokenClassification

from uxla.errors import ModelError
from uxla.models.memory import Budget
from uxla.models.runtime import Runtime
from uxla.models.task_model import TaskModel
from uxla.models.tasks import Tagging
from uxla.models.training.loop import fit
from uxla.models.training.optimiser import adamw
from uxla.models.training.settings import TrainingSettings
from uxla.models.windows import cut_sentence
from uxla.records import IGNORED, Corpus, Example
from uxla.testbed import asset
from uxla.testbed.world import World

LABELS = ("O", "B-LOC", "I-LOC", "B-MISC", "I-MISC", "B-ORG", "I-ORG", "B-PER", "I-PER")
QUICK = TrainingSettings(batch_size=8, accumulation=2, learning_rate=1e-3, evaluate_every=3)


def corpus(count=24, *, labelled=True):
    rows = World(0).sentences("source", "train", count)
    labels = [tuple(LABELS.index(tag) for tag in tags) for _, tags in rows]
    examples = [
        Example(f"s{i}", "source", (" ".join(words),), labels[i] if labelled else None)
        for i, (words, _) in enumerate(rows)
    ]
    return Corpus.from_examples("source", LABELS, examples)


def opened(*, seed=0, max_length=64, tokens_per_batch=2048, **values):
    names = dict(enumerate(LABELS))
    runtime = Runtime("cpu", max_length, Budget(tokens_per_batch))
    given_values = {"id2label": names, "label2id": {v: k for k, v in names.items()}, **values}
    return TaskModel.open(Tagging(), asset(), asset(), runtime, head_seed=seed, **given_values)


def weights(loaded):
    return torch.cat([p.detach().flatten() for p in loaded.module.parameters()])


def trained(settings=QUICK, *, seed=1, mix=None, **keywords):
    loaded = opened(dropout=settings.dropout)
    facts = fit(loaded, mix or corpus(), settings, seed=seed, label="t", **keywords)
    return loaded, facts


# --- prediction ---------------------------------------------------------------------------------------------


def test_padding_batch_size_and_order_change_no_prediction():
    whole = corpus(40)
    reference = opened().predict(whole, "t")
    order = np.random.default_rng(0).permutation(40)
    for tokens in (64, 500, 10_000):
        shuffled = opened(tokens_per_batch=tokens).predict(whole.take(order), "t")
        for place, i in enumerate(order):
            expected = reference.probs[reference.offsets[i] : reference.offsets[i + 1]]
            found = shuffled.probs[shuffled.offsets[place] : shuffled.offsets[place + 1]]
            assert found == pytest.approx(expected, abs=1e-6)
            assert (found.argmax(1) == expected.argmax(1)).all()


def test_a_forward_with_padding_gives_the_same_rows_as_without():
    loaded = opened()
    loaded.module.eval()
    found = loaded.encode(corpus(12))
    with torch.inference_mode():
        together = loaded.forward(found)
        alone = torch.cat([loaded.forward(found.take(np.array([i]))) for i in range(len(found))])
    assert torch.allclose(together, alone, atol=1e-5)


def test_predictions_equal_the_plain_transformers_model_on_one_sentence():
    loaded = opened()
    example = corpus(1)[0]
    plain = AutoModelForTokenClassification.from_pretrained(asset(), num_labels=len(LABELS), dtype=torch.float32)
    plain.load_state_dict(loaded.module.state_dict())
    ids, first = list(loaded.tokenizer.prefix), []
    for word in loaded.tokenizer.encode_words(example.words):
        first.append(len(ids))
        ids += word
    ids += loaded.tokenizer.suffix
    with torch.inference_mode():
        expected = plain.eval()(torch.tensor([ids])).logits[0, first].softmax(-1)
    assert loaded.predict(corpus(1), "t").probs == pytest.approx(expected.numpy(), abs=1e-6)


def test_every_word_has_one_row_also_words_the_tokenizer_reads_as_nothing():
    odd = ["\u200b", "a\u00a0b", "\ufe0f", "<mask>", "w\u3000w", "\U0001f600", "ab" * 300]
    one = Corpus.from_examples("odd", LABELS, [Example("1", "x", (" ".join(odd),))])
    found = opened().predict(one, "t")
    assert found.offsets.tolist() == [0, len(odd)]
    assert np.isfinite(found.probs).all()


def test_a_sentence_longer_than_the_model_gets_a_prediction_for_every_word():
    words = [word for example in corpus(30) for word in example.words]
    long = Corpus.from_examples("long", LABELS, [Example("1", "x", (" ".join(words),))])
    found = opened(max_length=32).predict(long, "t")
    assert len(found.pseudo_labels) == len(words)
    assert found.probs.sum(1) == pytest.approx(np.ones(len(words)), abs=1e-5)


@given(st.lists(st.integers(1, 9), min_size=1, max_size=60), st.integers(9, 40), st.integers(0, 12))
def test_each_word_has_its_home_in_exactly_one_window_that_holds_it(lengths, budget, overlap):
    found = cut_sentence(lengths, budget, min(overlap, budget // 2))
    homes = [word for _, _, home, stop in found for word in range(home, stop)]
    assert homes == list(range(len(lengths)))
    for start, stop, home, home_stop in found:
        assert start <= home <= home_stop <= stop
        assert sum(lengths[start:stop]) <= budget


@st.composite
def with_long_words(draw):
    """A budget, and words of which some need nearly all of it."""
    budget = draw(st.integers(4, 60))
    length = st.one_of(st.integers(1, 3), st.integers(max(1, budget - 12), budget))
    return budget, draw(st.lists(length, min_size=1, max_size=60))


@given(with_long_words())
def test_each_window_is_the_home_of_a_word(drawn):
    budget, lengths = drawn
    found = cut_sentence(lengths, budget, budget // 4)
    assert [word for _, _, home, stop in found for word in range(home, stop)] == list(range(len(lengths)))
    for start, stop, home, home_stop in found:
        assert start <= home < home_stop <= stop
        assert sum(lengths[start:stop]) <= budget


def test_windows_before_a_long_word_worked_out_by_hand():
    """Forty short words, one of 50, two short ones; 60 a window: 0-39 end before the long word, and share with the next
    window the ten that fit beside it, 30-39; of those five go to each side. With the 15 that may be shared, the next
    window would end before the long word too, and have no word of its own."""
    assert cut_sentence([1] * 40 + [50, 1, 1], 60, 15) == [(0, 40, 0, 35), (30, 41, 35, 41), (41, 43, 41, 43)]


@pytest.mark.parametrize("batch_size", [1, 4])
def test_a_sentence_with_a_very_long_word_is_learned_and_labelled(batch_size):
    """Alone in a forward pass, a window without words of its own fell over."""
    for before in range(40, 56):
        words = ["ko"] * before + ["https://example.org/" + "x7q" * 25] + ["ko"] * 3
        long = Corpus.from_examples("long", LABELS, [Example("1", "x", (" ".join(words),), (0,) * len(words))])
        assert opened().encode(long).positions.lengths.all()
    assert len(opened().predict(long, "t").pseudo_labels) == len(words)
    assert trained(TrainingSettings(batch_size=batch_size, learning_rate=1e-5, lr_warmup=0), mix=long)[1]["steps"] == 1


def test_windows_worked_out_by_hand():
    """Ten words of one piece, six to a window, two shared: 0-5, 4-9; of the shared 4 and 5, one goes to each side."""
    assert cut_sentence([1] * 10, 6, 2) == [(0, 6, 0, 5), (4, 10, 5, 10)]


# --- training -----------------------------------------------------------------------------------------------


def test_the_same_seed_gives_the_same_weights_and_another_seed_others():
    first, second, other = trained()[0], trained()[0], trained(seed=2)[0]
    assert torch.equal(weights(first), weights(second))
    assert not torch.equal(weights(first), weights(other))


def test_training_leaves_the_global_generator_alone():
    torch.manual_seed(7)
    expected = torch.rand(3)
    torch.manual_seed(7)
    trained()
    assert torch.equal(torch.rand(3), expected)


def test_training_lowers_the_loss():
    mix = corpus(200).take(np.tile(np.arange(200), 3))
    _, facts = trained(TrainingSettings(batch_size=8, learning_rate=1e-3), mix=mix)
    _, before = trained(TrainingSettings(batch_size=8, learning_rate=1e-12), mix=mix)
    assert facts["loss"] < 0.5 * before["loss"]


def test_accumulation_is_one_large_batch():
    """Without dropout, 4 x 4 and 16 x 1 sum the same gradients: the mean is over the step's words, not the batches'."""
    exact = {"learning_rate": 1e-2, "lr_warmup": 0, "dropout": 0.0}
    mix = corpus(16)
    small, large = (
        trained(TrainingSettings(batch_size=b, accumulation=a, **exact), mix=mix)[0] for b, a in ((4, 4), (16, 1))
    )
    start = weights(opened())
    moved = (weights(large) - start).norm()
    assert moved > 0
    # Adam's first step is lr * sign(gradient): only gradients near zero can differ
    assert (weights(small) - weights(large)).norm() < 0.05 * moved


def test_steps_count_examples_over_batch_and_accumulation_rounded_up():
    assert trained(mix=corpus(33))[1]["steps"] == 3  # 33 / (8 * 2)


def test_words_with_a_hidden_label_teach_nothing():
    mix = corpus(16)
    hidden = mix.with_labels(
        np.full(int(opened().predict(mix, "t").offsets[-1]), IGNORED), opened().predict(mix, "t").offsets
    )
    loaded = opened(dropout=0.0)
    fit(
        loaded,
        hidden,
        TrainingSettings(batch_size=8, learning_rate=1e-2, lr_warmup=0, weight_decay=0.0, dropout=0.0),
        seed=1,
        label="t",
    )
    assert torch.equal(weights(loaded), weights(opened(dropout=0.0)))


def test_selection_on_a_development_set_keeps_the_best_checkpoint():
    settings = TrainingSettings(batch_size=8, learning_rate=1e-3, evaluate_every=2, selection="source_dev")
    loaded, facts = trained(settings, mix=corpus(120), dev=corpus(30))
    score = loaded.task.score(corpus(30), loaded.predict(corpus(30), "t"))
    assert score["f1"] == pytest.approx(facts["dev"])


def test_the_average_of_checkpoints_is_neither_first_nor_last():
    settings = TrainingSettings(batch_size=8, learning_rate=1e-3, evaluate_every=2, selection="average")
    averaged, facts = trained(settings, mix=corpus(64))
    last, _ = trained(TrainingSettings(batch_size=8, learning_rate=1e-3, evaluate_every=2), mix=corpus(64))
    assert facts["averaged"] == 4
    assert not torch.equal(weights(averaged), weights(last))
    one = TrainingSettings(batch_size=8, learning_rate=1e-3, evaluate_every=100, selection="average")
    assert torch.equal(weights(trained(one, mix=corpus(64))[0]), weights(last))


def test_selection_without_its_development_set_is_refused():
    with pytest.raises(ValueError, match="development set"):
        trained(TrainingSettings(batch_size=8, learning_rate=1e-3, selection="target_dev"))


def test_a_loss_that_is_no_number_stops_the_training_with_the_step():
    loaded = opened()
    with torch.no_grad():
        loaded.module.classifier.weight.fill_(float("nan"))
    with pytest.raises(ModelError, match="step 1: the loss is nan"):
        fit(loaded, corpus(), QUICK, seed=1, label="warm-up")


def test_biases_and_layer_norms_have_no_weight_decay():
    loaded = opened()
    decayed, free = adamw(
        loaded.module.parameters(), TrainingSettings(batch_size=8, learning_rate=1e-3, lr_warmup=0, weight_decay=0.1)
    ).param_groups
    names = {id(p): name for name, p in loaded.module.named_parameters()}
    assert decayed["weight_decay"] == 0.1
    assert free["weight_decay"] == 0.0
    assert all("bias" not in names[id(p)] and "LayerNorm" not in names[id(p)] for p in decayed["params"])
    assert all("bias" in names[id(p)] or "LayerNorm" in names[id(p)] for p in free["params"])


def test_a_new_classification_layer_is_drawn_by_its_seed():
    assert torch.equal(weights(opened(seed=1)), weights(opened(seed=1)))
    assert not torch.equal(weights(opened(seed=1)), weights(opened(seed=2)))


@pytest.mark.parametrize(("tokens", "fewest", "most"), [(2048, 1, 1), (64, 6, 20)])
def test_the_budget_alone_cuts_a_step_into_passes(tokens, fewest, most):
    """Table 8's 4 x 5 of the testbed's short sentences are one pass where the memory lets them."""
    loaded, rows = opened(tokens_per_batch=tokens), []
    look = lambda _, __, inputs: rows.append(inputs["input_ids"].shape)  # noqa: E731
    loaded.module.register_forward_pre_hook(look, with_kwargs=True)
    fit(loaded, corpus(20), TrainingSettings(batch_size=4, accumulation=5, learning_rate=1e-3), seed=1, label="t")
    assert sum(row for row, _ in rows) == 20
    assert max(row * length for row, length in rows) <= tokens
    assert fewest <= len(rows) <= most
