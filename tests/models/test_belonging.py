"""What a model's files must be to one another, and what becomes of a classification layer that a backbone brings."""

import json
import shutil
from dataclasses import replace

import pytest
import torch
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer, pre_tokenizers, processors
from tokenizers import models as subwords
from transformers import (
    AutoModelForMaskedLM,
    AutoModelForSequenceClassification,
    AutoModelForTokenClassification,
    AutoTokenizer,
    PreTrainedTokenizerFast,
)

from uxla.errors import ModelError
from uxla.models.gen_lm.masked_lm import MaskedLM
from uxla.models.lm.model import TrainableLM
from uxla.models.memory import Budget
from uxla.models.runtime import Runtime
from uxla.models.task_model import TaskModel
from uxla.models.tasks import SentenceTask, Tagging
from uxla.models.word_tokenizer import WordTokenizer
from uxla.records import Corpus, Example

RUNTIME = Runtime("cpu", 32, Budget(512))
NAMES = ("O", "B-LOC", "I-LOC", "B-PER", "I-PER")
TURNED = ("B-PER", "I-PER", "B-LOC", "I-LOC", "O")
OPENERS = {
    "backbone": lambda folder: opened(folder),
    "vicinity": lambda folder: MaskedLM.load(str(folder), Runtime(device="cpu")),
    "training": lambda folder: TrainableLM.open(folder, RUNTIME, masked=0.15),
}


def opened(folder, names=NAMES, task=None, seed=1):
    return TaskModel.open(
        task or Tagging(), folder, folder, RUNTIME, id2label=dict(enumerate(names)), head_seed=seed, dropout=0.0
    )


def classifier(folder, into, names, auto_class=AutoModelForTokenClassification, **more):
    """`folder` as a classifier whose first label is far more likely than the others."""
    shutil.copytree(folder, into)
    model = auto_class.from_pretrained(folder, num_labels=len(names), **more)
    model.config.id2label = dict(enumerate(names))
    model.config.label2id = {name: i for i, name in enumerate(names)}
    layer = getattr(model.classifier, "out_proj", model.classifier)
    layer.bias.data = torch.tensor([9.0] + [0.0] * (len(names) - 1))
    model.save_pretrained(into)
    return into


@pytest.fixture
def folder(tmp_path, make_model):
    """A masked LM of the test's own."""
    return make_model(tmp_path / "lm", "wordpiece")


def refusal(call, *arguments):
    with pytest.raises(ModelError) as caught:
        call(*arguments)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_backbone_without_a_classification_layer_is_passed_over_in_silence(folder_of):
    assert opened(folder_of("wordpiece")).remark == ""


@pytest.mark.parametrize("kind", ["wordpiece", "metaspace", "bytelevel", "albert", "deberta"])
def test_a_layer_for_other_labels_is_drawn_anew_by_the_seed(kind, folder_of, tmp_path):
    own = classifier(folder_of(kind), tmp_path / "own", TURNED)
    first, again, other = (opened(own, seed=seed).module.classifier for seed in (1, 1, 2))
    assert first.bias.abs().max() < 1
    assert torch.equal(first.weight, again.weight)
    assert not torch.equal(first.weight, other.weight)
    assert first.weight.std().item() == pytest.approx(0.4, rel=0.3)  # as the model's own configuration has it
    assert opened(own).remark == (
        f"the classification layer of {own} is not used: its labels are B-PER, I-PER, B-LOC, I-LOC, O, "
        "the data's O, B-LOC, I-LOC, B-PER, I-PER; a new one is drawn"
    )


def test_the_rest_of_a_classifier_is_what_it_learned(folder_of, tmp_path):
    own = classifier(folder_of("wordpiece"), tmp_path / "own", TURNED)
    found, stored = opened(own).module.state_dict(), load_file(own / "model.safetensors")
    assert [name for name, tensor in stored.items() if not torch.equal(found[name], tensor)] == [
        "classifier.bias",
        "classifier.weight",
    ]


