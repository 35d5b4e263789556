"""bench/languages.py: the cells are the protocol's, parts of files are what they say, the test set waits for frozen
settings, and cells that were made are not made again. On the testbed, in a copy of the repository's few files."""

import json
import lzma
import re
import shutil
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import asdict
from functools import partial
from hashlib import sha256
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

ROOT = Path(__file__).parents[2]
SHARED = ROOT.parent / "shared"
PLACES = (("bench/cells", ".json.xz"), ("runs/cells", ""))
"""Records and run folders: where they are, and how their names end."""
TINY = {
    "settings": {
        "model": "testbed",
        "threads": 1,
        "max_length": 64,
        "keep_weights": "warmup",
        "vicinity": {"copies": 1},
        "warmup": {"batch_size": 16, "learning_rate": 4e-3, "epochs": 2, "selection": "last"},
        "adaptation": {"batch_size": 16, "learning_rate": 1e-3, "max_steps": 3},
    },
    "seeds": [1, 2],
    "rows": {"all": ["zero_shot", "penalty", "ensemble", "tri_training"], "ner": ["uxla"]},
    "corpora": {
        "world": {
            "task": "ner",
            "development": ["near"],
            "test": ["far"],
            "source": {"train": "source/train.conll", "dev": {"file": "source/dev.conll", "most": 10}},
            "target": {
                "train": {"file": "{target}/train.conll", "rows": [0, 20]},
                "labelled": {"file": "{target}/train.conll", "rows": [0, 20]},
                "dev": {"file": "{target}/train.conll", "rows": [-5, None]},
            },
            "eval": {
                which: {"file": "{target}/train.conll", "rows": [10, 40], "most": 20}
                for which in ("development", "test")
            },
        },
    },
    "groups": {
        "main": {"sets": ["development", "test"], "variants": {"main": []}},
        "exact": {"variants": {"exact": ["agree=exact"]}, "methods": ["uxla"], "seeds": [1]},
    },
}


@pytest.fixture(scope="module")
def cells(bench):
    return bench("languages_cells")


@pytest.fixture(scope="module")
def data(bench):
    return bench("languages_data")


@pytest.fixture(scope="module")
def protocol(cells):
    return cells.Protocol.read()


def targets(protocol, which, task=None):
    corpora = protocol.said["corpora"].items()
    return {f"{name} {target}" for name, of in corpora if task in (None, of["task"]) for target in of.get(which, ())}


def test_the_languages_are_those_of_the_page(protocol):
    assert targets(protocol, "development", "ner") == {"conll es", "conll de", "masakhaner swa", "panx fi", "panx hi"}
    ner = {"masakhaner hau", "masakhaner yor", "panx ar", "panx sw", "panx ur", "panx zh", "panx_small my"}
    assert targets(protocol, "test", "ner") == ner
    assert not targets(protocol, "test", "nli") | targets(protocol, "test", "paraphrase"), "too hard for the encoder"
    page = (ROOT / "docs" / "protocol.md").read_text(encoding="utf-8")
    for which in ("development", "test"):
        for name in targets(protocol, which):
            assert re.search(rf"\b{name.split()[1]}\b", page)


def test_languages_of_both_sets_are_marked(protocol, bench):
    codes = {"swa": "sw", "swh": "sw", "arb": "ar", "hin": "hi", "spa": "es", "zho": "zh", "urd": "ur", "mya": "my"}

    def languages(which):
        short = {name.split()[1].partition("_")[0] for name in targets(protocol, which)}
        return {name: codes.get(name, name) for name in short}

    chosen_on, names = {*languages("development").values()}, bench("languages_names")
    assert {name for name, code in languages("test").items() if code in chosen_on} == {*names.IN_BOTH}
    assert not {*languages("development")} & {*names.IN_BOTH}
    assert names.language(("sib200", "hin_Deva")) == "hin† (SIB-200)"


def test_nothing_of_the_test_set_is_chosen_on(protocol):
    assert not targets(protocol, "development") & targets(protocol, "test")
    for corpus in protocol.said["corpora"].values():
        assert set(corpus["eval"]) == {which for which in ("development", "test") if which in corpus}
        if corpus.get("parallel"):  # the same sentences in all languages
            assert corpus["eval"]["development"] != corpus["eval"].get("test")
    tested = protocol.cells("test", list(protocol.groups))
    assert {cell.group for cell in tested} == {"main", "more_seeds"}
    assert not protocol.cells("development", ["more_seeds"])


