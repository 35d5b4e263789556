"""Runs of the whole path that several tests look at, each made once a session, all on tiny sizes."""

import json
import os
import sys
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import pytest
from filelock import FileLock

XLMR = Path(__file__).parents[3] / "shared/data/tokenizers/xlmr_hf"
SIZES = ("testbed.train=100", "testbed.unlabelled=40", "testbed.dev=20", "testbed.test=30")
TRAINING = ("warmup.epochs=3", "warmup.learning_rate=4e-3", "warmup.penalty=0.1", "threads=1")
TINY = (*SIZES, *TRAINING, "keep_weights=all")  # several runs share a store, and labels of earlier epochs are looked at


@dataclass(frozen=True)
class Finished:
    """A run folder and the store it was made with."""

    out: Path
    store: Path

    @property
    def results(self):
        """`results.json`."""
        return json.loads((self.out / "results.json").read_text(encoding="utf-8"))

    @property
    def stages(self):
        """The journal's lines about work done or found."""
        lines = (self.out / "journal.jsonl").read_text(encoding="utf-8").splitlines()
        return [event for event in map(json.loads, lines) if event["event"] == "stage"]

    @property
    def misses(self):
        """(stage, key) of all work that was done."""
        return [(event["stage"], event["key"]) for event in self.stages if not event["hit"]]

    @property
    def weights(self):
        """The digest of each model's weights file."""
        files = [self.out / "models" / str(i) / "model.safetensors" for i in (1, 2, 3)]
        return [sha256(file.read_bytes()).hexdigest() for file in files]


@pytest.fixture(scope="session")
def encoder(tmp_path_factory):
    """XLM-R's real tokenizer with an encoder of its class, small and random."""
    import torch
    from transformers import AutoTokenizer, XLMRobertaConfig, XLMRobertaForMaskedLM

    if not XLMR.is_dir():
        pytest.skip(f"no tokenizer of XLM-R at {XLMR}")
    tokenizer = AutoTokenizer.from_pretrained(XLMR)
    assert len(tokenizer) == 250_002
    sizes = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32}
    config = XLMRobertaConfig(vocab_size=len(tokenizer), max_position_embeddings=66, type_vocab_size=1, **sizes)
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("encoder")
    XLMRobertaForMaskedLM(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def tiny():
    """The overrides that make a run of the preset `testbed` a matter of seconds."""
    return TINY


@pytest.fixture(scope="session")
def adapt():
    """`uxla run` in this process; only the command line around it is left out."""
    from uxla import api
    from uxla.config.run import load_config

    def run(out, store, *overrides, config="testbed", **options):
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("UXLA_CACHE", str(store))
            api.run(load_config(str(config), overrides), out, **options)
        return Finished(out, store)

    return run


@pytest.fixture(scope="session")
def once(adapt, tmp_path_factory):
    """Of a run's name and overrides the finished run, made by the first of all test processes that asks for it.

    All these runs share one store, as those of one user do.
    """
    root = tmp_path_factory.getbasetemp()
    root = root.parent / "shared" if "PYTEST_XDIST_WORKER" in os.environ else root / "shared"

    def finished(name, *overrides):
        root.mkdir(exist_ok=True)
        with FileLock(root / "lock"):
            if not (root / name / "results.json").exists():
                adapt(root / name, root / "store", *overrides)
        return Finished(root / name, root / "store")

    return finished


@pytest.fixture(scope="session")
def synchronous(once):
    """All six methods, peers frozen for an epoch; the first run on its store."""
    return once("synchronous", *TINY)


@pytest.fixture(scope="session")
def in_place(once, synchronous):
    """All six methods, models replaced at once; on the store of `synchronous`."""
    return once("in_place", *TINY, "order=in_place")


@pytest.fixture(params=["synchronous", pytest.param("in_place", marks=pytest.mark.slow)])
def finished(request):
    """A finished run of either order."""
    return request.getfixturevalue(request.param)


@pytest.fixture
def command():
    """`uxla` as the start of a command line for a process of its own."""
    return [sys.executable, "-c", "from uxla.cli.app import main; main()"]


@pytest.fixture
def environment():
    """This process's environment with another store."""
    return lambda store: {**os.environ, "UXLA_CACHE": str(store)}
