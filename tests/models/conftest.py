"""Tiny masked LMs of every architecture and tokenizer kind, written to folders once a session."""

import itertools
import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import cache, partial
from pathlib import Path

import pytest
import torch
from tokenizers import Tokenizer, decoders, normalizers, pre_tokenizers, processors, trainers
from tokenizers import models as subwords
from transformers import (
    AlbertConfig,
    AlbertForMaskedLM,
    BertConfig,
    BertForMaskedLM,
    DebertaV2Config,
    DebertaV2ForMaskedLM,
    ModernBertConfig,
    ModernBertForMaskedLM,
    PreTrainedTokenizerFast,
    RobertaConfig,
    RobertaForMaskedLM,
    XLMRobertaConfig,
    XLMRobertaForMaskedLM,
)

from uxla.models.training.checkpoint import Checkpoints
from uxla.progress import listening

TEXTS = [
    "the old miller walked down to the river and washed his hands",
    "a boat with seven red sails came slowly over the lake",
    "she counted the lamps , one after another , until it was dark",
    "el molino viejo está junto al río y nadie lo vigila",
    "الطاحونة القديمة تقع قرب النهر ولا أحد يحرسها",
    "पुरानी चक्की नदी के पास है और कोई पहरा नहीं देता",
    "ရေစက်ဟောင်း သည် မြစ် နား မှာ ရှိ သည်",
    "老磨坊 在 河边 没有 人 看守",
    "老磨坊在河边没有人看守，灯却亮着。",
    "古い水車小屋は川のそばにあり、だれもいません。",
    "โรงสีเก่าตั้งอยู่ใกล้แม่น้ำและไม่มีใครเฝ้า",
    "ရေစက်ဟောင်းသည်မြစ်နားမှာရှိသည်။",
    "រោងម៉ាស៊ីនចាស់នៅក្បែរទន្លេ",
    "می\u200cروم به خانه\u200cها 👩\u200d🌾 🙂 na\u00efve 12\u00a0km",
]
SPECIAL = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
TINY = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 64,
    "initializer_range": 0.4,
    "pad_token_id": 1,
    "bos_token_id": 0,
    "eos_token_id": 2,
    "cls_token_id": 0,
    "sep_token_id": 2,
}


def tokenizer_of(kind: str) -> PreTrainedTokenizerFast:
    if kind in ("metaspace", "deberta", "microsoft"):
        tokenizer = Tokenizer(subwords.BPE(unk_token="<unk>"))
        tokenizer.normalizer = normalizers.NFKC()
        tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
        tokenizer.decoder = decoders.Metaspace()
        trainer = trainers.BpeTrainer(vocab_size=500, special_tokens=SPECIAL, show_progress=False)
    elif kind in ("bytelevel", "roberta"):
        tokenizer = Tokenizer(subwords.BPE())
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        tokenizer.decoder = decoders.ByteLevel()
        alphabet = pre_tokenizers.ByteLevel.alphabet()
        trainer = trainers.BpeTrainer(
            vocab_size=700, special_tokens=SPECIAL, initial_alphabet=alphabet, show_progress=False
        )
    else:
        tokenizer = Tokenizer(subwords.WordPiece(unk_token="<unk>"))
        tokenizer.normalizer = normalizers.BertNormalizer(lowercase=False)
        tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
        tokenizer.decoder = decoders.WordPiece()
        trainer = trainers.WordPieceTrainer(vocab_size=500, special_tokens=[*SPECIAL, "[unused1]"], show_progress=False)
    tokenizer.train_from_iterator(TEXTS, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    if kind == "roberta":
        tokenizer.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0), add_prefix_space=False)
    names = dict(zip(("bos_token", "pad_token", "eos_token", "unk_token", "mask_token"), SPECIAL, strict=True))
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, **names)


