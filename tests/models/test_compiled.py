"""`attention` and `compile` change how fast a model computes, not what it says."""

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from uxla import progress
from uxla.algorithm.vicinity import MaskRequest
from uxla.errors import ModelError
from uxla.models import compiled
from uxla.models.gen_lm.masked_lm import MaskedLM
from uxla.models.gen_lm.units import word_spans
from uxla.models.memory import Budget
from uxla.models.runtime import Runtime
from uxla.models.task_model import TaskModel
from uxla.models.tasks import Tagging
from uxla.models.training.loop import fit
from uxla.models.training.settings import TrainingSettings
from uxla.records import Corpus, Example
from uxla.testbed import asset
from uxla.testbed.world import World

LABELS = ("O", "B-LOC", "I-LOC", "B-MISC", "I-MISC", "B-ORG", "I-ORG", "B-PER", "I-PER")
QUICK = TrainingSettings(batch_size=8, learning_rate=1e-3, dropout=0.0)
KINDS = ["bytelevel", "wordpiece", "deberta", "albert"]
pytestmark = [  # what torch warns itself of, importing its compiler and reading a model
    pytest.mark.filterwarnings("ignore:.*torch.jit.*:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor:UserWarning"),
]


class Notes:
    """A listener that keeps what a person would be told."""

    def __init__(self):
        self.texts = []

    def note(self, text):
        self.texts.append(text)

    def start(self, label, total):
        return self

    def advance(self, amount=1):
        pass

    def stop(self):
        pass


@pytest.fixture
def graphs(monkeypatch):
    """Every graph that is compiled, by a backend that keeps the graphs as they are: seconds, not minutes."""
    found = []

    def backend(graph, inputs):
        found.append(graph)
        return graph.forward

    monkeypatch.setattr("torch._dynamo.lookup_backend", lambda name: backend)
    torch._dynamo.reset()
    yield found
    torch._dynamo.reset()


@pytest.fixture
def notes():
    progress.note_once.cache_clear()
    told = Notes()
    with progress.listening(told):
        yield told.texts


@pytest.fixture(scope="module")
def source() -> Corpus:
    rows = World(0).sentences("source", "train", 48)
    return Corpus.from_examples(
        "source",
        LABELS,
        [
            Example(str(n), "source", (" ".join(words),), tuple(map(LABELS.index, tags)))
            for n, (words, tags) in enumerate(rows)
        ],
    )


def opened(folder=None, **options) -> TaskModel:
    names = dict(enumerate(LABELS))
    runtime = Runtime("cpu", 64, Budget(512), **options)
    values = {"id2label": names, "label2id": {name: i for i, name in names.items()}, "dropout": 0.0, "head_seed": 1}
    return TaskModel.open(Tagging(), folder or asset(), folder or asset(), runtime, **values)


@pytest.fixture(scope="module")
def taught(source, tmp_path_factory):
    """A tagger that has learnt something, in a folder with its tokenizer."""
    folder = tmp_path_factory.mktemp("taught")
    loaded = opened()
    fit(loaded, source.take(np.tile(np.arange(len(source)), 12)), QUICK, seed=0, label="t")
    loaded.module.save_pretrained(folder)
    for file in asset().glob("*token*"):
        (folder / file.name).write_bytes(file.read_bytes())
    return folder


def requests(count=20):
    texts = [" ".join(words) for words, _ in World(0).sentences("far", "train", count)]
    return [MaskRequest(text, tuple(word_spans(text)[n % 3 :: 3]), seed=n) for n, text in enumerate(texts)]


def assert_same_labels(taught, source, **options):
    plain, other = opened(taught).predict(source, "t"), opened(taught, **options).predict(source, "t")
    assert len(set(plain.pseudo_labels.tolist())) > 4
    assert other.pseudo_labels.tolist() == plain.pseudo_labels.tolist()
    assert other.probs == pytest.approx(plain.probs, abs=1e-5)


@pytest.mark.parametrize("attention", ["eager", "sdpa"])
def test_no_kind_of_attention_changes_a_label_or_a_sample(attention, taught, source):
    assert_same_labels(taught, source, attention=attention)
    assert opened(taught, attention=attention).module.config._attn_implementation == attention
    lm = MaskedLM.load(str(asset()), Runtime(attention=attention))
    assert lm.open_head().model.config._attn_implementation == attention
    assert lm.fill(requests()) == MaskedLM.load(str(asset())).fill(requests())


def test_attention_that_a_machine_or_a_model_does_not_have_is_refused_in_a_line(folder_of):
    for load in (lambda: opened(attention="flash_attention_2"), _flash):
        with pytest.raises(ModelError, match=r"flash_attention_2 on cpu in fp32.*CUDA.*bf16.*set attention='auto'$"):
            load()
    folder = folder_of("deberta")
    with pytest.raises(ModelError, match=r"^[^\n]*Deberta[^\n]*set attention='auto'\)$"):
        opened(folder, attention="sdpa")
    with pytest.raises(ModelError, match=r"^[^\n]*Deberta[^\n]*set attention='auto'[^\n]*$"):
        MaskedLM.load(str(folder), Runtime(attention="sdpa"))


