"""The model card: true, and safe whatever names a user's labels, languages and files have."""

from functools import cache

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from uxla.config.run import load_config
from uxla.markup import code_span
from uxla.study.card import model_card

SCORE = {"mean": 41.2, "sd": 0.5, "models": [41.0, 41.2, 41.4], "strict_f1": 41.2}
RESULTS = {
    "version": 2,
    "task": "ner",
    "metric": "f1",
    "selection": "last",
    "source": {"name": "source"},
    "targets": {"far": {"zero_shot": SCORE, "uxla": [SCORE]}},
}
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
PARSER = MarkdownIt("commonmark", {"html": True}).enable("table")


@cache
def configured(*overrides):
    return load_config("testbed", overrides)


def card(overrides=(), names=("O", "B-PER"), counts=None):
    return model_card(
        configured(*overrides), RESULTS, target="far", label_names=names, counts=counts or {"source": 1000}
    )


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
        "library_name": "transformers",
        "pipeline_tag": "token-classification",
        "tags": ["uxla", "cross-lingual", "zero-resource"],
    }
    for said in (
        "`far`",
        "`B-PER`",
        "1,000 examples",
        "41.20 ± 0.50",
        "uxla.Ensemble.load",
        "models/1",
        "@inproceedings",
        "Limits",
    ):
        assert said in body
    assert "labelled text in `source` and raw text in `far`, by UXLA" in body
    assert "`testbed:far/unlabelled`" in body


def test_the_front_matter_names_languages_backbone_and_data_sets_of_the_hub():
    config = load_config("xnli-5", ["target=sw"])
    front, body = parts(model_card(config, RESULTS | {"task": "nli"}, target="sw", label_names=["x"], counts={}))
    assert front["language"] == ["en", "sw"]
    assert front["base_model"] == "FacebookAI/xlm-roberta-large"
    assert front["datasets"] == ["facebook/xnli"]
    assert front["pipeline_tag"] == "text-classification"
    assert "`hub:facebook/xnli/sw/train`, licence: CC BY-NC 4.0" in body


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
