"""A run as a call: corpora in, models and scores out; nothing is trained twice, and no store need be there."""

import copy
import pickle
from collections import Counter

import numpy as np
import pytest

import uxla
from uxla import api
from uxla.algorithm.events import Trains
from uxla.errors import ArtifactError, ConfigError, UxlaError
from uxla.events import StageEnded
from uxla.report.table import run_table
from uxla.study.vicinities import OwnVicinity


@pytest.fixture(scope="module")
def adapted(corpora):
    """A run without a store, and what happened in it."""
    seen, [target] = [], corpora.targets
    given = {"dev": corpora.dev, "model": "testbed", "baselines": ["zero_shot"], "threads": 1}
    return api.adapt(corpora.train, {"near": target}, test=corpora.test, on_event=seen.append, **given), seen


def test_each_method_has_its_models_and_scores(adapted):
    result, _ = adapted
    assert result.targets == ("near",)
    assert {method: len(epochs) for method, epochs in result.run.models["near"].items()} == {"zero_shot": 1, "uxla": 3}
    assert result.run.final["near"] == result.run.models["near"]["uxla"][-1]
    assert {"zero_shot", "uxla", "uxla_ensemble"} <= set(result.results["targets"]["near"])
    assert all((model.path / "model.safetensors").is_file() for model in result.run.final["near"])


def test_without_a_store_nothing_is_made_twice(adapted):
    _, seen = adapted
    made = Counter((event.stage, event.key) for event in seen if isinstance(event, StageEnded) and not event.hit)
    assert set(made.values()) == {1}
    adapted_models = sum(isinstance(event, Trains) for event in seen)
    assert sum(count for (stage, _), count in made.items() if stage == "fit") == 3 + 3 + adapted_models


def test_a_call_gives_what_a_run_of_the_same_settings_gives(adapted, configuration, tmp_path, monkeypatch):
    monkeypatch.setenv("UXLA_CACHE", str(tmp_path / "store"))
    result, _ = adapted
    epochs = result.run.config.warmup.epochs
    assert epochs == 100 * 16 / 60, "60 sentences in steps of 16: as many passes as make a hundred steps"
    run = api.run(configuration("methods=[zero_shot, uxla]", f"warmup.epochs={epochs}"), tmp_path / "run")
    apart = {"inputs": None, "warnings": None}  # what is said names arguments to a caller, keys to a run
    assert {**result.results, **apart} == {**run, **apart}
    assert len(result.warnings) == len(run["warnings"])
    assert result.warnings[0].startswith("dev: ")
    assert run["warnings"][0].startswith("source.dev: ")
    result.save(tmp_path / "call")
    for name in ("models/1/model.safetensors", "models/3/model.safetensors", "predictions/near.conll"):
        assert (tmp_path / "call" / name).read_bytes() == (tmp_path / "run" / name).read_bytes()


def test_raw_text_is_enough(corpora):
    texts = [example.segments[0] for example in corpora.targets[0].train]
    result = api.adapt(corpora.train, texts, model="testbed", threads=1)
    assert result.targets == ("target",)


