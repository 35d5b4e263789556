"""What a finished run leaves behind, for both update orders, with all six methods."""

import json
import re
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
from safetensors.torch import load_file
from seqeval.metrics import f1_score
from transformers import AutoModelForTokenClassification, AutoTokenizer, pipeline

import uxla
from uxla.config.run import load_config
from uxla.decoding import decode
from uxla.errors import ArtifactError
from uxla.metrics import span_f1
from uxla.records import Predictions
from uxla.report import scoring
from uxla.report.folder import RunFolder
from uxla.report.scores import every_score
from uxla.store import journal
from uxla.testbed import asset

S = {"mean", "sd", "models", "strict_f1"}
METHODS = {"zero_shot", "penalty", "ensemble", "tri_training", "uxla", "uxla_ensemble", "supervised"}


def test_the_folder_holds_what_is_promised_and_nothing_unfinished(finished):
    names = {path.name for path in finished.out.iterdir()}
    files = {"config.yaml", "environment.json", "journal.jsonl", "results.json", "table.md", "README.md"}
    model = {"config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"}
    assert names == files | model | {"models", "ensemble", "predictions", "trace", "warmup"}
    assert not [path for path in finished.out.iterdir() if path.name.startswith(".")]
    assert not list(finished.out.rglob("*.unfinished"))


def test_results_follow_the_schema(finished):
    results = json.loads((finished.out / "results.json").read_text(encoding="utf-8"))
    parts = {
        "version",
        "task",
        "metric",
        "selection",
        "source",
        "targets",
        "transfer",
        "estimates",
        "warnings",
        "inputs",
    }
    assert set(results) == parts | {"precision", "agreement", "final", "trainings", "confidence"}
    of_dev, of_test = results["confidence"]["far"]["dev"], results["confidence"]["far"]["test"]
    assert of_dev.keys() == of_test.keys() == {"answers", "raw", "scaled"}
    assert uxla.Ensemble.load(finished.out).scaling is not None
    assert [results[name] for name in ("version", "task", "metric", "selection")] == [2, "ner", "f1", "last"]
    assert (results["agreement"], results["final"]) == ("exact", "uxla")
    fields = {"method", "target", "epoch", "model", "peers", "learned_from", "steps", "examples", "loss", "dev"}
    assert {frozenset(made) for made in results["trainings"]} == {frozenset(fields)}
    assert set(results["source"]) == {"name", "before", "after"}
    assert set(results["targets"]) == set(results["source"]["after"]) == {"far"}
    assert set(results["targets"]["far"]) == METHODS | {"by_epoch", "ensembles", "single", "dev"}
    assert len(results["targets"]["far"]["by_epoch"]["tri_training"]) == 3
    on_dev = results["targets"]["far"]["dev"]
    assert {name for name, found in on_dev.items() if isinstance(found, list)} == {"tri_training", "uxla"}
    assert set(on_dev) == METHODS - {"uxla_ensemble"}
    assert set(results["transfer"]) == {"before", "after"}
    assert set(results["transfer"]["before"]) == set(results["transfer"]["after"]["far"]) == {"source", "far"}
    places = {"source.train", "source.dev", "source.test", "far.train", "far.dev", "far.test", "far.labelled"}
    assert set(results["inputs"]) == {"model", "vicinity_model"} | places
    assert all(len(bytes.fromhex(digest)) == 32 for digest in results["inputs"].values())


def test_every_score_has_its_models_mean_and_deviation(finished):
    far = finished.results["targets"]["far"]
    source = finished.results["source"]
    of_three = [far[name] for name in ("zero_shot", "penalty", "tri_training", "supervised")]
    of_three += [*far["uxla"], source["before"], source["after"]["far"]]
    of_one = [far["ensemble"], far["uxla_ensemble"], *far["ensembles"].values(), *far["single"].values()]
    assert len(far["uxla"]) == 3
    for score, count in [(score, 3) for score in of_three] + [(score, 1) for score in of_one]:
        assert set(score) == S
        assert len(score["models"]) == count
        assert score["mean"] == pytest.approx(sum(score["models"]) / count)
        assert all(0 <= figure <= 100 for figure in (*score["models"], score["strict_f1"]))
        assert score["strict_f1"] == pytest.approx(score["mean"]), "delivered labels are valid IOB2"
        assert (score["sd"] > 0) == (len(set(score["models"])) > 1)
    assert far["uxla_ensemble"]["mean"] > 0, "a score of nothing would hide what the other tests look for"


