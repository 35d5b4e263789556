"""A grid before its first run: which runs it has, what their configurations differ in, what is refused at once."""

import re

import pytest

from uxla.errors import ConfigError, UnreachableError
from uxla.report.grid import Baseline
from uxla.study.grid import grid_plan, make, units
from uxla.study.status import Runs

HALF, ALL = (f"select: {{kind: confidence, share: {share}}}" for share in (0.5, 1.0))
SCHEDULES = f"[{{data: [source], {ALL}}}],[{{data: [source, target], {HALF}}}]"
ABLATIONS = {
    "agree": ("exact,none,token,union", ()),
    "schedule.0.select.share": ("0.5,0.8,1.0", ()),
    "schedule.0.select.threshold": ("0.5,0.9", ("schedule.0.select.kind=clustering",)),
    "schedule": (SCHEDULES, ()),
    "vicinity.share": ("0.1,0.3", ()),
    "vicinity.copies": ("1,3", ()),
    "vicinity.top": ("1,5", ()),
    "vicinity.unit": ("word,piece", ()),
    "vicinity.model": ("testbed,null", ()),
    "alpha": ("0,0.7,1.0", ()),
    "order": ("synchronous,in_place", ()),
    "adaptation.selection": ("last,source_dev,target_dev,average", ()),
    "keep": ("last,estimated", ()),
    "warmup.penalty": ("0,1.0", ()),
}
"""The values of each ablation, and what else its configurations need."""


def flat(value, path=""):
    """`{dotted key: value}` of a configuration."""
    if isinstance(value, dict):
        return {k: v for name, item in value.items() for k, v in flat(item, f"{path}.{name}" if path else name).items()}
    if isinstance(value, (list, tuple)):
        return {k: v for i, item in enumerate(value) for k, v in flat(item, f"{path}.{i}").items()}
    return {path: value}


def difference(one, other):
    """The dotted keys in which two configurations differ."""
    one, other = flat(one.model_dump()), flat(other.model_dump())
    return {key for key in one.keys() | other.keys() if one.get(key) != other.get(key)}


@pytest.mark.parametrize("key", ABLATIONS)
def test_every_ablation_is_a_key_and_its_runs_differ_in_nothing_else(key):
    values, more = ABLATIONS[key]
    planned = grid_plan("testbed", [*more, f"{key}={values}"])
    assert planned.keys == (key,)
    assert len(planned.runs) > 1
    for one in planned.runs:
        for other in planned.runs:
            if one is not other:
                found = difference(one.config, other.config)
                assert found
                assert all(place == key or place.startswith(f"{key}.") for place in found)


def test_the_product_counts_up_the_last_key_first_and_seeds_before_it():
    planned = grid_plan("testbed", ["alpha=0.5,1.0", "target=near", "order=synchronous,in_place"], seeds=2)
    assert planned.keys == ("alpha", "order")
    assert [(*run.values, run.config.seed) for run in planned.runs] == [
        (alpha, order, seed) for alpha in ("0.5", "1.0") for order in ("synchronous", "in_place") for seed in (0, 1)
    ]
    assert [run.config.alpha for run in planned.runs] == [0.5] * 4 + [1.0] * 4
    assert {run.config.target for run in planned.runs} == {("near",)}


@pytest.mark.parametrize(
    ("setting", "values"),
    [
        ("target=[near,far]", []),
        ("target=[near,far],[low]", ["[near,far]", "[low]"]),
        ("target=[near,far], [low]", ["[near,far]", "[low]"]),
        (
            f"schedule.0={{data: [source], {ALL}}},{{data: [target], {HALF}}}",
            None,
        ),
        ("target='near',\"far\"", ["'near'", '"far"']),
        ("alpha=0.5 , 1.0", ["0.5", "1.0"]),
    ],
)
def test_a_list_in_brackets_is_one_value(setting, values):
    planned = grid_plan("testbed", [setting])
    assert values is None or [run.values[0] for run in planned.runs if run.values] == values
    assert len(planned.runs) == (2 if values is None else max(1, len(values)))


def test_text_that_is_no_yaml_is_one_value(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "near").mkdir()
    (tmp_path / "near" / "a.txt").write_text("word\n")
    planned = grid_plan("testbed", ["target_data.train={target}/a.txt", "target=near"])
    assert planned.runs[0].config.target_data.train == str(tmp_path / "{target}" / "a.txt")


def test_the_seed_takes_the_synthetic_world_with_it():
    planned = grid_plan("testbed", ["seed=5", "testbed.world=0"], seeds=3)
    assert [(run.config.seed, run.config.testbed.seed) for run in planned.runs] == [(5, 0), (6, 1), (7, 2)]


