"""The page's tables of scores and facts, and that its colours can be read."""

import json
import re
from importlib.resources import files

import pytest

from uxla.config.run import load_config
from uxla.report.about import facts
from uxla.report.folder import RunFolder
from uxla.report.score_table import score_tables


def score(*models, **more):
    mean = sum(models) / len(models)
    return {"mean": mean, "sd": 1.0 if len(models) > 1 else 0.0, "models": list(models), **more}


def estimate(mean):
    return {"score": mean, "low": mean - 9, "high": mean + 9, "atc": mean, "doc": mean, "agreement": mean}


FOUND = {
    "zero_shot": score(40.0, 42.0),
    "ensemble": score(43.0),
    "tri_training": score(50.0, 52.0),
    "no_agreement": score(55.0, 57.0),
    "uxla": [score(44.0, 46.0), score(48.0, 50.0)],
    "uxla_ensemble": score(53.0),
    "supervised": score(80.0, 82.0),
    "by_epoch": {"tri_training": [score(45.0, 47.0), score(50.0, 52.0)]},
    "ensembles": {"tri_training": score(52.0), "supervised": score(83.0)},
}
RESULTS = {
    "source": {"name": "en", "before": score(90.0, 92.0), "after": {"es": score(89.0, 91.0)}},
    "targets": {"es": FOUND},
    "estimates": {"es": {"zero_shot": estimate(41.0), "uxla": [estimate(44.0), estimate(47.0)]}},
}


def texts(table):
    return {row.names[0]: [cell.text for cell in row.cells] for row in table.rows}


def test_a_method_is_one_row_with_its_ensemble_its_single_models_and_its_estimate():
    main, more = score_tables(RESULTS, "es", "uxla")
    assert main.columns == ("ensemble", "single models", "estimated, no labels")
    assert texts(main) == {
        "zero-shot": ["43.00", "41.00 ± 1.00", "41 [32, 50]"],
        "tri-training": ["52.00", "51.00 ± 1.00", ""],
        "UXLA": ["53.00", "49.00 ± 1.00", "47 [38, 56]"],
        "supervised (target labels)": ["83.00", "81.00 ± 1.00", ""],
    }
    assert list(texts(more)) == [
        *("UXLA, no agreement", "tri-training, epoch 1", "tri-training, epoch 2", "UXLA, epoch 1", "UXLA, epoch 2"),
        *("en (source), before adaptation", "en (source), after adaptation"),
    ]


def test_bold_is_the_best_of_a_column_without_target_labels():
    main, _ = score_tables(RESULTS, "es", "uxla")
    bold = {(row.names[0], cell.text) for row in main.rows for cell in row.cells if cell.strong}
    assert bold == {("UXLA", "53.00"), ("tri-training", "51.00 ± 1.00")}
    assert "<strong>53.00</strong>" in main.html()


def test_the_one_model_in_place_of_three_has_a_row():
    found = FOUND | {"single": {"ensemble": score(53.0), "averaged": score(51.5)}}
    main, _ = score_tables(RESULTS | {"targets": {"es": found}}, "es", "uxla")
    assert list(texts(main).items())[3] == ("one model, averaged", ["", "51.50", ""]), "behind the run's three"


def test_the_row_of_uxla_is_that_of_the_epoch_kept():
    main, _ = score_tables(RESULTS | {"kept_epoch": {"es": 1}}, "es", "uxla")
    assert texts(main)["UXLA"] == ["53.00", "45.00 ± 1.00", "44 [35, 53]"]


@pytest.mark.parametrize(("strict", "columns"), [(53.0, ()), (52.5, ("strict",))])
def test_a_second_figure_has_a_column_where_it_tells_anything(strict, columns):
    results = RESULTS | {"targets": {"es": {"uxla": [score(53.0)], "uxla_ensemble": score(53.0, strict_f1=strict)}}}
    main, _ = score_tables(results, "es", "uxla")
    assert tuple(column for column in main.columns if column == "strict") == columns


