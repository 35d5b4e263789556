"""Names of run folders tell runs apart; no run, and nothing of a person's, is written over unless that is asked for."""

import re
import threading
from pathlib import Path

import pytest

from uxla.config.run import load_config
from uxla.errors import ArtifactError, spelled_as
from uxla.files import vacant
from uxla.study.run_folder import check_folder, grid_folder, locked_folder, run_folder, taken


def name(*overrides, config="testbed"):
    return run_folder(config, overrides, load_config("testbed", overrides).target).relative_to("runs").name


def test_a_run_without_overrides_is_named_by_preset_and_target():
    assert name() == "testbed-far"
    assert name("target=near") == "testbed-near"
    assert name("target=[near,far]") == "testbed-near-far"
    assert name(config="deep/mine.yaml") == "mine-far"
    assert run_folder("testbed", [], ["far"]) == Path("runs/testbed-far")


def test_overrides_stand_readably_behind_it():
    assert name("seed=1") == "testbed-far-seed=1"
    assert name("warmup.batch_size=20", "seed=1", "target=near") == "testbed-near-seed=1_warmup.batch_size=20"
    assert name("methods=[zero_shot, uxla]").startswith("testbed-far-methods=zero_shot+uxla-")


def test_the_order_in_which_overrides_are_typed_makes_no_other_run_and_the_last_of_a_key_holds():
    assert name("seed=1", "alpha=0.5") == name("alpha=0.5", "seed=1")
    assert name("seed=3", "seed=1") == name("seed=1") == name("seed = 1")


def test_what_makes_no_other_run_makes_no_other_name():
    assert name("threads=1", "tokens_per_batch=512") == name()
    assert grid_folder("testbed", ["devices=cpu"]) == grid_folder("testbed", [])


def test_different_overrides_have_different_names_that_every_disk_takes():
    odd = ["a/b.txt", "a-b.txt", "A-b.txt", "a b.txt", "a:b.txt", "あ.txt", "い.txt", "x" * 300, "x" * 301, "../../x"]
    names = [run_folder("testbed", [f"source.train={value}", "seed=1"], ["far"]).name for value in odd]
    assert len({each.casefold() for each in names}) == len(odd)
    assert all(re.fullmatch(r"[\w.+=-]+", each, flags=re.ASCII) and len(each) < 200 for each in names)


def test_long_lists_and_names_are_shortened_with_a_digest():
    many = [f"language{i}" for i in range(40)]
    long, other = (run_folder("testbed", ["seed=1"], languages).name for languages in (many, many[:-1]))
    assert long != other
    assert long.startswith("testbed-language0-language1-")
    wide = run_folder("ä" * 100 + ".yaml", [f"key{i}=1" for i in range(60)], ["あ" * 50]).name
    assert max(len(each.encode()) for each in (long, wide)) < 255


def test_a_grid_is_named_by_what_its_runs_share():
    assert grid_folder("testbed", []) == Path("runs/testbed-grid")
    assert grid_folder("testbed", ["target=near", "seed=3"]) == Path("runs/testbed-grid-seed=3_target=near")


CONFIG = load_config("testbed")
OTHER = load_config("testbed", ["seed=1", "alpha=0.5"])


def left_by(out, config, *names):
    """The folder `out` as a run of `config` left it, with more files; what each holds is its own name."""
    with taken(out, config):
        (out / "journal.jsonl").write_text("")
    for path in names:
        file = out / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(path)
    return out


def files(out):
    return sorted(str(path.relative_to(out)) for path in out.rglob("*") if path.is_file())


FINISHED = ("results.json", "table.md", "models/1/model.safetensors", "ensemble/ensemble.json", "predictions/far.conll")
FINISHED += ("config.json", "model.safetensors", "models/1/code_of_its_own.py", "code_of_its_own.py")


def test_a_folder_that_is_missing_or_empty_is_taken_and_says_from_the_start_of_which_configuration(tmp_path):
    for out in (tmp_path, tmp_path / "deep" / "new"):
        check_folder(out, CONFIG)
        with taken(out, CONFIG):
            assert (out / "config.yaml").read_text(encoding="utf-8") == CONFIG.to_yaml()
        assert files(out) == ["config.yaml"]
        (out / "config.yaml").unlink()


