"""The paper's figures: the numbers behind the panels, the files, and that all of it can be read."""

import json
import re
import shutil
from itertools import combinations
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.image import imread
from matplotlib.text import Text

from uxla.algorithm.distil import MostConfident, loss
from uxla.cli.paper import figure
from uxla.config.run import load_config
from uxla.errors import ArtifactError, UxlaError
from uxla.records import IGNORED, Predictions
from uxla.report.figures import legible, write_figure
from uxla.report.folder import RunFolder
from uxla.report.paper.figures import confident_share, curves, length_figure, penalty_figure, score_figure
from uxla.report.paper.warmup import COMPARED, WarmUp, points, read_warm_up, sampled

TAGS = ("O", "B-PER", "I-PER", "B-LOC", "I-LOC")
CLASSES = ("no", "yes", "maybe")


def score(mean, spread=1.0):
    return {"mean": mean, "sd": spread, "models": [mean - spread, mean, mean + spread]}


def scored(base, epochs=3):
    return {"penalty": score(base), "uxla": [score(base + 1 + i) for i in range(epochs)]}


def warm_up(names=TAGS, *, tagging=True, examples=60, seed=0):
    """A test set on which both models are right nine times in ten, with the penalty less surely."""
    rng = np.random.default_rng(seed)
    sizes = rng.integers(3, 12, examples) if tagging else np.ones(examples, np.int64)
    offsets = np.concatenate([[0], np.cumsum(sizes)])
    gold = rng.integers(0, len(names), offsets[-1])
    log_probs = {}
    for method, sure in (("zero_shot", 5.0), ("penalty", 2.0)):
        logits = rng.normal(size=(len(gold), len(names)))
        seen = np.where(rng.random(len(gold)) < 0.9, gold, 0)
        logits[np.arange(len(gold)), seen] += sure
        log_probs[method] = (logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))).astype(np.float32)
    lengths = sizes if tagging else rng.integers(3, 40, examples)
    return WarmUp(names, tagging, offsets, gold, lengths, log_probs)


def lists(values, sizes):
    ends = pa.array(np.concatenate([[0], np.cumsum(sizes)]))
    return pa.LargeListArray.from_arrays(ends, pa.array(values))


def write_warm_up(path, found):
    sizes = np.diff(found.offsets)
    columns = {
        "id": [str(i) for i in range(len(found.lengths))],
        "words": pa.array(found.lengths, pa.int32()),
        "gold": lists(found.gold.astype(np.int16), sizes),
    }
    columns |= {m: lists(values.ravel(), sizes * len(found.label_names)) for m, values in found.log_probs.items()}
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(columns, metadata={"label_names": "\x00".join(found.label_names)}), path)


@pytest.fixture
def make_run(tmp_path):
    """`make_run(name, targets, task)`: a run folder with what figures are made from."""

    def make(
        name="a-run",
        targets=None,
        task="ner",
        found=None,
        schedule="[{data: [target], select: {kind: confidence, share: 0.8}}]",
    ):
        folder = tmp_path / "runs" / name
        folder.mkdir(parents=True)
        targets = targets or {"es": scored(70.0)}
        results = {
            "version": 2,
            "task": task,
            "metric": "f1",
            "source": {"name": "en"},
            "targets": targets,
            "inputs": {},
        }
        (folder / "results.json").write_text(json.dumps(results), encoding="utf-8")
        config = load_config("xner", ["target=[es]", f"schedule={schedule}"])
        (folder / "config.yaml").write_text(config.to_yaml(), encoding="utf-8")
        for target in targets if found is not None else ():
            write_warm_up(folder / "warmup" / f"{target}.parquet", found)
        return folder

    return make


def opened(run):
    return RunFolder.read(run)


def tiny(labels, gold, names=TAGS, *, tagging=True):
    """One example whose model gives `labels`, each with probability 0.6."""
    probs = np.full((len(labels), len(names)), 0.4 / (len(names) - 1), np.float32)
    probs[np.arange(len(labels)), labels] = 0.6
    counts = np.array([len(labels)]) if tagging else np.ones(len(labels), np.int64)
    offsets = np.concatenate([[0], np.cumsum(counts)])
    return WarmUp(names, tagging, offsets, np.array(gold), counts, dict.fromkeys(COMPARED, np.log(probs)))


