"""load_config: what is accepted, what is refused in which words, and where paths start."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from uxla.config.documents import Origin, absolute, preset_names
from uxla.config.method import PAPER_SCHEDULE
from uxla.config.run import KEYS, RunConfig, load_config
from uxla.config.yaml_text import dump, parse
from uxla.errors import ConfigError

ROOT = Path(__file__).parents[2]
REQUIRED = "model: some/model\ntarget: xx\nwarmup: {batch_size: 2, learning_rate: 1e-3, epochs: 1}\n"
REQUIRED += "adaptation: {batch_size: 2, learning_rate: 1e-3, epochs: 1}\n"
DATA = "source: {train: a.conll, dev: a.conll}\ntarget_data: {train: b.txt}\n"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with two data files and `my.yaml`; the working directory is another one, with its own `b.txt`."""
    (tmp_path / "project").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "project" / "a.conll").write_text("w\tO\n\n")
    (tmp_path / "project" / "b.txt").write_text("w\n")
    (tmp_path / "elsewhere" / "b.txt").write_text("w\n")
    (tmp_path / "project" / "my.yaml").write_text(REQUIRED + DATA)
    monkeypatch.chdir(tmp_path / "elsewhere")
    return tmp_path / "project"


def refusal(*arguments: str) -> str:
    with pytest.raises(ConfigError) as caught:
        load_config(arguments[0], arguments[1:])
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_the_testbed_preset_needs_nothing_from_the_user():
    config = load_config("testbed")
    assert config.target == ("far",)
    assert config.source.train == "testbed:source/train"
    assert "supervised" in config.methods


def test_a_preset_asks_for_what_only_the_user_knows():
    message = refusal("xner")
    assert "target (" in message
    assert "target=es" in message


def test_a_file_given_by_hand_replaces_the_section_of_a_preset(folder):
    config = load_config("xner", ["target=ur", "target_data.train=b.txt"])
    assert config.target_data.train == str(folder.parent / "elsewhere" / "b.txt")
    assert (config.target_data.test, config.target_data.dev, config.target_data.labelled) == (None, None, None)
    assert config.source.train.startswith("hub:eriktks/conll2003")
    assert config.methods == ("uxla",)


def test_a_file_over_a_preset_is_that_preset_with_the_files_values(folder):
    text = "preset: xner\nseed: 7\ntarget: es\nmodel: some/model\nwarmup: {max_steps: null, epochs: 2}\n"
    text += (
        "agree: {kind: token, min_agreed: 0.5}\nschedule: [{data: [target], select: {kind: confidence, share: 1}}]\n"
    )
    (folder / "my.yaml").write_text(text)
    overrides = ["seed=7", "target=es", "model=some/model", "warmup.max_steps=", "warmup.epochs=2"]
    overrides += ["agree={kind: token, min_agreed: 0.5}"]
    overrides += ["schedule=[{data: [target], select: {kind: confidence, share: 1}}]"]
    assert load_config(str(folder / "my.yaml")) == load_config("xner", overrides)
    changed = load_config(str(folder / "my.yaml"), ["warmup.epochs=3"])
    assert (changed.warmup.epochs, changed.warmup.batch_size, changed.adaptation.epochs) == (3, 4, 1)


def test_the_keys_of_another_kind_may_stand_before_it_in_a_file_over_a_preset(folder):
    (folder / "my.yaml").write_text("preset: xner\ntarget: es\nagree: {min_agreed: 0.7, kind: token}\n")
    assert load_config(str(folder / "my.yaml")).agree.min_agreed == 0.7


def test_a_files_data_replaces_the_section_of_its_preset(folder):
    (folder / "my.yaml").write_text("preset: xner\ntarget: ur\ntarget_data: {train: b.txt}\n")
    config = load_config(str(folder / "my.yaml"))
    assert config.target_data.train == str(folder / "b.txt")
    assert config.target_data.test is None
    assert config.source.train.startswith("hub:eriktks/conll2003")