def _flash():
    MaskedLM.load(str(asset()), Runtime(attention="flash_attention_2"))


def test_compiled_layers_give_the_same_labels_with_two_graphs_for_all_lengths(taught, source, graphs):
    assert len(set(opened(taught).encode(source).lengths)) > 8
    with torch._dynamo.config.patch(cache_size_limit=1):  # as where many other models came before
        assert_same_labels(taught, source, compile=True)
        assert torch._dynamo.config.cache_size_limit == 1, "the compiler's settings are the caller's again"
    assert not torch._dynamo.config.suppress_errors
    assert len(graphs) == 2, "one for one row, one for several"


def test_compiled_layers_give_the_same_samples_and_scores(graphs):
    plain, fast = MaskedLM.load(str(asset())), MaskedLM.load(str(asset()), Runtime(compile=True))
    assert graphs == [], "probes of one row need no compiled variant of their own"
    assert fast.heads["start"].last is not None
    assert fast.fill(requests()) == plain.fill(requests())
    assert 1 <= len(graphs) <= 2
    texts = [request.text for request in requests(6)]
    assert fast.log_likelihood(texts) == pytest.approx(plain.log_likelihood(texts), abs=1e-5)


@pytest.mark.parametrize("more", [{}, {"gradient_checkpointing": True}], ids=["plain", "checkpointing"])
@pytest.mark.filterwarnings("ignore:.*gradient_checkpointing_enable:FutureWarning")
def test_a_training_with_compiled_layers_leaves_the_same_weights_under_the_same_names(more, source, graphs, tmp_path):
    settings = TrainingSettings(batch_size=8, learning_rate=1e-3, dropout=0.0, **more)
    losses, weights = [], []
    for compile in (False, True):
        loaded = opened(compile=compile)
        losses.append(fit(loaded, source, settings, seed=0, label="t")["loss"])
        loaded.module.save_pretrained(tmp_path / str(compile))
        weights.append(load_file(tmp_path / str(compile) / "model.safetensors"))
    assert graphs
    assert losses[1] == pytest.approx(losses[0], abs=1e-4)
    assert weights[0].keys() == weights[1].keys()
    for name, values in weights[0].items():
        torch.testing.assert_close(weights[1][name], values, rtol=0, atol=2e-3, msg=name)  # AdamW: a sign of a rounding
    configs = [(tmp_path / str(compile) / "config.json").read_text() for compile in (False, True)]
    assert configs[0] == configs[1]


@pytest.mark.parametrize("kind", [KINDS[0], *(pytest.param(kind, marks=pytest.mark.slow) for kind in KINDS[1:])])
def test_every_kind_of_encoder_is_compiled_and_says_the_same(kind, folder_of, texts, graphs, notes):
    folder = folder_of(kind)
    words = [" ".join(text.split()) for text in texts]
    corpus = Corpus.from_examples("t", LABELS, [Example(str(n), "x", (text,)) for n, text in enumerate(words)])
    plain, fast = opened(folder), opened(folder, compile=True)
    assert fast.predict(corpus, "t").probs == pytest.approx(plain.predict(corpus, "t").probs, abs=1e-4)
    assert graphs
    assert notes == []


def test_without_a_compiler_a_model_runs_as_it_is_and_that_is_told_once(taught, source, monkeypatch, notes):
    def backend(graph, inputs):
        raise RuntimeError("No working C++ compiler found\nand a page of more")

    monkeypatch.setattr("torch._dynamo.lookup_backend", lambda name: backend)
    torch._dynamo.reset()
    assert_same_labels(taught, source, compile=True)
    reason = "this machine cannot compile the model (No working C++ compiler found)"
    assert notes == [f"compile: {reason}; it runs uncompiled"]
    torch._dynamo.reset()


def test_code_that_torch_cannot_read_runs_as_it_is(taught, source, monkeypatch, graphs):
    def fail(*_):
        raise ValueError("no such thing")

    monkeypatch.setattr("torch._dynamo.variables.builder.VariableBuilder.__call__", fail)
    assert_same_labels(taught, source, compile=True)
    assert graphs == []


def test_a_model_without_a_list_of_layers_runs_as_it_is_and_that_is_told(notes):
    class Odd(torch.nn.Module):
        @property
        def base_model(self):
            return self

    compiled.compile_layers(Odd())
    assert notes == ["compile: no list of layers is known in Odd; it runs uncompiled"]


@pytest.mark.slow
def test_machine_code_gives_the_labels_of_plain_execution(taught, source, notes):
    """The one test that compiles for this machine, where it has a compiler: with others, nothing but a note."""
    torch._dynamo.reset()
    assert_same_labels(taught, source, compile=True)
    assert all("cannot compile" in text for text in notes)
    torch._dynamo.reset()
