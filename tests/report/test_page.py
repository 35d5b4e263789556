"""The report as text: what it says first, what it says nothing about, and that no text of a user's is markup."""

import base64
import csv
import json
import re
import shutil
import subprocess
import sys
import zlib
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from markupsafe import escape

from uxla.config.run import load_config
from uxla.errors import ArtifactError, UxlaError
from uxla.report.folder import RunFolder
from uxla.report.table import run_table

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
    assert headline(html(run)).startswith("No significant effect")


def test_without_the_test_labels_scores_stand_there_without_intervals(make_run, report):
    run = make_run()
    shutil.rmtree(run / "predictions")
    report(run)
    assert (
        headline(html(run))
        == "UXLA scores 10.0 points above zero-shot; without test labels nothing tells how sure that is"
    )
    assert "no interval" in html(run)


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
    assert "zero-shot: 61 (55 to 67); UXLA: 70 (55 to 67)" in html(run)


@pytest.mark.parametrize("measured", [True, False])
def test_what_a_run_doubts_stands_in_its_verdict_and_in_the_table_file(make_run, report, measured):
    run = make_run()
    found = json.loads((run / "results.json").read_text(encoding="utf-8"))
    doubts = ["no estimate: source.dev is not given", "far: model 1 <collapsed>"]
    (run / "results.json").write_text(json.dumps(found | {"warnings": doubts}), encoding="utf-8")
    if not measured:
        shutil.rmtree(run / "predictions")
        (run / "results.json").write_text(json.dumps(found | {"warnings": doubts, "targets": {"far": {}}}))
    report(run)
    article = re.search(r"<article.*?</article>", html(run), re.DOTALL)[0]
    assert re.findall(r'<p class="warning">(.*?)</p>', article) == [f"{escape(doubt)}." for doubt in doubts]
    assert html(run).count("model 1 &lt;collapsed&gt;") == 1, "not once more below the table"
    assert r"Warning: far: model 1 \<collapsed>." in (run / "report-table.md").read_text(encoding="utf-8")


def test_the_trainings_stand_in_the_report_a_row_an_epoch(make_run, report):
    run = make_run()
    warm_up = {"method": "penalty", "target": None, "epoch": None, "learned_from": None, "loss": 0.104, "dev": 71.24}
    every = {"kept": None, "drawn": 9, "collapsed": []}
    own = [every | {"kind": "source", "taught": 9, "of": 9}, every | {"kind": "target", "taught": 522, "of": 1000}]
    own += [every | {"kind": "virtual_target", "taught": 1000, "of": 1200}]
    learned = {"method": "uxla", "target": "far", "epoch": 2, "learned_from": own, "loss": 0.5, "dev": 72.0}
    skipped = learned | {"learned_from": [*own[:1], own[1] | {"taught": 0}], "loss": None, "dev": None}
    elsewhere = learned | {"target": "near", "method": "tri_training"}
    trainings = [warm_up | {"model": 1}, warm_up | {"model": 2, "loss": -0.2, "dev": None}]
    trainings += [learned | {"model": 3}, skipped | {"model": 1}, elsewhere | {"model": 2}]
    found = json.loads((run / "results.json").read_text(encoding="utf-8")) | {"trainings": trainings}
    (run / "results.json").write_text(json.dumps(found), encoding="utf-8")
    report(run)
    section = html(run).split("<h3>Trainings</h3>")[1].split("</table>")[0]
    assert "target sentences used" in section
    rows = [re.findall(r"<t[hd][^>]*>(?:<bdi>)?(.*?)(?:</bdi>)?</t[hd]>", row) for row in section.split("<tr>")[2:]]
    assert rows == [
        ["warm-up", "", "1 · 2", "", "0.10 · -0.20", "71.2"],
        ["UXLA", "2", "3 · 1", "1,522 of 2,200 · 0 of 1,000", "0.50 · none", "72.0"],
    ]


def test_a_run_without_trainings_has_no_table_of_them(make_run, report):
    run = make_run()
    found = json.loads((run / "results.json").read_text(encoding="utf-8"))
    (run / "results.json").write_text(json.dumps(found | {"trainings": []}), encoding="utf-8")
    report(run)
    assert "<h3>Trainings</h3>" not in html(run)


def test_the_tables_and_figures_go_beside_it(make_run, report):
    run = make_run()
    report(run)
    made = {path.name for path in run.iterdir() if path.name.startswith("report")}
    figures = {f"report-far-{name}.{kind}" for name in ("scores", "reliability") for kind in ("svg", "png")}
    assert made == {"report.html", "report-table.md", "report-table.csv", *figures}
    results = json.loads((run / "results.json").read_text(encoding="utf-8"))
    assert (run / "report-table.md").read_text(encoding="utf-8") == run_table(results).markdown()
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


