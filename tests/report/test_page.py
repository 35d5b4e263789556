"""The report as text: what it says first, what it says nothing about, and that no text of a user's is markup."""

import base64
import csv
import json
import re
import shutil
import subprocess
import sys
import zlib

import pyarrow.parquet as pq
import pytest
from markupsafe import escape

from uxla.errors import ArtifactError, UxlaError
from uxla.report.folder import RunFolder
from uxla.report.table import markdown

NASTY = "</script><img src=x onerror=hacked()>\"'&\u2028{{ 7 * 7 }}"


def html(run):
    return (run / "report.html").read_text(encoding="utf-8")


def explored(text):
    holder = re.search(r'<script type="application/json" id="explorer-data">(.*?)</script>', text)[1]
    return json.loads(zlib.decompress(base64.b64decode(json.loads(holder)["deflate"])))


def headline(text):
    return re.search(r"<h1>(.*?)</h1>", text)[1]


def test_a_report_begins_with_whether_it_helped(make_run, report):
    run = make_run()
    report(run)
    text = html(run)
    assert headline(text) == "Adaptation helped: UXLA gains 100.0 points over zero-shot"
    assert text.index("<h1>") < text.index("<table")


def test_no_gain_is_not_called_one(make_run, report):
    run = make_run(right=False)
    report(run)
    assert headline(html(run)).startswith("No clear effect")


def test_without_the_test_labels_the_spread_of_the_models_decides(make_run, report):
    run = make_run()
    shutil.rmtree(run / "predictions")
    report(run)
    assert headline(html(run)) == "Adaptation helped: UXLA gains 10.0 points over zero-shot"
    assert "from the spread of three models" in html(run)


def test_without_a_test_set_nothing_is_claimed_and_the_estimate_is_shown(make_run, report):
    run = make_run()
    shutil.rmtree(run / "predictions")
    results = json.loads((run / "results.json").read_text(encoding="utf-8"))
    estimate = {"score": 61.2, "low": 55.1, "high": 67.4, "atc": 60.0, "doc": 61.0, "agreement": 62.0}
    results["targets"]["far"] = {}
    results["estimates"] = {"far": {"zero_shot": estimate, "uxla": [estimate, estimate | {"score": 70.4}]}}
    (run / "results.json").write_text(json.dumps(results), encoding="utf-8")
    report(run)
    assert headline(html(run)) == "Not measured: there is no labelled test set"
    assert "zero-shot 61 (55 to 67); UXLA 70 (55 to 67)" in html(run)


def test_the_tables_and_figures_go_beside_it(make_run, report):
    run = make_run()
    report(run)
    made = {path.name for path in run.iterdir() if path.name.startswith("report")}
    figures = {f"report-far-{name}.{kind}" for name in ("scores", "reliability") for kind in ("svg", "png")}
    assert made == {"report.html", "report-table.md", "report-table.csv", *figures}
    results = json.loads((run / "results.json").read_text(encoding="utf-8"))
    assert (run / "report-table.md").read_text(encoding="utf-8") == markdown(results)
    rows = list(csv.DictReader((run / "report-table.csv").read_text(encoding="utf-8").splitlines()))
    assert [(r["method"], r["epoch"], r["mean"]) for r in rows] == [
        ("zero_shot", "", "41.0"),
        ("ensemble", "", "43.0"),
        ("uxla", "1", "51.0"),
        ("uxla", "2", "51.0"),
        ("uxla_ensemble", "", "53.0"),
    ]


def test_two_reports_of_one_run_are_the_same_bytes(make_run, report, tmp_path):
    run = make_run()
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        report(run, out=tmp_path / name / "r.html")
    files = sorted(path.name for path in (tmp_path / "one").iterdir())
    assert len(files) == 7
    assert all((tmp_path / "one" / f).read_bytes() == (tmp_path / "two" / f).read_bytes() for f in files)


def test_several_runs_begin_with_their_comparison(make_run, report, tmp_path):
    runs = [make_run("first"), make_run("second", right=False)]
    report(*runs, out=tmp_path / "both.html")
    text = (tmp_path / "both.html").read_text(encoding="utf-8")
    assert headline(text) == "2 runs"
    assert text.index("+100.0") < text.index("Adaptation helped")
    assert [found["run"] for found in explored(text)] == ["first", "second"]
    assert "## second" in (tmp_path / "both-table.md").read_text(encoding="utf-8")


def test_no_text_of_a_users_becomes_markup(make_run, report):
    run = make_run("<img src=x onerror=hacked()>", words=(NASTY, "a b", "c d", "e f"), source=NASTY)
    report(run)
    text = html(run)
    assert text.count("<img") == 0
    assert "{{ 7 * 7 }}" in text, "the source's name is shown as it is"
    assert len(re.findall("</script", text)) == 2
    assert explored(text)[0]["texts"]["text"][0] == NASTY