def test_a_mistake_in_a_file_over_a_preset_is_told_with_its_own_line(folder):
    (folder / "my.yaml").write_text("preset: xner\ntarget: es\nwarmup:\n  epochs: -1\n")
    assert refusal(str(folder / "my.yaml")).startswith(f"{folder}/my.yaml:4: warmup.epochs:")
    (folder / "my.yaml").write_text("target: es\npreset: xnr\n")
    assert refusal(str(folder / "my.yaml")).startswith(f"{folder}/my.yaml:2: no preset 'xnr'; did you mean xner?")
    (folder / "my.yaml").write_text("preset: [xner]\n")
    assert "no preset ['xner']" in refusal(str(folder / "my.yaml"))


@pytest.mark.parametrize(
    ("preset", "task", "eta", "share", "copies", "data_share"),
    [
        ("xnli-5", "nli", [0.5, 0.8, 1.0], 0.3, (2, 2), 0.05),
        ("xnli-100", "nli", [0.5, 0.8, 1.0], 0.3, (2, 2), 1.0),
        ("pawsx-5", "paraphrase", [0.8, 0.9, 0.8], 0.4, (2, 2), 0.05),
        ("pawsx-100", "paraphrase", [0.8, 0.9, 0.8], 0.4, (2, 2), 1.0),
    ],
)
def test_the_sentence_presets_are_table_8(preset, task, eta, share, copies, data_share):
    config = load_config(preset, ["target=sw"])
    assert (config.task, config.max_length, config.alpha) == (task, 128, 0.7)
    for training in (config.warmup, config.adaptation):
        assert (training.batch_size, training.accumulation, training.learning_rate) == (16, 2, 1e-6)
        assert (training.lr_warmup, training.weight_decay, training.max_grad_norm) == (0.1, 0.0, 1.0)
    assert (config.warmup.epochs, config.adaptation.epochs) == ({"nli": 6, "paraphrase": 10}[task], 1)
    assert (config.warmup.penalty, config.adaptation.penalty) == (1.0, 0.0)
    assert [epoch.select.share for epoch in config.schedule] == eta
    assert (config.vicinity.share, config.vicinity.copies) == (share, copies)
    assert (config.source.share, config.target_data.share) == (data_share, data_share)


def test_two_numbers_of_copies_are_for_pairs():
    assert "has one text an example" in refusal("testbed", "vicinity.copies=[2, 2]")
    assert load_config("xnli-5", ["target=sw", "vicinity.copies=3"]).vicinity.copies == 3


def test_the_xner_preset_is_table_8(folder):
    data = ["source.train=b.txt", "source.dev=b.txt", "target=es", "target_data.train=b.txt"]
    config = load_config("xner", data)
    assert (config.model, config.max_length, config.alpha) == ("FacebookAI/xlm-roberta-large", 280, 0.7)
    warmup, adaptation = config.warmup, config.adaptation
    assert (warmup.batch_size, warmup.accumulation, warmup.learning_rate) == (4, 5, 3e-5)
    assert (warmup.lr_warmup, warmup.max_steps, warmup.epochs, warmup.penalty) == (200, 3000, None, 1.0)
    assert (adaptation.batch_size, adaptation.accumulation, adaptation.learning_rate) == (4, 4, 5e-6)
    assert (adaptation.lr_warmup, adaptation.max_steps, adaptation.epochs, adaptation.penalty) == (0.1, None, 1, 0.0)
    assert {warmup.weight_decay, adaptation.weight_decay} == {0.01}
    assert {warmup.evaluate_every, adaptation.evaluate_every} == {50}
    assert config.schedule == PAPER_SCHEDULE
    assert [epoch.select.share for epoch in config.schedule] == [0.8, 1.0, 1.0]
    assert (config.vicinity.share, config.vicinity.copies, config.vicinity.top) == (0.3, 3, 1)