def test_runs_in_folders_of_one_name_are_told_apart_by_their_paths(make_run, report, tmp_path, monkeypatch):
    for name in ("a/x", "b/x"):
        make_run(name, right=name == "a/x")
    monkeypatch.chdir(tmp_path)
    report(Path("a/x"), Path("b/x"))
    made = sorted(path.name for path in tmp_path.glob("report-*scores.svg"))
    assert made == ["report-a-x-far-scores.svg", "report-b-x-far-scores.svg"]
    text = Path("report.html").read_text(encoding="utf-8")
    assert [found["run"] for found in explored(text)] == ["a/x", "b/x"]
    assert all(f"<bdi>{name}</bdi>" in text for name in ("a/x", "b/x"))
    assert "## b/x" in Path("report-table.md").read_text(encoding="utf-8")
    rows = csv.DictReader(Path("report-table.csv").read_text(encoding="utf-8").splitlines())
    assert {row["run"] for row in rows} == {"a/x", "b/x"}


def test_a_figure_is_written_whole_or_not_at_all(make_run, report):
    run = make_run()
    report(run)
    figure = run / "report-far-scores.svg"
    figure.write_text("as it was", encoding="utf-8")
    (run / f".{figure.name}.lock").mkdir()
    with pytest.raises(ArtifactError, match="cannot be written"):
        report(run)
    assert figure.read_text(encoding="utf-8") == "as it was"


@pytest.mark.parametrize("name", ["report.html", "report-table.md", "report-far-scores.png"])
def test_a_file_that_no_report_wrote_is_not_written_over(make_run, report, name):
    run = make_run()
    (run / name).write_text("mine", encoding="utf-8")
    with pytest.raises(UxlaError, match=f"{name}: exists already and was not written by `uxla report`"):
        report(run)
    assert [path.name for path in run.glob("report*")] == [name]
    (run / name).unlink()
    report(run)
    report(run)


def test_the_csv_has_scores_by_epoch_of_the_source_and_estimates(make_run, report):
    run = make_run()
    one, found = json.loads((run / "results.json").read_text(encoding="utf-8")), {"score": 61.0, "low": 50, "high": 70}
    found |= dict.fromkeys(("atc", "doc", "agreement"), 61.0)
    score = one["targets"]["far"]["zero_shot"]
    one["targets"]["far"] |= {"tri_training": score, "by_epoch": {"tri_training": [score, score | {"mean": 44.0}]}}
    one["source"] |= {"before": score, "after": {"far": score}}
    one["estimates"] = {"far": {"penalty": found, "uxla": [found, found | {"score": 64.0}]}}
    (run / "results.json").write_text(json.dumps(one), encoding="utf-8")
    report(run)
    rows = list(csv.DictReader((run / "report-table.csv").read_text(encoding="utf-8").splitlines()))
    shown = [(r["target"], r["method"], r["epoch"], r["mean"], r["models"]) for r in rows]
    assert shown[5:] == [
        ("far", "tri_training", "", "41.0", "40.0 41.0 42.0"),
        ("far", "tri_training", "1", "41.0", "40.0 41.0 42.0"),
        ("far", "tri_training", "2", "44.0", "40.0 41.0 42.0"),
        ("", "source:before", "", "41.0", "40.0 41.0 42.0"),
        ("far", "source:after", "", "41.0", "40.0 41.0 42.0"),
        ("far", "estimated:penalty", "", "61.0", ""),
        ("far", "estimated:uxla", "1", "61.0", ""),
        ("far", "estimated:uxla", "2", "64.0", ""),
    ]


def test_no_text_of_a_users_becomes_markup(make_run, report):
    run = make_run("<img src=x onerror=hacked()>", words=(NASTY, "a b", "c d", "e f"), source=NASTY)
    report(run)
    text = html(run)
    assert text.count("<img") == 0
    assert "{{ 7 * 7 }}" in text, "the source's name is shown as it is"
    assert len(re.findall("</script", text)) == 5, "two of data, three of code"
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
    assert own["flags"] == [15, 3, 0, 11]
    assert own["sure"][0] == [500, 600, 700, 800]
    rows = [sum(around["rows"][: i + 1]) for i in range(4)]
    assert [texts["id"][row] for row in rows] == [f"far:{i}~1" for i in range(4)]
    assert [texts["id"][texts["parent"][row]] for row in rows] == [f"far:{i}" for i in range(4)]
    second = found["sequences"][own["labels"][1][1]]
    assert [ord(code) - 49 for code in second] == [2, 2, 2]


