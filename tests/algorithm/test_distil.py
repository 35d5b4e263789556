from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from sklearn.mixture import GaussianMixture

from uxla.algorithm import distil
from uxla.algorithm.agreement import Exact, Token
from uxla.algorithm.distil import CleanCluster, MostConfident, confidence, length, loss, majority_share
from uxla.errors import ConfigError
from uxla.records import IGNORED, Corpus, Example, Predictions

ANY = Corpus.from_examples("any", ("a", "b"), [])
"""Where a selection looks at predictions alone."""


@st.composite
def predictions(draw, lengths=None):
    lengths = draw(st.lists(st.integers(1, 5), min_size=1, max_size=20)) if lengths is None else lengths
    raw = draw(
        arrays.arrays(np.float32, (sum(lengths), 3), elements=st.floats(0.015625, 1, width=32), fill=st.nothing())
    )
    return Predictions(raw / raw.sum(1, keepdims=True), np.cumsum([0, *lengths]))


@st.composite
def peers(draw):
    lengths = draw(st.lists(st.integers(1, 5), min_size=1, max_size=20))
    return draw(predictions(lengths)), draw(predictions(lengths))


def of_best(values, lengths=None):
    """Two-class predictions with the given best probabilities, one row an example unless lengths are given."""
    values = np.asarray(values, dtype=np.float32)
    lengths = [1] * len(values) if lengths is None else lengths
    return Predictions(np.stack([values, 1 - values], axis=1), np.cumsum([0, *lengths]))


def test_confidence_is_the_mean_over_words_of_the_best_probability():
    """Words .9 .7 | .6: (.9 + .7) / 2 = .8 and .6 (§2.3)."""
    assert confidence(of_best([0.9, 0.7, 0.6], [2, 1])) == pytest.approx([0.8, 0.6])


def test_loss_is_the_mean_negative_log_of_the_best_probability():
    assert loss(of_best([0.5, 1.0, 0.25 + 0.5], [2, 1])) == pytest.approx([np.log(2) / 2, -np.log(0.75)])


@given(predictions(), st.floats(0, 1))
def test_confidence_keeps_exactly_the_floor_of_the_share(found, share):
    assert MostConfident(share)(found, ANY).sum() == np.floor(share * len(found) + 1e-9)


def test_a_share_that_floats_cannot_hold_is_not_one_short():
    assert MostConfident(0.29)(of_best(np.linspace(0.5, 1, 100)), ANY).sum() == 29


@given(predictions(), st.floats(0, 1))
def test_no_dropped_example_is_more_confident_than_a_kept_one(found, share):
    kept, scores = MostConfident(share)(found, ANY), confidence(found)
    assert not kept.any() or kept.all() or scores[kept].min() >= scores[~kept].max()


def test_ties_keep_the_order_of_the_corpus():
    assert MostConfident(0.5)(of_best([0.8] * 6), ANY).tolist() == [True] * 3 + [False] * 3


def test_per_class_selection_keeps_a_share_of_every_class():
    probs = np.array([[0.9, 0.1]] * 8 + [[0.45, 0.55]] * 4, dtype=np.float32)
    found = Predictions(probs, np.arange(13))
    assert MostConfident(0.5)(found, ANY)[8:].sum() == 0
    assert MostConfident(0.5, per_class=True)(found, ANY)[8:].sum() == 2


def test_per_class_selection_of_tagged_sentences_is_refused():
    with pytest.raises(ConfigError, match="per_class: needs one label an example"):
        MostConfident(0.5, per_class=True)(of_best([0.9, 0.8], [2]), ANY)


def clusters(rng, clean=300, noisy=100):
    return np.clip(np.concatenate([rng.normal(0.95, 0.01, clean), rng.normal(0.65, 0.05, noisy)]), 0.51, 0.9999)


def test_clustering_separates_low_losses_from_high_ones():
    kept = CleanCluster(0.5)(of_best(clusters(np.random.default_rng(0))), ANY)
    assert kept[:300].mean() > 0.97
    assert kept[300:].mean() < 0.05


@settings(max_examples=25)
@given(st.integers(0, 1000), st.floats(0.1, 0.9))
def test_clustering_is_monotone_at_the_low_end(seed, threshold):
    """A wide noisy component wins the far left tail too; without the second rule the best examples were dropped."""
    rng = np.random.default_rng(seed)
    found = of_best(np.concatenate([clusters(rng), [0.99999, 0.999999]]))
    kept, losses = CleanCluster(threshold)(found, ANY), loss(found)
    assert kept[losses.argmin()]
    assert losses[~kept].min(initial=np.inf) > np.median(losses[kept]) or kept.all()


