"""What a grid's tables say, from run folders made by hand: known counts, known differences, a golden page."""

import io
import json
import re
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import scipy.stats

from uxla.errors import ArtifactError
from uxla.report import scoring
from uxla.report.folder import RunFolder
from uxla.report.grid import Baseline, GridRun, summary, targets, tidy
from uxla.report.grid_table import grid_table
from uxla.report.paired import SEEDS_VARY, Difference, Pair, counted, difference, pair

GOLDEN = Path(__file__).parents[1] / "golden" / "grid.md"
KEYS = ("agreement", "alpha")


def score(*models):
    return {"mean": sum(models) / len(models), "sd": 1.5 if len(models) > 1 else 0.0, "models": list(models)}


def right(share, size=40):
    """Counts of `size` examples with one label each, the first `share` of them right."""
    found = np.ones((size, 3), dtype=np.int64)
    found[round(share * size) :, 2] = 0
    return found


def alike(*pairs):
    """Pairs of seeds that have the same examples."""
    return [Pair(one, other, 0) for one, other in pairs]


def apart(*pairs):
    """Pairs of seeds that have examples of their own."""
    return [Pair(*pair, identity) for identity, pair in enumerate(pairs)]


@pytest.fixture
def make_cell(tmp_path):
    """`make_cell(values, seed, far={"uxla": (models, share right)})`: a run whose labels are right that often."""

    def make(values=("exact", "1.0"), seed=0, *, selection="last", kept=None, texts="t{}", size=40, **found):
        folder = tmp_path / f"{'-'.join(values)}-{seed}"
        named = {}
        for target, methods in found.items():
            named[target] = {m: score(*models) for m, (models, _) in methods.items() if m != "uxla"}
            if "uxla" in methods:
                named[target] |= {"uxla": [score(10.0, 10.0, 10.0), score(*methods["uxla"][0])]}
                named[target] |= {"uxla_ensemble": score(99.0), "by_epoch": {"tri_training": [score(1.0), score(2.0)]}}
            (folder / "predictions").mkdir(parents=True, exist_ok=True)
            gold = np.zeros(size, dtype=np.int16)
            columns = {m: (np.arange(size) >= share * size).astype(np.int16) for m, (_, share) in methods.items()}
            lists = {"gold": gold, **columns, "confidence": np.ones(size, dtype=np.float32)}
            offsets = pa.array(np.arange(size + 1))
            rows = {name: pa.LargeListArray.from_arrays(offsets, pa.array(column)) for name, column in lists.items()}
            rows = {"id": list(map(str, range(size))), "segments": [[texts.format(i)] for i in range(size)], **rows}
            metadata = {"label_names": "yes\x00no", "final": next(iter(methods))}
            pq.write_table(pa.table(rows, metadata=metadata), folder / "predictions" / f"{target}.parquet")
        results = {"version": 2, "task": "nli", "metric": "accuracy", "selection": selection}
        results |= {"source": {"name": "src"}, "targets": named} | ({"kept_epoch": kept} if kept else {})
        folder.mkdir(exist_ok=True)
        (folder / "results.json").write_text(json.dumps(results), encoding="utf-8")
        return GridRun(values, seed, RunFolder.read(folder))

    return make


def test_with_one_seed_the_interval_is_the_bootstrap_over_its_examples():
    rng = np.random.default_rng(0)
    one, other = (np.stack([np.ones(60), np.ones(60), rng.random(60) < p], axis=1).astype(int) for p in (0.7, 0.6))

    def statistic(drawn, axis=-1):
        return scoring.f1(one[drawn].sum(axis=-2)) - scoring.f1(other[drawn].sum(axis=-2))

    options = {"n_resamples": 2000, "batch": 50, "method": "percentile", "vectorized": True, "rng": 0}
    interval = scipy.stats.bootstrap((np.arange(60),), statistic, **options).confidence_interval
    found = difference(alike((one, other)))
    assert (found.low, found.high) == (interval.low, interval.high)
    assert found.value == scoring.score(one) - scoring.score(other)


def test_a_difference_is_the_mean_of_those_of_the_seeds():
    found = difference(alike((right(0.75), right(0.5)), (right(0.5), right(0.5))))
    assert found.value == pytest.approx(12.5)
    assert found.low < 12.5 < found.high


def test_what_is_the_same_differs_by_nothing():
    assert difference(apart(*[(right(0.3), right(0.3))] * 3)) == Difference(0.0, 0.0, 0.0)