def test_pseudo_labels_are_scored_by_their_fate(make_run, report):
    run = make_run()
    report(run)
    found = by_fate(html(run))
    assert found["1", "used"] == ["1", "100.0 %", "100.0 %"]
    assert found["1", "dropped: peers disagree"] == ["1", "0.0 %", "0.0 %"]
    assert found["1", "dropped: not trusted"] == ["1", "100.0 %", "100.0 %"]
    assert found["2", "dropped: a model collapsed"] == ["1", "0.0 %", "0.0 %"]


def test_the_flow_counts_what_each_epoch_trained_on(make_run, report):
    run = make_run()
    report(run)
    text = html(run)
    assert re.findall(r"<h3>(Epoch \d)</h3>", text) == ["Epoch 1", "Epoch 2"]
    first = text.split("<h3>Epoch 1</h3>")[1].split("</svg>")[0]
    assert re.findall(r'class="count"[^>]*>([^<]*)<', first) == ["2", "2", "3 · 3", "1", "4", "1", "2", "2"]
    assert "1 of 1 trainings had nothing left to learn from" in text
    assert "A model gave nearly one label only to the target, so it taught nobody" in text


def traced_with(run, change):
    """The run as it would be with another agreement: `change` makes a trace's rows others."""
    file = run / "trace/far.parquet"
    found = pq.read_table(file)
    rows = [row | change(row) for row in found.to_pylist()]
    pq.write_table(type(found).from_pylist(rows, found.schema), file)


def by_fate(text):
    section = text.split("<h3>Pseudo labels against gold</h3>")[1].split("</table>")[0]
    rows = [re.findall(r">([^<>]+)</(?:bdi|td)>", row) for row in section.split("<tr>")[2:]]
    return {(epoch, fate): cells for epoch, fate, *cells in rows}


def test_with_union_nothing_that_a_peer_was_trusted_on_is_dropped_but_by_a_collapse(make_run, report):
    """j alone is trusted on the first two sentences, nobody on the third, k alone on the last."""

    def change(row):
        i, epoch = int(row["id"][-1]), row["epoch"]
        trusted = {"selected_by_k": i == 3, "selected_by_j": i < 2}
        none = [0] * len(row["labels_j"])  # of these sentences' words all are O
        labels = None if i == 2 else none if i < 2 else row["labels_k"]
        return trusted | {"used": i != 2 and epoch == 1, "agreed": False, "labels": labels}

    run = make_run()
    traced_with(run, change)
    report(run)
    found = by_fate(html(run))
    assert found["1", "used"] == ["3", "66.7 %", "66.7 %"], "j's labels are right, k's of the last are wrong"
    assert found["1", "dropped: not trusted"] == ["1", "100.0 %", "100.0 %"]
    assert found["2", "dropped: a model collapsed"][0] == "3"
    assert not any("disagree" in fate for _, fate in found)


def test_words_in_dispute_that_taught_nothing_are_not_scored(make_run, report):
    def change(row):
        half = {"labels_k": [0, 0, 2][: len(row["labels_k"])], "labels_j": [0, 0, 1][: len(row["labels_k"])]}
        half |= {"labels": [0, 0, -100][: len(row["labels_k"])]}
        return half | {"used": True} if row["id"] == "far:0" else {}

    run = make_run()
    traced_with(run, change)
    report(run)
    assert by_fate(html(run))["1", "used"] == ["1", "100.0 %", "100.0 %"]
    assert "without the words that taught nothing" in html(run)


def test_the_labels_that_taught_are_scored_with_an_agreement_of_ones_own(make_run, report):
    """All labels are O: those that taught are right, and both peers' are wrong."""

    def change(row):
        wrong = {"labels_k": [1] * len(row["labels_k"]), "labels_j": [1] * len(row["labels_k"])}
        return wrong | ({"labels": [0] * len(row["labels_k"])} if row["used"] else {})

    run = make_run()
    results = json.loads((run / "results.json").read_text(encoding="utf-8"))
    (run / "results.json").write_text(json.dumps(results | {"agreement": "MyOwn"}), encoding="utf-8")
    traced_with(run, change)
    report(run)
    found = by_fate(html(run))
    assert found["1", "used"] == ["1", "100.0 %", "100.0 %"]
    assert found["1", "dropped: peers disagree"] == ["1", "0.0 %", "0.0 %"], "of dropped ones peer k's"


@pytest.mark.parametrize("names", [["one"], ["one", "two"]])
def test_every_link_of_the_contents_leads_somewhere(make_run, report, tmp_path, names):
    report(*map(make_run, names), out=tmp_path / "r.html")
    text = (tmp_path / "r.html").read_text(encoding="utf-8")
    links, places = (re.findall(pattern, text) for pattern in (r'<a href="#([^"]+)"', r'id="([^"]+)"'))
    assert set(links) <= set(places)
    assert {places.count(link) for link in links} == {1}
    assert {f"r{len(names)}t1-{part}" for part in ("verdict", "scores", "gains", "mistakes", "training")} <= set(links)