def test_the_adapted_ensemble_on_its_own_language_has_the_score_of_the_table(finished):
    found = finished.results
    assert found["transfer"]["after"]["far"]["far"] == found["targets"]["far"]["uxla_ensemble"]
    assert found["targets"]["far"]["by_epoch"]["tri_training"][-1] == found["targets"]["far"]["tri_training"]


def test_what_figures_of_the_warm_up_are_drawn_from_are_log_probabilities_of_the_test_set(finished):
    drawn = pq.read_table(finished.out / "warmup" / "far.parquet")
    predicted = pq.read_table(finished.out / "predictions" / "far.parquet")
    assert drawn["id"].to_pylist() == predicted["id"].to_pylist()
    assert drawn["gold"].to_pylist() == predicted["gold"].to_pylist()
    for method in ("zero_shot", "penalty"):
        for row, words in zip(drawn[method].to_pylist(), drawn["words"].to_pylist(), strict=True):
            assert np.exp(np.array(row).reshape(words, 9)).sum(1) == pytest.approx(np.ones(words), abs=1e-4)


def test_each_model_loads_with_the_auto_classes(finished):
    names = load_config(str(finished.out / "config.yaml")).target
    assert names == ("far",)
    for i in ("1", "2", "3"):
        folder = finished.out / "models" / i
        model, info = AutoModelForTokenClassification.from_pretrained(folder, output_loading_info=True)
        assert not info["missing_keys"]
        assert not info["unexpected_keys"]
        assert model.config.id2label[0] == "O"
        assert model.config.label2id["B-PER"] == next(k for k, v in model.config.id2label.items() if v == "B-PER")
        encoded = AutoTokenizer.from_pretrained(folder)("a b", return_tensors="pt")
        with torch.no_grad():
            logits = model(encoded["input_ids"], attention_mask=encoded["attention_mask"]).logits
        assert logits.shape[-1] == model.config.num_labels == 9


def test_the_run_folder_itself_is_one_model_whose_weights_go_the_way_of_the_mean_of_the_three(finished):
    start = load_file(asset() / "model.safetensors")
    members = [load_file(finished.out / f"models/{i}/model.safetensors") for i in (1, 2, 3)]
    own = load_file(finished.out / "model.safetensors")
    assert own.keys() == members[0].keys()
    for name, tensor in own.items():
        mean = sum(member[name].double() for member in members) / 3
        if name not in start:
            assert torch.equal(tensor, mean.float())
            continue
        way, own_way = (mean - start[name]).ravel(), (tensor - start[name]).double().ravel()
        assert float(way @ own_way / (way.norm() * own_way.norm())) == pytest.approx(1, abs=1e-4)
        lengths = [(member[name].double() - start[name]).square().sum() for member in members]
        longest = min(float(sum(lengths)) / 3, 3 * float(way.norm()) ** 2) ** 0.5
        assert float(own_way.norm()) == pytest.approx(longest, rel=1e-3)


def test_transformers_reads_the_one_model_and_finds_the_labels_whose_score_is_in_the_results(finished):
    blocks, gold, predicted = _blocks(finished), [], []
    names = uxla.Ensemble.load(finished.out).label_names
    model = AutoModelForTokenClassification.from_pretrained(finished.out)
    tokenizer = AutoTokenizer.from_pretrained(finished.out)
    for block in blocks:
        encoded = tokenizer([word for word, _, _ in block], is_split_into_words=True, return_tensors="pt")
        first = [encoded.word_to_tokens(i).start for i in range(len(block))]
        with torch.inference_mode():
            probs = model(encoded["input_ids"]).logits[0, first].softmax(-1).numpy()
        found = decode(Predictions(probs, np.array([0, len(block)])), names)
        gold.append([label for _, label, _ in block])
        predicted.append([names[label] for label in found])
    score = finished.results["targets"]["far"]["single"]["averaged"]
    assert span_f1(gold, predicted, mode="conlleval") == pytest.approx(score["mean"])


@pytest.mark.filterwarnings("ignore:Tokenizer does not support real words")  # what BPE of words with ▁ is told
def test_the_pipeline_that_the_card_names_reads_a_text_longer_than_the_model(finished, monkeypatch):
    assert AutoTokenizer.from_pretrained(finished.out / "models/1").model_max_length == 128
    [call] = re.findall(
        r"^label = (pipeline\(.*\))$", (finished.out / "README.md").read_text(encoding="utf-8"), re.MULTILINE
    )
    monkeypatch.chdir(finished.out)
    assert isinstance(eval(call, {"pipeline": pipeline})("ko mira sen " * 300), list)
    assert isinstance(pipeline("token-classification", model=str(finished.out))("ko mira sen"), list)