@pytest.mark.parametrize("of", [alike, apart])
@pytest.mark.parametrize("seeds", [SEEDS_VARY - 1, SEEDS_VARY])
def test_seeds_vary_where_there_are_enough_of_them(seeds, of):
    # Within a seed nothing varies, every example being equal: all the uncertainty is that of the seeds.
    pairs = [(right(float(seed == 0)), right(0.0)) for seed in range(seeds)]
    found = difference(of(*pairs))
    assert found.value == pytest.approx(100 / seeds)
    assert (found.low < found.high) == (seeds >= SEEDS_VARY)


@pytest.mark.parametrize("seeds", [2, 3, 5])
def test_examples_that_the_seeds_share_are_not_more_for_it(seeds):
    # Seeds that differ in nothing: with examples of their own they are one of so many times the examples, and the
    # interval shrinks by the root of that; with the same ones they say what one of them says.
    one = (right(0.5, 100), right(0.0, 100))
    alone, same, own = (difference(pairs) for pairs in (alike(one), alike(*[one] * seeds), apart(*[one] * seeds)))
    width = alone.high - alone.low
    assert width / (same.high - same.low) == pytest.approx(1, rel=0.1)
    assert width / (own.high - own.low) == pytest.approx(seeds**0.5, rel=0.1)


def gaining(*points, size=400):
    """Counts of two methods at each seed, the first right on so many more of 100 examples."""
    return [(right((50 + gain) / 100, size), right(0.5, size)) for gain in points]


def test_from_three_seeds_on_the_interval_is_students():
    found = difference(apart(*gaining(1, 2, 6)))
    expected = scipy.stats.t.interval(0.95, 2, 3, np.std([1, 2, 6], ddof=1) / 3**0.5)
    assert (found.value, found.low, found.high) == pytest.approx((3, *expected))


def test_what_seeds_with_the_same_examples_have_in_common_widens_their_interval():
    # By hand, in points and with N = 400: a seed that gains g has 4 g examples on which the first method alone is
    # right, 100 / N points each; those of g = 1 are among those of 2, and these among those of 6. So the means of two
    # seeds have the covariance (100 · 100 · min(g, h) / 100 - g h) / (N - 1).
    found = difference(alike(*gaining(1, 2, 6)))
    common = np.mean([(100 * min(g, h) - g * h) / 399 for g, h in [(1, 2), (1, 6), (2, 6)]])
    own = np.var([1, 2, 6], ddof=1) / 3
    freedom = (own + common) / (own / 2 + common / 399)
    expected = scipy.stats.t.interval(0.95, freedom, 3, (own + common) ** 0.5)
    assert (found.low, found.high) == pytest.approx(expected)


def test_seeds_that_differ_by_no_more_than_rounding_tell_nothing_of_other_seeds():
    pairs = [(right(first / 30, 30), right((first - 7) / 30, 30)) for first in (15, 28, 29)]
    found = difference(apart(*pairs))
    assert 0 < np.ptp([scoring.score(one) - scoring.score(other) for one, other in pairs]) < 1e-9
    assert found.high - found.low > 10, "the examples vary, whatever three seeds say"


def test_two_seeds_have_an_interval_over_examples_only():
    found = difference(apart(*gaining(0, 30)))
    assert 10 < found.low < found.value < found.high < 20, "Student's t with two seeds reaches 190 points to each side"


def test_less_than_two_examples_have_no_interval():
    assert difference(alike((right(1.0, 1), right(0.0, 1)))) is None
    assert difference([]) is None


def test_test_sets_that_changed_between_seeds_are_refused():
    with pytest.raises(ArtifactError, match=r"test sets of 40, 30 examples .* --fresh"):
        difference(apart((right(0.5), right(0.5)), (right(0.5, 30), right(0.5, 30))))


def test_only_labels_of_the_same_test_set_are_paired(make_cell):
    methods = {"uxla": ((60.0,) * 3, 0.6), "zero_shot": ((40.0,) * 3, 0.4)}
    one = counted(make_cell(far=methods).run)["far"]
    same, other = (counted(make_cell(seed=i, texts=t, far=methods).run)["far"] for i, t in ((1, "t{}"), (2, "u{}")))
    [(mine, theirs, _)] = pair(one, "uxla", same, "zero_shot")
    assert (scoring.score(mine), scoring.score(theirs)) == (60.0, 40.0)
    assert (
        pair(one, "uxla", other, "zero_shot") == pair(one, "uxla", one, "supervised") == pair(None, "a", one, "a") == []
    )