def test_the_page_says_where_it_helped_and_what_went_wrong(make_run, report):
    run = make_run()
    report(run)
    text = html(run)
    assert "Of 20 test sentences that zero-shot gets wrong, UXLA fixes 20; it breaks 0 others." in text
    helped = text.split("Where did it help?</h2>")[1].split("</table>")[0]
    cells = re.findall(r"<bdi>PER</bdi>.*?<strong>(.*?)</strong>.*?>(\d.*?)<.*?>(\d.*?)<", helped, re.DOTALL)
    assert cells == [("+100.0", "0.0", "100.0")]


def test_the_page_has_the_settings_and_the_cost(make_run, report):
    run = make_run()
    (run / "config.yaml").write_text(load_config("testbed", ["model=</pre><b>"]).to_yaml(), encoding="utf-8")
    report(run)
    settings = html(run).split("Settings and cost</h2>")[1].split("</section>")[0]
    assert "&lt;/pre&gt;&lt;b&gt;, fp32" in settings
    assert "<b>" not in settings
    assert "trainings</dt><dd>2, 120 steps in all" in settings


def test_a_confusion_that_does_not_fit_says_so(make_run, report):
    run = make_run(labels=("O", *(f"B-{i}" for i in range(36))))
    report(run)
    assert "there are 37 labels, and a table has room for 30" in html(run)


@pytest.mark.parametrize("lost", ["predictions", "trace"])
def test_a_run_that_kept_less_has_a_shorter_report(make_run, report, lost):
    run = make_run()
    shutil.rmtree(run / lost)
    report(run)
    assert "<h1>" in html(run)
    assert ('id="explorer"' in html(run)) == (lost != "trace")


def damage_results(run):
    (run / "results.json").write_text('{"version": 2}', encoding="utf-8")


def damage_predictions(run):
    (run / "predictions/far.parquet").write_bytes(b"PAR1")


def lose_texts(run):
    other = run / "trace/far-texts.parquet"
    pq.write_table(pq.read_table(other).slice(0, 2), other)


def age(run):
    """As an earlier version wrote it."""
    file = run / "trace/far.parquet"
    pq.write_table(pq.read_table(file).drop_columns(["labels"]), file)


def mix_up(run):
    """Labels of a method that has fewer of them than there are words."""
    file = run / "predictions/far.parquet"
    rows = pq.read_table(file)
    shorter = [labels[:-1] for labels in rows["zero_shot"].to_pylist()]
    place, kind = rows.column_names.index("zero_shot"), rows.schema.field("zero_shot").type
    pq.write_table(rows.set_column(place, "zero_shot", pa.array(shorter, kind)), file)


def climb(run):
    text = (run / "results.json").read_text(encoding="utf-8")
    (run / "results.json").write_text(text.replace('"far"', '"../../far"'), encoding="utf-8")


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (shutil.rmtree, "no such folder, expected one written by"),
        (damage_results, "results.json: damaged"),
        (damage_predictions, "far.parquet: damaged"),
        (lose_texts, "far-texts.parquet should have"),
        (age, "trace/far.parquet: no column labels: damaged, or of another version"),
        (mix_up, "predictions/far.parquet: damaged (labels that do not fit together)"),
        (climb, "target '../../far', expected a name"),
    ],
)
def test_a_damaged_run_is_one_line(make_run, report, tmp_path, damage, said):
    run = make_run()
    damage(run)
    with pytest.raises(UxlaError, match=re.escape(said)) as caught:
        report(run, out=tmp_path / "r.html")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "r.html").exists()


@pytest.mark.parametrize(
    ("out", "said"),
    [
        (".", "is a folder"),
        ("no/such/r.html", "no such folder"),
        ("results.json", "its name does not end in .html"),
    ],
)
def test_a_place_that_cannot_be_written_is_said_before_any_work(tmp_path, report, out, said):
    (tmp_path / "no-run").mkdir()
    with pytest.raises(UxlaError, match=said):
        report(tmp_path / "no-run", out=tmp_path / out)


def test_a_report_needs_no_torch(make_run):
    run = make_run()
    code = (
        "import sys; from pathlib import Path; from uxla.cli.report import report;"
        f"report([Path({str(run)!r})]); print([m for m in ('torch', 'transformers') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_a_finished_folder_is_read_once_and_by_name(make_run):
    run = RunFolder.read(make_run("some-name"))
    assert (run.name, run.targets) == ("some-name", ("far",))
