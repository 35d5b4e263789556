"""Models of strangers: what is read of them, what never runs, and what one line says instead."""

import json
import pickle
import shutil
from importlib.util import find_spec

import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoConfig, AutoModelForTokenClassification

from uxla.errors import ModelError
from uxla.models.gen_lm.masked_lm import MaskedLM
from uxla.models.hub import hub_commit, local_folder, resolve, weights_digest
from uxla.models.loading import _set_values, load_model, load_tokenizer
from uxla.models.model_safety import ModelSafety, weight_files
from uxla.models.runtime import Runtime
from uxla.testbed import asset

PICKLE = ModelSafety(pickle=True)
CODE = ModelSafety(remote_code=True)
EVIL = """
import pathlib
from transformers import {bases}

pathlib.Path({ran!r}).write_text("ran")


class EvilConfig(XLMRobertaConfig):
    model_type = "evil"


class EvilModel(XLMRobertaForTokenClassification):
    config_class = EvilConfig


class EvilTokenizer(PreTrainedTokenizerFast):
    pass
"""


class Payload:
    """A pickle of it makes a file when it is read."""

    def __init__(self, file):
        self.file = str(file)

    def __reduce__(self):
        return open, (self.file, "w")


@pytest.fixture
def folder(tmp_path):
    """The shipped model, to be spoilt."""
    return shutil.copytree(asset(), tmp_path / "model")


@pytest.fixture
def ran(tmp_path):
    """A file that is there once foreign code has run."""
    return tmp_path / "ran"