@pytest.mark.parametrize(("more", "state"), [(FINISHED, "a finished"), ((), "an unfinished")])
def test_a_run_of_another_configuration_is_refused_with_what_differs_and_the_remedy(more, state, tmp_path):
    out = left_by(tmp_path / "out", CONFIG, *more)
    before = files(out)
    says = rf"holds {state} run of another configuration \(seed is 0 there, 1 here; alpha is 0.7 there, 0.5 here\); "
    for attempt in (check_folder, lambda *given: taken(*given).__enter__()):
        remedies = {"yaml": "give another --out, or --overwrite to replace it", "python": "give another folder$"}
        for form, remedy in remedies.items():
            with spelled_as(form), pytest.raises(ArtifactError, match=says + remedy):
                attempt(out, OTHER)
    assert files(out) == before


def test_the_same_configuration_goes_on_and_leaves_what_is_there(tmp_path):
    out = left_by(tmp_path / "out", CONFIG, *FINISHED)
    before = files(out)
    for overwrite in (False, True):
        with taken(out, CONFIG, overwrite=overwrite):
            pass
    assert files(out) == before


@pytest.mark.parametrize("value", ["threads=2", "devices=cpu", "tokens_per_batch=512", "checkpoint_minutes=9"])
def test_how_a_run_computes_makes_no_other_run(value, tmp_path):
    out = left_by(tmp_path / "out", CONFIG, *FINISHED)
    check_folder(out, load_config("testbed", [value]))


def test_a_configuration_that_another_version_wrote_is_the_same_where_its_values_are(tmp_path):
    out = left_by(tmp_path / "out", CONFIG)
    text = (out / "config.yaml").read_text(encoding="utf-8").replace("# uxla", "# another uxla")
    (out / "config.yaml").write_text(text.replace("collapse_share: 0.995\n", ""), encoding="utf-8")
    check_folder(out, CONFIG)
    (out / "config.yaml").write_text(text + "unheard_of: 3\n", encoding="utf-8")
    with pytest.raises(ArtifactError, match=r"its config.yaml cannot be read here: .*unheard_of"):
        check_folder(out, CONFIG)


def test_overwriting_removes_all_that_a_run_and_its_reports_wrote_and_nothing_else(tmp_path):
    own = ("mine.py", "notes.txt", "report-of-mine.txt", "reports.html", "near/notes.txt", "data/train.conll")
    reports = ("report.html", "report-table.md", "report-table.csv", "report-far-scores.svg", "report-far-scores.png")
    of_targets = ("near/models/1/config.json", "near/ensemble/ensemble.json", "low/models/1/config.json")
    inner = ("inner/models/1/config.json", "inner/ensemble/ensemble.json")
    wrote = (*FINISHED, *reports, *of_targets, "environment.json", "README.md", "trace/far.parquet", "tracking/x")
    out = left_by(tmp_path / "out", CONFIG, *own, *wrote, *inner)
    (out / "inner/journal.jsonl").touch()
    inner = (*inner, "inner/journal.jsonl")
    check_folder(out, OTHER, overwrite=True)
    assert len(files(out)) == len({*own, *wrote, *inner}) + 2, "a check changes nothing"
    with taken(out, OTHER, overwrite=True):
        assert files(out) == sorted([".lock", "config.yaml", *own, *inner])
        assert not (out / "low").exists()
    assert (out / "config.yaml").read_text(encoding="utf-8") == OTHER.to_yaml()


def test_a_part_of_a_run_that_is_a_link_is_removed_as_a_link(tmp_path):
    out = left_by(tmp_path / "out", CONFIG, *FINISHED)
    (out / "models").rename(tmp_path / "models")
    (out / "models").symlink_to(tmp_path / "models")
    with taken(out, OTHER, overwrite=True):
        assert not (out / "models").is_symlink()
    assert files(tmp_path / "models") == ["1/code_of_its_own.py", "1/model.safetensors"]


PATHS = ("README.md", "config.yaml", "models/notes.txt", "results.json", "predictions/a.txt", "journal.jsonl")


