"""The model card: true, and safe whatever names a user's labels, languages and files have."""

import re
from functools import cache

import pytest
import yaml
from huggingface_hub import ModelCard
from huggingface_hub.utils import validate_repo_id
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from transformers import AutoModelForSequenceClassification, AutoTokenizer
from transformers.pipelines import SUPPORTED_TASKS

from uxla.config.run import load_config
from uxla.markup import code_span
from uxla.methods.method import Method
from uxla.methods.registry import METHODS, final_method, find
from uxla.study.card import model_card
from uxla.testbed import asset

SCORE = {"mean": 41.2, "sd": 0.5, "models": [41.0, 41.2, 41.4], "strict_f1": 41.2}
RESULTS = {
    "version": 2,
    "task": "ner",
    "metric": "f1",
    "precision": "fp32",
    "selection": "last",
    "source": {"name": "source"},
    "targets": {"far": {"zero_shot": SCORE, "uxla": [SCORE], "single": {"averaged": SCORE, "ensemble": SCORE}}},
}
ON_SW = {**RESULTS, "task": "nli", "metric": "accuracy", "targets": {"sw": RESULTS["targets"]["far"]}}
LANGUAGE, LICENCE_NAME = re.compile(r"[a-z]{2,3}"), re.compile(r"[a-z0-9-.]+")
EVIL = [
    "```\n# big",
    "<script>alert(1)</script>",
    "a|b|c",
    "[x](javascript:alert(1))",
    "a\n---\nlicense: mit",
    "`",
    "",
    " ",
    "\u202egnp.exe",
    "![](http://x/y.png)",
    "*a* _b_ \\",
    "\ud800",
]
UXLA = METHODS["uxla"]
PARSER = MarkdownIt("commonmark", {"html": True}).enable("table")


@cache
def configured(*overrides):
    return load_config("testbed", overrides)


def card(overrides=(), names=("O", "B-PER"), counts=None):
    config = configured(*overrides)
    final = final_method(map(find, config.methods))
    counts = counts or {"source": 1000}
    return model_card(config, RESULTS, target="far", label_names=names, counts=counts, final=final)


def parts(text):
    """The front matter and the Markdown below it, as the Hub divides them."""
    _, front, body = text.split("---\n", 2)
    return yaml.safe_load(front), body


def tokens(body):
    """All tokens of the Markdown, flat."""
    for token in PARSER.parse(body):
        yield token
        yield from token.children or ()


def test_the_card_says_what_the_models_are():
    front, body = parts(card())
    assert front == {
        "license": "other",
        "license_name": "backbone-and-data",
        "library_name": "transformers",
        "metrics": ["f1"],
        "pipeline_tag": "token-classification",
        "tags": ["uxla", "cross-lingual", "zero-resource"],
        "inference": {"parameters": {"aggregation_strategy": "first"}},
        "model-index": [{"name": "uxla-ner-source-far", "results": front["model-index"][0]["results"]}],
    }
    for said in (
        "`far`",
        "`B-PER`",
        "1,000 examples",
        "41.20 ± 0.50",
        'uxla.load(".").ensemble',
        'pipeline("token-classification", model=".", aggregation_strategy="first", stride=32)',
        "@inproceedings",
        "Limits",
    ):
        assert said in body
    assert "labelled text in `source` and raw text in `far`, by UXLA" in body
    assert "`testbed:far/unlabelled`" in body


def test_the_front_matter_names_languages_backbone_and_data_sets_of_the_hub():
    config = load_config("xnli-5", ["target=sw"])
    front, body = parts(model_card(config, ON_SW, target="sw", label_names=["x"], counts={}, final=UXLA))
    assert front["language"] == ["en", "sw"]
    assert front["base_model"] == "FacebookAI/xlm-roberta-large"
    assert front["datasets"] == ["facebook/xnli"]
    assert front["pipeline_tag"] == "text-classification"
    assert "`hub:facebook/xnli/sw/train`, licence: CC BY-NC 4.0" in body


def test_the_hubs_own_reader_takes_the_metadata_and_writes_the_same():
    config = load_config("xnli-5", ["target=sw"])
    for text in (card(), model_card(config, ON_SW, target="sw", label_names=["x"], counts={}, final=UXLA)):
        data = ModelCard(text).data
        assert yaml.safe_load(data.to_yaml()) == parts(text)[0]
        assert [(found.metric_value, found.dataset_split) for found in data.eval_results] == [(41.2, "test")] * 2
        assert all(LANGUAGE.fullmatch(code) for code in data.language or ())
        assert data.license == "other"  # of the Hub's list; then it asks for a name
        assert LICENCE_NAME.fullmatch(data.license_name)
        assert data.pipeline_tag in SUPPORTED_TASKS
        for repository in [*(data.datasets or ()), *([data.base_model] if data.base_model else [])]:
            validate_repo_id(repository)
    assert data.eval_results[0].dataset_type == "facebook/xnli"
    assert data.eval_results[0].dataset_config == "sw"