def test_a_sentence_is_accurate_with_at_most_two_wrong_labels():
    assert tiny([0, 0, 0, 0], [1, 1, 0, 0]).accurate("penalty").tolist() == [True]
    assert tiny([0, 0, 0, 0], [1, 1, 1, 0]).accurate("penalty").tolist() == [False]
    assert tiny([0, 0, 0, 0], [1, 1, IGNORED, 0]).accurate("penalty").tolist() == [True], "no gold label, no error"


def test_an_example_of_a_sentence_task_is_accurate_with_the_right_label_only():
    assert tiny([0, 1], [0, 2], CLASSES, tagging=False).accurate("penalty").tolist() == [True, False]


def test_the_loss_of_an_example_is_the_mean_over_its_words():
    found = tiny([1, 2, 0], [0, 0, 0])
    assert found.losses("zero_shot") == pytest.approx([-np.log(0.6)], rel=1e-6)


@pytest.mark.parametrize("tagging", [True, False])
@pytest.mark.parametrize("share", [0.0, 0.29, 0.8, 1.0])
def test_losses_and_choice_are_those_of_distillation(tagging, share):
    found = warm_up(TAGS if tagging else CLASSES, tagging=tagging, examples=100)
    for method in COMPARED:
        same = Predictions(np.exp(found.log_probs[method]), found.offsets)
        assert found.losses(method) == pytest.approx(loss(same), rel=1e-4)
        assert found.most_confident(method, share).tolist() == MostConfident(share)(same, None).tolist()


def test_points_are_entity_words_and_few_others():
    found = warm_up(examples=1500)
    rows, said = sampled(found)
    entities, others = int((found.gold > 0).sum()), int((found.gold == 0).sum())
    assert said == f"700 of {entities:,} words of entities and 300 of {others:,} other words"
    assert len(set(rows.tolist())) == 1000
    assert int((found.gold[rows] == 0).sum()) == 300


def test_classes_are_types_of_entities():
    found = warm_up(examples=10)
    placed = points(found)
    assert placed.names == ("O", "PER", "LOC")
    rows, said = sampled(found)
    assert placed.classes.tolist() == [(0, 1, 1, 2, 2)[label] for label in found.gold[rows]]
    assert placed.said == said
    assert {method: places.shape for method, places in placed.places.items()} == dict.fromkeys(COMPARED, (len(rows), 2))


def test_the_perplexity_is_said_and_fits_few_points():
    assert points(warm_up(CLASSES, tagging=False, examples=95)).perplexity == 30


def test_points_of_a_sentence_task_are_its_examples_with_a_gold_label():
    found = warm_up(CLASSES, tagging=False, examples=40)
    gold = found.gold.copy()
    gold[:10] = IGNORED
    placed = points(WarmUp(CLASSES, False, found.offsets, gold, found.lengths, found.log_probs))
    assert placed.said == "30 of 30 examples"
    assert placed.classes.tolist() == gold[10:].tolist()
    assert placed.perplexity == 9, "a third of so few"


def test_points_are_the_same_every_time():
    one, other = points(warm_up(examples=8)), points(warm_up(examples=8))
    assert all((one.places[method] == other.places[method]).all() for method in COMPARED)


def test_classes_lie_apart_where_the_model_tells_them_apart():
    """So that the points could not be of other rows than their classes: the nearest neighbour has the same class."""
    found = warm_up(CLASSES, tagging=False, examples=150)
    sure = np.full((150, 3), -9.0, np.float32) + np.random.default_rng(0).normal(size=(150, 3)).astype(np.float32)
    sure[np.arange(150), found.gold] = 0.0
    placed = points(WarmUp(CLASSES, False, found.offsets, found.gold, found.lengths, dict.fromkeys(COMPARED, sure)))
    places = placed.places["penalty"]
    distances = np.linalg.norm(places[:, None] - places[None], axis=-1) + 1e9 * np.eye(150)
    assert (placed.classes[distances.argmin(axis=1)] == placed.classes).mean() > 0.95


@pytest.mark.parametrize("labels", [[1], [1, 1, 1], [1] * 20])
def test_models_that_tell_nothing_apart_are_drawn_all_the_same(labels):
    found = tiny(labels, labels)
    assert not points(found).places["penalty"].any()
    penalty_figure(found)
    length_figure(found, 0.5, chosen="a half")


def test_a_test_set_without_gold_labels_is_drawn_without_points():
    penalty_figure(tiny([0, 1], [IGNORED, IGNORED]))