@pytest.mark.parametrize("names", [("X", "Y", "Z"), [f"L{i}" for i in range(12)]], ids=["fewer", "more"])
@pytest.mark.parametrize("task", [Tagging(), SentenceTask(2)], ids=["words", "pairs"])
def test_a_layer_of_another_size_is_drawn_anew(names, task, folder_of, tmp_path):
    own = classifier(folder_of("metaspace"), tmp_path / "own", names, task.auto_class)
    loaded = opened(own, task=task)
    layer = getattr(loaded.module.classifier, "out_proj", loaded.module.classifier)
    assert layer.out_features == 5
    assert layer.bias.abs().max() < 1
    assert f"the classification layer of {own} is not used: its labels are {names[0]}, " in loaded.remark


def test_a_layer_for_the_datas_labels_in_their_order_is_kept(folder_of, tmp_path):
    own = classifier(folder_of("wordpiece"), tmp_path / "own", NAMES)
    loaded = opened(own)
    assert loaded.module.classifier.bias[0] == 9
    assert "is kept: its labels are the data's, in their order" in loaded.remark


def test_a_layer_for_texts_is_none_for_words(folder_of, tmp_path):
    own = classifier(folder_of("wordpiece"), tmp_path / "own", NAMES, AutoModelForSequenceClassification)
    loaded = opened(own)
    assert loaded.module.classifier.bias.abs().max() < 1
    assert "it is that of a BertForSequenceClassification; a new one is drawn" in loaded.remark


def test_several_heads_never_begin_with_a_single_layer_of_the_backbone(folder_of, tmp_path):
    own = classifier(folder_of("wordpiece"), tmp_path / "own", NAMES)
    names = [f"{name} (head {head})" for head in (1, 2, 3) for name in NAMES]
    loaded = opened(own, names, Tagging())
    assert loaded.module.classifier.bias.abs().max() < 1
    assert "a new one is drawn" in loaded.remark


def test_a_model_for_several_labels_at_once_is_made_one_for_a_single_label(folder_of, tmp_path):
    own = classifier(
        folder_of("wordpiece"),
        tmp_path / "own",
        ("a", "b"),
        AutoModelForSequenceClassification,
        problem_type="multi_label_classification",
    )
    assert opened(own, ("a", "b", "c"), SentenceTask(1)).module.config.problem_type is None


def test_a_trained_model_is_read_back_as_it_was_written(folder_of, tmp_path):
    loaded = opened(folder_of("wordpiece"))
    loaded.module.save_pretrained(tmp_path)
    again = TaskModel.open(Tagging(), tmp_path, folder_of("wordpiece"), RUNTIME)
    assert torch.equal(again.module.classifier.weight, loaded.module.classifier.weight)
    assert again.remark == ""


@pytest.mark.parametrize("opener", OPENERS.values(), ids=OPENERS)
def test_weights_of_another_size_than_the_configuration_says_are_refused_by_name(opener, folder):
    tensors = load_file(folder / "model.safetensors")
    name = "bert.encoder.layer.1.intermediate.dense.weight"
    tensors[name] = tensors[name][:60].clone()
    save_file(tensors, folder / "model.safetensors", {"format": "pt"})
    assert f"{name} is 60 × 32 in its weights, 64 × 32 by its config.json; take" in refusal(opener, folder)


@pytest.mark.parametrize("opener", OPENERS.values(), ids=OPENERS)
def test_an_encoder_that_lacks_tensors_is_refused_rather_than_drawn(opener, folder):
    tensors = load_file(folder / "model.safetensors")
    kept = {name: tensor for name, tensor in tensors.items() if ".layer.1." not in name}
    save_file(kept, folder / "model.safetensors", {"format": "pt"})
    said = refusal(opener, folder)
    assert "lack 16 tensors of the encoder, the first is bert.encoder.layer.1." in said or "not among" in said


