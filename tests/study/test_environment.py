"""What a run says of its surroundings."""

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import torch
import transformers

import uxla
from uxla.config.run import load_config
from uxla.data import hub
from uxla.errors import spelled_as
from uxla.models.linear import products_by_onednn
from uxla.records import ModelHandle
from uxla.store.versions import UNKNOWN, current_versions, mixture
from uxla.study.environment import environment

MADE_WITH = {"uxla": {"0.9.0"}, "torch": {"2.1.0", "2.0.0"}}
COMMIT = "0123456789abcdef0123456789abcdef01234567"


def test_it_holds_the_versions_and_the_hardware_as_json():
    found = environment(load_config("testbed"), {"model": ModelHandle(Path("models/x"), "d")}, MADE_WITH)
    assert json.loads(json.dumps(found)) == found
    assert found["config"] == hashlib.sha256(load_config("testbed").to_yaml().encode()).hexdigest()
    assert found["made_with"] == {"uxla": ["0.9.0"], "torch": ["2.0.0", "2.1.0"]}
    assert found["versions"]["uxla"] == uxla.__version__
    assert found["versions"]["torch"] == torch.__version__
    assert found["versions"]["transformers"] == transformers.__version__
    assert found["hardware"]["cores"] >= 1
    assert found["hardware"]["cpu"]
    assert found["threads"] == torch.get_num_threads()
    assert found["deterministic"] is False
    assert found["cpu_products"] == ("onednn" if products_by_onednn() else "torch")
    assert found["hub"] == {}


def test_it_holds_the_commit_of_every_model_and_data_set_of_the_hub(monkeypatch):
    asked = []
    monkeypatch.setattr(hub, "commit", lambda uri: asked.append(uri) or f"commit of {uri}")
    model = ModelHandle(Path(f"hub/models--a--b/snapshots/{COMMIT}"), "d")
    found = environment(load_config("xnli-5", ["target=[sw, ur]"]), {"model": model}, {})["hub"]
    assert found["model"] == COMMIT
    assert found["source.train"] == "commit of hub:facebook/xnli/en/train"
    assert found["ur.test"] == "commit of hub:facebook/xnli/ur/test"
    assert len(asked) == len(found) - 1 == 3 + 2 * 4


def test_importing_it_loads_no_torch():
    code = (
        "import sys, uxla.study.environment, uxla.study.card; print('torch' in sys.modules, 'datasets' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]


def test_versions_of_one_kind_are_no_mixture_and_several_are_named():
    assert mixture({}) is None
    assert mixture({"uxla": {"0.9.0"}, "torch": {"2.0.0"}}) is None
    warning = mixture(MADE_WITH | {"numpy": {"2.2.0", UNKNOWN}})
    assert "(torch 2.0.0 and 2.1.0; numpy 2.2.0 and unknown)" in warning
    assert "uxla 0.9.0" not in warning
    assert warning.endswith("; another `store` repeats all of it")
    with spelled_as("yaml"):
        assert mixture(MADE_WITH).endswith("; --fresh repeats all of it")


def test_the_versions_of_now_are_numbers_without_the_build():
    found = current_versions()
    assert found["torch"] == torch.__version__.partition("+")[0]
    assert {"uxla", "torch", "transformers", "tokenizers", "numpy", "scikit-learn"} == found.keys()
