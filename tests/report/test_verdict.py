"""What a report says first, from results alone or from labelled test examples: no more than is known."""

from pathlib import Path

import numpy as np
import pytest

from uxla.report.folder import RunFolder, TestSet
from uxla.report.verdict import verdict


def estimate(mean, reach=10.0, **other):
    return {
        "score": mean,
        "low": mean - reach,
        "high": mean + reach,
        "atc": mean,
        "doc": mean,
        "agreement": mean,
    } | other


def judged(scores=None, estimates=None, kept=None, warnings=(), test=None, trainings=(), **more):
    results = {"version": 2, "task": "nli", "metric": "accuracy", "source": {"name": "en"}}
    results |= {"targets": {"es": scores or {}, "de": {}}}
    results |= {"estimates": {"es": estimates or {}}, "warnings": list(warnings), "trainings": list(trainings)}
    results |= {} if kept is None else {"kept_epoch": {"es": kept}}
    results |= ({"final": "uxla"} if scores else {}) | more
    return verdict(RunFolder(Path("run"), results), "es", test)


def labelled(final="uxla", size=400, **right):
    """A test set of two classes; each method is right on this share of it, all on the same examples."""
    gold = np.zeros(size, dtype=np.int64)
    labels = {method: (np.arange(size) >= share * size).astype(np.int64) for method, share in right.items()}
    return TestSet(("yes", "no"), final, [["w"]] * size, np.arange(size + 1), gold, np.full(size, 0.9), labels)


STATES = {"penalty": estimate(60.0), "uxla": [estimate(66.0), estimate(63.0), estimate(61.0)]}


@pytest.mark.parametrize(
    ("kept", "said"),
    [
        (None, "UXLA: 61 (51 to 71)"),
        (1, "UXLA, epoch 1: 66 (56 to 76)"),
        (0, "UXLA (the warm-up was kept): 60 (50 to 70)"),
    ],
)
def test_the_estimate_is_that_of_the_state_kept(kept, said):
    assert judged(estimates=STATES, kept=kept).estimate == ("the confidence penalty alone: 60 (50 to 70)", said)


def together(mean):
    return {"mean": mean, "sd": 0.0, "models": [mean]}


def scored(uxla, **others):
    """A target's scores, each method's three models together."""
    own = {"ensemble": together(others.pop("zero_shot"))} if "zero_shot" in others else {}
    return {**own, "uxla_ensemble": together(uxla), "ensembles": {m: together(mean) for m, mean in others.items()}}


UNSURE = "; without test labels nothing tells how sure that is"


@pytest.mark.parametrize(
    ("kept", "headline", "compared"),
    [
        (None, "UXLA scores 10.0 points below zero-shot", ["zero-shot", "the confidence penalty alone"]),
        (1, "UXLA, epoch 1, scores 10.0 points below zero-shot", ["zero-shot", "the confidence penalty alone"]),
        (0, "The warm-up, kept in place of UXLA, scores 10.0 points below zero-shot", ["zero-shot"]),
    ],
)
def test_without_test_labels_the_models_scored_are_the_ensembles_of_the_table(kept, headline, compared):
    found = judged(scored(40.0, zero_shot=50.0, penalty=55.0, supervised=90.0), kept=kept)
    assert (found.headline, found.score) == (headline + UNSURE, 40.0)
    assert [c.baseline for c in found.comparisons] == compared, "the warm-up not with itself"


def test_what_was_measured_alone_is_compared_with_nothing():
    found = judged(scored(55.0, penalty=55.0), kept=0)
    assert (found.headline, found.score) == ("Measured, with nothing to compare it with", 55.0)


def test_with_test_labels_the_epoch_kept_is_named():
    test = labelled(uxla=0.9, penalty=0.6, zero_shot=0.5)
    assert judged(test=test, kept=2).headline == "Adaptation helped: UXLA, epoch 2, gains 40.0 points over zero-shot"
    kept = judged(test=test, kept=0)
    assert kept.headline == "The warm-up, kept in place of UXLA, gains 40.0 points over zero-shot"
    assert [c.baseline for c in kept.comparisons] == ["zero-shot"]