def test_every_cell_has_a_folder_of_its_own(protocol):
    every = [cell for which in ("development", "test") for cell in protocol.cells(which, list(protocol.groups))]
    assert len({cell.name for cell in every}) == len(every)
    assert {cell.seed for cell in every if cell.group == "main"} == {1, 2, 3}


def test_cells_that_share_warm_ups_stand_next_to_each_other(protocol, cells):
    chains = cells.chains(protocol.cells("test"))
    assert [len({(cell.corpus, cell.seed) for cell in chain}) for chain in chains] == [1] * len(chains)
    assert [cell for chain in chains for cell in chain] == protocol.cells("test")


@pytest.mark.skipif(not SHARED.is_dir(), reason=f"no data sets at {SHARED}")
def test_every_cell_is_a_run_on_sentences_that_nothing_else_reads(protocol, cells, data, tmp_path):
    places = cells.Places(SHARED / "data", SHARED / "models", tmp_path, tmp_path)
    assert places.missing is None
    for which in ("development", "test"):
        of_a_kind = {(cell.corpus, cell.target): cell for cell in protocol.cells(which)}
        for cell in of_a_kind.values():
            files = protocol.config(cell, places).target_data
            raw, test = (
                data.read(data.in_language(Path(str(file)), cell.target))[1] for file in (files.train, files.test)
            )
            assert len(raw) >= 100
            assert len(test) >= 99
            if protocol.said["corpora"][cell.corpus].get("parallel"):
                assert not {*raw} & {*test}
                found = protocol.in_english(cell, places)
                assert len({*found["train"]}) >= 350
                assert not {*found["train"], *found["dev"]} & {*found["raw"]}
                assert not {*found["dev"]} & {*found["scored"]}
                assert len({*found["train"]} & {*found["scored"]}) <= 1  # PAWS-X has one pair of English dev twice


def test_a_part_of_a_file_is_these_sentences(data, tmp_path):
    (tmp_path / "es").mkdir()
    (tmp_path / "es/a.conll").write_text("".join(f"w{i}\tO\nx\tO\n\n" for i in range(10)))
    (tmp_path / "es/a.tsv").write_text("text\tlabel\n" + "".join(f"t{i}\tyes\n" for i in range(10)))

    def part(name, **asked):
        made = data.parts_of({"file": name, **asked}, tmp_path / "out/{target}-x", ["es"], tmp_path)
        return data.texts(data.in_language(made, "es"))

    assert part("{target}/a.conll", rows=[8, None]) == ["w8 x", "w9 x"]
    assert part("{target}/a.conll", rows=[0, -8], most=9) == ["w0 x", "w1 x"]
    assert part("{target}/a.tsv", rows=[1, None], most=3) == ["t1", "t4", "t7"]
    assert data.parts_of("{target}/a.tsv", tmp_path / "x", ["es"], tmp_path) == tmp_path / "{target}/a.tsv"
    files = [*(tmp_path / "out").glob("*.tsv")]
    assert [file.read_text().splitlines()[0] for file in files] == ["text\tlabel"]


def test_another_part_is_another_file(data, tmp_path):
    (tmp_path / "a.conll").write_text("a\tO\n\nb\tO\n\n")
    parts = [
        data.parts_of({"file": "a.conll", "rows": rows}, tmp_path / "out/x", [""], tmp_path)
        for rows in ([0, 1], [1, 2])
    ]
    assert [data.texts(part) for part in parts] == [["a"], ["b"]]


def test_shared_sentences_are_found_by_their_words(data, tmp_path):
    (tmp_path / "test.conll").write_text("a\tO\n\nb\tB-PER\nc\tO\n\nd\tO\n\n")
    (tmp_path / "train.conll").write_text("b\tO\nc\tO\n\nd\tO\ne\tO\n\n")
    assert data.shared(*(data.texts(tmp_path / f"{name}.conll") for name in ("test", "train"))) == [1]


def test_shared_pairs_are_found_whatever_their_numbers_and_labels(data, tmp_path):
    (tmp_path / "test.tsv").write_text("id\tsentence1\tsentence2\tlabel\n1\ta\tb\t0\n2\ta\tc\t0\n")
    (tmp_path / "train.tsv").write_text("id\tsentence1\tsentence2\tlabel\n7\ta\tc\t1\n")
    assert data.shared(*(data.texts(tmp_path / f"{name}.tsv") for name in ("test", "train"))) == [1]