@pytest.mark.parametrize(("preset", "settings"), [("xnli-5", ["target=sw"]), ("testbed", ["task=classification"])])
def test_the_call_for_texts_and_pairs_runs(preset, settings, tmp_path, monkeypatch):
    AutoModelForSequenceClassification.from_pretrained(asset(), num_labels=2).save_pretrained(tmp_path)
    AutoTokenizer.from_pretrained(asset()).save_pretrained(tmp_path)
    monkeypatch.chdir(tmp_path)
    text = model_card(load_config(preset, settings), ON_SW, target="sw", label_names=["x"], counts={}, final=UXLA)
    [code] = re.findall(r"^```python\n(from transformers .*?)^```$", text, flags=re.DOTALL | re.MULTILINE)
    names = {}
    long = code.replace("A text.", "a long text " * 500)
    exec(long.replace("\nlabel(", "\nfound = label("), names)
    [answer] = names["found"] if isinstance(names["found"], list) else [names["found"]]
    assert answer["label"] in ("LABEL_0", "LABEL_1")


def test_the_card_of_a_method_of_ones_own_says_what_that_learned_from():
    own = Method("mine", "my *own*", learned_from="dictionaries of {s} and {t}, by {method}", needs=("labelled",))
    front, body = parts(model_card(configured(), RESULTS, target="far", label_names=["x"], counts={}, final=own))
    assert "It learned from dictionaries of `source` and `far`, by `my *own*`, beginning with" in body
    assert "Labels of `far` trained the models: this is not zero-resource" in body
    assert "zero-resource" not in front["tags"]
    kept = {**RESULTS, "kept_epoch": {"far": 0}}
    text = model_card(configured(), kept, target="far", label_names=["x"], counts={}, final=UXLA)
    assert "It learned from labelled text in `source` alone, beginning with" in text


def test_a_run_without_a_test_set_has_no_evaluation():
    front, _ = parts(
        model_card(
            configured(), {**RESULTS, "targets": {"far": {}}}, target="far", label_names=[], counts={}, final=UXLA
        )
    )
    assert "model-index" not in front


def test_a_folder_s_path_stays_at_home(tmp_path):
    files = [f"{key}=x.conll" for key in ("source.train", "source.dev", "target_data.train", "target_data.test")]
    (tmp_path / "model").mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path)
        (tmp_path / "x.conll").write_text("w\tO\n\n")
        none = ["source.test=null", "target_data.labelled=null", "target_data.dev=null", "methods=[uxla]"]
        text = card([*files, *none, "model=model"])
    assert str(tmp_path) not in text
    assert "`source.train`: `x.conll`" in text
    assert "base_model" not in text
    assert "beginning with `model`" in text


def test_a_model_of_a_relative_folder_is_no_repository_of_the_hub(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    config = configured().model_copy(update={"model": "models/enc"})
    for there in (False, True):
        front, body = parts(model_card(config, RESULTS, target="far", label_names=["O"], counts={}, final=UXLA))
        assert front.get("base_model") == (None if there else "models/enc")
        assert f"beginning with `{'enc' if there else 'models/enc'}`" in body
        (tmp_path / "models" / "enc").mkdir(parents=True, exist_ok=True)


@pytest.mark.parametrize(
    ("overrides", "said", "zero"),
    [
        (["adaptation.selection=target_dev"], "Labels of `far` chose the checkpoints: this is not", False),
        (["methods=[supervised]"], "Labels of `far` trained the models: this is not", False),
        (["methods=[zero_shot]"], "labelled text in `source` alone", True),
        (["methods=[zero_shot]", "adaptation.selection=target_dev"], "No label of `far` was used", True),
    ],
)
def test_target_labels_are_told_where_they_were_used_and_only_there(overrides, said, zero):
    front, body = parts(card(overrides))
    assert said in body
    assert ("zero-resource" in front["tags"]) == zero


def shown(text):
    return ("".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text).strip(" "))[:200]


@pytest.mark.parametrize("text", EVIL)
def test_no_label_is_read_as_markup(text):
    check(text)


@given(st.text(st.characters() | st.sampled_from("`|<>[]()*_\\\n#-~ "), max_size=40))
def test_no_text_is_read_as_markup(text):
    check(text)


def check(text):
    plain, evil = card(names=("O", "x"), counts={"y": 3}), card(names=("O", text), counts={text: 3})
    front, body = parts(evil)
    assert front == parts(plain)[0]
    found, expected = list(tokens(body)), list(tokens(parts(plain)[1]))
    assert [token.type for token in found] == [token.type for token in expected]
    spans = [token.content for token in found if token.type == "code_inline"]
    assert (shown(text) or "(empty)") in spans


def test_a_very_long_text_is_cut():
    assert len(code_span("x" * 10**6)) == 202