def bars(axes):
    """The heights of each histogram outline or bar of a panel, summed."""
    outlines = [patch for patch in axes.patches if hasattr(patch, "get_xy") and not hasattr(patch, "get_height")]
    return len(outlines), sum(patch.get_height() for patch in axes.patches if hasattr(patch, "get_height"))


def test_figure_3_has_every_point_and_says_how_many_are_accurate():
    found = warm_up(examples=12)
    axes = penalty_figure(found).axes
    placed = points(found)
    for panel in axes[:2]:
        assert sum(len(scatter.get_offsets()) for scatter in panel.collections) == len(placed.classes)
        assert {scatter.get_label() for scatter in panel.collections} == {"O", "PER", "LOC"}
    for panel, method in zip(axes[2:], COMPARED, strict=True):
        right = int(found.accurate(method).sum())
        said = [text.get_text() for text in panel.get_legend().get_texts()]
        assert said == [f"accurate ({right})", f"noisy ({len(found.lengths) - right})"]


def test_figure_4_has_every_example_and_the_share_kept():
    found = warm_up(examples=80)
    axes = length_figure(found, 0.8, chosen="η of epoch 1").axes
    for panel, method in zip(axes[:2], COMPARED, strict=True):
        shown = np.concatenate([scatter.get_offsets() for scatter in panel.collections])
        assert sorted(np.round(shown[:, 0]).astype(int)) == sorted(found.lengths)
        assert sorted(shown[:, 1]) == pytest.approx(sorted(found.losses(method)))
        low, high = panel.get_ylim()
        assert ((low < shown[:, 1]) & (shown[:, 1] < high)).all(), "in view"
    spans = [np.diff(panel.get_ylim())[0] for panel in axes[:2]]
    assert spans[0] == pytest.approx(spans[1])
    for panel in axes[2:]:
        assert [text.get_text() for text in panel.get_legend().get_texts()] == ["all (80)", "kept (64)"]
        assert bars(panel)[1] == 80


def out_of_view(axes):
    """Labels of ticks beyond the panel's limits, which matplotlib has but does not draw."""
    for axis in (axes.xaxis, axes.yaxis):
        low, high = sorted(axis.get_view_interval())
        for place, label in zip(axis.get_ticklocs(), axis.get_ticklabels(), strict=True):
            if not low - 1e-9 <= place <= high + 1e-9:
                yield label


def written(made):
    """Every text that is drawn: what it says, where, and whether that is on the page."""
    canvas = FigureCanvasAgg(made)
    canvas.draw()
    hidden = {label for axes in made.axes for label in out_of_view(axes)}
    found = []
    for text in made.findobj(Text):
        box = text.get_window_extent(canvas.get_renderer())
        if text.get_text() and text.get_visible() and text not in hidden:
            page = made.bbox.padded(1)
            found.append((text.get_text(), box, page.contains(box.x0, box.y0) and page.contains(box.x1, box.y1)))
    return found


@pytest.mark.parametrize(
    "made",
    [
        lambda: penalty_figure(warm_up(tuple(f"class {i}" for i in range(12)), tagging=False)),
        lambda: length_figure(warm_up(), 0.5, chosen="a half, since no epoch of this run distils by confidence"),
    ],
)
def test_no_text_of_a_figure_covers_another_or_leaves_the_page(made):
    texts = written(made())
    assert len(texts) > 20
    for (one, box, _), (other, beside, _) in combinations(texts, 2):
        assert not box.overlaps(beside), (one, other)
    assert [text for text, _, inside in texts if not inside] == []


def test_legends_stand_above_all_that_is_drawn():
    made = length_figure(warm_up(examples=400), 0.5, chosen="")
    FigureCanvasAgg(made).draw()
    for panel in made.axes[:2]:
        top = panel.transData.transform(np.concatenate([s.get_offsets() for s in panel.collections]))[:, 1].max()
        assert panel.get_legend().get_window_extent().y0 > top


def test_classes_beyond_the_colours_share_one_and_say_so():
    names = tuple(f"class {i}" for i in range(12))
    axes = penalty_figure(warm_up(names, tagging=False, examples=60)).axes
    said = [text.get_text() for text in axes[1].get_legend().get_texts()]
    assert len(said) == 8
    assert said[0] == "5 rarer classes"