def test_every_score_has_a_row_and_every_key_a_column(make_cell):
    methods = {"uxla": ((60.0, 61.0, 62.0), 0.6), "tri_training": ((40.0, 41.0, 42.0), 0.4)}
    cells = [make_cell(("exact", alpha), 3, far=methods) for alpha in ("1.0", "0.5")]
    found = tidy(KEYS, cells)
    assert found.column_names == [
        *("agreement", "alpha", "seed", "target", "method", "epoch", "score", "sd", "strict_f1"),
        *("model_1", "model_2", "model_3"),
    ]
    rows = found.filter(pa.compute.equal(found["alpha"], 0.5)).to_pylist()
    assert [(row["method"], row["epoch"], row["score"]) for row in rows] == [
        *(("tri_training", None, 41.0), ("uxla", 1, 10.0), ("uxla", 2, 61.0), ("uxla_ensemble", None, 99.0)),
        *(("tri_training", 1, 1.0), ("tri_training", 2, 2.0), ("uxla", None, 61.0)),
    ]
    last = rows[-1]
    assert [last[f"model_{i}"] for i in (1, 2, 3)] == [60.0, 61.0, 62.0]
    assert (last["agreement"], last["seed"], last["target"], last["sd"]) == ("exact", 3, "far", 1.5)
    assert [rows[3][f"model_{i}"] for i in (1, 2, 3)] == [99.0, None, None]


@pytest.mark.parametrize(
    ("texts", "read"),
    [(("1", "2"), [1, 2]), (("1e-3", "null"), [0.001, None]), (("null", "exact"), ["null", "exact"])],
)
def test_a_column_has_numbers_where_all_values_are(make_cell, texts, read):
    methods = {"zero_shot": ((60.0,) * 3, 0.6)}
    cells = [make_cell((text,), far=methods) for text in texts]
    assert tidy(["key"], cells)["key"].to_pylist() == read


def test_a_key_named_as_a_column_of_its_own_stands_there_once(make_cell):
    cell = make_cell(("[far]",), far={"zero_shot": ((60.0,) * 3, 0.6)})
    assert tidy(["target"], [cell])["target"].to_pylist() == ["far"]


@pytest.mark.parametrize(("kept", "score"), [(None, 60.0), ({"far": 1}, 10.0), ({"far": 0}, 30.0)])
def test_the_final_score_is_of_the_models_that_were_kept(make_cell, kept, score):
    methods = {"uxla": ((60.0,) * 3, 0.6), "penalty": ((30.0,) * 3, 0.3)}
    [row] = [row for row in summary([make_cell(far=methods, kept=kept)], None) if row.method == "uxla"]
    assert row.entries[0].mean == score


@pytest.fixture
def grid_cells(make_cell):
    def cell(agreement, seed, gain):
        far = {"uxla": ((60.0 + gain, 61.0, 62.0), 0.5 + gain), "zero_shot": ((40.0, 41.0, 42.0), 0.5)}
        return make_cell(
            (agreement, "1.0"), seed, far=far, near=far if agreement == "exact" else {"zero_shot": far["zero_shot"]}
        )

    return [cell("exact", 0, 0.0), cell("exact", 1, 0.0), cell("a|b", 0, 0.25), cell("a|b", 1, 0.5)]


def test_a_method_is_compared_within_its_run(grid_cells):
    rows = {(row.values[0], row.method): row for row in summary(grid_cells, Baseline("zero_shot"))}
    assert rows["exact", "uxla"].entries[0].difference == Difference(0.0, 0.0, 0.0)
    assert rows["a|b", "uxla"].entries[0].difference.value == pytest.approx(37.5)
    assert rows["a|b", "uxla"].entries[0].difference.sign == 1
    assert rows["a|b", "uxla"].entries[1] is None  # near was not adapted to there
    assert [row.is_baseline for row in rows.values()] == [row.method == "zero_shot" for row in rows.values()]
    assert rows["exact", "uxla_ensemble"].entries[0].difference is None


def test_a_setting_is_compared_with_the_same_method_seed_and_other_values(grid_cells):
    rows = {(row.values[0], row.method): row for row in summary(grid_cells, Baseline("exact", 0))}
    assert rows["a|b", "uxla"].entries[0].difference.value == pytest.approx(37.5)
    assert rows["a|b", "zero_shot"].entries[0].difference.value == 0.0
    assert rows["exact", "uxla"].is_baseline
    assert rows["exact", "uxla"].entries[0].difference is None
    alone = summary(grid_cells[1:3], Baseline("exact", 0))  # of seed 1 and of seed 0: nothing to pair
    assert all(entry is None or entry.difference is None for row in alone for entry in row.entries)