def git(folder, *arguments):
    identity = ("-c", "user.name=a", "-c", "user.email=a@b.c", "-c", "commit.gpgsign=false")
    subprocess.run(["git", "-C", folder, *identity, *arguments], check=True, capture_output=True)


@pytest.fixture(scope="module")
def repository(tmp_path_factory):
    """The driver in a repository of its own, with a protocol on the testbed, and its data."""
    from typer.testing import CliRunner

    from uxla.cli.app import app

    root = tmp_path_factory.mktemp("repository")
    (root / "docs").mkdir()
    (root / "bench").mkdir()
    for file in [ROOT / "bench/common.py", ROOT / "bench/adaptation.py", *ROOT.glob("bench/languages*.py")]:
        shutil.copy(file, root / "bench")
    (root / "bench/languages.yaml").write_text(json.dumps(TINY))
    written = ["testbed", "write", root / "data", "--train", "60", "--dev", "20"]
    assert CliRunner().invoke(app, list(map(str, written))).exit_code == 0
    (root / "models").mkdir()
    git(root, "init", "-q")
    return root


@contextmanager
def away(path):
    """Inside the block there is nothing at this path."""
    elsewhere = path.with_name(f"{path.name} away")
    shutil.move(path, elsewhere)
    try:
        yield
    finally:
        shutil.move(elsewhere, path)


def drive(root, *arguments):
    places = [part for name in ("data", "models") for part in (f"--{name}", root / name)]
    return script(root, "languages", *arguments, *places, "--out", root / "runs")


def script(root, name, *arguments):
    command = [sys.executable, root / f"bench/{name}.py", *arguments]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stderr, done.stderr
    return done


@pytest.fixture(scope="module")
def made(repository):
    """All cells of the development language."""
    done = drive(repository, "--group", "main", "exact")
    assert done.returncode == 0, done.stderr
    return done


def test_a_cell_is_a_run_folder_that_says_what_it_is(made, repository):
    folders = sorted(path.name for path in (repository / "runs/cells").iterdir() if path.is_dir())
    assert folders == ["exact_world-near_seed=1", "main_world-near_seed=1", "main_world-near_seed=2"]
    found = json.loads((repository / "runs/cells/main_world-near_seed=1/cell.json").read_text())
    assert (found["corpus"], found["target"], found["seed"], found["set"]) == ("world", "near", 1, "development")
    assert found["settings"] == sha256((repository / "bench/languages.yaml").read_bytes()).hexdigest()
    assert found["shared"] == list(range(7))  # 10 to 39, each third left out, of which 10 to 19 are raw
    assert found["train_sentences"] == 20
    assert (found["commit"], found["clean"]) == (None, True)  # nothing is committed there yet


def test_cells_share_their_warm_ups(made, repository):
    lines = (repository / "runs/cells/exact_world-near_seed=1/journal.jsonl").read_text().splitlines()
    trained = [event for event in map(json.loads, lines) if event["event"] == "stage" and event["stage"] == "fit"]
    assert [event["hit"] for event in trained[:3]] == [True, True, True]


def test_a_cell_that_was_made_is_not_made_again(made, repository):
    kept = [path for name in ("journal.jsonl", "cell.json") for path in (repository / "runs/cells").glob(f"*/{name}")]
    kept += repository.glob("bench/cells/*")
    assert len(kept) == 9
    before, settings = [file.read_bytes() for file in kept], repository / "bench/languages.yaml"
    said = settings.read_bytes()
    settings.write_bytes(said + b"\n")  # the file's digest is another, the cell's settings are the same
    done = drive(repository, "--seeds", "1", "2")
    settings.write_bytes(said)
    assert done.returncode == 0
    assert done.stdout == "2 of 2 cells done, 0.0 hours of one core left\n"
    assert [file.read_bytes() for file in kept] == before


def test_a_cell_that_is_recorded_needs_no_folder(made, repository):
    with away(repository / "runs"):
        done = drive(repository, "--list")
        assert drive(repository, "--overwrite").returncode == 0
        assert not [*repository.glob("runs/cells/*")]
        shutil.rmtree(repository / "runs", ignore_errors=True)
    assert re.search(r"\| main_world-near_seed=1 +\| main +\| done ", done.stdout)
    assert "\n2 of 2 cells done, 0.0 hours of one core left" in done.stdout


