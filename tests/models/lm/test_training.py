"""A masked LM is trained on text: the recipe, the held-out figures, and going on after a kill."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers import AutoModel, AutoModelForMaskedLM, AutoTokenizer

from uxla.errors import DataError, ModelError
from uxla.models.lm.model import TrainableLM
from uxla.models.lm.settings import Recipe
from uxla.models.lm.training import by_length, fit_lm, split, texts_of
from uxla.models.memory import Budget
from uxla.models.ragged import Ragged
from uxla.models.runtime import Runtime
from uxla.models.training.embeddings import LookedUpRows
from uxla.records import Corpus, Example, concatenate
from uxla.testbed import asset
from uxla.testbed.world import World

QUICK = Recipe(batch_size=4, learning_rate=1e-3, max_steps=7, evaluate_every=3, held_out=0.2)


def corpus(texts):
    return Corpus.from_examples("t", (), [Example(f"s{i}", "", (text,)) for i, text in enumerate(texts)])


def row_by_row(rows):
    """The ids, the positions and the pieces that stood there, of each window."""
    windows, gold = rows
    positions = windows.positions.tolist()
    return zip(windows.ids.tolist(), positions, Ragged(gold, windows.positions.lengths).tolist(), strict=True)


@pytest.fixture(scope="module")
def sentences():
    """Sentences that the shipped model's vocabulary was made for."""
    return corpus(" ".join(words) for words, _ in World(0).sentences("source", "pretrain", 400))


def opened(folder, masked=0.15, tokens=2048, max_length=64, precision="fp32"):
    return TrainableLM.open(folder, Runtime("cpu", max_length, Budget(tokens), precision=precision), masked=masked)


def weights(lm):
    return torch.cat([value.detach().flatten() for value in lm.model.module.state_dict().values()])


# --- masks ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("share", [0.15, 0.4])
def test_the_share_of_the_pieces_is_masked_and_of_them_eighty_ten_ten(sentences, share):
    lm = opened(asset(), share)
    texts = lm.texts(sentences)
    whole = set(map(tuple, texts.tolist()))
    torch.manual_seed(0)
    drawn = [row for _ in range(4) for row in row_by_row(lm.rows(sentences))]
    pieces = 4 * (len(texts.values) - 2 * len(texts))
    pairs = []
    for ids, positions, gold in drawn:
        before = list(ids)
        pairs += [(ids[at], piece) for at, piece in zip(positions, gold, strict=True)]
        for at, piece in zip(positions, gold, strict=True):
            before[at] = piece
        assert tuple(before) in whole  # nothing but what was drawn is changed, and the gold is what stood there
    near = 5 / math.sqrt(len(pairs))
    assert len(pairs) / pieces == pytest.approx(share, rel=near)
    assert sum(i == lm.model.tokenizer.mask for i, _ in pairs) / len(pairs) == pytest.approx(0.8, abs=near)
    assert sum(i == gold for i, gold in pairs) / len(pairs) == pytest.approx(0.1, abs=near)


def test_special_tokens_are_never_masked_also_where_a_text_spells_them(sentences):
    lm = opened(asset(), 1.0)
    spelled = corpus(["<mask> ko </s> mira", "<unk> <s> \u200b \ufffd"])
    windows, gold = lm.rows(concatenate("t", [spelled, sentences]))
    assert set(gold).isdisjoint(lm.model.tokenizer.special)
    assert all((ids[0], ids[-1]) == (0, 2) for ids in windows.ids.tolist())


def test_masks_are_drawn_anew_each_time(sentences):
    lm = opened(asset())
    first, second = (lm.rows(sentences)[0].positions.tolist() for _ in range(2))
    assert first != second


def test_a_long_text_is_cut_into_windows_that_lose_nothing():
    lm = opened(asset(), max_length=16)
    text = "ko mira sen tal ru " * 30
    found = lm.texts(corpus([text])).tolist()
    assert len(found) > 3
    assert [i for ids in found for i in ids[1:-1]] == list(lm.model.tokenizer.encode_text(text))
    assert max(map(len, found)) == 16


def test_what_has_no_piece_to_mask_teaches_nothing():
    lm = opened(asset())
    windows, gold = lm.rows(corpus(["", "<mask>"]))
    assert (len(windows), len(gold)) == (0, 0)
    fit_lm(lm, corpus(["", "<mask>"]), QUICK, seed=0, label="t")
    assert torch.equal(weights(lm), weights(opened(asset())))


