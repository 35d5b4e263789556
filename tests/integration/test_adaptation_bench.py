"""bench/adaptation.py: each rule takes what it says, and its regret is against the best ensemble."""

import json
from argparse import Namespace
from shutil import copytree

import pytest

from uxla.report.folder import RunFolder


@pytest.fixture(scope="module")
def adaptation(bench):
    return bench("adaptation")


def cell(adaptation, true=(60.0, 65.0, 64.0), agreed=(70.0, 71.0, 90.0), estimates=(70.0, 72.0), at_home=(90.0, 91.0)):
    """`agreed`: of zero-shot with tri-training, of zero-shot with UXLA, of both adapted ones."""
    pairs = ("zero_shot", "tri_training"), ("zero_shot", "uxla"), ("tri_training", "uxla")
    named = {frozenset(pair): value for pair, value in zip(pairs, agreed, strict=True)}
    return adaptation.Cell("one", dict(zip(adaptation.STATES, true, strict=True)), named, estimates, at_home)


def test_the_regret_is_what_the_best_ensemble_has_more(adaptation):
    found = cell(adaptation)
    assert [found.regret(method) for method in ("zero_shot", "tri_training", "uxla")] == [5.0, 0.0, 1.0]
    assert adaptation.summed("always UXLA", [found, cell(adaptation, true=(3.0, 1.0, 0.0))]) == (
        *("always UXLA", "2.00", "3.0"),
        "UXLA 2",
    )


def test_who_agrees_most_is_zero_shot_where_both_adapted_ensembles_went_their_own_way(adaptation):
    assert adaptation.company(cell(adaptation)) == "uxla"
    assert adaptation.company(cell(adaptation, agreed=(70.0, 69.0, 40.0))) == "zero_shot"
    assert adaptation.nearer(cell(adaptation, agreed=(70.0, 69.0, 40.0))) == "tri_training"


def test_tri_training_is_taken_unless_something_fell_without_target_labels(adaptation):
    assert adaptation.unless_lost(cell(adaptation, estimates=(70.0, 63.0))) == "tri_training"
    assert adaptation.unless_lost(cell(adaptation, estimates=(70.0, 62.9))) == "zero_shot"
    assert adaptation.unless_forgot(cell(adaptation, at_home=(90.0, 89.0))) == "tri_training"
    assert adaptation.unless_forgot(cell(adaptation, at_home=(90.0, 88.9))) == "zero_shot"
    unknown = cell(adaptation, estimates=None, at_home=None)
    assert (adaptation.unless_lost(unknown), adaptation.unless_forgot(unknown)) == ("tri_training",) * 2
    assert adaptation.estimated(cell(adaptation)) == "uxla"
    assert adaptation.estimated(unknown) == "zero_shot"


def test_a_runs_ensembles_have_the_scores_of_its_results_and_agree_with_each_other(synchronous, adaptation):
    [found] = adaptation.cells_of(RunFolder.read(synchronous.out))
    far = synchronous.results["targets"]["far"]
    scores = [far["ensemble"], far["ensembles"]["tri_training"], far["uxla_ensemble"]]
    assert list(found.true.values()) == [score["mean"] for score in scores]
    assert len(found.agreed) == 3
    assert all(0 < value < 100 for value in found.agreed.values())
    last = [one["dev"] for one in synchronous.results["trainings"] if one["method"] == "tri_training"][-3:]
    assert found.at_home[1] == pytest.approx(sum(last) / 3)


def test_the_epochs_of_a_method_are_chosen_by_what_is_known_without_target_labels(synchronous, adaptation):
    far, found = synchronous.results["targets"]["far"], dict.fromkeys(("tri_training", "uxla"))
    for method in found:
        _, targets, *regrets = next(adaptation.epoch_rows(method, [synchronous.out]))
        scores = [score["mean"] for score in {**far["by_epoch"], "uxla": far["uxla"]}[method]]
        assert targets == 1
        assert float(regrets[0]) == pytest.approx(max(scores) - scores[-1], abs=0.006)
        found[method] = regrets[1:]
    dev = [adaptation.dev_score(synchronous.results["trainings"], "uxla", "far", epoch) for epoch in (1, 2, 3)]
    uxla = [score["mean"] for score in far["uxla"]]
    assert float(found["uxla"][0]) == pytest.approx(max(uxla) - uxla[dev.index(max(dev))], abs=0.006)
    assert found["tri_training"][1] == "", "the estimates know UXLA's epochs only"


def test_runs_that_the_rules_cannot_choose_in_are_named(synchronous, adaptation, tmp_path, capsys):
    other = copytree(synchronous.out, tmp_path / "other")
    results = json.loads((other / "results.json").read_text(encoding="utf-8"))
    del results["targets"]["far"]["uxla_ensemble"]
    (other / "results.json").write_text(json.dumps(results), encoding="utf-8")
    with pytest.raises(SystemExit, match="no run has the methods zero_shot, tri_training, uxla and a test set"):
        adaptation.main(Namespace(runs=[other], json=None))
    adaptation.main(Namespace(runs=[synchronous.out, other], json=None))
    said = capsys.readouterr()
    assert said.err == f"left out, without the three methods or a test set: {other}\n"
    assert f"| {synchronous.out.name}, far |" in said.out