def test_a_run_without_its_record_is_recorded_and_not_made_again(made, repository):
    [kept], [run] = (repository.glob(f"{place}/main_world-near_seed=1{end}") for place, end in PLACES)
    before, made_at = kept.read_bytes(), (run / "results.json").stat().st_mtime_ns
    for option in ("--record", "--overwrite"):
        kept.unlink()
        done = drive(repository, "--seeds", "1", "2", option)
        assert done.returncode == 0
        assert ("1 cells recorded" in done.stdout) == (option == "--record")
        assert (kept.read_bytes(), (run / "results.json").stat().st_mtime_ns) == (before, made_at)


def test_a_run_that_nobody_knows_the_commit_of_gets_none(made, repository):
    [record], [run] = (repository.glob(f"{place}/main_world-near_seed=1{end}") for place, end in PLACES)
    with away(run / "cell.json"), away(record):
        done = drive(repository, "--seeds", "1")
        assert done.returncode == 1
        assert not record.exists()
        assert "its cell.json is missing or names other settings; delete the folder" in done.stderr


def test_sentences_of_two_splits_are_counted_without_a_run(made, repository):
    assert "| world | near | 20 | 7 | 35.0 % |" in drive(repository, "--shared").stdout


def test_a_row_has_the_score_and_the_models_that_the_run_has(made, repository, bench):
    scores = bench("languages_scores")
    cell = [*bench("languages_records").finished(repository / "bench/cells")][1]
    found = results(repository, "main_world-near_seed=1")["targets"]["near"]
    assert cell.found == found
    assert cell.score("uxla") == pytest.approx(found["uxla"][-1]["mean"])
    assert cell.score("uxla, epoch 1") == pytest.approx(found["uxla"][0]["mean"])
    assert cell.score("tri_training") == pytest.approx(found["tri_training"]["mean"])
    assert cell.score("tri_training, epoch 2") == pytest.approx(found["by_epoch"]["tri_training"][1]["mean"])
    assert cell.score("tri_training_ensemble") == pytest.approx(found["ensembles"]["tri_training"]["mean"])
    assert [len(cell.counted[row]) for row in ("uxla", "ensemble", "averaged")] == [3, 1, 1]
    assert "tri_training, epoch 3" not in cell.counted
    assert len(scores.unshared(cell)) == 20 - 7


def test_a_record_says_what_its_run_folder_says(made, repository, bench):
    records = bench("languages_records")
    one, other = (records.of_run(repository / f"runs/cells/main_world-near_seed={seed}") for seed in (1, 2))
    assert one.identity == other.identity
    kept = [*records.finished(repository / "bench/cells")][1]
    assert all(np.array_equal(kept.counted[row], one.counted[row]) for row in {*kept.counted, *one.counted})
    assert {**vars(kept), "counted": 0} == {**vars(one), "counted": 0}
    assert kept.seen_by_rules.agreed
    said = kept.label_free
    sizes = {sum(counts) for models in said["labels"].values() for counts in models}
    assert len(sizes) == 1, "all models label all words"
    assert len(said["agreed_within"]["uxla"]) == 3
    assert {event["method"] for event in said["co_label"]} == {"tri_training", "uxla"}
    assert 0 < said["confidence"] <= 1
    assert set(kept.inputs) == set(results(repository, one.name)["inputs"])
    assert {*kept.counted} > {"zero_shot", "uxla", "uxla, epoch 1", "uxla_ensemble", "tri_training_ensemble"}


@pytest.mark.parametrize("column", ["gold", "segments"])
def test_another_label_or_text_is_another_test_set(made, repository, bench, tmp_path, column):
    run = repository / "runs/cells/main_world-near_seed=1"
    before = bench("languages_records").of_run(run).identity
    shutil.copytree(run, tmp_path / "run")
    file = tmp_path / "run/predictions/near.parquet"
    table = pq.read_table(file)
    values = table[column].to_pylist()
    values[0] = [type(values[0][0])(1 if column == "gold" else "other"), *values[0][1:]]
    place = table.column_names.index(column)
    pq.write_table(table.set_column(place, column, pa.array(values, table[column].type)), file)
    assert bench("languages_records").of_run(tmp_path / "run").identity != before