def test_a_score_is_the_mean_over_seeds_with_their_deviation(grid_cells):
    [row] = [r for r in summary(grid_cells, None) if r.values[0] == "a|b" and r.method == "uxla"]
    means = [(60.25 + 61 + 62) / 3, (60.5 + 61 + 62) / 3]
    assert row.entries[0].mean == pytest.approx(np.mean(means))
    assert row.entries[0].sd == pytest.approx(np.std(means, ddof=1))
    [one] = [r for r in summary(grid_cells[:1], None) if r.method == "uxla"]
    assert one.entries[0].sd is None


def shown(keys, cells, baseline):
    return grid_table(keys, cells, summary(cells, baseline), baseline).markdown()


def test_the_page_is_the_golden_one(grid_cells):
    cases = [(grid_cells, Baseline("zero_shot")), (grid_cells[:3], Baseline("exact", 0)), (grid_cells[:1], None)]
    page = "\n".join(shown(KEYS, cells, baseline) for cells, baseline in cases)
    # Where the bounds of an interval lie to two decimals is up to SciPy's draws.
    assert re.sub(r"\[.*?\]", "[low, high]", page) == GOLDEN.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("seeds", "said"),
    [
        (1, "paired bootstrap over test examples; one seed, so how much seeds differ is not in them"),
        (2, "paired bootstrap over test examples; two seeds, so how much seeds differ is not in them"),
        (3, "Student's t over the seeds. Seeds that share test examples widen it"),
    ],
)
def test_the_page_says_what_its_intervals_rest_on(make_cell, seeds, said):
    cells = [make_cell(seed=s, far=dict.fromkeys(("uxla", "zero_shot"), ((50.0,) * 3, 0.5))) for s in range(seeds)]
    assert f"Intervals: {said}.\n" in shown(KEYS, cells, Baseline("zero_shot"))


def test_the_page_says_that_some_intervals_rest_on_fewer_seeds(grid_cells, make_cell):
    far = {"uxla": ((60.0,) * 3, 0.5), "zero_shot": ((40.0,) * 3, 0.5)}
    cells = [*grid_cells, *(make_cell(("exact", "1.0"), seed, far=far) for seed in (2, 3))]
    said = "; where fewer than three have both sides, paired bootstrap over test examples"
    assert said in shown(KEYS, cells, Baseline("zero_shot"))


def test_that_target_labels_were_used_is_said_loudly_and_of_whom(make_cell):
    far = {"uxla": ((60.0,) * 3, 0.6), "zero_shot": ((40.0,) * 3, 0.4)}
    fair, unfair = make_cell(("a", "b"), far=far), make_cell(("c", "d"), selection="target_dev", far=far)
    assert shown(KEYS, [fair, unfair], None).startswith("**c-d-0: TARGET LABELS WERE USED")
    assert shown(KEYS, [unfair], None).startswith("**all runs: TARGET LABELS WERE USED")
    assert "TARGET LABELS" not in shown(KEYS, [fair], None)


def test_runs_with_warnings_are_named(grid_cells):
    assert "have warnings" not in shown(KEYS, grid_cells, None)
    run = grid_cells[1].run
    run.results["warnings"] = ["far: the models never agreed"]
    assert f"1 of 4 runs have warnings, see their table.md: {run.name}." in shown(KEYS, grid_cells, None)


def test_a_terminal_shows_the_same_words(grid_cells):
    from rich.console import Console

    console = Console(width=200, record=True, file=io.StringIO())
    baseline = Baseline("zero_shot")
    console.print(grid_table(KEYS, grid_cells, summary(grid_cells, baseline), baseline))
    text = console.export_text()
    assert "+37.50 [" in text
    assert "a|b" in text


def test_strict_f1_stands_in_a_column_of_its_own(make_cell):
    cell = make_cell(far={"zero_shot": ((60.0,) * 3, 0.6), "penalty": ((61.0,) * 3, 0.6)})
    cell.run.results["metric"] = "f1"
    cell.run.results["targets"]["far"]["zero_shot"]["strict_f1"] = 59.125
    lines = shown(KEYS, [cell], Baseline("zero_shot")).splitlines()
    assert lines[0] == "| agreement | alpha | method | far | far, strict | far \N{MINUS SIGN} zero-shot |"
    assert lines[2] == "| exact | 1.0 | zero-shot | 60.00 | 59.12 | baseline |"
    assert lines[3].startswith("| exact | 1.0 | + confidence penalty | 61.00 |  | ")
    assert any(line.startswith("strict: ") for line in lines)
    assert tidy(KEYS, [cell])["strict_f1"].to_pylist() == [59.125, None]


def test_targets_are_those_of_any_cell(make_cell):
    method = {"zero_shot": ((60.0,) * 3, 0.6)}
    assert targets([make_cell(("a",), far=method), make_cell(("b",), near=method)]) == ("far", "near")
