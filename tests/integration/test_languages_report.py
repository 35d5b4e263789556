"""bench/languages_report.py: its figures are those of the records, its claims follow the protocol's rules."""

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from scipy import stats

from uxla.report.paired import Difference, holm

TASKS = {"ner": 7, "nli": 3, "paraphrase": 2, "classification": 7}
RESULTS = Path(__file__).parents[2] / "docs" / "results.md"
ROWS = (
    *("zero_shot", "ensemble", "snapshots", "weight_mean", "uxla"),
    *("uxla_ensemble", "tri_training", "tri_training_ensemble", "supervised"),
)
SIZE = 80


@pytest.fixture(scope="module")
def records(bench):
    return bench("languages_records")


@pytest.fixture(scope="module")
def scores(bench):
    return bench("languages_scores")


@pytest.fixture(scope="module")
def tables(bench):
    return bench("languages_tables")


@pytest.fixture(scope="module")
def descriptions(bench):
    return bench("languages_descriptions")


@pytest.fixture(scope="module")
def claims(bench):
    return bench("languages_claims")


@pytest.fixture(scope="module")
def claimed(bench, claims):
    """What becomes of the protocol's claims on some cells."""
    given = bench("languages_cells").Protocol.read().said["claims"]
    return lambda cells: [claim.reached for claim in claims.claims(cells, given)]


def labels(share):
    """(1, N, 3): sentences with one label each, the first so many right."""
    found = np.ones((1, SIZE, 3), dtype=int)
    found[:, round(share * SIZE) :, 2] = 0
    return found


@pytest.fixture
def cell(records):
    """`cell(task, language, seed, row=share right)`: a finished cell; sentences are its seed's own."""

    def make(task, language, seed, **shares):
        facts = {"corpus": task, "target": language, "task": task, "seed": seed, "parallel": False, "shared": [0, 1]}
        rows = {row: labels(shares.get(row, 0.5)) for row in ROWS}
        facts |= {"variant": "main", "set": "test", "results": "0123456789abcdef0", "commit": "c0ffee"}
        return records.Finished(facts, {}, {}, {}, {}, rows, seed, {}, None, {})

    return make


@pytest.fixture
def everywhere(cell):
    """`everywhere(row=gain…)`: cells of all test languages at five seeds, which differ by a little."""

    def make(**gains):
        return [
            cell(task, f"{task}{i}", seed, **{row: 0.5 + gain + 0.0125 * (seed % 2) for row, gain in gains.items()})
            for task, count in TASKS.items()
            for i in range(count)
            for seed in range(1, 6)
        ]

    return make


def test_a_difference_is_that_of_the_scores_at_each_seed(scores, cell):
    cells = [cell("ner", "a", seed, uxla=0.5 + gain) for seed, gain in ((1, 0.1), (2, 0.2), (3, 0.3))]
    found, known = scores.difference([cells], "uxla", "zero_shot"), stats.ttest_1samp([10, 20, 30], 0)
    assert found.value == pytest.approx(20)
    assert found.p == pytest.approx(known.pvalue)
    assert (found.low, found.high) == pytest.approx(tuple(known.confidence_interval(0.95)))


def test_a_difference_without_shared_sentences_is_over_the_others(scores, cell):
    cells = [cell("ner", "a", seed, uxla=0.1, zero_shot=0.0) for seed in (1, 2)]
    assert scores.difference([cells], "uxla", "zero_shot").value == pytest.approx(100 * 8 / SIZE)
    assert scores.difference([cells], "uxla", "zero_shot", scores.unshared).value == pytest.approx(100 * 6 / (SIZE - 2))


def test_of_translations_a_sentence_that_one_language_shares_is_left_out_of_all(scores, cell):
    cells = [[cell("nli", name, seed, uxla=0.1, zero_shot=0.0) for seed in (1, 2)] for name in ("a", "b")]
    for one, shared in zip(cells, ([0, 1, 2], [1, 7, 50, 60]), strict=True):
        for found in one:
            found.facts.update(parallel=True, shared=shared)
    found = scores.difference(cells, "uxla", "zero_shot", scores.unshared)
    assert found.value == pytest.approx(100 * 4 / (SIZE - 6)), "of the eight right ones 0, 1, 2, 7 are shared"


