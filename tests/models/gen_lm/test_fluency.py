"""Pseudo log likelihood against the naive loop: one piece masked, one forward, all logits of the full model."""

from dataclasses import replace
from itertools import chain

import numpy as np
import pytest
import torch

from uxla import progress
from uxla.models.gen_lm.batches import MaskedRow
from uxla.models.gen_lm.fluency import portions
from uxla.models.gen_lm.mask_heads import FullHead
from uxla.models.gen_lm.masked_lm import MaskedLM
from uxla.models.memory import Budget
from uxla.testbed import asset
from uxla.testbed.world import World

KINDS = ["metaspace", "bytelevel", "wordpiece", "roberta", "deberta", "albert"]


@pytest.fixture(scope="module")
def trained() -> MaskedLM:
    return MaskedLM.load(str(asset()))


@pytest.fixture(scope="module")
def sentences() -> list[str]:
    return [" ".join(words) for words, _ in World(0).sentences("far", "train", 25)]


def naive(lm, *texts):
    """The mean over all pieces of all texts, each masked in its own text."""
    found = []
    model = lm.heads["start"].model
    for text in texts:
        ids = list(chain(*lm.tokenizer.encode_words(text.split())))
        for i, piece in enumerate(ids):
            row = [*lm.tokenizer.prefix, *ids[:i], lm.mask, *ids[i + 1 :], *lm.tokenizer.suffix]
            with torch.no_grad():
                logits = model(torch.tensor([row])).logits[0, len(lm.tokenizer.prefix) + i]
            found.append(float(logits.double().log_softmax(-1)[piece]))
    return np.mean(found)


def fitting(lm, texts):
    return [text for text in texts if len(list(chain(*lm.tokenizer.encode_words(text.split())))) <= lm.room]


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_model_scores_as_the_naive_loop(kind, folder_of, texts):
    lm = MaskedLM.load(str(folder_of(kind)))
    some = fitting(lm, texts)[::3]
    assert len(some) >= 3
    assert lm.log_likelihood(some) == pytest.approx([naive(lm, text) for text in some], abs=1e-4)


def test_a_trained_model_scores_as_the_naive_loop_and_finds_shuffled_words_less_fluent(trained, sentences):
    scores = trained.log_likelihood(sentences)
    assert scores.dtype == np.float64
    assert scores[:8] == pytest.approx([naive(trained, text) for text in sentences[:8]], abs=1e-4)
    rng = np.random.default_rng(0)
    shuffled = trained.log_likelihood([" ".join(rng.permutation(text.split())) for text in sentences])
    assert (shuffled < scores).mean() > 0.9


def test_neither_batch_size_nor_order_nor_company_nor_a_second_copy_changes_a_score(trained, sentences):
    scores = trained.log_likelihood(sentences)
    alone = [trained.log_likelihood([text])[0] for text in sentences]
    assert alone == pytest.approx(scores, abs=1e-5)
    assert trained.log_likelihood(sentences[::-1]) == pytest.approx(scores[::-1], abs=1e-5)
    assert trained.log_likelihood(sentences * 2) == pytest.approx(np.tile(scores, 2), abs=1e-5)
    assert replace(trained, budget=Budget(1)).log_likelihood(sentences) == pytest.approx(scores, abs=1e-5)


def test_rows_are_made_a_portion_at_a_time():
    rows = [MaskedRow(tuple(range(length)), 0, length) for length in (3, 4, 9, 1, 2)]
    found = list(portions(iter(rows), most=8))
    assert [len(portion) for portion in found] == [2, 1, 2]
    assert [row for portion in found for row in portion] == rows
    assert list(portions([], most=8)) == [[]]


def test_blocks_of_the_vocabulary_and_the_full_model_give_the_same_score(trained, sentences):
    scores = trained.log_likelihood(sentences)
    head = trained.open_head()
    full = FullHead(head.model, head.candidates)
    slow = replace(trained, open_head=lambda: full).log_likelihood(sentences)
    assert slow == pytest.approx(scores, abs=1e-4)
    blocks = replace(head, block=37)
    assert len(blocks.rows.blocks) > 5
    in_blocks = replace(trained, open_head=lambda: blocks).log_likelihood(sentences)
    assert in_blocks == pytest.approx(scores, abs=1e-5)


def test_a_pair_is_the_mean_over_the_pieces_of_both_texts(trained, sentences):
    pair = (sentences[0], sentences[1] + " " + sentences[2])
    (score, first) = trained.log_likelihood([pair, sentences[0]])
    assert score == pytest.approx(naive(trained, *pair), abs=1e-4)
    assert first == pytest.approx(naive(trained, sentences[0]), abs=1e-4)


def test_a_long_text_is_scored_in_windows_around_each_piece(trained, sentences):
    """With room for all, one row is the whole text; a window's score is that of the model with a nearer context."""
    lm = replace(trained, room=5)
    ids = list(chain(*lm.tokenizer.encode_words(sentences[0].split())))
    found = []
    for i, piece in enumerate(ids):
        first = min(max(0, i - 2), len(ids) - 5)
        row = [*lm.tokenizer.prefix, *ids[first : first + 5], *lm.tokenizer.suffix]
        at = len(lm.tokenizer.prefix) + i - first
        row[at] = lm.mask
        with torch.no_grad():
            logits = lm.heads["start"].model(torch.tensor([row])).logits[0, at]
        found.append(float(logits.log_softmax(-1)[piece]))
    assert lm.log_likelihood([sentences[0]]) == pytest.approx([np.mean(found)], abs=1e-4)


def test_no_text_and_no_piece_cost_no_forward(trained):
    lm = replace(trained, budget=Budget(0))
    assert lm.log_likelihood([]).shape == (0,)
    assert lm.log_likelihood(["", (" ", "")]).tolist() == [0.0, 0.0]


class Counted:
    """A listener that keeps what it is told."""

    def __init__(self):
        self.total = self.done = 0

    def start(self, label, total):
        self.total += total
        return self

    def note(self, text):
        raise AssertionError(text)

    def advance(self, amount=1):
        self.done += amount

    def stop(self):
        pass


def test_progress_counts_every_piece_once(trained, sentences):
    told = Counted()
    with progress.listening(told):
        trained.log_likelihood([*sentences, *sentences])
    assert (
        told.done
        == told.total
        == sum(len(ids) for t in set(sentences) for ids in trained.tokenizer.encode_words(t.split()))
    )