@pytest.mark.parametrize("opener", OPENERS.values(), ids=OPENERS)
@pytest.mark.parametrize("special", [False, True], ids=["words", "special tokens"])
def test_a_tokenizer_with_more_pieces_than_the_model_is_refused(opener, special, folder):
    tokenizer = AutoTokenizer.from_pretrained(folder)
    tokenizer.add_tokens(["koru", "mira"], special_tokens=special)
    tokenizer.save_pretrained(folder)
    said = refusal(opener, folder)
    assert "its tokenizer has 502 pieces, the model's embeddings 500; call resize_token_embeddings" in said
    assert "take the model's own tokenizer" in said


def test_a_mask_beyond_the_embeddings_is_refused_although_the_pieces_are_few(folder):
    file = folder / "tokenizer.json"
    content = json.loads(file.read_text(encoding="utf-8"))
    for token in content["added_tokens"]:
        token["id"] = 900 if token["content"] == "<mask>" else token["id"]
    content["model"]["vocab"]["<mask>"] = 900
    file.write_text(json.dumps(content), encoding="utf-8")
    assert "the model's embeddings 500" in refusal(OPENERS["vicinity"], folder)


@pytest.mark.parametrize("opener", OPENERS.values(), ids=OPENERS)
def test_embeddings_padded_beyond_the_tokenizer_are_fine(opener, folder):
    model = AutoModelForMaskedLM.from_pretrained(folder)
    model.resize_token_embeddings(512)
    model.save_pretrained(folder)
    assert opener(folder)


@pytest.mark.parametrize("kind", ["metaspace", "bytelevel", "wordpiece", "deberta"])
def test_a_tokenizer_of_segment_numbers_serves_a_model_without_them(kind, make_model, tmp_path):
    folder = make_model(tmp_path, kind)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    tokenizer.backend_tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> $B:1 </s>:1", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    tokenizer.save_pretrained(folder)
    settings = json.loads((folder / "tokenizer_config.json").read_text())
    names = ["input_ids", "token_type_ids", "attention_mask"]
    (folder / "tokenizer_config.json").write_text(json.dumps({**settings, "model_input_names": names}))
    loaded = opened(folder, ("a", "b"), SentenceTask(2))
    pair = Corpus.from_examples("pairs", ("a", "b"), [Example("0", "x", ("koru mira", "tal"))])
    assert loaded.tokenizer.segment_numbers == (
        kind in ("wordpiece", "metaspace")
    )  # these two were made with such numbers
    assert loaded.predict(pair, "t").probs.shape == (1, 2)


def test_a_model_that_has_no_room_for_a_word_is_refused(folder_of):
    with pytest.raises(ModelError, match="no room for a word in 2 pieces, special ones included; raise max_length"):
        TaskModel.open(Tagging(), folder_of("wordpiece"), folder_of("wordpiece"), replace(RUNTIME, max_length=2))


def few_words(model, **special):
    """A tokenizer that knows two words and no other character."""
    tokenizer = Tokenizer(model)
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, **special)


@pytest.mark.parametrize(
    "model", [subwords.BPE({"k": 0, "o": 1, "ko": 2}, [("k", "o")]), subwords.WordLevel({"ko": 0})]
)
def test_a_tokenizer_without_an_unknown_token_that_cannot_spell_all_is_refused(model):
    assert "has no unknown token and cannot read 'a'; add one" in refusal(WordTokenizer.of, few_words(model), "lm")


def test_a_tokenizer_of_whole_words_with_an_unknown_token_is_read():
    model = subwords.WordLevel({"<unk>": 0, "koru": 1, "mira": 2}, "<unk>")
    assert WordTokenizer.of(few_words(model, unk_token="<unk>"), "lm").encode_words(["koru", "tal"]) == [(1,), (0,)]


def test_a_special_token_in_the_text_never_vanishes(make_tokenizer):
    tokenizer = make_tokenizer("bytelevel")
    tokenizer.unk_token = None
    assert WordTokenizer.of(tokenizer, "lm").encode_words(["<mask>"])[0][-1] == tokenizer.eos_token_id