@pytest.mark.parametrize("name", [name for name in preset_names() if name != "testbed"])
def test_every_value_of_a_paper_preset_cites_its_source(name):
    lines = (ROOT / "src/uxla/config/presets" / f"{name}.yaml").read_text(encoding="utf-8").splitlines()
    values = [line for line in lines if line.strip() and not line.startswith("#") and not line.endswith(":")]
    uncited = [line for line in values if not any(at in line for at in ("# Table", "# Section", "# App", "# assump"))]
    assert [line.partition(":")[0] for line in uncited] == ["task"]


def test_paths_in_a_file_start_from_the_file_and_overrides_from_the_working_directory(folder):
    config = load_config(str(folder / "my.yaml"), ["target_data.train=b.txt"])
    assert config.source.train == str(folder / "a.conll")
    assert config.target_data.train == str(folder.parent / "elsewhere" / "b.txt")


def test_nothing_of_a_stranger_s_runs_by_default():
    for name in preset_names():
        config = load_config(name, ["target=sw"] if name != "testbed" else [])
        assert (config.trust_remote_code, config.allow_pickle_weights) == (False, False)


def test_a_revision_is_part_of_a_data_set_s_name(folder):
    path = "hub:facebook/xnli/{target}/train@refs/convert/parquet"
    config = load_config(str(folder / "my.yaml"), [f"target_data.train={path}"])
    assert config.target_data.of("sw").train == path.replace("{target}", "sw")


def test_what_dots_lead_to_is_what_the_system_says_behind_links_too(folder):
    """`link/..` is the folder above the one that the link points to."""
    (folder / "far/conf").mkdir(parents=True)
    (folder / "far/words.conll").write_text("")
    (folder / "link").symlink_to("far/conf")
    origin = Origin("mine.yaml:1", folder / "link")
    assert absolute("../words.conll", origin) == str(folder / "far/words.conll")
    assert absolute("link/../words.conll", Origin("command line", folder)) == str(folder / "far/words.conll")
    assert absolute("far/conf/../conf/x", Origin("command line", folder)) == str(folder / "far/conf/x")
    assert absolute("link/x", Origin("command line", folder)) == str(folder / "link/x"), "a person set the link"
    assert absolute("none/../{target}/x", Origin("command line", folder)) == str(folder / "{target}/x")


def test_a_model_is_made_absolute_only_where_it_is_a_folder(folder):
    (folder / "some" / "model").mkdir(parents=True)
    assert load_config(str(folder / "my.yaml")).model == str(folder / "some" / "model")
    assert load_config(str(folder / "my.yaml"), ["model=some/model"]).model == "some/model"
    assert load_config(str(folder / "my.yaml"), ["vicinity.model=./m"]).vicinity.model == str(
        folder.parent / "elsewhere" / "m"
    )


def test_target_names_fill_their_paths(folder):
    for name in ("yy", "zz"):
        (folder.parent / "elsewhere" / f"{name}.txt").write_text("w\n")
    config = load_config(str(folder / "my.yaml"), ["target=[yy, zz]", "target_data.train={target}.txt"])
    assert config.target_data.of("zz").train == str(folder.parent / "elsewhere" / "zz.txt")
    assert config.target_data.of("zz").test is None


def test_a_resolved_configuration_reads_back_equal(folder, tmp_path):
    config = load_config(str(folder / "my.yaml"), ["source.labels={MISC: null, no: PER}", "seed=7"])
    again = tmp_path / "again.yaml"
    again.write_text(config.to_yaml(), encoding="utf-8")
    assert load_config(str(again)) == config
    assert again.read_text(encoding="utf-8") == load_config(str(again)).to_yaml()


@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers(-(10**15), 10**15)
        | st.floats(allow_nan=False, allow_infinity=False)
        | st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=12)
        | st.sampled_from(
            ["no", "1e3", "010", "1:30", "~", "2001-01-01", "<<", "=", "0x1", "1_0", ".inf", "{target}", "0b1", "Y"]
        ),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc1-é ", max_size=4), inner, max_size=3),
        max_leaves=8,
    )
)
def test_dumped_yaml_parses_to_the_same_value_by_readers_of_yaml_1_1_too(value):
    assert parse(dump(value), name="x")[0] == value
    assert yaml.safe_load(dump(value)) == value