def test_seeds_that_one_language_lacks_are_left_out_of_the_mean(scores, cell):
    full = [cell("ner", "a", seed, uxla=0.6) for seed in (1, 2, 3)]
    less = [cell("ner", "b", seed, uxla=0.7) for seed in (1, 2)]
    assert scores.difference([full, less], "uxla", "zero_shot").value == pytest.approx(15)
    assert scores.difference([full, less], "uxla", "no such row") is None


def test_a_change_compares_the_same_row_at_the_same_seed(scores, cell):
    mains = [cell("ner", "a", seed, uxla=0.5) for seed in (1, 2)]
    others = [cell("ner", "a", seed, uxla=0.6) for seed in (2, 3)]
    assert scores.change([(others, mains)], "uxla").value == pytest.approx(10)
    assert scores.change([([], mains)], "uxla") is None
    changed = replace(others[0], identity=9)  # the data changed meanwhile: another test set
    assert scores.change([([changed, others[1]], mains)], "uxla") is None
    more = [cell("ner", "b", seed, uxla=0.7) for seed in (1, 2)]
    both = [(others, mains), (more, [replace(one, counted={"uxla": labels(0.4)}) for one in more])]
    assert scores.change(both, "uxla").value == pytest.approx(20), "the mean of 10 and 30, at seed 2"


def test_a_row_of_fewer_seeds_says_so(tables, cell):
    cells = [cell("ner", "a", seed, uxla=0.6) for seed in (1, 2, 3)]
    del cells[2].counted["supervised"]
    lines = tables.score_table(cells).splitlines()
    assert f"| {tables.name('supervised')} | 50.0 ± 0.0 (2 of 3) |" in lines
    assert "| UXLA | 60.0 ± 0.0 |" in lines
    [difference] = [line for line in tables.difference_table(cells).splitlines() if "UXLA − supervised" in line]
    assert difference.count(" (2 of 3) |") == 2, "of the language and of the mean"


def test_each_part_is_worth_the_mean_of_its_difference_in_each_task(tables, cell):
    ner = [cell("ner", "a", 1, ensemble=0.6), cell("ner", "b", 1, ensemble=0.8)]
    lines = tables.part_table({"NER": ner, "Topics": [cell("classification", "a", 1, uxla=0.6)]}).splitlines()
    assert lines[0] == "| what is added | NER | Topics |"
    [together] = [line for line in lines if line.startswith("| three models together |")]
    assert "+20.0 [" in together
    assert "+0.0 [" in together
    assert not any(line.startswith("| confidence penalty |") for line in lines), "no cell has the row"


def test_a_variant_says_what_it_changes_and_whether_uxla_is_ahead_of_tri_training(tables, cell):
    mains = [cell("ner", name, 1) for name in ("a", "b")]
    other = cell("ner", "a", 1, uxla=0.6, uxla_ensemble=0.7)
    other.facts["variant"] = "exact"
    lines = tables.variant_table([*mains, other], mains, ["exact", "tuned"]).splitlines()
    assert [line.split(" | ")[0] for line in lines[2:]] == [
        "| exact: tri-training",
        "| exact: UXLA",
        "| exact: UXLA (ensemble) − tri-training (ensemble)",
    ]
    assert lines[3].count("+10.0") == 2, "of the one language that has it, and of the mean"
    assert "+20.0" in lines[4]
    assert tables.variant_table(mains, mains, ["exact"]) == ""


def test_estimates_of_two_corpora_with_one_title_are_counted_together(descriptions, cell):
    def estimated(corpus, score):
        one = cell(corpus, corpus, 1)
        guess = {"score": score, "low": score - 5, "high": score + 5}
        return replace(one, estimates={"uxla": [guess]}, found={"uxla": [{"mean": 50.0, "sd": 0.0, "models": [50.0]}]})

    lines = descriptions.estimate_table([estimated("panx", 60), estimated("panx_small", 52)]).splitlines()
    assert lines[2] == "| PAN-X | 2 | 6.0 | +6.0 |  | 50 % |"
    assert lines[3].startswith("| all | 2 |")


