import hashlib
import json

import pytest
import torch
from transformers import AutoModelForMaskedLM, AutoModelForTokenClassification, AutoTokenizer

from uxla.errors import ConfigError
from uxla.testbed import SHIPPED_WORLD, asset
from uxla.testbed.languages import LANGUAGES
from uxla.testbed.pretrain import build, embed, pretraining_text
from uxla.testbed.world import World


@pytest.fixture(scope="module")
def tokenizer():
    return AutoTokenizer.from_pretrained(asset())


@pytest.fixture(scope="module")
def model():
    return AutoModelForMaskedLM.from_pretrained(asset(), dtype=torch.float32).eval()


def _files(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_build_gives_the_same_bytes_twice_and_restores_the_settings_of_torch(tmp_path):
    torch.manual_seed(5)
    state, threads = torch.get_rng_state(), torch.get_num_threads()
    first = build(tmp_path / "a", sentences=300, pieces=300, steps=3)
    torch.rand(7)  # another state outside changes nothing inside
    second = build(tmp_path / "b", sentences=300, pieces=300, steps=3)
    assert _files(first) == _files(second)
    assert torch.get_num_threads() == threads
    assert not torch.are_deterministic_algorithms_enabled()
    torch.manual_seed(5)
    assert torch.equal(torch.get_rng_state(), state)


def test_another_seed_gives_another_model(tmp_path):
    first = build(tmp_path / "a", sentences=300, pieces=300, steps=1)
    second = build(tmp_path / "b", sentences=300, pieces=300, steps=1, seed=1)
    assert _files(first)["model.safetensors"] != _files(second)["model.safetensors"]


def test_a_build_has_the_shape_that_was_asked_for(tmp_path):
    config = AutoModelForMaskedLM.from_pretrained(
        build(tmp_path / "wide", sentences=300, pieces=400, steps=1, hidden=96, layers=3)
    ).config
    assert (config.hidden_size, config.num_hidden_layers, config.num_attention_heads) == (96, 3, 3)
    assert config.vocab_size == 400
    with pytest.raises(ConfigError, match="hidden 100: expected a multiple of 32"):
        build(tmp_path / "odd", hidden=100)
    assert not (tmp_path / "odd").exists()


def test_every_word_of_every_language_has_pieces_and_starts_with_a_word_initial_one(tokenizer):
    world = World(SHIPPED_WORLD)
    for language in LANGUAGES:
        for words, _ in world.sentences(language, "test", 300):
            encoded = tokenizer(words, is_split_into_words=True)
            assert tokenizer.unk_token_id not in encoded["input_ids"]
            word_ids = encoded.word_ids()
            assert sorted({word for word in word_ids if word is not None}) == list(range(len(words)))
            for place, piece in enumerate(tokenizer.convert_ids_to_tokens(encoded["input_ids"])):
                starts = word_ids[place] is not None and word_ids[place] != word_ids[place - 1]
                assert piece.startswith("▁") == starts


def test_special_tokens_stand_where_xlm_r_has_them(tokenizer):
    assert [tokenizer.convert_tokens_to_ids(t) for t in ("<s>", "<pad>", "</s>", "<unk>")] == [0, 1, 2, 3]
    known = [piece for piece in tokenizer.get_vocab() if piece.startswith("▁") and len(piece) > 3]
    one, other = (piece.removeprefix("▁") for piece in sorted(known)[:2])
    ids = tokenizer(one, other)["input_ids"]
    assert tokenizer.convert_ids_to_tokens(ids) == ["<s>", f"▁{one}", "</s>", "</s>", f"▁{other}", "</s>"]
    masked = tokenizer(f"{one} <mask> {other}", add_special_tokens=False)["input_ids"]
    assert tokenizer.convert_ids_to_tokens(masked) == [f"▁{one}", "<mask>", f"▁{other}"]


def test_text_survives_the_tokenizer(tokenizer):
    for lines in pretraining_text(World(SHIPPED_WORLD), 40, 1):
        for line in lines:
            assert tokenizer.decode(tokenizer(line)["input_ids"], skip_special_tokens=True) == line


def test_pretraining_text_has_pairs_and_the_joined_language_with_and_without_spaces():
    rows = pretraining_text(World(SHIPPED_WORLD), 200, 1)
    assert {len(row) for row in rows} == {1, 2}
    joined = [line for row in rows for line in row if not line.replace(" ", "").isascii()]
    assert any(line.count(" ") < 3 for line in joined)
    assert any(line.count(" ") >= 5 for line in joined)


def test_the_readme_beside_the_shipped_files_names_their_digests():
    readme = (asset() / "README.md").read_text()
    for name in ("model.safetensors", "tokenizer.json", "tokenizer_config.json"):
        assert f"{hashlib.sha256((asset() / name).read_bytes()).hexdigest()}  {name}" in readme


def test_the_shipped_tokenizer_loads_in_older_releases_of_transformers_and_cuts_nothing():
    settings = json.loads((asset() / "tokenizer_config.json").read_text())
    assert settings["tokenizer_class"] == "PreTrainedTokenizerFast"
    assert settings["model_max_length"] == 128
    assert json.loads((asset() / "tokenizer.json").read_text())["truncation"] is None


def test_the_shipped_folder_is_small_and_loads_as_a_tagger(model):
    assert sum(path.stat().st_size for path in asset().iterdir()) < 900_000
    tagger = AutoModelForTokenClassification.from_pretrained(asset(), num_labels=9, dtype=torch.float32)
    theirs = model.get_input_embeddings().weight
    assert torch.equal(tagger.get_input_embeddings().weight, theirs)


@torch.no_grad()
def test_the_shipped_model_fills_in_what_its_world_says(tokenizer, model):
    """Of masked one-piece words in every language, it guesses more than the commonest word would get right."""
    for language in LANGUAGES:
        answers, guesses = [], []
        for words, _ in World(SHIPPED_WORLD).sentences(language, "test", 150):
            place = len(words) // 2
            pieces = tokenizer.tokenize(words[place])
            if len(pieces) == 1:
                masked = " ".join([*words[:place], "<mask>", *words[place + 1 :]])
                ids = tokenizer(masked, return_tensors="pt")["input_ids"]
                logits = model(ids).logits[0, ids[0] == tokenizer.mask_token_id]
                guesses.append(tokenizer.convert_ids_to_tokens(int(logits.argmax())))
                answers += pieces
        right = sum(guess == answer for guess, answer in zip(guesses, answers, strict=True))
        assert right > answers.count(max(set(answers), key=answers.count)), language
        assert len(set(guesses)) > 10  # and not one word for everything


def test_embeddings_of_pieces_in_the_same_company_are_alike():
    """Pieces 2 and 3 occur between the same neighbours, 4 between others: 2 is nearer to 3 than to 4."""
    rows = [[5, 2, 6], [5, 3, 6], [7, 4, 8], [9, 4, 8]] * 20
    table = embed(rows, 10, 4, pad=1)
    similarity = torch.nn.functional.cosine_similarity
    assert similarity(table[2], table[3], dim=0) > similarity(table[2], table[4], dim=0) + 0.3
    assert not table[1].any()