def with_epochs(epochs):
    return uxla.UXLA(epochs=epochs)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"target": "one text"}, "no such file: 'one text'"),
        ({"target": {}}, "target: got .*, expected at least one entry"),
        ({"precision": "fp8"}, "precision: got 'fp8', expected 'auto', 'fp32', "),
        ({"devices": "gpu"}, "devices: got 'gpu', expected auto, cpu, cuda, "),
        ({"device": "cpu"}, "device: no such argument; did you mean devices"),
        ({"seed": -1}, "seed: got -1, expected at least 0"),
        ({"model": ""}, "model: got '', expected at least 1 character"),
        ({"keep": "estimated"}, r"keep: .* needs dev, .*; give dev=… or keep='last'"),
        ({"task": "classification"}, "task: got classification, and the source's labels are for ner"),
        ({"executor": "nowhere"}, "uxla.executors: no installed package"),
        ({"executor": 3}, r"executor: got 3 \(int\), expected an executor"),
        ({"on_event": "print"}, "on_event: got 'print'"),
        ({"store": 3}, "store: got 3"),
        ({"vicinity": "masked_lm"}, "vicinity: got 'masked_lm'"),
        ({"vicinity": uxla.MaskedLMVicinity}, "vicinity: got <class"),
        ({"method": "zeroshot"}, "no method 'zeroshot'; did you mean zero_shot?"),
        ({"method": None}, "method: got None"),
        ({"method": uxla.UXLA}, "method: got <class"),
        ({"method": with_epochs(3)}, "method: epochs: got 3"),
        ({"method": with_epochs([3])}, r"method: epochs: got \[3\]"),
        ({"method": with_epochs([uxla.Epoch(None, source=True)])}, "method: select: got None"),
        (
            {"method": with_epochs([uxla.Epoch(uxla.MostConfident(5), source=True)])},
            r"method: epochs\[0\].select.share: got 5",
        ),
        ({"method": uxla.UXLA(agreement="exact")}, "method: agreement: got 'exact'"),
        ({"method": uxla.UXLA(warm_up={})}, "method: warm_up: got {}"),
        ({"method": uxla.UXLA(adaptation=3)}, "method: adaptation: got 3"),
        ({"baselines": "zero_shot"}, "baselines: got 'zero_shot'"),
        ({"baselines": ["zero_shot"]}, r"baselines: no target has a test set .*; give uxla.Target\(raw, test=…\)"),
        ({"method": "tri_training"}, r"methods: tri_training .*; give uxla.Target\(raw, test=…\) or method='uxla'"),
        ({"methods": "uxla"}, r"methods: got 'uxla', expected a list"),
        ({"tracking": ["mlflow"]}, r"tracking: no such argument; give on_event=…"),
        ({"thread": 1}, "thread: no such argument; did you mean threads?"),
        ({"alpha": 0.5}, r"alpha: no such argument; give method=uxla.UXLA\(alpha=…\)"),
        ({"method": uxla.UXLA(alpha=-1)}, "method: alpha: got -1, expected at least 0"),
    ],
)
def test_a_fault_of_an_argument_is_one_error_before_any_work(corpora, change, said):
    seen = []
    given = {"target": ["ko mira"], "model": "testbed", "on_event": seen.append} | change
    with pytest.raises(UxlaError, match=f"^{said}"):
        api.adapt(corpora.train, **given)
    assert not seen


def test_what_a_baseline_learns_from_must_be_there_for_each_target(corpora):
    [target] = corpora.targets
    bare = uxla.Target(target.train, test=target.test)
    with pytest.raises(ConfigError, match=r"^baselines: supervised needs labelled text of the target far; give uxla."):
        api.adapt(corpora.train, {"near": target, "far": bare}, model="testbed", baselines=["supervised"])


def test_a_result_in_memory_is_saved_and_not_pickled(adapted, tmp_path):
    result, _ = adapted
    for copies in (pickle.dumps, copy.deepcopy):
        with pytest.raises(ArtifactError, match=r"cannot be copied or pickled; save it, and uxla.load the folder"):
            copies(result)
    loaded = uxla.load(result.save(tmp_path / "run"))
    assert pickle.loads(pickle.dumps(loaded)).scores == result.scores


def test_a_result_suggests_texts_and_scores_its_own_predictions_like_itself(adapted, corpora, tmp_path):
    result, _ = adapted
    texts = [example.segments[0] for example in corpora.targets[0].train]
    found = result.suggest(texts, 3)
    assert len({one.row for one in found}) == 3
    assert [one.text for one in found] == [texts[one.row] for one in found]
    own = result.ensemble.predict(found[0].text)
    assert [(one.text, one.label) for one in found[0].found] == [(one.text, one.label) for one in own]
    scored = result.score(result.save(tmp_path / "scored") / "predictions" / "near.conll")
    assert scored.score == pytest.approx(result.scores["near"]["uxla_ensemble"].mean)
    assert scored.methods["uxla"].difference.value == 0.0
    with pytest.raises(ConfigError, match="no target 'far'"):
        result.suggest(texts, 3, target="far")