def test_a_rule_is_compared_with_what_it_may_take(bench, cell):
    rules, choice = bench("languages_rules"), bench("adaptation").Cell

    def seen(name, **shares):
        one = cell("ner", name, 1, **shares)
        true = {method: one.score(row) for method, row in rules.ROWS.items()}
        agreed = {frozenset({"zero_shot", "tri_training"}): 90.0, frozenset({"zero_shot", "uxla"}): 80.0}
        return replace(
            one, seen_by_rules=choice(name, true, agreed | {frozenset({"tri_training", "uxla"}): 70.0}, None, None)
        )

    cells = [seen("a", tri_training_ensemble=0.6), seen("b", uxla_ensemble=0.75)]
    table = rules.rule_table([*cells, cell("ner", "c", 1)]).splitlines()
    [row] = [line for line in table if line.startswith("| adapted, the nearer to zero-shot |")]
    assert row.startswith("| adapted, the nearer to zero-shot | 12.50 | 25.0 b (ner) | tri-training 2 | −7.5 [")
    [own] = [line for line in table if line.startswith("| always UXLA |")]
    assert " | UXLA 2 |  | +12.5 [" in own
    assert rules.rule_table([cell("ner", "c", 1)]) == ""


ALL = {"uxla": 0.2, "uxla_ensemble": 0.2}


@pytest.mark.parametrize(
    ("gains", "reached"),
    [
        (ALL, [True, True, True, True]),
        ({}, [False, False, False, True]),
        (ALL | {"weight_mean": 0.2}, [False, True, True, True]),
        (ALL | {"tri_training_ensemble": 0.2}, [True, False, True, True]),
        ({row: -gain for row, gain in ALL.items()}, [False, False, False, False]),
    ],
)
def test_a_claim_is_reached_where_its_rule_says_so(claimed, everywhere, gains, reached):
    assert claimed(everywhere(**gains)) == reached


def test_half_of_the_ner_languages_are_enough_for_the_second_claim(claimed, everywhere):
    cells = everywhere(**ALL)
    for count, reached in ((3, True), (4, False)):
        for one in cells:
            if one.key[1] in [f"ner{i}" for i in range(count)]:
                one.counted["tri_training_ensemble"] = one.counted["uxla_ensemble"]
        assert claimed(cells)[1] is reached


def test_one_language_that_loses_a_point_is_harm(claimed, everywhere):
    cells = everywhere(**ALL)
    for one in cells:
        if one.key[1] == "nli1":
            one.counted["uxla_ensemble"] = labels(0.4875)
    assert claimed(cells) == [True, True, True, False]


def test_the_intervals_that_exclude_harm_are_counted(claims, tables, everywhere, bench):
    cells, given = everywhere(**ALL), bench("languages_cells").Protocol.read().said["claims"]
    for one in cells:
        if one.key[1] == "nli1":
            one.counted["uxla_ensemble"] = labels(0.4875)
    [row] = [line for line in tables.claims_table(claims.claims(cells, given)).splitlines() if "intervals" in line]
    assert row == "| intervals above −0.5 | 18 of 19 |  |  |"


def test_holm_s_correction_is_over_the_differences_of_one_claim(claims):
    p_values = [0.001, 0.02, 0.03]
    named = {str(p): Difference(1.0, 0.1, 1.9, p) for p in p_values} | {"none": None, "few": Difference(1.0, 0.1, 1.9)}
    found = claims.adjusted(named)
    assert [one.name for one in found] == ["0.001", "0.02", "0.03", "few"]
    assert [one.adjusted for one in found] == [*holm(p_values), None]
    assert [one.is_clear for one in found] == [True, True, True, False]
    [loss] = claims.adjusted({"loss": Difference(-1.0, -1.9, -0.1, 0.001)})
    assert not loss.is_clear


def test_a_star_needs_holm_s_correction(tables, everywhere):
    text = tables.difference_table([one for one in everywhere(**ALL) if one.key[0] == "ner"])
    [row] = [line for line in text.splitlines() if line.startswith("| UXLA − zero-shot |")]
    assert row.count(" *") == 7
    assert tables.shown(Difference(1.26, -0.1, 2.0, 0.06)) == "+1.3 [−0.1, 2.0]"


@pytest.mark.parametrize(
    ("row", "title"),
    [
        ("uxla", "UXLA"),
        ("uxla, epoch 1", "UXLA, epoch 1"),
        ("uxla_ensemble", "UXLA (ensemble)"),
        ("tri_training, epoch 2", "tri-training, epoch 2"),
        ("tri_training_ensemble", "tri-training (ensemble)"),
        ("ensemble", "ensemble of zero-shot"),
        ("averaged", "one model, averaged"),
    ],
)
def test_a_row_is_called_by_its_method(tables, row, title):
    assert tables.name(row) == title