BEGIN = "Not measured; adaptation is estimated"


@pytest.mark.parametrize(
    ("after", "said"),
    [
        (estimate(64.2), "to gain about 4 points, which is not sure"),
        (estimate(61.0), "to gain about 1 point, which is not sure"),
        (estimate(90.0), "to gain about 30 points"),
        (estimate(60.3), "to make no clear difference"),
        (estimate(57.0), "not to help: it loses about 3 points, which is not sure"),
        (estimate(30.0), "not to help: it loses about 30 points"),
        (estimate(64.0, atc=50.0), "to make no clear difference"),
    ],
)
def test_without_a_test_set_the_estimate_is_the_verdict(after, said):
    found = judged(estimates={"penalty": estimate(60.0), "uxla": [estimate(20.0), after]})
    assert (found.headline, found.kind, found.score) == (f"{BEGIN} {said}", "unknown", None)
    assert "helped" not in found.headline


def test_the_estimate_of_the_epoch_kept_is_the_verdict():
    assert judged(estimates=STATES, kept=1).headline == f"{BEGIN} to gain about 6 points, which is not sure"
    assert judged(estimates=STATES, kept=0).headline == f"{BEGIN} not to help: the warm-up's models were kept"


@pytest.mark.parametrize("estimates", [{}, {"penalty": estimate(60.0)}, {"zero_shot": estimate(60.0)}])
def test_without_an_estimate_of_adapted_models_nothing_is_claimed(estimates):
    assert judged(estimates=estimates).headline == "Not measured: there is no labelled test set"


@pytest.mark.parametrize("scores", [{}, scored(60.0, zero_shot=50.0)])
def test_a_targets_own_warnings_and_those_of_all_stand_in_its_verdict(scores):
    said = ["no estimate of the target's score", "es: a model collapsed", "de: the estimates lie apart"]
    assert judged(scores, warnings=said).warnings == tuple(said[:2])


@pytest.mark.parametrize("points", [-30.0, 0.0, 30.0])
def test_three_models_of_one_run_have_no_interval_and_prove_nothing(points):
    found = judged(scored(50.0 + points, zero_shot=50.0))
    assert (found.kind, [c.interval for c in found.comparisons]) == ("unclear", [None])
    assert "95 %" not in found.basis
    assert [(c.said, c.sign) for c in found.comparisons] == [("no interval", np.sign(points))]


def lesson(taught, kind="target", method="uxla", target="es"):
    return {"method": method, "target": target, "learned_from": [{"kind": kind, "taught": taught}]}


NOTHING = "Nothing was learned from the raw text of es: no sentence of it taught any model"
SCORES = scored(60.0, zero_shot=50.0)


@pytest.mark.parametrize(
    "known",
    [{}, {"scores": SCORES}, {"estimates": STATES}, {"test": labelled(uxla=0.9, zero_shot=0.5)}],
    ids=["nothing", "scores", "estimates", "labels"],
)
def test_where_no_raw_sentence_taught_the_headline_says_so_whatever_was_measured(known):
    found = judged(**known, trainings=[lesson(0), lesson(0, "virtual_target"), lesson(9, "source")])
    assert (found.headline, found.kind) == (NOTHING, "untaught")
    assert found.comparisons == judged(**known).comparisons


def test_without_a_test_set_it_is_said_of_the_method_that_there_is():
    assert judged(trainings=[lesson(0, method="tri_training")]).headline == NOTHING


@pytest.mark.parametrize(
    ("trainings", "kept"),
    [
        ([lesson(0), lesson(1)], None),
        ([lesson(0), lesson(1, "virtual_target")], None),
        ([lesson(0, method="tri_training"), lesson(1)], None),
        ([lesson(0, target="de"), lesson(1)], None),
        ([lesson(0, "virtual_source")], None),
        ([lesson(0)], 0),  # the warm-up was kept, and the headline says that
        ([], None),  # a run of an older version
    ],
)
def test_no_less_is_said_where_one_sentence_taught_or_none_was_to(trainings, kept):
    assert judged(scored(60.0, zero_shot=50.0, penalty=55.0), kept=kept, trainings=trainings).headline != NOTHING