def test_without_the_rule_the_posterior_alone_would_drop_the_lowest_loss():
    found = of_best(np.concatenate([np.full(200, 0.90) + np.linspace(-0.005, 0.005, 200), np.linspace(0.55, 0.8, 100)]))
    tail = Predictions(np.concatenate([found.probs, np.array([[0.99999, 0.00001]], dtype=np.float32)]), np.arange(302))
    losses = loss(tail)[:, None] / loss(tail).std()
    mixture = GaussianMixture(2, random_state=0, n_init=3).fit(losses)
    clean = mixture.means_[:, 0].argmin()
    assert mixture.predict_proba(losses)[-1, clean] < 0.5
    assert CleanCluster(0.5)(tail, ANY)[-1]


def test_losses_without_spread_are_all_selected():
    assert CleanCluster(0.5)(of_best([0.8] * 10), ANY).all()
    assert CleanCluster(0.5)(of_best([0.8]), ANY).all()


@settings(max_examples=25)
@given(peers(), st.integers(1, 7))
def test_no_result_depends_on_how_many_examples_are_looked_at_together(pair, together):
    k, j = pair

    def results():
        everything = np.ones(len(k), dtype=np.bool_)
        agreed = [*Exact()(k, j, (everything, everything)), *Token()(k, j, (everything, everything))]
        chosen = [*agreed, CleanCluster(0.5)(k, ANY)]
        return [array.tolist() for array in (confidence(k), loss(k), *chosen)]

    at_once = results()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(distil, "_TOGETHER", together)
        assert results() == at_once


def test_a_mixture_fitted_to_a_part_selects_as_one_fitted_to_all(monkeypatch):
    sizes = []

    class Watched(GaussianMixture):
        def fit(self, features):
            sizes.append(len(features))
            return super().fit(features)

    monkeypatch.setattr("sklearn.mixture.GaussianMixture", Watched)
    found = of_best(clusters(np.random.default_rng(0), clean=3000, noisy=1000))
    whole = CleanCluster(0.5)(found, ANY)
    monkeypatch.setattr(distil, "_FITTED", 1000)
    part = CleanCluster(0.5)(found, ANY)
    assert sizes == [4000, 1000]
    assert (part != whole).mean() < 0.01
    assert (part == CleanCluster(0.5)(found, ANY)).all()


def test_no_example_is_touched_by_rounding_in_its_neighbour():
    alone = confidence(of_best([0.7]))
    beside = confidence(of_best([0.123456, 0.654321, 0.7], [2, 1]))
    assert beside[1] == alone[0]


def test_majority_share_ignores_hidden_labels():
    assert majority_share(np.array([0, 0, 1, IGNORED, IGNORED])) == pytest.approx(2 / 3)
    assert majority_share(np.array([], dtype=np.int64)) == 0


def test_a_feature_beside_the_loss_can_tell_examples_whose_losses_are_alike():
    rng = np.random.default_rng(0)
    found = of_best(np.clip(rng.normal(0.9, 0.01, 400), 0.8, 0.99))
    feature = np.concatenate([rng.normal(0, 0.1, 300), rng.normal(5, 0.1, 100)])
    found.probs[300:] -= [[0.02, -0.02]]
    alone = CleanCluster(0.5)(found, ANY)
    with_feature = CleanCluster(0.5, (lambda corpus: feature,))(found, ANY)
    assert with_feature.tolist() == [True] * 300 + [False] * 100
    assert alone[300:].any()


@pytest.mark.parametrize("unit", [-1.0, 1e-4])
def test_neither_the_unit_of_a_feature_nor_which_end_of_it_is_good_changes_the_selection(unit):
    """Noise may be long, and not fluent: high in one feature and low in another."""
    rng = np.random.default_rng(0)
    found = of_best(np.clip(rng.normal(0.9, 0.01, 400), 0.8, 0.99))
    found.probs[300:] -= [[0.02, -0.02]]
    feature = np.concatenate([rng.normal(0, 0.1, 300), rng.normal(5, 0.1, 100)])
    assert CleanCluster(0.5, (lambda corpus: unit * feature,))(found, ANY).tolist() == [True] * 300 + [False] * 100


def test_a_feature_without_spread_changes_nothing():
    found = of_best(clusters(np.random.default_rng(0)))
    assert (CleanCluster(0.5, (lambda corpus: np.ones(400),))(found, ANY) == CleanCluster(0.5)(found, ANY)).all()


def test_length_counts_the_characters_of_all_texts():
    texts = [("a bc",), ("\u0e20\u0e32\u0e29\u0e32",)]
    corpus = Corpus.from_examples("c", ("a",), [Example(str(i), "c", text, None) for i, text in enumerate(texts)])
    assert length(corpus).tolist() == [4, 4]
    pair = Corpus.from_examples("c", ("a",), [Example("0", "c", ("ab", "cde"), None)])
    assert length(pair).tolist() == [5]