def test_the_seconds_of_a_record_are_those_of_the_journal(made, repository, bench):
    for run in repository.glob("runs/cells/*_seed=*"):
        events = [json.loads(line) for line in (run / "journal.jsonl").read_text().splitlines()]
        spent = sum(event["seconds"] for event in events if event["event"] == "stage" and not event["hit"])
        assert sum(bench("languages_records").of_run(run).seconds.values()) == pytest.approx(spent)


def test_a_damaged_record_is_named(made, repository, bench):
    [file] = repository.glob("bench/cells/main_world-near_seed=1.json.xz")
    before = file.read_bytes()
    try:
        file.write_bytes(before[:100])
        for done in (drive(repository, "--list"), script(repository, "languages_report")):
            assert done.returncode == 1
            assert f"{file.name}: damaged (" in done.stderr
    finally:
        file.write_bytes(before)


def test_the_report_is_made_of_records_alone(made, repository, bench):
    page = repository / "docs/results.md"
    page.write_text("above\n<!-- languages -->\nof last week\n<!-- /languages -->\nbelow\n")
    with away(repository / "data"), away(repository / "runs"):
        done = script(repository, "languages_report")
    assert done.returncode == 0, done.stderr
    text = page.read_text()
    assert text.startswith("above\n<!-- languages -->\n### Development languages\n")
    assert text.endswith("<!-- /languages -->\nbelow\n")
    assert "of last week" not in text
    assert "3 of 3 cells are finished." in text
    assert "The claims" not in text
    found = [results(repository, f"main_world-near_seed={seed}") for seed in (1, 2)]
    means = [of["targets"]["near"]["tri_training"]["mean"] for of in found]
    assert f"| tri-training | {np.mean(means):.1f} ± {np.std(means, ddof=1):.1f} |" in text
    assert "| exact: UXLA |" in text
    scores = [of["targets"]["near"] for of in found]
    pairs = [(of["uxla_ensemble"]["mean"], of["ensembles"]["tri_training"]["mean"]) for of in scores]
    best = [max(*pair, of["ensemble"]["mean"]) for pair, of in zip(pairs, scores, strict=True)]
    regret = np.mean([top - uxla for top, (uxla, _) in zip(best, pairs, strict=True)])
    assert f"| always UXLA | {regret:.2f} | " in text
    digest = sha256((repository / "runs/cells/main_world-near_seed=2/results.json").read_bytes()).hexdigest()
    assert f"| main_world-near_seed=2 | `{digest[:16]}` |" in text
    pictures = re.findall(r"!\[.+\]\((.+)\)", text)
    assert len(pictures) == 3
    assert all((repository / "docs" / name).read_text().startswith("<?xml") for name in pictures)


def results(root, name):
    return json.loads((root / "runs/cells" / name / "results.json").read_text())


def test_the_time_left_is_that_of_cells_of_the_same_kind(bench, cells, tmp_path):
    driver, places, records = bench("languages"), cells.Places(*[tmp_path] * 4), bench("languages_records")
    every = [cells.Cell("development", "main", "main", "world", "near", seed) for seed in (1, 2, 3)]
    protocol = cells.Protocol(TINY, "")
    assert "--plan" in driver.time_left(protocol, every, places)
    facts = {**asdict(every[0]), "own_settings": protocol.digest_of(every[0])}
    done = records.Finished(facts, {}, {}, {}, {}, {}, 0, {"fit uxla": 3000.0, "predict": 600.0}, None, {})
    records.record(done, places.records)
    assert driver.time_left(protocol, every, places) == "1 of 3 cells done, 2.0 hours of one core left"
    other = cells.Protocol({**TINY, "settings": {}}, "")
    assert driver.time_left(other, every, places).startswith("0 of 3 cells done")


def test_a_cell_has_the_settings_that_are_its_own(cells):
    cell = cells.Cell("development", "main", "main", "world", "near", 1)

    def digest(**changed):
        return cells.Protocol({**TINY, **changed}, "").digest_of(cell)

    world = TINY["corpora"]["world"]
    assert (
        digest()
        == digest(seeds=[7])
        == digest(groups={"main": TINY["groups"]["main"]})
        == digest(corpora={"world": {**world, "test": ["low"]}})
    )
    changes = [{"settings": {}}, {"rows": {"all": ["penalty"]}}, {"corpora": {"world": {**world, "task": "nli"}}}]
    assert digest() not in [digest(**change) for change in changes]