def test_labelled_text_of_the_target_is_learned_from_with_its_own_share(corpora):
    """Two steps of 16: 32 draws, of which nine tenths are from the labelled sentences."""
    short = {"batch_size": 16, "learning_rate": 1e-4, "max_steps": 2}
    trainings = {"warm_up": uxla.WarmUp(**short, selection="last"), "adaptation": uxla.Adaptation(**short)}
    epochs = [uxla.Epoch(uxla.MostConfident(1.0), source=True, labelled=True)]
    method = uxla.UXLA(epochs=epochs, labelled_share=0.9, **trainings)
    near = corpora.targets[0]
    given = uxla.Target(near.train, labelled=near.labelled)
    result = uxla.adapt(corpora.train, {"near": given}, model="testbed", method=method, threads=1)
    data = [made["learned_from"] for made in result.history if made["epoch"] == 1]
    assert [[found["kind"] for found in made] for made in data] == [["source", "target_labelled"]] * 3
    assert all(sum(found["drawn"] for found in made) == 32 for made in data)
    assert all(made[1]["drawn"] > 20 for made in data)


@pytest.mark.parametrize("place", [None, "", 3])
def test_what_is_no_path_is_said_in_one_line(adapted, place):
    for call in (uxla.load, adapted[0].save, adapted[0].report, uxla.Store):
        with pytest.raises(ConfigError, match=r"^(folder|file|store): got .*, expected a path"):
            call(place)


@pytest.mark.parametrize("given", [{"device": "foo"}, {"precision": "fp7"}])
def test_a_device_or_a_precision_that_there_is_not_is_refused_at_once(given, adapted, tmp_path):
    [(name, value)], folder = given.items(), adapted[0].save(tmp_path / "run")
    for call, model in ((uxla.load, folder), (uxla.Ensemble.load, folder), (uxla.FineTuning, "testbed")):
        with pytest.raises(ConfigError, match=rf"^{name}: got '{value}', expected one of (auto|fp32), "):
            call(model, **given)