def test_yaml_reads_what_people_mean(folder):
    values, lines = parse("a: no\nb: 3e-5\nc: 010\nd: 1:30\ne: 2020-01-01\nno: [1, x]\n", name="x")
    assert values == {"a": "no", "b": 3e-5, "c": "010", "d": "1:30", "e": "2020-01-01", "no": [1, "x"]}
    assert lines["no", 1] == 6


def test_an_override_changes_one_entry_of_the_default_schedule(folder):
    config = load_config(str(folder / "my.yaml"), ["schedule.0.select.share=0.5"])
    assert [epoch.select.share for epoch in config.schedule] == [0.5, 1.0, 1.0]


def test_another_kind_begins_anew_and_text_means_the_kind(folder):
    [plan] = load_config("testbed", ["schedule=[{data: [target], select: {kind: confidence, share: 0.5}}]"]).schedule
    assert plan.select.model_dump() == {"kind": "confidence", "share": 0.5, "per_class": False}
    for order in (1, -1):
        overrides = ["schedule.0.select.threshold=0.4", "schedule.0.select.kind=clustering"][::order]
        select = load_config("xner", ["target=es", *overrides]).schedule[0].select
        assert select.model_dump() == {"kind": "clustering", "threshold": 0.4, "features": ()}
    for overrides in (["agree=token", "agree.min_agreed=0.6"], ["agree={kind: token, min_agreed: 0.6}"]):
        assert load_config("testbed", overrides).agree.model_dump() == {"kind": "token", "min_agreed": 0.6}
    assert load_config("testbed", ["agree.kind=union"]).agree.kind == "union"


def test_without_a_test_set_only_uxla_is_run(folder):
    assert load_config(str(folder / "my.yaml")).methods == ("uxla",)
    with_test = load_config(str(folder / "my.yaml"), ["target_data.test=b.txt"])
    assert with_test.methods == ("zero_shot", "penalty", "ensemble", "uxla")


def test_a_comparison_without_a_test_set_is_left_out_with_a_note(folder, hearing):
    with hearing() as lines:
        config = load_config(str(folder / "my.yaml"), ["methods=[zero_shot, uxla, three_heads]"])
    assert config.methods == ("uxla",)
    assert lines == ["left out: zero_shot, three_heads; only scores to compare with, and target_data.test is not given"]


