"""bench/testbed.py: its runs are what the protocol says, its intervals those of Student's t, its stars earned."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
from scipy import stats

NINE = {100: [1.0, 2.0, 3.0], 101: [2.0, 3.0, 4.0], 102: [3.0, 4.0, 5.0]}


@pytest.fixture(scope="module")
def protocol(bench):
    return bench("testbed")


def test_the_runs_differ_in_world_and_seed_alone(protocol, tmp_path):
    runs = [protocol.planned(w, s, protocol.TARGETS, tmp_path, False) for w in protocol.WORLDS for s in protocol.SEEDS]
    assert len({run.name for run in runs}) == len(protocol.WORLDS) * len(protocol.SEEDS) >= 9
    for run in runs:
        config = run.config
        world = run.values[0]
        assert (config.testbed.world, config.model) == (int(world), str(tmp_path / f"model-{world}"))
        assert config.vicinity.model == str(tmp_path / f"vicinity-{world}")
        assert config.testbed.seed == config.seed
        assert config.target == ("near", "far", "low", "joined")
        assert {"zero_shot", "ensemble", "tri_training", "uxla", "supervised"} <= set(config.methods)
    own = {"seed": 0, "testbed": None, "model": "m", "vicinity": None}
    assert len({run.config.model_copy(update=own).to_yaml() for run in runs}) == 1
    assert len({run.config.vicinity.model_copy(update={"model": "m"}) for run in runs}) == 1
    assert min(protocol.WORLDS) >= 100


def test_the_intervals_are_student_s_over_runs_and_over_worlds(protocol):
    values = np.concatenate(list(NINE.values()))
    over_runs = stats.t.interval(0.95, 8, values.mean(), stats.sem(values))[1] - values.mean()
    over_worlds = stats.t.interval(0.95, 2, 3.0, stats.sem([2, 3, 4]))[1] - 3.0
    assert protocol.interval(NINE) == f"3.0 ± {over_runs:.1f} (± {over_worlds:.1f})"
    assert protocol.interval({100: [1.0, 2.0]}) == "1.5 ± 6.4"


@pytest.mark.parametrize(
    ("gains", "stars"),
    [
        (NINE, " **"),
        ({100: [1.0] * 3, 101: [1.0] * 3, 102: [5.0] * 3}, " *"),
        ({100: [-1.0, 1.0], 101: [1.0, -1.0]}, ""),
        ({100: [-9.0, 11.0], 101: [11.0, -9.0], 102: [-8.0, 10.0]}, ""),  # clear over the worlds alone
        ({100: [1.0]}, ""),
    ],
)
def test_a_star_is_an_interval_clear_of_zero(protocol, gains, stars):
    assert protocol.marked(gains) == protocol.interval(gains, "+") + stars


def test_differences_are_run_by_run(protocol):
    assert protocol.less(NINE, {100: [0.0, 1.0, 1.0], 101: [2.0] * 3, 102: [3.0] * 3})[100] == [1.0, 1.0, 2.0]


def test_all_is_the_mean_over_the_targets_run_by_run(protocol):
    def cell(world, **means):
        targets = {name: {"uxla": [{"mean": mean}], "uxla_ensemble": {"mean": 0.0}} for name, mean in means.items()}
        return SimpleNamespace(values=(world,), run=SimpleNamespace(results={"targets": targets}))

    scores = protocol.collected([cell("100", near=1, far=3), cell("100", near=4, far=8), cell("101", near=7, far=9)])
    assert scores["uxla", "all"] == {100: [2.0, 6.0], 101: [8.0]}


def test_the_second_look_is_told_apart(protocol, capsys):
    def cell(world, seed, gain):
        found = {"uxla": [{"mean": 0}, {"mean": 50 + gain}], "tri_training": {"mean": 50}, "uxla_ensemble": {"mean": 0}}
        targets = {"near": found, "far": found}
        return SimpleNamespace(values=(world,), seed=seed, run=SimpleNamespace(results={"targets": targets}))

    cells = [cell(w, s, s) for w in ("300", "301") for s in (1, 2, 3, *protocol.MORE_SEEDS)]
    assert protocol.gain(cells[:2], "far") == {300: [1, 2]}
    figures = protocol.show_more(cells)
    assert figures["more"]["the second look alone"]["far"] == {300: [4, 5, 6], 301: [4, 5, 6]}
    told = capsys.readouterr().out
    assert f"| all seeds | {protocol.marked({300: [1, 2, 3, 4, 5, 6], 301: [1, 2, 3, 4, 5, 6]})} |" in told
    assert f"| the second look alone | {protocol.marked({300: [4, 5, 6], 301: [4, 5, 6]})} |" in told


def test_the_last_epoch_is_the_method_s_own(protocol):
    def score(mean):
        return {"mean": mean}

    found = {"uxla": [score(1), score(2), score(3)], "uxla_ensemble": score(4), "tri_training": score(6)}
    found |= {"by_epoch": {"tri_training": [score(5), score(6)]}, "dev": {}}
    assert dict(protocol.named(found)) == {
        **{"tri_training, epoch 1": 5, "tri_training": 6},
        **{"uxla, epoch 1": 1, "uxla, epoch 2": 2, "uxla": 3, "uxla_ensemble": 4},
    }


def test_a_training_that_the_journal_tells_twice_counts_once(protocol, tmp_path):
    event = {"event": "train", "method": "uxla", "target": "far", "epoch": 1, "k": 1, "j": 2, "l": 3}
    lines = [event | {"drawn": {"source": 7, "far": 1}}, event | {"drawn": {"source": 8, "far": 2}}, {"event": "stage"}]
    (tmp_path / "journal.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    cell = SimpleNamespace(run=SimpleNamespace(path=tmp_path))
    assert list(protocol.drawn_by_training(cell).values()) == [10]