def test_the_ensemble_loads_and_says_what_the_predictions_file_says(finished):
    blocks = _blocks(finished)
    for folder in (finished.out, finished.out / "ensemble"):
        ensemble = uxla.Ensemble.load(folder)
        assert ensemble.tag([[word for word, _, _ in block] for block in blocks]) == [
            [predicted for _, _, predicted in block] for block in blocks
        ]


def test_predictions_are_conllevals_columns_and_give_the_published_figure(finished):
    blocks = _blocks(finished)
    assert len(blocks) == 30
    gold = [[gold for _, gold, _ in block] for block in blocks]
    predicted = [[predicted for _, _, predicted in block] for block in blocks]
    published = finished.results["targets"]["far"]["uxla_ensemble"]
    assert 100 * f1_score(gold, predicted) == pytest.approx(published["mean"])
    assert span_f1(gold, predicted, mode="strict") == pytest.approx(published["strict_f1"])


def test_the_delivered_labels_of_every_method_have_the_score_of_the_results(finished):
    far = finished.results["targets"]["far"]
    scores = {"zero_shot": far["ensemble"], "uxla": far["uxla_ensemble"], **far["ensembles"]}
    test = RunFolder.read(finished.out).test_set("far")
    assert set(scores) == set(test.labels) == {"zero_shot", "penalty", "tri_training", "uxla", "supervised"}
    for method, labels in test.labels.items():
        gold, predicted = (
            [[test.label_names[i] for i in row[a:b]] for a, b in pairwise(test.offsets)] for row in (test.gold, labels)
        )
        assert 100 * f1_score(gold, predicted) == pytest.approx(scores[method]["mean"]), method
        assert scoring.score(scoring.counts(test, method, spans=True)) == pytest.approx(scores[method]["mean"]), method


def test_every_figure_of_the_results_can_be_made_from_the_labels_of_its_models(finished):
    run = RunFolder.read(finished.out)
    test, labels = run.test_set("far"), run.scored_labels("far")
    every = [score for score in every_score(run.results) if score[0] == "far" and score[1] != "source:after"]
    scores = {(method, epoch): one for _, method, epoch, one in every}
    assert labels.keys() == scores.keys()
    assert {("averaged", None), ("ensemble", None), ("uxla_ensemble", None), ("tri_training", 2)} < labels.keys()
    for key, found in labels.items():
        made = [replace(test, labels={"one": one}) for one in found]
        figures = [scoring.score(scoring.counts(one, "one", spans=True)) for one in made]
        assert figures == pytest.approx(scores[key]["models"]), key


def test_what_predict_writes_for_the_test_file_has_the_headline_score(synchronous, invoke, tmp_path):
    blocks = _blocks(synchronous)
    text = "\n".join("".join(f"{word}\t{gold}\n" for word, gold, _ in block) for block in blocks)
    (tmp_path / "test.conll").write_text(text, encoding="utf-8")
    result = invoke("predict", synchronous.out, "test.conll")
    assert result.exit_code == 0, result.stderr
    written = [block.split("\n") for block in result.stdout.strip("\n").split("\n\n")]
    predicted = [[line.split("\t")[-1] for line in block] for block in written]
    gold = [[gold for _, gold, _ in block] for block in blocks]
    figure = synchronous.results["targets"]["far"]["uxla_ensemble"]["mean"]
    assert 100 * f1_score(gold, predicted) == pytest.approx(figure)
    assert predicted == [[label for _, _, label in block] for block in blocks]
    shown = (synchronous.out / "table.md").read_text(encoding="utf-8")
    assert f"| UXLA (ensemble) | {figure:.2f} | {figure:.2f} |" in shown
    assert f"| UXLA (ensemble) | {figure:.2f} | {figure:.2f} |" in (synchronous.out / "README.md").read_text("utf-8")


def test_who_may_read_the_run_may_read_its_weights(finished):
    modes = {path.stat().st_mode for path in finished.out.rglob("*") if path.is_file()}
    assert len(modes) == 1


def test_the_table_shows_the_results(finished):
    shown = (finished.out / "table.md").read_text(encoding="utf-8")
    figure = finished.results["targets"]["far"]["uxla_ensemble"]["mean"]
    assert f"| UXLA (ensemble) | {figure:.2f}" in shown


def test_the_written_configuration_runs_again_to_the_same_results(synchronous, adapt, tmp_path):
    again = adapt(tmp_path / "again", synchronous.store, config=synchronous.out / "config.yaml")
    assert again.results == synchronous.results
    assert again.weights == synchronous.weights
    assert again.misses == []
    for name in ("config.yaml", "table.md", "predictions/far.conll", "ensemble/ensemble.json"):
        assert (again.out / name).read_bytes() == (synchronous.out / name).read_bytes()