@pytest.mark.parametrize(
    ("methods", "said"),
    [
        ("[zero_shot]", "target_data.test is not given; give target_data.test=FILE or 'methods=[uxla]'"),
        ("[zero_short, uxla]", "zero_short"),
        ("[uxla, uxla]", "expected each once"),
    ],
)
def test_without_a_test_set_methods_that_cannot_be_run_are_refused(folder, methods, said):
    assert said in refusal(str(folder / "my.yaml"), f"methods={methods}")


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("warmup.batchsize=3", "no key warmup.batchsize; did you mean warmup.batch_size?"),
        (
            "batch_size=3",
            "no key batch_size; did you mean warmup.batch_size or adaptation.batch_size or mlm.batch_size?",
        ),
        ("warmpu.batch_size=3", "command line: warmpu.batch_size=3: no key warmpu; did you mean warmup?"),
        ("schedule.1.selct=1", "no key schedule.1.selct; did you mean schedule.1.select?"),
        ("warmup.batch_size=x", "command line: warmup.batch_size=x: got 'x', expected a whole number"),
        ("warmup.batch_size=true", "got True, expected a whole number"),
        ("warmup.learning_rate=0", "got 0, expected more than 0"),
        ("vicinity.share=1.5", "got 1.5, expected at most 1"),
        ("alpha=.inf", "got '.inf', expected a number"),
        ("seed.x=3", "seed is a number and has no keys; set seed="),
        ("seed", "got 'seed', expected key=value"),
        ("=3", "got '=3', expected key=value"),
        ("schedule.9.select.share=1", "got 9 after schedule, expected a number from 0 to 2"),
        ("schedule.0.data=[source, source]", "expected each once"),
        ("schedule.0.data=[]", "expected at least one entry"),
        ("schedule=[]", "expected at least one entry"),
        ("schedule.0.select.threshold=0.5", "no key schedule.0.select.threshold with kind confidence; it belongs to"),
        ("schedule.0.select.shar=0.5", "no key schedule.0.select.shar with kind confidence; did you mean schedule.0.s"),
        ("schedule.0.select.kind=clustering", "needs schedule.0.select.threshold (with `clustering`: select"),
        ("schedule.0.select={share: 0.5}", "schedule.0.select.kind: no kind is given; expected one of confidence, clu"),
        ("schedule.0.select=confident", "schedule.0.select.kind: got 'confident'; did you mean confidence?"),
        ("schedule.0.select=3", "schedule.0.select=3: got 3, expected a mapping such as {kind: confidence}"),
        ("schedule=[{data: [target]}]", "needs schedule.0.select (which pseudo-labelled sentences are trusted)"),
        ("agree=tokens", "agree.kind: got 'tokens'; did you mean token?"),
        ("agree.min_agreed=0.5", "no key agree.min_agreed with kind exact; it belongs to kind token"),
        ("agree.x=1", "no key agree.x with kind exact; this kind takes no other key"),
        ("vicinity=", "vicinity=: got null, expected a mapping such as {kind: masked_lm}"),
        ("model=''", "got '', expected at least 1 character (the backbone"),
        ("agree={kind: token, min_agreed: 2}", "agree.min_agreed: got 2, expected at most 1"),
        ("adaptation.selection=estimated", "got 'estimated', expected 'last', 'source_dev', 'target_dev' or 'average'"),
        ("precision=fp8", "got 'fp8', expected 'auto', 'fp32', 'tf32', 'bf16' or 'fp16'"),
        ("warmup.max_steps=5", "epochs=6 and max_steps=5 exclude each other; give one and set the other to null"),
        ("warmup.epochs=null", "neither epochs nor max_steps is given"),
        ("warmup.lr_warmup=2.5", "expected a whole number of steps (200) or a share"),
        ("warmup.selection=target_dev", "expected 'last', 'source_dev' or 'average'"),
        ("source.dev=", "selection source_dev needs source.dev, which is not given"),
        ("target=[near, near]", "expected each name once"),
        ("target=a/b", "expected a name of letters"),
        ("target=5", "got 5, expected text"),
        ("target=[ur, UR]", "expected each name once"),
        ("target=[near, models]", "got 'models', expected a name the run folder has no other use for"),
        ("target=[near, Table.md]", "got 'Table.md', expected a name the run folder has no other use for"),
        (f"target={'x' * 51}", "50 characters"),
        ("checkpoint_minutes=0", "got 0, expected more than 0"),
        ("trust_remote_code=yes", "got 'yes', expected true or false"),
        ("target_data.labelled=", "supervised needs target_data.labelled, which is not given"),
        ("labelled_share=1.5", "got 1.5, expected less than 1"),
        ("methods=[translate_train]", "translate_train needs target_data.translated, which is not given"),
        ("methods=[three_heads]", "its three models are one; give another method too"),
        ("testbed=", "source.train is a testbed: path but there is no testbed section"),
        ("methods=[uxla, uxla]", "expected each once"),
        ("methods=[tritraining]", "got 'tritraining'; did you mean tri_training? (`uxla methods` lists them)"),
        ("methods=[x]", "got 'x'; expected one of zero_shot, penalty"),
        ("source.encoding=utf-9", "expected an encoding Python knows"),
        ("tokens_per_batch=16", "got 16, expected at least max_length=64"),
        ("source.train=nowhere.conll", "no such file: "),
        ("source.train=.", "is a folder: "),
        ("a={b: 1, b: 2}", "'b' is given twice"),
        ("schedule=[{data:[x]}]", "not a YAML list or mapping (expected ',' or '}', but got '['); write a space after"),
        ("target=[{target}.txt]", "not a YAML list or mapping (expected ',' or ']', but got '<scalar>'); quote what"),
    ],
)  # fmt: skip
def test_a_wrong_override_is_answered_in_one_line(override, said, folder):
    arguments = ["testbed", "seed=1", override]
    assert said in refusal(*arguments)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("agreement=token", "agree"),
        ("min_agreed=0.6", "agree.min_agreed"),
        ("schedule.0.confidence=0.5", "schedule.0.select={kind: confidence, …}"),
        ("schedule.1.clustering=0.5", "schedule.1.select={kind: clustering, …}"),
        ("schedule.0.per_class=true", "schedule.*.select.per_class"),
        ("vicinity.precision=bf16", "precision"),
    ],
)
def test_a_key_that_has_moved_is_answered_with_its_place(old, new):
    assert f"did you mean {new}?" in refusal("testbed", old)