@pytest.mark.parametrize("label", ["B-<b>", "B-</style><script>hacked()</script>"])
def test_no_label_becomes_markup(make_run, report, label):
    run = make_run(labels=("O", label, "I-x"))
    report(run)
    assert label not in html(run)
    assert html(run).count(str(escape(label))) >= 2
    assert explored(html(run))[0]["labels"][1] == label


def test_the_explorer_has_every_labelling_with_its_text(make_run, report):
    run = make_run()
    report(run)
    (found,) = explored(html(run))
    texts = found["texts"]
    assert found["labels"] == ["O", "B-PER", "I-PER"]
    assert [(b["epoch"], b["k"], b["j"], b["data"]) for b in found["blocks"]] == [
        (1, 1, 2, "far"),
        (2, 1, 2, "far"),
        (2, 1, 2, "far~"),
    ]
    own, around = found["blocks"][0], found["blocks"][2]
    assert own["flags"] == [15, 3, 4, 7]
    assert own["sure"][0] == [500, 600, 700, 800]
    rows = [sum(around["rows"][: i + 1]) for i in range(4)]
    assert [texts["id"][row] for row in rows] == [f"far:{i}~1" for i in range(4)]
    assert [texts["id"][texts["parent"][row]] for row in rows] == [f"far:{i}" for i in range(4)]
    second = found["sequences"][own["labels"][1][1]]
    assert [ord(code) - 49 for code in second] == [2, 2, 2]


def test_pseudo_labels_are_scored_by_their_fate(make_run, report):
    run = make_run()
    report(run)
    rows = re.findall(r"<tr><td>(\d)</td><td>([^<]*)</td>((?:<td[^>]*>[^<]*</td>)*)</tr>", html(run))
    found = {(epoch, fate): re.findall(r">([^<]+)<", cells) for epoch, fate, cells in rows}
    assert found["1", "used"] == ["1", "100.0 %", "100.0 %"]
    assert found["1", "dropped: peers disagree"] == ["1", "0.0 %", "0.0 %"]
    assert found["1", "dropped: not trusted"] == ["1", "100.0 %", "100.0 %"]
    assert found["2", "dropped: a model collapsed"] == ["1", "0.0 %", "0.0 %"]


def test_the_flow_counts_the_last_pass_only(make_run, report):
    run = make_run()
    journal = run / "journal.jsonl"
    journal.write_text(journal.read_text(encoding="utf-8") * 2 + '{"event": "sta', encoding="utf-8")
    report(run)
    assert re.findall(r"<h3>(Epoch \d)</h3>", html(run)) == ["Epoch 1", "Epoch 2"]
    assert "1 of 1 trainings had nothing left to learn from" in html(run)
    assert "A model gave nearly one label only to <bdi>far</bdi>" in html(run)


@pytest.mark.parametrize("lost", ["predictions", "trace", "journal.jsonl"])
def test_a_run_that_kept_less_has_a_shorter_report(make_run, report, lost):
    run = make_run()
    shutil.rmtree(run / lost) if (run / lost).is_dir() else (run / lost).unlink()
    report(run)
    assert "<h1>" in html(run)
    assert ('id="explorer"' in html(run)) == (lost != "trace")


def damage_results(run):
    (run / "results.json").write_text('{"version": 1}', encoding="utf-8")


def damage_predictions(run):
    (run / "predictions/far.parquet").write_bytes(b"PAR1")


def lose_texts(run):
    other = run / "trace/far-texts.parquet"
    pq.write_table(pq.read_table(other).slice(0, 2), other)


def climb(run):
    text = (run / "results.json").read_text(encoding="utf-8")
    (run / "results.json").write_text(text.replace('"far"', '"../../far"'), encoding="utf-8")


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (shutil.rmtree, "no results.json, expected a folder written by"),
        (damage_results, "results.json: damaged"),
        (damage_predictions, "far.parquet: damaged"),
        (lose_texts, "far-texts.parquet should have"),
        (climb, "target '../../far', expected a name"),
    ],
)
def test_a_damaged_run_is_one_line(make_run, report, tmp_path, damage, said):
    run = make_run()
    damage(run)
    with pytest.raises(ArtifactError, match=re.escape(said)) as caught:
        report(run, out=tmp_path / "r.html")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "r.html").exists()


@pytest.mark.parametrize(("out", "said"), [(".", "is a folder"), ("no/such/r.html", "no such folder")])
def test_a_place_that_cannot_be_written_is_said_before_any_work(tmp_path, report, out, said):
    with pytest.raises(UxlaError, match=said):
        report(tmp_path / "no-run", out=tmp_path / out)


def test_a_report_needs_no_torch(make_run):
    run = make_run()
    code = (
        "import sys; from pathlib import Path; from uxla.run.report_command import report;"
        f"report([Path({str(run)!r})]); print([m for m in ('torch', 'transformers') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_a_finished_folder_is_read_once_and_by_name(make_run):
    run = RunFolder.read(make_run("some-name"), ())
    assert (run.name, run.targets) == ("some-name", ("far",))