# --- the head at masked positions ---------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["metaspace", "bytelevel", "wordpiece", "roberta", "deberta", "microsoft", "albert"])
def test_logits_at_gathered_positions_are_those_of_the_whole_model(folder_of, texts, kind):
    lm = opened(folder_of(kind), 0.3)
    assert lm.gathered
    torch.manual_seed(1)
    rows = lm.rows(corpus(texts))
    lm.model.module.eval()
    with torch.inference_mode():
        found = lm.logits(rows[0])
        expected = [
            lm.model.module(input_ids=torch.tensor([ids])).logits[0, positions]
            for ids, positions, _ in row_by_row(rows)
        ]
    assert torch.allclose(found, torch.cat(expected), atol=2e-4)


def test_bfloat16_learns_nearly_the_same(sentences):
    found = [
        fit_lm(opened(asset(), precision=precision), sentences, QUICK, seed=0, label="t")
        for precision in ("fp32", "bf16")
    ]
    assert opened(asset(), precision="bf16").gathered
    assert found[1]["held_out_loss"] == pytest.approx(found[0]["held_out_loss"], rel=0.02)
    assert found[1] != found[0]


def test_an_architecture_that_gathers_wrongly_is_found_out(folder_of):
    lm = replace(opened(folder_of("metaspace")), gathered=False)
    assert lm.gathers()
    lm.model.module.lm_head.register_forward_hook(lambda *given: given[-1] + torch.arange(given[-1].shape[1])[:, None])
    assert not lm.gathers()


def test_the_table_of_a_masked_lm_is_trained_as_a_whole():
    assert LookedUpRows.of(opened(asset()).model.module, large=1) == []


def test_the_logits_of_a_pass_are_bounded_whatever_the_token_budget():
    assert opened(asset(), masked=0.1, tokens=10**6).model.budget.tokens == 2**28 // 300
    assert opened(asset(), masked=0.1, tokens=64).model.budget.tokens == 64


# --- training -----------------------------------------------------------------------------------------------------


def trained(texts, recipe=QUICK, *, seed=1, checkpoints=None, tokens=2048):
    lm = opened(asset(), recipe.masked, tokens)
    facts = fit_lm(lm, texts, recipe, seed=seed, label="t", checkpoints=checkpoints)
    return weights(lm), facts


def test_the_same_seed_gives_the_same_weights_and_another_seed_others(sentences):
    first, facts = trained(sentences)
    torch.rand(5)
    second, facts_again = trained(sentences)
    assert torch.equal(first, second)
    assert facts == facts_again
    assert not torch.equal(first, trained(sentences, seed=2)[0])


def test_training_leaves_the_global_generator_alone(sentences):
    torch.manual_seed(7)
    expected = torch.rand(3)
    torch.manual_seed(7)
    trained(sentences)
    assert torch.equal(torch.rand(3), expected)