def test_some_rows_are_of_the_first_seed_alone(cells):
    rows = {"all": ["penalty"], "nli": ["ensemble"], "once": {"all": ["supervised"], "ner": ["mlm_tuned"]}}
    protocol = cells.Protocol({**TINY, "rows": rows}, "")
    first, second, other = (
        cells.Cell("test", group, "main", "world", "far", seed)
        for group, seed in (("main", 1), ("main", 2), ("exact", 1))
    )
    assert protocol.methods(first) == ["penalty", "supervised", "mlm_tuned"]
    assert protocol.methods(second) == ["penalty"]
    assert protocol.methods(other) == ["uxla"]


def test_a_tuned_masked_lm_is_made_once_and_makes_the_samples(cells, repository, tmp_path):
    def protocol(most):
        text = {"file": "{target}.txt.xz", "most": most}
        tuned = {"text": text, "tune": ["--epochs", "1", "--max-length", "32"]}
        group = {"variants": {"tuned": ["vicinity.model={tuned}"]}, "methods": ["uxla"], **tuned}
        return cells.Protocol({**TINY, "groups": {"tuned": group}}, "")

    places = cells.Places(repository / "data", repository / "models", tmp_path, tmp_path)
    words = (repository / "data/near/train.conll").read_text().replace("\tO", "")
    (repository / "data/near.txt.xz").write_bytes(lzma.compress(words.encode()))
    cell = cells.Cell("development", "tuned", "tuned", "world", "near", 1)
    protocol(30).prepare(cell, places)
    place = protocol(30).tuned(cell, places)
    assert (place / "model.safetensors").is_file()
    assert protocol(30).config(cell, places).vicinity.model == str(place)
    before = place.stat().st_mtime_ns
    protocol(30).prepare(cell, places)
    assert place.stat().st_mtime_ns == before
    assert protocol(31).tuned(cell, places) != place


def test_without_the_data_it_says_what_is_missing(cells, tmp_path):
    missing = cells.Places(tmp_path / "nowhere", tmp_path, tmp_path, tmp_path).missing
    assert missing.startswith("skipped: ")
    assert f"{tmp_path / 'nowhere'}: no such folder" in missing


def test_a_cell_of_other_settings_is_replaced_only_if_that_is_asked_for(made, repository):
    settings, name = repository / "bench/languages.yaml", "main_world-near_seed=2"
    before = settings.read_text()
    settings.write_text(before.replace('"max_steps": 3', '"max_steps": 2'))
    done = drive(repository, "--seeds", "2")
    assert done.returncode == 1
    assert f"{name}: " in done.stderr
    assert "adaptation.max_steps is 3 there, 2 here" in done.stderr
    assert len(results(repository, name)["trainings"]) == 24
    assert drive(repository, "--seeds", "2", "--overwrite").returncode == 0
    assert {one["steps"] for one in results(repository, name)["trainings"]} == {8, 2}
    settings.write_text(before)


def test_the_test_set_waits_for_a_committed_protocol_that_freezes_these_settings(cells, repository):
    page, settings = repository / "docs/protocol.md", repository / "bench/languages.yaml"
    digest, refusal = sha256(settings.read_bytes()).hexdigest(), partial(cells.not_frozen, repository)
    page.write_text("Open.\n")
    assert "not committed" in refusal()
    git(repository, "add", "docs")
    git(repository, "commit", "-qm", "Open")
    assert (
        f"does not say that the settings are frozen; to freeze them it says: Frozen settings: `{digest}`" in refusal()
    )
    page.write_text(f"# State\n\nFrozen settings: `{digest}`\n")
    assert "differs from its committed version" in refusal()
    git(repository, "commit", "-qam", "Freeze")
    assert refusal() is None
    settings.write_bytes(settings.read_bytes() + b"\n")
    assert "has changed since it was frozen" in refusal()
    page.write_text(f"Frozen settings: `{sha256(settings.read_bytes()).hexdigest()}`\n")
    git(repository, "commit", "-qam", "Freeze anew")
    assert re.search(rf"froze other settings in commit [0-9a-f]{{9}}: {digest}; settings are frozen once", refusal())
    done = drive(repository, "--set", "test")
    assert (done.returncode, done.stderr.strip()) == (1, refusal())
    assert not [*repository.glob("runs/cells/*-far_*")]