def test_figure_2_begins_with_the_warm_up_and_takes_dev_where_it_is_scored(make_run):
    targets = {"es": scored(70.0) | {"dev": scored(60.0)}, "de": {"uxla": scored(50.0)["uxla"]}, "nl": {}}
    one, other = curves({"a-run": opened(make_run(targets=targets))})
    assert (one.name, one.data, one.places, one.means) == ("es", "dev", (0, 1, 2, 3), (60.0, 61.0, 62.0, 63.0))
    assert one.models[0] == (59.0, 60.0, 61.0)
    assert (other.name, other.data, other.places) == ("de", "test", (1, 2, 3))
    axes = score_figure([one, other], "ner").axes[0]
    assert axes.get_ylabel() == "entity F1 on the target's dev or test set, as named, percent"
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["es (dev)", "de (test)"]
    assert [tick.get_text() for tick in axes.get_xticklabels()] == ["warm-up", "epoch 1", "epoch 2", "epoch 3"]


def test_figure_2_of_test_scores_says_so(make_run):
    axes = score_figure(curves({"a-run": opened(make_run())}), "nli").axes[0]
    assert axes.get_ylabel() == "accuracy on the target's test set, percent"


def test_figure_2_of_several_runs_names_each_and_lists_them_as_they_end(make_run):
    runs = {name: opened(make_run(name, {"es": scored(base)})) for name, base in (("low", 50.0), ("high", 70.0))}
    axes = score_figure(curves(runs), "ner").axes[0]
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["high: es", "low: es"]


def test_figure_2_of_forty_targets_can_be_read(make_run):
    found = curves({"a-run": opened(make_run(targets={f"language-{i}": scored(40.0 + i / 2) for i in range(40)}))})
    made = score_figure(found, "ner")
    texts = written(made)
    for (one, box, _), (other, beside, _) in combinations(texts, 2):
        assert not box.overlaps(beside), (one, other)
    assert [text for text, _, inside in texts if not inside] == []
    lines = [line for line in made.axes[0].lines if not line.get_label().startswith("_")]
    assert len({(line.get_color(), line.get_linestyle()) for line in lines}) == 21, "three times seven"


def test_a_run_without_scores_by_epoch_is_told_what_is_missing(make_run, tmp_path):
    with pytest.raises(ArtifactError, match=r"^blind: no scores by epoch, expected a run of method uxla with .*again"):
        figure(2, [make_run("blind", {"es": {"penalty": score(1.0)}})], out=tmp_path)


def test_damaged_scores_by_epoch_are_one_line(make_run, tmp_path):
    odd = scored(70.0) | {"dev": {"uxla": [{"mean": 3}]}}
    with pytest.raises(ArtifactError, match=r"odd/results.json: damaged \(targets.es.dev.uxla.0.sd: is not given\)"):
        figure(2, [make_run("odd", {"es": odd})], out=tmp_path)


def test_runs_of_several_tasks_share_no_figure(make_run, tmp_path):
    runs = [make_run("tags"), make_run("pairs", task="nli")]
    with pytest.raises(ArtifactError, match="tags, pairs: runs of ner and nli, expected one task"):
        figure(2, runs, out=tmp_path)


def by(kind, **more):
    return {"select": {"kind": kind, **more}}


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        ([by("confidence", share=0.8), by("confidence", share=1.0)], (0.8, "η of epoch 1")),
        ([by("clustering", threshold=0.5), by("confidence", share=1)], (1.0, "η of epoch 2")),
        ([by("clustering", threshold=0.5)], (0.5, "a half, since no epoch of this run distils by confidence")),
        (None, (0.5, "a half, since no epoch of this run distils by confidence")),
    ],
)
def test_figure_4_keeps_the_share_of_the_first_epoch_that_names_one(schedule, expected):
    assert confident_share({"schedule": schedule}) == expected


@pytest.mark.parametrize(("number", "stem"), [(2, "a-run"), (3, "a-run-es"), (4, "a-run-es")], ids=["2", "3", "4"])
def test_files_are_valid_and_named_after_run_and_target(number, stem, make_run, tmp_path, capsys):
    out = tmp_path / "made" / "here"
    figure(number, [make_run(found=warm_up(examples=6))], out=out)
    assert sorted(path.name for path in out.iterdir()) == [f"{stem}-figure{number}.{kind}" for kind in ("png", "svg")]
    assert capsys.readouterr().err.count("written to") == 2
    pixels = imread(out / f"{stem}-figure{number}.png")
    assert min(pixels.shape[:2]) > 600
    assert pixels[0, 0].tolist() == [1, 1, 1, 1], "light"
    assert ElementTree.parse(out / f"{stem}-figure{number}.svg").getroot().tag == "{http://www.w3.org/2000/svg}svg"


