"""The table of a run: rows, Markdown, and what it says about itself."""

import copy
import io
import re
import subprocess
import sys
from pathlib import Path

import pytest
from rich.console import Console

from uxla.errors import ArtifactError
from uxla.methods.registry import METHODS
from uxla.report.table import run_table


def markdown(results: dict) -> str:
    return run_table(results).markdown()


def cells(results: dict) -> dict:
    return {row.names[0]: tuple(cell.text for cell in row.cells) for row in run_table(results).rows}


def score(*models: float, sd: float = 0.0, strict: float | None = None) -> dict:
    mean = sum(models) / len(models)
    return {"mean": mean, "sd": sd, "models": list(models), "strict_f1": mean if strict is None else strict}


RESULTS = {
    "version": 2,
    "task": "ner",
    "metric": "f1",
    "source": {
        "name": "en",
        "before": score(90.0, 91.0, 92.0, sd=1.0),
        "after": {"es": score(89.0, 90.0, 91.0, sd=1.0), "de": score(88.0, 89.0, 90.0, sd=1.0)},
    },
    "targets": {
        "es": {
            "zero_shot": score(40.0, 41.0, 42.0, sd=1.0, strict=40.25),
            "penalty": score(41.0, 42.0, 43.0, sd=1.0),
            "ensemble": score(44.5),
            "uxla": [score(44.0, 45.0, 46.0, sd=1.0), score(45.0, 46.0, 47.0, sd=1.0)],
            "uxla_ensemble": score(47.125, strict=46.5),
            "ensembles": {"penalty": score(43.5)},
        },
        "de": {
            "zero_shot": score(27.0, 28.0, 29.0, sd=1.0),
            "uxla": [score(30.0, 31.0, 32.5, sd=1.2583)],
            "supervised": score(60.0, 61.0, 62.0, sd=1.0),
            "ensembles": {"supervised": score(63.0)},
            "single": {"ensemble": score(33.0), "averaged": score(32.75)},
        },
    },
    "inputs": {},
}

GOLDEN = """\
| method | es | es, strict | de | de, strict |
| --- | ---: | ---: | ---: | ---: |
| zero-shot | 41.00 ± 1.00 | 40.25 | 28.00 ± 1.00 | 28.00 |
| + confidence penalty | 42.00 ± 1.00 | 42.00 |  |  |
| + confidence penalty (ensemble) | 43.50 | 43.50 |  |  |
| ensemble of zero-shot | 44.50 | 44.50 |  |  |
| UXLA, epoch 1 | 45.00 ± 1.00 | 45.00 | 31.17 ± 1.26 | 31.17 |
| UXLA, epoch 2 | 46.00 ± 1.00 | 46.00 |  |  |
| UXLA (ensemble) | 47.12 | 46.50 |  |  |
| one model, averaged |  |  | 32.75 | 32.75 |
| supervised (target labels) |  |  | 61.00 ± 1.00 | 61.00 |
| supervised (target labels, ensemble) |  |  | 63.00 | 63.00 |
| source (en), before | 91.00 ± 1.00 | 91.00 | 91.00 ± 1.00 | 91.00 |
| source (en), after | 90.00 ± 1.00 | 90.00 | 89.00 ± 1.00 | 89.00 |

Entity F1 (as seqeval and conlleval count) in percent on the test set, mean ± standard deviation of three models.
An ensemble is a method's three models together: the mean of their probabilities.
strict: an I- tag that continues no entity counts as none; equal to F1 where all labels are valid IOB2, as here.
One model, averaged: the mean of the three models' weights; −0.25 on de against their ensemble, at a third of its cost.
"""


def test_the_markdown_is_the_golden_one():
    assert markdown(RESULTS) == GOLDEN


def test_the_one_model_has_its_row_behind_the_final_method_s():
    found = {"tri_training": score(50.0), "supervised": score(80.0)}
    found["single"] = {"ensemble": score(51.5), "averaged": score(52.0)}
    results = RESULTS | {"targets": {"zh-tw": found}}
    assert list(cells(results))[:3] == ["tri-training", "one model, averaged", "supervised (target labels)"]
    assert "; +0.50 on zh-tw against their ensemble," in markdown(results)


def test_a_method_that_no_registry_has_is_named_as_the_results_say_and_the_one_model_follows_the_final_one():
    found = {"uxla": [score(60.0)], "mine": score(50.0), "single": {"ensemble": score(51.5), "averaged": score(52.0)}}
    told = {"title": "my own", "in_sentence": "", "needs": [], "reads_target": True, "baseline": False}
    results = RESULTS | {"targets": {"zh-tw": found}, "final": "mine", "methods": {"mine": told}}
    assert list(cells(results))[:3] == ["UXLA, epoch 1", "my own", "one model, averaged"]


@pytest.mark.parametrize(
    ("agreement", "said"),
    [
        ("exact", "peers agree on the whole sentence (agree: exact)"),
        ("token", "peers agree word by word, on at least 70 % of a sentence (agree: token)"),
        ("none", "peers need not agree (agree: none)"),
        ("union", "one of the two peers is enough (agree: union)"),
    ],
)
def test_the_row_of_tri_training_says_which_agreement_it_has(agreement, said):
    found = {"tri_training": score(50.0), "by_epoch": {"tri_training": [score(48.0), score(50.0)]}}
    results = RESULTS | {"targets": {"es": found, "de": {}}, "agreement": agreement, "min_agreed": 0.7}
    assert f"tri-training: {said}; 2 epochs." in markdown(results).splitlines()
    assert "tri-training" not in markdown(RESULTS | {"agreement": agreement})