@pytest.mark.parametrize("path", PATHS)
def test_a_folder_that_is_no_run_s_with_files_that_would_be_lost_is_refused_whatever_is_asked(path, tmp_path):
    (tmp_path / path).parent.mkdir(exist_ok=True)
    (tmp_path / path).write_text("mine")
    for overwrite in (False, True):
        with pytest.raises(ArtifactError, match=rf"has {path.split('/')[0]}, which no run wrote"):
            check_folder(tmp_path, CONFIG, overwrite=overwrite)
    assert (tmp_path / path).read_text() == "mine"


def test_files_that_no_run_writes_are_no_hindrance(tmp_path):
    for each in ("notes.txt", "train.conll", "mine.yaml"):
        (tmp_path / each).write_text("mine")
    (tmp_path / "near").mkdir()
    with taken(tmp_path, CONFIG):
        pass
    assert files(tmp_path) == ["config.yaml", "mine.yaml", "notes.txt", "train.conll"]


def test_a_run_of_several_targets_leaves_a_person_s_models_alone(tmp_path):
    (tmp_path / "models").mkdir()
    (tmp_path / "models/notes.txt").write_text("mine")
    with taken(tmp_path, load_config("testbed", ["target=[near,far]"])):
        pass
    assert files(tmp_path) == ["config.yaml", "models/notes.txt"]


def test_a_target_s_folder_of_a_person_is_no_place_for_models(tmp_path):
    (tmp_path / "near").mkdir()
    (tmp_path / "near/README.md").write_text("mine")
    check_folder(tmp_path, CONFIG)
    with pytest.raises(ArtifactError, match=r"has near/README.md, which no run"):
        check_folder(tmp_path, load_config("testbed", ["target=[near,far]"]))


def test_a_journal_alone_is_nothing_to_lose_but_models_without_their_configuration_are(tmp_path):
    out = left_by(tmp_path / "out", CONFIG)
    (out / "config.yaml").unlink()
    check_folder(out, OTHER)
    left_by(out, CONFIG, *FINISHED)
    (out / "config.yaml").unlink()
    with pytest.raises(ArtifactError, match=r"its config.yaml is gone"):
        check_folder(out, CONFIG)


def test_a_folder_that_another_run_writes_to_is_left_alone(tmp_path):
    out = left_by(tmp_path / "out", CONFIG, *FINISHED)
    before = files(out)
    with locked_folder(out), pytest.raises(ArtifactError, match="another process is writing it"):
        taken(out, OTHER, overwrite=True).__enter__()
    assert files(out) == before


def test_a_run_folder_without_its_journal_is_still_one(tmp_path):
    out = left_by(tmp_path / "out", CONFIG, *FINISHED)
    (out / "journal.jsonl").unlink()
    check_folder(out, CONFIG)
    with pytest.raises(ArtifactError, match="seed is 0 there, 1 here"):
        check_folder(out, OTHER)


def test_a_run_folder_is_for_one_run_at_a_time(tmp_path):
    with locked_folder(tmp_path / "run"):
        with pytest.raises(ArtifactError, match="another process is writing it") as caught:
            locked_folder(tmp_path / "run").__enter__()
        with locked_folder(tmp_path / "other"):
            pass
    assert str(tmp_path / "run") in str(caught.value)
    with locked_folder(tmp_path / "run"):
        pass
    assert list((tmp_path / "run").iterdir()) == []


def test_a_run_begins_although_somebody_looks_at_that_moment_whether_it_lives(tmp_path):
    looks, looked = threading.Event(), threading.Event()

    def look():
        with vacant(tmp_path / "run/.lock") as free:
            assert free
            looks.set()
            looked.wait(0.1)

    (tmp_path / "run").mkdir()
    thread = threading.Thread(target=look)
    thread.start()
    looks.wait()
    with locked_folder(tmp_path / "run"), vacant(tmp_path / "run/.lock") as free:
        assert not free
    thread.join()


def test_a_run_folder_that_cannot_be_is_one_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ArtifactError, match=r"cannot be written .* --out"), locked_folder(tmp_path / "file"):
        raise AssertionError("not reached")


def test_an_error_inside_a_run_folder_is_its_own(tmp_path):
    with pytest.raises(OSError, match="a bug"), locked_folder(tmp_path / "run"):
        raise OSError("a bug")