def test_the_same_run_gives_the_same_bytes(make_run, tmp_path):
    run = make_run(found=warm_up(examples=6))
    for name in ("one", "two"):
        figure(4, [run], out=tmp_path / name)
    files = [path.name for path in (tmp_path / "one").iterdir()]
    assert len(files) == 2
    assert all((tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes() for name in files)


@pytest.mark.parametrize(
    "name", ["$x$", "\u0633\u0644\u0627\u0645", "_hidden", "\u65e5\u672c", "<b>x</b>", "", "a\nb", "\u0928\u093f"]
)
def test_a_name_that_cannot_be_drawn_as_it_is_has_a_number_instead(name):
    assert legible(name, "target 3") == "target 3"


@pytest.mark.parametrize("name", ["es", "zh-Hans", "españa", "česky", "run_2", "ελ"])
def test_a_plain_name_is_drawn_as_it_is(name):
    assert legible(name, "target 3") == name


def test_names_of_users_do_no_harm(make_run, tmp_path):
    """Warnings are errors here: a glyph without a picture, a label that legends leave out."""
    labels = ("O", "B-$\\frac{1}$", "I-_x", "B-\u0645", "I-<b>")
    odd = {"\u65e5" * 49 + "\u0633": scored(60.0), "\u65e5" * 49 + "_": scored(50.0)}
    run = make_run("r$_$" + "\u65e5" * 70, odd, found=warm_up(labels, examples=6))
    figure(2, [run, make_run("other")], out=tmp_path)
    figure(4, [run], out=tmp_path)
    files = list(tmp_path.glob("*.svg"))
    assert len(files) == 3, "two long names of targets that begin alike are two files"
    write_figure(penalty_figure(read_warm_up(opened(run), next(iter(odd)))), tmp_path / "classes")
    for path in [*files, tmp_path / "classes.svg"]:
        assert not re.search("[\u0600-\u06ff\u65e5]|frac|<b>", path.read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("scores", "said"),
    [
        ({}, "the run has no test set of es: give target_data.test=FILE and run again"),
        (
            {"zero_shot": score(60.0)},
            "the run has no method penalty: add zero_shot and penalty to methods and run again",
        ),
        ({"zero_shot": score(60.0), "penalty": score(61.0)}, "it was lost.*: run again"),
        (
            {"uxla": [score(60.0)]},
            "no method zero_shot and no penalty: add zero_shot and penalty to methods and run again",
        ),
    ],
)
def test_a_run_without_the_warm_ups_view_is_told_how_to_get_it(scores, said, make_run, tmp_path):
    with pytest.raises(ArtifactError, match=rf"warmup/es.parquet: no such file.*{said}: finished work is kept"):
        figure(3, [make_run(targets={"es": scores})], out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def rewrite(path, change):
    table = pq.read_table(path)
    pq.write_table(change(table).replace_schema_metadata(table.schema.metadata), path)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda path: path.write_bytes(b"PAR1"),
        lambda path: rewrite(path, lambda table: table.drop_columns(["penalty"])),
        lambda path: rewrite(path, lambda table: table.slice(0, 0)),
        lambda path: rewrite(path, lambda table: table.set_column(3, "zero_shot", table["gold"])),
        lambda path: pq.write_table(pq.read_table(path).replace_schema_metadata({"label_names": "O"}), path),
        lambda path: pq.write_table(pq.read_table(path).replace_schema_metadata(None), path),
    ],
)
def test_a_damaged_view_is_one_line(spoil, make_run):
    run = make_run(found=warm_up(examples=5))
    spoil(run / "warmup" / "es.parquet")
    with pytest.raises(
        ArtifactError, match=r"es.parquet: damaged \(\w+\), expected a table that `uxla run` wrote"
    ) as caught:
        read_warm_up(opened(run), "es")
    assert "\n" not in str(caught.value)


def test_a_place_that_is_a_file_is_said_before_any_work(tmp_path):
    (tmp_path / "f").write_text("", encoding="utf-8")
    with pytest.raises(UxlaError, match="is a file, expected a folder"):
        figure(2, [Path("no-run")], out=tmp_path / "f")


def test_a_run_that_is_gone_is_one_line(make_run, tmp_path):
    run = make_run()
    shutil.rmtree(run)
    with pytest.raises(ArtifactError, match="no such folder"):
        figure(2, [run], out=tmp_path)