@pytest.mark.parametrize("setting", ["testbed.seed=3", "testbed={seed: 3}"])
def test_but_not_where_its_seed_was_given(setting):
    assert [run.config.testbed.seed for run in grid_plan("testbed", [setting], seeds=2).runs] == [3, 3]


def test_every_run_has_a_folder_of_its_own_on_any_disk():
    names = [run.name for run in grid_plan("testbed", ["alpha=0.5,1.0", "target=[near,far],[far]"], seeds=2).runs]
    assert len({name.casefold() for name in names}) == len(names) == 8
    assert all(re.fullmatch(r"[\w.+=-]+", name) for name in names)
    assert grid_plan("testbed", ["alpha=0.5,1.0"]).runs[0].name == "alpha=0.5_seed=0"
    long = grid_plan("testbed", [f"vicinity.model={'a' * 300},{'a' * 299}b", "alpha=1,2"]).runs
    assert len({run.name for run in long}) == 4
    assert all(len(run.name) < 120 for run in long)
    upper = grid_plan("testbed", ["source.name=es,ES"]).runs
    assert len({run.name.casefold() for run in upper}) == 2


@pytest.mark.parametrize(
    ("against", "methods", "baseline"),
    [
        (None, "[zero_shot, tri_training, uxla]", Baseline("tri_training")),
        (None, "[zero_shot, uxla]", Baseline("zero_shot")),
        (None, "[penalty, uxla]", Baseline("penalty")),
        (None, "[self_training, uxla]", None),
        ("penalty", "[penalty, tri_training]", Baseline("penalty")),
        ("alpha=1.0", "[uxla]", Baseline("1.0", 0)),
        ("alpha= 1.00", "[uxla]", Baseline("1.0", 0)),
    ],
)
def test_what_is_compared_with(against, methods, baseline):
    assert grid_plan("testbed", ["alpha=0.5,1.0", f"methods={methods}"], against=against).baseline == baseline


@pytest.mark.parametrize(
    ("settings", "options", "said"),
    [
        (["alpha=0.5,-1"], {}, r"command line: alpha=-1: .*-1"),
        (["alpha=0.5,1", "agree=exact,some"], {}, r"agree=some"),
        (["alhpa=0.5,1"], {}, r"alpha"),
        (["alpha"], {}, r"expected key=value"),
        (["alpha=0.5,0.50"], {}, r"alpha=0.50_seed=0 and alpha=0.5_seed=0 are the same run"),
        (["alpha=0.5,1", "alpha=0.7"], {}, r"alpha: given twice"),
        (["seed=1,2"], {}, r"--seeds"),
        (["methods=[uxla]", "keep=estimated"], {}, r"add penalty"),
        (["target_data.test=null", "methods=[uxla]"], {}, r"give target_data.test=FILE"),
        (
            [],
            {"against": "tri-training"},
            r"--against tri-training: .*\(zero_shot, penalty, .*tri_training, .*KEY=VALUE",
        ),
        ([], {"against": "ensemble"}, r"--against ensemble: .*zero_shot"),
        (["methods=[zero_shot],[penalty]"], {"against": "penalty"}, r"--against penalty"),
        (["alpha=0.5,1"], {"against": "order=in_place"}, r"varied key \(alpha\)"),
        (["alpha=0.5,1"], {"against": "alpha=0.7"}, r"a value of the grid: 0.5, 1"),
        ([f"alpha={'[' * 3000}"], {}, r"alpha="),
        (["alpha=a]: b["], {}, r"alpha="),
        (["alpha=,"], {}, r"alpha="),
    ],
)
def test_a_fault_anywhere_is_one_line_before_the_first_run(settings, options, said, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match=said) as refused:
        grid_plan("testbed", settings, **options)
    assert "\n" not in str(refused.value)
    assert list(tmp_path.iterdir()) == []


def test_a_store_that_cannot_be_reached_ends_the_grid_and_no_run_counts_as_failed(tmp_path):
    planned = grid_plan("testbed", ["alpha=0.5,0.7"]).runs
    called, failed = [], {}

    def run(config, out, **more):
        called.append(out.name)
        raise UnreachableError("away")

    with pytest.raises(UnreachableError):
        make(planned, tmp_path, run)
    with pytest.raises(UnreachableError):
        [unit.do() for unit in units(planned, tmp_path, run, failed)]
    assert called == [planned[0].name] * 2
    assert failed == Runs(tmp_path, [one.name for one in planned], "").failed == {}