DISENTANGLED = {
    "max_position_embeddings": 64,
    "relative_attention": True,
    "pos_att_type": ["p2c", "c2p"],
    "position_biased_input": False,
}
MODELS = {
    "metaspace": (XLMRobertaConfig, XLMRobertaForMaskedLM, {"max_position_embeddings": 66}),
    "bytelevel": (ModernBertConfig, ModernBertForMaskedLM, {"max_position_embeddings": 64}),
    "wordpiece": (BertConfig, BertForMaskedLM, {"max_position_embeddings": 64}),
    "roberta": (RobertaConfig, RobertaForMaskedLM, {"max_position_embeddings": 66}),
    "deberta": (DebertaV2Config, DebertaV2ForMaskedLM, DISENTANGLED),
    "microsoft": (DebertaV2Config, DebertaV2ForMaskedLM, {"legacy": False, **DISENTANGLED}),
    "albert": (AlbertConfig, AlbertForMaskedLM, {"max_position_embeddings": 64, "embedding_size": 16}),
}


def write_model(folder: Path, kind: str) -> Path:
    tokenizer = tokenizer_of("wordpiece" if kind == "albert" else kind)
    config, model, more = MODELS[kind]
    torch.manual_seed(3 if kind == "roberta" else 11)  # weights that do not give one answer to everything
    model(config(vocab_size=len(tokenizer), **TINY, **more)).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    if kind == "microsoft":  # DeBERTa's authors do not know this key of transformers
        settings = json.loads((folder / "config.json").read_text())
        del settings["legacy"]
        (folder / "config.json").write_text(json.dumps(settings))
    return folder


@pytest.fixture(scope="session")
def texts() -> list[str]:
    """Sentences in eleven scripts, the unspaced ones last but one."""
    return list(TEXTS)


@pytest.fixture(scope="session")
def make_tokenizer() -> Callable[[str], PreTrainedTokenizerFast]:
    """A tokenizer of a kind."""
    return tokenizer_of


@pytest.fixture(scope="session")
def make_model() -> Callable[[Path, str], Path]:
    """Writes a masked LM of a kind and its tokenizer into a folder of the test's own."""
    return write_model


@pytest.fixture(scope="session")
def folder_of(tmp_path_factory) -> Callable[[str], Path]:
    """The folder of a masked LM of a kind, which no test changes."""
    return cache(lambda kind: write_model(tmp_path_factory.mktemp(kind), kind))


class KillError(Exception):
    """What SIGKILL does to a training: nothing after it happens."""


class Ignored:
    def advance(self, amount: int = 1) -> None:
        pass

    def stop(self) -> None:
        pass


class Steps:
    """A listener that keeps how far the training "t" is, and calls `then` with it behind each step."""

    def __init__(self, then: Callable[[int], None] = lambda step: None, last: int = -1) -> None:
        self.then, self.last, self.done = then, last, [0]

    def start(self, label: str, total: int) -> "Steps | Ignored":
        return self if label == "t" else Ignored()

    def note(self, text: str) -> None:
        pass

    def advance(self, amount: int = 1) -> None:
        self.done.append(self.done[-1] + amount)
        if 0 <= self.last < self.done[-1]:
            raise KillError
        self.then(self.done[-1])

    def stop(self) -> None:
        if self.done[-1] == self.last:
            raise KillError


@pytest.fixture
def killed_after() -> Callable[[int], AbstractContextManager[None]]:
    """A block whose training "t" is killed: behind that step and its checkpoint, before the next one's."""

    @contextmanager
    def killed(steps: int) -> Iterator[None]:
        with pytest.raises(KillError), listening(Steps(last=steps)):
            yield

    return killed


@pytest.fixture
def steps_of() -> Callable[..., AbstractContextManager[list[int]]]:
    """A block and how far its training "t" was, behind each step; a function is called with that."""

    @contextmanager
    def watched(then: Callable[[int], None] = lambda step: None) -> Iterator[list[int]]:
        steps = Steps(then)
        with listening(steps):
            yield steps.done

    return watched


@pytest.fixture
def checkpoints_after(tmp_path: Path) -> Callable[[int], Checkpoints]:
    """Checkpoints in `tmp_path` after each so many steps: by a clock that goes on whenever it is looked at."""

    def after(steps: int) -> Checkpoints:
        return Checkpoints(tmp_path, steps / 60, partial(next, itertools.count()))

    return after