def test_without_intervals_a_lower_score_is_told_too():
    said = f"UXLA scores 10.0 points above zero-shot, but below tri-training{UNSURE}"
    assert judged(scored(60.0, zero_shot=50.0, tri_training=70.0)).headline == said


def test_with_test_labels_the_interval_is_of_these_models():
    found = judged(test=labelled(uxla=0.9, zero_shot=0.5))
    [comparison] = found.comparisons
    assert comparison.interval[0] < comparison.gain < comparison.interval[1]
    assert "how much another seed would change is not in them" in found.basis


@pytest.mark.parametrize(
    ("methods", "headline"),
    [
        (("zero_shot", "penalty"), "The confidence penalty alone gains 10.0 points over zero-shot"),
        (("zero_shot", "source_vicinity"), "Source and its vicinity gains 10.0 points over zero-shot"),
        (("zero_shot", "self_training"), "Adaptation helped: self-training gains 10.0 points over zero-shot"),
        (("tri_training", "uxla"), "UXLA gains 10.0 points over tri-training"),
        (("self_training", "uxla"), "UXLA gains 10.0 points over self-training"),
        (("no_agreement", "uxla"), "UXLA gains 10.0 points over UXLA without agreement"),
        (("uxla", "few_shot"), "UXLA with a few target labels gains 10.0 points over UXLA"),
        (("supervised", "uxla"), "Measured, with nothing to compare it with"),
        (("translate_train", "uxla"), "Measured, with nothing to compare it with"),
    ],
)
def test_adaptation_is_said_of_what_read_target_text_and_against_what_did_not(methods, headline):
    other, final = methods
    found = judged(test=labelled(final, **{final: 0.6, other: 0.5}))
    assert found.headline == headline


HELPED = "Adaptation helped: UXLA gains 10.0 points over zero-shot"
UNCLEAR = "No significant effect: UXLA differs from zero-shot by +0.0 points"


@pytest.mark.parametrize(
    ("shares", "kind", "headline"),
    [
        ((0.5, 0.7), "mixed", f"{UNCLEAR}, and is worse than tri-training"),
        ((0.4, 0.7), "mixed", "UXLA gains 10.0 points over zero-shot, but less than tri-training"),
        ((0.7, 0.7), "hurt", "Adaptation hurt: UXLA loses 20.0 points against zero-shot"),
        ((0.5, 0.4), "unclear", UNCLEAR),
        ((0.4, 0.5), "mixed", f"{HELPED}, but not significantly more than tri-training"),
        ((0.4, 0.4), "helped", HELPED),
    ],
)
def test_another_method_that_does_as_well_or_better_is_never_hidden(shares, kind, headline):
    zero_shot, tri_training = shares
    found = judged(test=labelled(uxla=0.5, zero_shot=zero_shot, tri_training=tri_training))
    assert (found.kind, found.headline) == (kind, headline)


OWN = {"title": "my own", "in_sentence": "the one of mine", "needs": [], "reads_target": True, "baseline": False}
PLAIN = OWN | {"title": "plain", "in_sentence": "the plain one", "reads_target": False, "baseline": True}


def test_a_method_that_no_registry_has_is_the_final_one_and_a_baseline_as_the_results_say():
    scores = {"ensembles": {"mine": together(60.0), "plain": together(50.0), "other": together(70.0)}}
    described = {"mine": OWN, "plain": PLAIN, "other": OWN}
    found = judged(scores, final="mine", methods=described)
    assert found.headline == f"The one of mine scores 10.0 points above the plain one{UNSURE}"
    assert [c.method for c in found.comparisons] == ["plain"], "the one baseline"
    sure = judged(test=labelled("mine", mine=0.6, plain=0.5, other=0.7), final="mine", methods=described)
    assert sure.headline == "Adaptation helped: the one of mine gains 10.0 points over the plain one"