def test_all_mistakes_are_told_at_once_and_each_once(folder):
    with pytest.raises(ConfigError) as caught:
        load_config("testbed", ["tokens_per_batch=16", "target=[near, near]", "source.dev=", "source.test=no,where"])
    assert [line.partition(":")[0] for line in caught.value.mistakes] == [
        "command line", "command line", "preset testbed", "command line",
    ]  # fmt: skip
    for said in ("at least max_length", "expected each name once", "needs source.dev", "no such file"):
        assert sum(said in line for line in caught.value.mistakes) == 1
    assert str(caught.value).count(" | ") == 3


def test_a_misspelt_section_is_not_also_missing(folder):
    (folder / "my.yaml").write_text((REQUIRED + DATA).replace("warmup:", "warmpu:"))
    assert refusal(str(folder / "my.yaml")).endswith("no key warmpu; did you mean warmup?")


def test_several_targets_need_their_name_in_the_path():
    message = refusal("testbed", "target=[near, far]", "target_data.train=testbed:near/unlabelled")
    assert "2 targets would share testbed:near/unlabelled; write {target}" in message


def test_an_epoch_with_labelled_data_needs_that_file():
    settings = ["methods=[uxla]", "schedule.0.data=[source, labelled]"]
    assert load_config("testbed", settings).schedule[0].data == ("source", "labelled")
    message = refusal("testbed", *settings, "target_data.labelled=")
    assert "schedule: 0: data has labelled, and target_data.labelled is not given; give target_data.label" in message


def test_without_a_test_set_the_models_of_few_shot_are_made_and_no_other_method(folder):
    given = ["target_data.test=", "source.test="]
    assert load_config("testbed", [*given, "methods=[zero_shot, uxla, few_shot]"]).methods == ("uxla", "few_shot")
    assert load_config("testbed", [*given, "methods=[few_shot]"]).methods == ("few_shot",)