def test_where_results_stand_all_else_is_of_the_same_run(synchronous, adapt, tmp_path, monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    again = adapt(tmp_path / "again", synchronous.store, config=synchronous.out / "config.yaml")
    monkeypatch.setattr("uxla.study.write.ensemble_folder.save", full)
    with pytest.raises(ArtifactError, match="cannot be written"):
        adapt(again.out, synchronous.store, config=synchronous.out / "config.yaml")
    assert not (again.out / "results.json").exists()
    monkeypatch.undo()
    assert adapt(again.out, synchronous.store, config=synchronous.out / "config.yaml").results == synchronous.results
    events = [event["event"] for event in journal.read(again.out / "journal.jsonl")]
    assert events[-1] == "finished"
    assert events.count("finished") == 2


def test_a_run_of_another_target_is_refused_and_replaced_whole_where_that_is_asked(synchronous, adapt, tiny, tmp_path):
    settings, out = ("methods=[zero_shot]", "trace=0"), tmp_path / "one"
    adapt(out, synchronous.store, *tiny, *settings)
    (out / "report.html").write_text("of far")
    (out / "notes.txt").write_text("mine")
    before = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    with pytest.raises(
        ArtifactError, match=r"holds a finished run of another configuration \(target is .*; give another folder$"
    ):
        adapt(out, synchronous.store, *tiny, *settings, "target=[far,near]")
    assert {path: path.read_bytes() for path in out.rglob("*") if path.is_file()} == before
    adapt(out, synchronous.store, *tiny, *settings, "target=[far,near]", overwrite=True)
    names = {path.name for path in out.iterdir()}
    assert names >= {"far", "near", "predictions", "results.json", "notes.txt"}
    assert not names & {"models", "ensemble", "report.html"}
    assert [event["event"] for event in journal.read(out / "journal.jsonl")].count("finished") == 1
    adapt(out, synchronous.store, *tiny, *settings, "target=near", overwrite=True)
    written = {path.relative_to(out / "predictions").as_posix() for path in (out / "predictions").rglob("*.*")}
    assert written == {"near.conll", "near.parquet", "models/near.parquet"}
    assert not {"far", "near"} & {path.name for path in out.iterdir()}


def test_a_report_goes_when_the_results_it_tells_of_change(synchronous, adapt, tiny, tmp_path):
    settings, out = ("methods=[zero_shot]", "trace=0"), tmp_path / "one"
    for kept in (True, False):
        adapt(out, synchronous.store, *tiny, *settings)
        (out / "report.html").write_text("of these results")
        if not kept:
            results = json.loads((out / "results.json").read_text(encoding="utf-8"))
            (out / "results.json").write_text(json.dumps(results | {"warnings": ["of another version"]}))
        adapt(out, synchronous.store, *tiny, *settings)
        assert (out / "report.html").exists() == kept


def test_the_ensemble_s_labels_are_there_to_compare_with(synchronous, adapt, tiny, tmp_path):
    out = adapt(tmp_path / "two", synchronous.store, *tiny, "methods=[ensemble,uxla]").out
    both = pq.read_table(out / "predictions" / "far.parquet")
    whole = pq.read_table(synchronous.out / "predictions" / "far.parquet")
    assert both["zero_shot"].equals(whole["zero_shot"])


@pytest.mark.slow
def test_the_two_orders_are_different_algorithms(synchronous, in_place):
    assert synchronous.weights != in_place.weights
    assert synchronous.results["targets"]["far"]["zero_shot"] == in_place.results["targets"]["far"]["zero_shot"]


def _blocks(finished):
    """Sentences of (word, gold, predicted)."""
    text = (finished.out / "predictions" / "far.conll").read_text(encoding="utf-8")
    blocks = [[line.split("\t") for line in block.split("\n")] for block in text.removesuffix("\n\n").split("\n\n")]
    assert all(len(line) == 3 for block in blocks for line in block)
    return blocks


def test_the_targets_test_set_is_labelled_once_by_each_model(synchronous):
    """Before the weights go; its gold labels are no input of any work, and are looked at after all training."""
    on_test = [event for event in synchronous.stages if event["stage"] == "predict" and event["corpus"] == "far test"]
    made = [event["key"] for event in on_test if not event["hit"]]
    assert len(made) == len(set(made)) > 12
    assert synchronous.stages.index(on_test[-1]) > max(
        place for place, event in enumerate(synchronous.stages) if event["stage"] == "fit"
    )