def as_pickle(folder):
    """The same weights the old way."""
    torch.save(load_file(folder / "model.safetensors"), folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()
    return folder


def change(file, **values):
    content = json.loads(file.read_text(encoding="utf-8"))
    file.write_text(json.dumps({**content, **values}), encoding="utf-8")


def with_code(folder, ran, *, known_type):
    """`folder` with a Python file that its configuration names for everything."""
    bases = "XLMRobertaForTokenClassification, XLMRobertaConfig, PreTrainedTokenizerFast"
    (folder / "evil.py").write_text(EVIL.format(bases=bases, ran=str(ran)))
    autos = {"AutoConfig": "EvilConfig", "AutoModelForTokenClassification": "EvilModel"}
    autos = {name: f"evil.{evil}" for name, evil in autos.items()}
    values = {} if known_type else {"model_type": "evil"}
    change(folder / "config.json", auto_map={**autos, "AutoModelForMaskedLM": "evil.EvilModel"}, **values)
    change(folder / "tokenizer_config.json", auto_map={"AutoTokenizer": [None, "evil.EvilTokenizer"]})
    return folder


def refusal(call, *arguments, **options):
    with pytest.raises(ModelError) as caught:
        call(*arguments, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


LOADERS = {
    "resolve": lambda folder, safety: resolve(str(folder), safety=safety),
    "load_model": lambda folder, safety: load_model(AutoModelForTokenClassification, folder, safety=safety),
    "masked lm": lambda folder, safety: MaskedLM.load(str(folder), Runtime(safety=safety)),
}


@pytest.mark.skipif(find_spec("sentencepiece") is not None, reason="sentencepiece is installed")
@pytest.mark.parametrize("kind", ["xlm-roberta", "distilbert", "xlnet", "t5", "modernbert", "deberta-v2", "gpt2"])
def test_dropout_sets_every_rate_of_dropout(kind):
    config = AutoConfig.for_model(kind)
    rates = {key for key, value in config.to_dict().items() if "drop" in key and not isinstance(value, bool)}
    _set_values(config, 0.37, None)
    assert rates
    assert {key: value for key, value in config.to_dict().items() if key in rates} == dict.fromkeys(rates, 0.37)


def test_a_tokenizer_that_needs_another_package_is_refused_with_its_name(folder):
    """`microsoft/mdeberta-v3-base` has its tokenizer as spm.model alone."""
    for file in folder.glob("token*.json"):
        file.unlink()
    (folder / "spm.model").write_bytes(b"pieces")
    change(folder / "config.json", model_type="deberta-v2")
    said = refusal(load_tokenizer, folder)
    assert said.endswith("(it has a SentencePiece file and no tokenizer.json; run: pip install 'uxla[sentencepiece]')")


@pytest.mark.parametrize("load", LOADERS.values(), ids=LOADERS)
def test_pickled_weights_are_read_only_when_allowed(load, folder):
    as_pickle(folder)
    said = refusal(load, folder, ModelSafety())
    for text in ("no *.safetensors file", "pytorch_model.bin is a pickle", "allow_pickle_weights=True"):
        assert text in said
    assert load(folder, PICKLE)


def test_pickled_weights_of_another_model_beside_it_are_not_its_own(folder):
    """`microsoft/mdeberta-v3-base` has its generator so."""
    digest = resolve(str(as_pickle(folder)), safety=PICKLE).digest
    (folder / "pytorch_model.generator.bin").write_bytes(b"another")
    assert resolve(str(folder), safety=PICKLE).digest == digest
    (folder / "pytorch_model.bin").rename(folder / "pytorch_model-00001-of-00001.bin")
    assert resolve(str(folder), safety=PICKLE).digest != digest


def test_pickled_weights_are_the_same_model(folder):
    expected = load_model(AutoModelForTokenClassification, folder)[0].state_dict()
    found = load_model(AutoModelForTokenClassification, as_pickle(folder), safety=PICKLE)[0].state_dict()
    assert all(torch.equal(found[name], tensor) for name, tensor in expected.items())


def test_safetensors_are_taken_where_there_are_both(folder, ran):
    (folder / "pytorch_model.bin").write_bytes(pickle.dumps(Payload(ran)))
    load_model(AutoModelForTokenClassification, folder, safety=PICKLE)
    assert not ran.exists()


@pytest.mark.parametrize("safety", [ModelSafety(), PICKLE], ids=["default", "allowed"])
@pytest.mark.parametrize("load", [LOADERS["load_model"], LOADERS["masked lm"]], ids=["load_model", "masked lm"])
def test_a_pickle_s_code_never_runs(load, safety, folder, ran):
    (folder / "model.safetensors").unlink()
    (folder / "pytorch_model.bin").write_bytes(pickle.dumps(Payload(ran)))
    refusal(load, folder, safety)
    assert not ran.exists()
    pickle.loads(pickle.dumps(Payload(ran))).close()
    assert ran.exists()  # it would have


def test_pickles_hidden_behind_an_index_of_safetensors_are_refused(folder, ran):
    (folder / "model.safetensors").rename(folder / "part.safetensors")
    (folder / "part.bin").write_bytes(pickle.dumps(Payload(ran)))
    index = {"metadata": {}, "weight_map": {"a": "part.safetensors", "b": "part.bin"}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    said = refusal(load_model, AutoModelForTokenClassification, folder)
    assert "names 'part.bin' as weights, expected a file beside it ending in .safetensors" in said


@pytest.mark.parametrize("name", ["../other/model.safetensors", "/x/model.safetensors", "model.bin", "", None, 3])
def test_weights_elsewhere_are_refused(name, folder):
    index = {"metadata": {}, "weight_map": {"a": name}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    assert "model.safetensors.index.json: names " in refusal(resolve, str(folder))


@pytest.mark.parametrize("name", ["adapter_model.bin", "../model.safetensors", 3])
def test_a_configuration_that_names_other_weights_is_refused(name, folder):
    change(folder / "config.json", transformers_weights=name)
    assert f"config.json: names {name!r} as weights" in refusal(resolve, str(folder))


@pytest.mark.parametrize("text", ["", "[", "[]", "[" * 100_000, "\x00", '"text"'])
def test_a_damaged_configuration_is_one_line(text, folder):
    (folder / "config.json").write_text(text)
    assert "config.json: " in refusal(resolve, str(folder))


@pytest.mark.parametrize("key", ["attn_implementation", "experts_implementation"])
def test_code_that_a_configuration_names_on_the_hub_is_refused(key, folder):
    change(folder / "config.json", **{key: "someone/kernel"})
    said = refusal(load_model, AutoModelForTokenClassification, folder)
    assert f"{key} names code on the Hub ('someone/kernel'), which is not run" in said
    assert "trust_remote_code=True" in said
    change(folder / "config.json", **{key: "eager"})
    assert resolve(str(folder))


@pytest.mark.parametrize("load", [LOADERS["load_model"], LOADERS["masked lm"]], ids=["load_model", "masked lm"])
def test_a_model_that_needs_its_own_code_is_refused_with_the_key(load, folder, ran):
    said = refusal(load, with_code(folder, ran, known_type=False), ModelSafety())
    assert "it needs Python code that comes with it" in said
    assert "set trust_remote_code=True" in said
    assert not ran.exists()


def test_a_model_of_a_known_kind_works_without_the_code_beside_it(folder, ran):
    with_code(folder, ran, known_type=True)
    assert type(load_model(AutoModelForTokenClassification, folder)[0]).__name__ == "XLMRobertaForTokenClassification"
    assert load_tokenizer(folder)("x").input_ids
    MaskedLM.load(str(folder))
    assert not ran.exists()


def test_with_trust_the_code_runs(folder, ran, tmp_path, monkeypatch):
    from transformers import dynamic_module_utils

    monkeypatch.setattr(dynamic_module_utils, "HF_MODULES_CACHE", str(tmp_path / "modules"))
    with_code(folder, ran, known_type=False)
    assert type(load_model(AutoModelForTokenClassification, folder, safety=CODE)[0]).__name__ == "EvilModel"
    assert ran.exists()


def test_the_digest_covers_all_that_decides_what_a_model_computes(folder):
    digests = [resolve(str(folder)).digest]
    for name in ("config.json", "tokenizer.json", "tokenizer_config.json", "model.safetensors"):
        file = folder / name
        file.write_bytes(file.read_bytes() + b"\n" if name != "model.safetensors" else shifted(file))
        digests.append(resolve(str(folder)).digest)
    (folder / "evil.py").write_text("x = 1\n")
    assert resolve(str(folder)).digest == digests[-1]
    digests.append(resolve(str(folder), safety=CODE).digest)
    (folder / "evil.py").write_text("x = 2\n")
    digests.append(resolve(str(folder), safety=CODE).digest)
    assert len(set(digests)) == len(digests)
    as_pickle(folder)
    digests.append(resolve(str(folder), safety=PICKLE).digest)
    change_pickle(folder)
    digests.append(resolve(str(folder), safety=PICKLE).digest)
    assert len(set(digests)) == len(digests)


def shifted(file):
    """The file with its last byte, of a weight, another."""
    raw = file.read_bytes()
    return raw[:-1] + bytes([raw[-1] ^ 1])


def change_pickle(folder):
    (folder / "pytorch_model.bin").write_bytes((folder / "pytorch_model.bin").read_bytes() + b"\n")


def test_the_digest_of_weights_alone_is_that_of_weights_and_configuration(folder):
    before = weights_digest(folder)
    (folder / "tokenizer.json").unlink()
    assert weights_digest(folder) == before
    change(folder / "config.json", x=1)
    assert weights_digest(folder) != before


COMMIT = "0123456789abcdef0123456789abcdef01234567"


def test_the_commit_of_a_downloaded_model_is_the_name_of_its_snapshot(tmp_path, folder):
    assert hub_commit(tmp_path / "models--a--b" / "snapshots" / COMMIT) == COMMIT
    assert hub_commit(folder) is None


@pytest.mark.parametrize(
    ("safety", "has", "asked"),
    [
        (ModelSafety(), "model.safetensors", [{"*.json", "*.model", "*.txt", "*.safetensors"}]),
        (CODE, "model.safetensors", [{"*.json", "*.model", "*.txt", "*.safetensors", "*.py"}]),
        (PICKLE, "model.safetensors", [{"*.json", "*.model", "*.txt", "*.safetensors"}]),
        (
            PICKLE,
            "config.json",
            [
                {"*.json", "*.model", "*.txt", "*.safetensors"},
                {"*.json", "*.model", "*.txt", "*.safetensors", "pytorch_model.bin", "pytorch_model-*.bin"},
            ],
        ),
    ],
    ids=["default", "code", "pickle beside safetensors", "pickle"],
)
def test_only_what_is_trusted_is_downloaded(safety, has, asked, tmp_path, monkeypatch):
    (tmp_path / has).touch()
    calls = []

    def snapshot_download(name, revision, allow_patterns):
        calls.append((name, revision, set(allow_patterns)))
        return str(tmp_path)

    monkeypatch.setattr("huggingface_hub.snapshot_download", snapshot_download)
    assert local_folder("org/model", revision="v1", safety=safety) == tmp_path
    assert calls == [("org/model", "v1", patterns) for patterns in asked]


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (OSError(28, "No space left on device"), r"No space left on device.*; check network and disk, and run again"),
        (RuntimeError("read timed out"), r"RuntimeError: read timed out\); check network and disk"),
        (ConnectionError("the far side does not answer"), r"the far side does not answer\); check network"),
        (ValueError("no such revision"), r"not available from the Hub \(no such revision\); give a folder"),
    ],
)
def test_a_network_or_disk_that_fails_is_told_as_that_and_not_as_a_wrong_name(fault, said, monkeypatch):
    def fails(*_, **__):
        raise fault

    monkeypatch.setattr("huggingface_hub.snapshot_download", fails)
    with pytest.raises(ModelError, match=said):
        local_folder("org/model")


def test_weights_come_in_the_order_of_their_names(folder):
    for name in ("b.safetensors", "a.safetensors"):
        shutil.copy(folder / "model.safetensors", folder / name)
    assert [file.name for file in weight_files(folder)] == ["a.safetensors", "b.safetensors", "model.safetensors"]