def test_the_papers_tri_training_has_a_row_and_a_note_of_its_own():
    results = RESULTS | {"targets": {"es": {"tri_training_paper": score(50.0)}, "de": {}}, "agreement": "token"}
    lines = markdown(results).splitlines()
    assert any(line.startswith("| tri-training (the paper's) | 50.00 |") for line in lines)
    note = "peers agree on the whole sentence (agree: exact); one epoch (Table 5, η = 100 %, ∩)."
    assert f"tri-training (the paper's): {note}" in lines
    assert not any(line.startswith("tri-training: ") for line in lines)


def test_selection_by_target_labels_is_said_first_and_loudly():
    lines = markdown(RESULTS | {"selection": "target_dev"}).splitlines()
    assert lines[0].startswith("**TARGET LABELS WERE USED to select checkpoints")
    assert markdown(RESULTS | {"selection": "last"}) == GOLDEN


def test_a_score_without_a_second_figure_is_shown_plain():
    plain = {"mean": 1.5, "sd": 0.5, "models": [1.0, 2.0]}
    results = RESULTS | {"source": {"name": "en"}, "targets": {"es": {"penalty": plain}}}
    assert "| method | es |\n" in markdown(results)
    assert "| + confidence penalty | 1.50 ± 0.50 |" in markdown(results)
    assert "of two models" in markdown(results)


def test_macro_f1_stands_in_a_column_of_its_own():
    one = {"mean": 61.0, "sd": 1.0, "models": [60.0, 61.0, 62.0], "macro_f1": 44.5}
    sentences = {"task": "nli", "metric": "accuracy", "source": {"name": "en"}, "targets": {"es": {"penalty": one}}}
    shown = markdown(RESULTS | sentences)
    assert "| method | es | es, macro-F1 |" in shown
    assert "| + confidence penalty | 61.00 ± 1.00 | 44.50 |" in shown
    assert "Accuracy in percent" in shown
    assert "macro-F1: the mean of the classes' F1." in shown


def test_a_run_without_a_test_set_says_so_instead_of_a_table():
    results = RESULTS | {"source": {"name": "en"}, "targets": {"es": {}}}
    assert markdown(results) == "No scores: no labelled test set was given (target_data.test, source.test).\n"


def test_the_terminal_table_has_the_cells_of_the_markdown():
    shown = io.StringIO()
    Console(file=shown, width=200).print(run_table(RESULTS | {"selection": "target_dev"}))
    for row in run_table(RESULTS).rows:
        assert re.search(re.escape(row.names[0]) + r"\W+" + re.escape(row.cells[0].text), shown.getvalue())
    assert "TARGET LABELS WERE USED" in shown.getvalue()
    assert "mean ± standard deviation of three models" in shown.getvalue()


def test_an_alien_version_is_refused():
    with pytest.raises(ArtifactError, match=r"got version 1, expected 2; run `uxla run` again"):
        markdown(RESULTS | {"version": 1})


def test_the_page_about_the_algorithm_says_what_every_method_is():
    page = (Path(__file__).parents[2] / "docs/algorithm.md").read_text(encoding="utf-8")
    told = page.split("### The methods of the table")[1].split("\n### ")[0]
    assert set(METHODS) <= set(re.findall(r"`(\w+)`", told))


def test_the_report_loads_no_torch():
    code = "import sys\nimport uxla.report.table\nprint(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"torch", "transformers", "numpy"} & set(loaded)


def estimate(score: float, low: float, high: float) -> dict:
    return {"score": score, "low": low, "high": high, "atc": score, "doc": score, "agreement": score}


ESTIMATED = {
    "version": 2,
    "task": "ner",
    "metric": "f1",
    "selection": "estimated",
    "source": {"name": "en"},
    "targets": {"es": {}, "de": {}},
    "estimates": {
        "es": {"penalty": estimate(60.4, 41.0, 66.6), "uxla": [estimate(63.0, 50.0, 70.0)]},
        "de": {"penalty": estimate(50.0, 30.0, 60.0), "uxla": [estimate(45.0, 30.0, 50.0)]},
    },
    "kept_epoch": {"es": 1, "de": 0},
    "warnings": ["de: adaptation did not help"],
}


def test_estimates_stand_in_marked_rows_also_without_a_test_set():
    shown = markdown(ESTIMATED)
    assert "| estimated, no labels: + confidence penalty | 60 [41, 67] | 50 [30, 60] |" in shown
    assert "| estimated, no labels: UXLA, epoch 1 | 63 [50, 70] | 45 [30, 50] |" in shown
    assert "No scores: no labelled test set was given" in shown
    assert "Estimated, no labels: " in shown
    assert "mean ± standard deviation" not in shown


def test_the_epochs_selected_by_the_estimate_and_the_warnings_are_told():
    shown = markdown(ESTIMATED)
    assert "es: the estimate chose the models of epoch 1." in shown
    assert "de: the estimate chose the warm-up's models: no epoch seems better." in shown
    assert "Warning: de: adaptation did not help." in shown


def test_estimates_leave_the_measured_rows_as_they_are():
    results = copy.deepcopy(RESULTS)
    results["estimates"] = {"es": {"zero_shot": estimate(40.0, 30.0, 50.0), "uxla": [estimate(44.0, 30.0, 50.0)]}}
    rows = cells(results)
    assert rows.pop("estimated, no labels: zero-shot") == ("40 [30, 50]", "", "", "")
    assert rows.pop("estimated, no labels: UXLA, epoch 1") == ("44 [30, 50]", "", "", "")
    assert rows == cells(RESULTS)