def test_what_a_folder_does_not_tell_is_left_out(make_run):
    assert facts(RunFolder.read(make_run())) == [
        ("task", "named entity recognition"),
        ("trainings", "2, 120 steps in all"),
    ]


def test_the_facts_are_those_of_the_folder(make_run):
    run = make_run()
    (run / "config.yaml").write_text(load_config("testbed", ["seed=7"]).to_yaml(), encoding="utf-8")
    around = {"seconds": {"fit": 9000.0, "vicinity": 600.0}, "threads": 1, "finished": "2026-11-29T15:00:00+00:00"}
    around |= {"hardware": {"gpus": [], "cpu": "A CPU"}, "versions": {"uxla": "0.1.0", "torch": "2.13.0", "numpy": "2"}}
    (run / "environment.json").write_text(json.dumps(around), encoding="utf-8")
    found = dict(facts(RunFolder.read(run)))
    assert (found["model"], found["seed"]) == ("testbed, fp32", "7")
    assert found["data"] == "2 labelled sentences of src; 4 raw sentences and 20 test sentences of far"
    assert found["compute time"] == "2.7 h (training 2.5 h, generating virtual sentences 10 min)"
    assert (found["hardware"], found["finished"]) == ("A CPU, 1 thread", "2026-11-29T15:00:00+00:00")
    assert found["versions"] == "uxla 0.1.0, torch 2.13.0"
    assert re.fullmatch("SHA-256 [0-9a-f]{12}", found["configuration"])


TEXT = ("ink", "quiet", "faint", "accent", "good", "bad", "warn")
PAIRS = [(ink, paper) for ink in TEXT for paper in ("paper", "raised")]
PAIRS += [("ink", ground) for ground in ("mark", "entity", "wrong")]


def luminance(colour):
    """Of a colour `#rrggbb` or `#rgb`, by WCAG 2.2."""
    digits = colour[1:] if len(colour) == 7 else "".join(2 * digit for digit in colour[1:])
    parts = [int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


STYLE = files("uxla.report").joinpath("templates/style.css").read_text(encoding="utf-8")


def palette(scheme):
    light, dark = re.findall(r":root \{(.*?)\}", STYLE, re.DOTALL)[:2]
    return dict(re.findall(r"--(\w+): (#\w+)", light if scheme == "light" else dark))


def contrast(one, other):
    low, high = sorted(map(luminance, (one, other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("ink", "paper"), PAIRS)
def test_text_has_the_contrast_of_wcag_aa(scheme, ink, paper):
    assert contrast(palette(scheme)[ink], palette(scheme)[paper]) >= 4.5


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_figures_can_be_read_on_the_darkest_cell_of_the_confusion(scheme):
    colours = palette(scheme)
    mixed = re.findall(r"color-mix\(in srgb, var\(--(\w+)\) calc\(var\(--share\) \* (\.\d+)\), transparent\)", STYLE)
    assert {name for name, _ in mixed} == {"bad", "accent"}
    for name, share in mixed:
        ends = [[int(colours[c][1:].ljust(6, "f")[i : i + 2], 16) for i in (0, 2, 4)] for c in (name, "paper")]
        cell = [round(float(share) * over + (1 - float(share)) * under) for over, under in zip(*ends, strict=True)]
        assert contrast(colours["ink"], "#{:02x}{:02x}{:02x}".format(*cell)) >= 4.5


def test_a_method_that_no_registry_has_is_a_row_by_its_title_among_the_main_ones_as_a_baseline():
    told = {"title": "my own", "in_sentence": "", "needs": [], "reads_target": True, "baseline": True}
    found = {**FOUND, "mine": score(30.0, 32.0), "by_epoch": {"mine": [score(29.0), score(31.0)]}}
    results = RESULTS | {"targets": {"es": found}, "methods": {"mine": told, "other": told | {"baseline": False}}}
    main, more = score_tables(results, "es", "uxla")
    assert "my own" in texts(main)
    assert "my own, epoch 2" in texts(more)