@pytest.mark.parametrize("steps", [1, 6])
def test_an_interrupted_training_gives_the_same_weights_and_facts(
    killed_after, steps_of, checkpoints_after, sentences, steps
):
    whole, facts = trained(sentences)
    checkpoints = checkpoints_after(2)
    with killed_after(steps):
        trained(sentences, checkpoints=checkpoints)
    with steps_of() as done:
        again, facts_again = trained(sentences, checkpoints=checkpoints)
    assert done == [0, *range(steps // 2 * 2, 8)]
    assert torch.equal(whole, again)
    assert facts == facts_again


def test_killed_behind_its_last_step_it_has_the_same_weights_and_facts(killed_after, checkpoints_after, sentences):
    whole, facts = trained(sentences)
    checkpoints = checkpoints_after(6)
    with killed_after(7):
        trained(sentences, checkpoints=checkpoints)
    again, facts_again = trained(sentences, checkpoints=checkpoints)
    assert torch.equal(whole, again)
    assert facts == facts_again


def test_held_out_text_is_scored_before_and_on_the_way_and_told(sentences, hearing):
    with hearing() as told:
        _, facts = trained(sentences)
    assert [line.split(":")[0] for line in told] == [f"t, step {step}" for step in (0, 3, 6, 7)]
    assert f"{facts['held_out_loss_before']:.3f}" in told[0]
    assert f"{facts['held_out_loss']:.3f}, {facts['held_out_accuracy']:.1f} %" in told[-1]
    assert facts["learned"] + facts["held_out"] == len(sentences)


def test_the_held_out_loss_is_that_of_the_plain_model(sentences):
    lm = opened(asset())
    torch.manual_seed(3)
    rows = lm.rows(sentences.part(0, 50))
    model = AutoModelForMaskedLM.from_pretrained(asset(), dtype=torch.float32).eval()
    losses, right = [], []
    with torch.inference_mode():
        for ids, positions, gold in row_by_row(rows):
            log_probs = model(torch.tensor([ids])).logits[0, positions].log_softmax(-1)
            losses += (-log_probs[range(len(gold)), gold]).tolist()
            right += (log_probs.argmax(-1) == torch.tensor(gold)).tolist()
    lm.model.module.train()  # as in the midst of a training
    assert lm.score(rows) == (pytest.approx(np.mean(losses), abs=1e-4), pytest.approx(100 * np.mean(right)))


def test_nothing_is_held_out_and_nothing_scored_where_that_is_asked(sentences, hearing):
    with hearing() as told:
        _, facts = trained(sentences, Recipe(batch_size=4, max_steps=1, held_out=0.0))
    assert told == []
    assert set(facts) == {"steps", "examples", "tokens_per_batch", "loss", "learned", "held_out"}
    assert facts["held_out"] == 0


def test_the_token_budget_does_not_decide_what_is_learned(sentences):
    found = []
    for tokens in (4096, 40):
        lm = opened(asset(), tokens=tokens)
        lm.model.module.train = lambda mode=False: None  # no dropout, whose draws it decides
        fit_lm(lm, sentences, Recipe(batch_size=16, max_steps=2, learning_rate=1e-4), seed=1, label="t")
        found.append(weights(lm))
    moved = (found[0] - weights(opened(asset()))).norm()
    assert moved > 0
    assert (found[0] - found[1]).norm() < 0.05 * moved


def test_no_text_is_refused():
    with pytest.raises(DataError, match="no text to learn from"):
        fit_lm(opened(asset()), corpus([]), QUICK, seed=0, label="t")


# --- what is read -------------------------------------------------------------------------------------------------


def test_the_sentences_of_a_pair_are_texts_of_their_own():
    pairs = Corpus.from_examples("p", ("a", "b"), [Example("1", "x", ("one", "two"), (0,))])
    assert [example.segments for example in texts_of([pairs, corpus(["three"])])] == [("one",), ("two",), ("three",)]


@given(st.lists(st.sampled_from("abcdefghij"), max_size=40), st.floats(0, 0.9), st.integers(0, 3))
def test_no_text_is_learned_from_and_held_out(texts, share, seed):
    learned, held_out = split(corpus(texts), share=share, seed=seed, most=4)
    a, b = ([example.segments[0] for example in part] for part in (learned, held_out))
    assert set(a) | set(b) == set(texts)
    assert set(a).isdisjoint(b)
    assert len(b) == len(set(b)) <= 4
    assert a == [text for text in texts if text not in b]
    if share > 0 and len(set(texts)) > 1:
        assert len(b) == min(4, max(1, math.floor(share * len(set(texts)))))


@given(st.lists(st.integers(1, 50), min_size=1, max_size=300), st.integers(1, 700), st.integers(1, 4))
def test_every_text_comes_once_before_any_comes_again(sizes, draws, step):
    order = by_length(np.array(sizes), draws=draws, step=step, seed=0)
    counts = np.bincount(order, minlength=len(sizes))
    assert len(order) == draws
    assert counts.max() - counts.min() <= 1


def test_a_step_has_texts_of_like_length():
    sizes = np.random.default_rng(0).integers(1, 100, 64 * 8)
    steps = sizes[by_length(sizes, draws=64 * 8, step=8, seed=0)].reshape(-1, 8)
    assert np.ptp(steps, axis=1).max() < 10
    assert not (np.diff(steps[:, 0]) >= 0).all()  # and the steps themselves are in no order of length


# --- models that will not do ----------------------------------------------------------------------------------------


def test_weights_without_a_head_are_refused(tmp_path, folder_of):
    AutoModel.from_pretrained(folder_of("metaspace")).save_pretrained(tmp_path)
    AutoTokenizer.from_pretrained(folder_of("metaspace")).save_pretrained(tmp_path)
    with pytest.raises(ModelError, match=r"no masked-LM head: lm_head\S+ is not among its weights"):
        opened(tmp_path)


def test_a_tokenizer_without_a_mask_and_one_too_large_are_refused(tmp_path, make_model, make_tokenizer):
    folder = make_model(tmp_path, "metaspace")
    tokenizer = AutoTokenizer.from_pretrained(folder)
    tokenizer.add_tokens(["more"])
    tokenizer.save_pretrained(folder)
    with pytest.raises(ModelError, match=r"its tokenizer has 501 pieces, the model's embeddings 500"):
        opened(folder)
    tokenizer = make_tokenizer("metaspace")
    tokenizer.mask_token = None
    tokenizer.save_pretrained(folder)
    with pytest.raises(ModelError, match="no mask token"):
        opened(folder)