def test_a_file_in_the_place_of_a_folder_is_said_in_one_line(adapted, tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(ArtifactError, match="file: is a file, expected a folder written by `uxla run`; check"):
        uxla.load(tmp_path / "file")
    with pytest.raises(ArtifactError, match="cannot be written"):
        adapted[0].save(tmp_path / "file" / "run")


def longest(predictions, corpus):
    """A selector of a user's own: the longer half."""
    sizes = np.array([len(example.segments[0]) for example in corpus])
    return sizes >= np.median(sizes)


def everything(k, j, selected):
    """An agreement of a user's own: whatever either selected, with the labels of k."""
    either = selected[0] | selected[1]
    return uxla.Agreed(either, either, k.pseudo_labels)


def turned(corpus):
    """A vicinity of a user's own: the words in reverse."""
    examples = (uxla.Example(f"{e.id}~1", e.lang, (" ".join(e.words[::-1]),)) for e in corpus)
    return uxla.Corpus.from_examples("any name", corpus.label_names, examples)


def test_a_selector_an_agreement_and_a_vicinity_of_ones_own_are_functions(corpora, tmp_path):
    epochs = [uxla.Epoch(longest, target=True, source_vicinity=True)]
    method = uxla.UXLA(epochs=epochs, agreement=everything, collapse_share=1.0)
    near = corpora.targets[0].train
    result = uxla.adapt(corpora.train, {"near": near}, model="testbed", method=method, vicinity=turned, threads=1)
    data = [found for made in result.history for found in made["learned_from"] or ()]
    assert {(found["kind"], found["of"]) for found in data} == {("target", 20), ("virtual_source", 60)}
    assert all(found["taught"] >= found["of"] / 2 for found in data)
    assert result.results["agreement"] == "everything"
    written = (result.save(tmp_path / "run") / "config.yaml").read_text(encoding="utf-8")
    assert all(f"kind: {name}\n" in written for name in ("longest", "everything", "turned"))


@pytest.mark.parametrize(
    ("vicinity", "said"),
    [
        (lambda corpus: [1], r"vicinity <lambda>, of .*: gave a list, expected a Corpus"),
        (lambda corpus: uxla.Corpus.from_examples("x", ("O",), []), "gave a corpus with other label names"),
        (
            lambda corpus: uxla.Corpus.from_examples("x", corpus.label_names, [uxla.Example("1", "x", ("a", "b"))]),
            "example 1 has 2 texts, expected 1; give as many",
        ),
    ],
)
def test_what_a_vicinity_must_not_give_is_said_in_one_line(vicinity, said, corpora):
    with pytest.raises(ConfigError, match=said):
        OwnVicinity(vicinity)(corpora.train, 1)


def test_a_vicinity_of_ones_own_is_asked_once_for_a_corpus_or_once_for_an_epoch(corpora):
    asked = []

    def plain(corpus):
        asked.append("plain")
        return corpus  # under the same name, and with its labels

    def by_epoch(corpus, epoch):
        asked.append(epoch)
        return turned(corpus)

    for vicinity in (OwnVicinity(plain), OwnVicinity(by_epoch)):
        found = [vicinity(corpora.train, epoch) for epoch in (1, 1, 2)]
        assert {one.name for one in found} == {f"{corpora.train.name}~"}
        assert all(one.table["labels"].null_count == len(one) for one in found)
    assert asked == ["plain", 1, 2]


class Backwards:
    """An executor that does the last item first."""

    def __init__(self):
        self.sizes = []

    def map(self, function, items):
        items = list(items)
        self.sizes.append(len(items))
        return [function(item) for item in items[::-1]][::-1]


def test_another_executor_gives_the_same_bytes(corpora, adapted):
    executor, [target] = Backwards(), corpora.targets
    given = {"dev": corpora.dev, "test": corpora.test, "model": "testbed", "baselines": ["zero_shot"], "threads": 1}
    result = uxla.adapt(corpora.train, {"near": target}, executor=executor, **given)
    assert executor.sizes.count(3) >= 5, "two warm-ups, three epochs"
    mine, theirs = (one.run.final["near"] for one in (result, adapted[0]))
    assert [model.digest for model in mine] == [model.digest for model in theirs]
    assert result.scores == adapted[0].scores


def test_a_method_as_a_value_need_not_be_installed(corpora):
    sure = uxla.Epoch(uxla.MostConfident(0.5), source=True, target=True)
    half = uxla.Method("half", "the surer half", schedule=lambda epochs: [sure])
    result = uxla.adapt(corpora.train, {"near": corpora.targets[0]}, model="testbed", method=half, threads=1)
    assert list(result.run.models["near"]) == ["half"]
    assert result.run.final["near"] == result.run.models["near"]["half"][-1]


def test_a_method_as_a_value_keeps_its_rank_and_its_title_in_the_folder_too(corpora, tmp_path):
    steps = lambda lab, target, models: [models]  # noqa: E731
    mine = uxla.Method("mine", "my own row", in_sentence="the one of mine", rank=200, steps=steps)
    never = uxla.Method("never", "never delivered", rank=None, baseline=True, steps=steps)
    uxla_s = uxla.Method("few", "adapted", schedule=lambda epochs: [uxla.Epoch(uxla.MostConfident(1.0), target=True)])
    given = {"dev": corpora.dev, "model": "testbed", "threads": 1}
    result = uxla.adapt(corpora.train, {"near": corpora.targets[0]}, methods=[mine, never, uxla_s], **given)
    assert result.run.final["near"] == result.run.models["near"]["mine"][-1]
    assert result.results["final"] == "mine"
    assert result.estimate == {}
    folder = result.save(tmp_path / "run")
    card = (folder / "README.md").read_text(encoding="utf-8")
    assert "raw text in `near`, by `my own row`" in card
    again = uxla.load(folder)
    assert {"mine", "never", "few"} < again.scores["near"].keys()
    page = again.report(tmp_path / "report.html").read_text(encoding="utf-8")
    assert all(title in page for title in ("my own row", "never delivered", "adapted", "he one of mine"))
    assert [row.names[0] for row in run_table(again.results).rows if row.names[0].startswith("my")] == [
        "my own row",
        "my own row (ensemble)",
    ]
    assert "my own row" in again.score(corpora.targets[0].test)._repr_markdown_()
