"""What the labelling and training benchmarks run on: models and labelled corpora, real where this machine has them."""

from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from torch import nn
from transformers import AutoTokenizer, XLMRobertaConfig, XLMRobertaModel
from transformers.utils import logging

from uxla.data.load import discover_labels, load_corpus
from uxla.models.linear import Linear
from uxla.models.memory import Budget
from uxla.models.runtime import Runtime
from uxla.models.task_model import TaskModel
from uxla.models.tasks import Task
from uxla.records import Corpus, Example
from uxla.testbed import asset
from uxla.testbed.world import World

SHARED = Path(__file__).parents[2] / "shared"
VOCABULARY, _ENCODER = SHARED / "data/tokenizers/xlmr_hf", SHARED / "models/encoder-en-es-de-nl"


@contextmanager
def models() -> Iterator[dict[str, Path]]:
    """Folders of encoders by what they are: XLM-R's shape with random weights, and a small trained one."""
    vocabulary = VOCABULARY if VOCABULARY.is_dir() else asset()
    with TemporaryDirectory() as place:
        folder = Path(place)
        tokenizer = AutoTokenizer.from_pretrained(vocabulary)
        tokenizer.save_pretrained(folder)
        sizes = {"hidden_size": 384, "num_hidden_layers": 6, "num_attention_heads": 6, "intermediate_size": 1536}
        special = {name: getattr(tokenizer, name) for name in ("pad_token_id", "bos_token_id", "eos_token_id")}
        torch.manual_seed(0)
        config = XLMRobertaConfig(vocab_size=len(tokenizer), max_position_embeddings=514, **sizes, **special)
        XLMRobertaModel(config).save_pretrained(folder)
        small = _ENCODER if _ENCODER.is_dir() else asset()
        yield {f"6 x 384, {len(tokenizer):,} pieces": folder, small.name: small}


def quiet() -> None:
    """Only errors of transformers, and no bars among the figures."""
    logging.set_verbosity_error()
    logging.disable_progress_bar()


def opened(task: Task, folder: Path, label_names: tuple[str, ...]) -> TaskModel:
    """The encoder with a random classification layer and no dropout."""
    names = dict(enumerate(label_names))
    values = {"id2label": names, "label2id": {name: i for i, name in names.items()}, "dropout": 0.0}
    return TaskModel.open(task, folder, folder, Runtime("cpu", 256, Budget(8192)), **values)


def plain(module: nn.Module) -> nn.Module:
    """A copy of a model with torch's own linear layers, as transformers opens it."""
    copy = deepcopy(module)
    for part in copy.modules():
        if type(part) is Linear:
            part.__class__ = nn.Linear
    return copy


def tagged(count: int) -> Corpus:
    """`count` sentences with entities, in random order: CoNLL's English, else the testbed's."""
    file = SHARED / "data/conll/en/train.conll"
    if file.is_file():
        return _drawn(load_corpus(file, name="en", lang="en", label_names=discover_labels(file), labelled=True), count)
    rows = World(0).sentences("source", "train", count)
    names = tuple(sorted({tag for _, tags in rows for tag in tags}))
    examples = (
        Example(str(i), "source", (" ".join(words),), tuple(map(names.index, tags)))
        for i, (words, tags) in enumerate(rows)
    )
    return _drawn(Corpus.from_examples("testbed", names, examples), count)


def topics(count: int) -> Corpus:
    """`count` sentences with a topic each: SIB-200's English, else the testbed's."""
    file = SHARED / "data/sib200/eng_Latn/train.tsv"
    if file.is_file():
        columns = {"text": "text", "label": "category"}
        names = discover_labels(file, shape="single", columns=columns)
        corpus = load_corpus(
            file, name="en", lang="en", label_names=names, labelled=True, shape="single", columns=columns
        )
        return _drawn(corpus, count)
    rows = World(0).examples("source", "topic", "train", count)
    names = tuple(sorted({label for _, label in rows}))
    examples = (Example(str(i), "source", texts, (names.index(label),)) for i, (texts, label) in enumerate(rows))
    return _drawn(Corpus.from_examples("testbed", names, examples), count)


def _drawn(corpus: Corpus, count: int) -> Corpus:
    return corpus.take(np.random.default_rng(0).permutation(len(corpus))[:count])