def test_selection_on_target_dev_needs_that_set(folder):
    assert "needs target_data.dev" in refusal(str(folder / "my.yaml"), "adaptation.selection=target_dev")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (REQUIRED + DATA + "seed: x\n", "my.yaml:7: seed: got 'x', expected a whole number"),
        ("a: 1\nb: 2\na: 3\n", "my.yaml:3: 'a' is given twice, first in line 1; remove one"),
        ("a: &x 1\nb: *x\n", "my.yaml:1: not the YAML read here: aliases"),
        ("a: !!python/name:os.system x\n", "my.yaml:1: not the YAML read here: tags"),
        ("a: " + "[" * 10_000, "my.yaml:1: not the YAML read here: nested deeper than 20 levels"),
        ("a:\n- [b\n", "my.yaml:2: not the YAML read here: expected ',' or ']'"),
        ("a: 1\nb: 'c\n", "my.yaml:2: not the YAML read here: found unexpected end of stream"),
        ("a: 1\nb:3\n", "my.yaml:2: not the YAML read here: could not find expected ':'"),
        ("a: 1\n---\nb: 2\n", "my.yaml:2: not the YAML read here: expected a single document in the stream, but found"),
        ("[a]: 1\n", "my.yaml:1: a list or mapping as a key"),
        ("- a\n", "my.yaml:1: got a list, expected `key: value` lines"),
        ("", "my.yaml needs model ("),
        ("a: 1\nb: \x00\n", "my.yaml:2: not the YAML read here: the character '\\x00' is not allowed"),
    ],
)
def test_a_wrong_file_is_answered_with_the_line(text, said, folder):
    (folder / "my.yaml").write_text(text)
    assert said in refusal(str(folder / "my.yaml"))


def test_a_file_that_is_no_configuration_is_refused(folder):
    assert "expected a .yaml file or a preset (masakhaner, panx" in refusal(str(folder / "a.conll"))
    assert "cannot be read: No such file" in refusal(str(folder / "none.yaml"))
    (folder / "latin.yaml").write_bytes(b"a: 1\nb: \xe9\n")
    assert "latin.yaml:2: not UTF-8 text" in refusal(str(folder / "latin.yaml"))
    (folder / "big.yaml").write_bytes(b"#" * 2_000_000)
    assert "is this a data file?" in refusal(str(folder / "big.yaml"))


def test_an_unknown_preset_is_answered_with_the_nearest():
    assert "no preset 'tesbed'; did you mean testbed?" in refusal("tesbed")
    assert "expected one of masakhaner, panx" in refusal("foo")
    assert preset_names() == [
        "masakhaner",
        "panx",
        "pawsx-100",
        "pawsx-5",
        "sib200",
        "testbed",
        "xner",
        "xnli-100",
        "xnli-5",
    ]


def test_a_configuration_cannot_be_changed():
    with pytest.raises(ValueError, match="frozen"):
        load_config("testbed").seed = 3


def test_reading_a_configuration_loads_no_heavy_module():
    code = "import sys\nfrom uxla.config.run import load_config\nload_config('testbed')\nprint(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"numpy", "pyarrow", "torch", "transformers", "sklearn"} & set(loaded)


def test_the_configuration_page_has_every_key_with_default_meaning_and_paper_place(bench):
    page = (ROOT / "docs/configuration.md").read_text(encoding="utf-8")
    assert bench("configuration_page").with_tables(page) == page, "make them anew: python bench/configuration_page.py"
    named = [re.findall("`(.+?)`", row.split(" | ")[0]) for row in page.splitlines() if row.startswith("| `")]
    assert sorted(key for keys in named for key in keys) == sorted(KEYS)


def test_examples_on_the_configuration_page_are_accepted(folder, monkeypatch):
    page = (ROOT / "docs/configuration.md").read_text(encoding="utf-8")
    monkeypatch.chdir(folder)
    for name in ("en/train.conll", "en/dev.conll", "es/train.txt", "es/test.conll"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("w\n")
    example = page.split("```yaml\n")[1].split("```")[0]
    (folder / "doc.yaml").write_text(example)
    config = load_config("doc.yaml")
    assert isinstance(config, RunConfig)
    assert yaml.safe_load(config.to_yaml())["target"] == ["es"]


@pytest.mark.parametrize(("key", "value"), [("delimiter", "ab"), ("quote", "xy"), ("delimiter", '"\\n"')])
def test_a_delimiter_and_a_quote_are_one_character(folder, key, value):
    said = refusal(str(folder / "my.yaml"), f"source.{key}={value}")
    assert "expected one character" in said
    assert load_config(str(folder / "my.yaml"), ["source.delimiter=tab", "source.quote=none"]).source.quote == "none"