def test_the_cost_is_that_of_the_work_that_was_done(records, descriptions, cell, tmp_path):
    def stage(name, seconds, hit=False):
        return {"event": "stage", "stage": name, "hit": hit, "seconds": seconds}

    def training(method):
        return {"event": "training", "method": method}

    events = [stage("fit", 60.0), stage("predict", 6.0), training("penalty"), stage("vicinity", 90.0)]
    events += [stage("fit", 0.0, hit=True), training("uxla"), stage("fit", 30.0), training("uxla"), training("uxla")]
    events += [stage("fit", 12.0)]
    (tmp_path / "journal.jsonl").write_text("".join(f"{json.dumps(event)}\n" for event in events))
    one = replace(cell("ner", "a", 1), seconds=records._seconds(tmp_path))
    assert descriptions.cost_table([one]).splitlines()[2:] == [
        "| interrupted trainings | 0.2 | 0.2 to 0.2 | 1 |",
        "| labelling | 0.1 | 0.1 to 0.1 | 1 |",
        "| trainings of + confidence penalty | 1.0 | 1.0 to 1.0 | 1 |",
        "| samples | 1.5 | 1.5 to 1.5 | 1 |",
        "| trainings of UXLA | 0.5 | 0.5 to 0.5 | 1 |",
        "| **+ confidence penalty, from scratch** | 1.0 |  |  |",
        "| **UXLA, from scratch** | 3.0 |  |  |",
    ]


def test_a_note_stands_once_and_headings_and_tables_as_often_as_they_come(bench):
    report = bench("languages_report")
    assert [*report.notes_once(["#### NER", report.NOTES, "#### NER", report.NOTES])] == [
        "#### NER",
        report.NOTES,
        "#### NER",
    ]


def test_tables_go_between_their_two_lines_or_nowhere(bench, tmp_path):
    report = bench("languages_report")
    assert RESULTS.read_text(encoding="utf-8").count(report.BEGIN) == 1
    page = tmp_path / "page.md"
    page.write_text("no such lines\n")
    with pytest.raises(SystemExit, match="expected the lines <!-- languages --> and <!-- /languages -->"):
        report.main(SimpleNamespace(records=tmp_path, page=page))
    page.write_text(f"a\n{report.BEGIN}b\n{report.END}\nc\n")
    report.main(SimpleNamespace(records=tmp_path, page=page))
    assert page.read_text() == f"a\n{report.BEGIN}No cell is finished yet.\n{report.END}\nc\n"


def test_what_explains_a_gain_is_compared_within_a_task(descriptions, cell):
    names = ("es", "fi", "yor", "swa")
    cells = [cell("ner", n, 1, zero_shot=0.1 * i, uxla=0.1 * i + 0.05 * (4 - i)) for i, n in enumerate(names)]
    cells += [cell("nli", "quy_Latn", 1, zero_shot=0.5, uxla=0.6)]
    lines = descriptions.gain_table(cells).splitlines()
    assert "| fi (ner) | 10.0 | 0.29 | +15.0 |" in lines
    assert "| **rank correlation, NER** | −1.00 | −1.00 |  |" in lines
    assert lines[-1] == "| quy (nli) | 50.0 | 0.48 | +10.0 |"


def test_a_gain_is_not_explained_by_the_zero_shot_score_that_it_contains(descriptions, cell):
    shares = {1: (0.2, 0.3, 0.4, 0.5), 2: (0.5, 0.4, 0.3, 0.2)}  # of zero-shot: chance; UXLA is the same everywhere
    cells = [
        cell("ner", f"n{i}", seed, zero_shot=share, uxla=0.6) for seed in shares for i, share in enumerate(shares[seed])
    ]
    assert descriptions.with_other_seeds([one for one in cells if one.facts["seed"] == 1]) == "−1.00"
    assert descriptions.with_other_seeds(cells) == "1.00", "at the other seed the order is the opposite"


def test_the_commits_and_trees_of_all_runs_are_told(descriptions, cell):
    cells = [cell("ner", "a", seed) for seed in (1, 2, 3)]
    for one, (commit, clean) in zip(cells, (("a", True), ("a", False), ("b", True)), strict=True):
        one.facts.update(commit=commit, clean=clean)
    assert descriptions.commits(cells) == "3 runs of 2 commits, 1 of them from a tree with changes."
