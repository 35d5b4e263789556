"""`uxla predict`: whatever a run reads comes back labelled; what was not asked to change does not."""

import json

import pytest

from uxla.testbed.world import World


@pytest.fixture(scope="module")
def sentences():
    return [words for words, _ in World(0).sentences("far", "test", 3)]


def test_raw_text_comes_back_with_its_entities_from_a_file_as_from_standard_input(
    synchronous, sentences, invoke, tmp_path
):
    text = "".join(" ".join(words) + "\n" for words in sentences)
    (tmp_path / "in.txt").write_text(text, encoding="utf-8")
    piped = invoke("predict", synchronous.out, "-", input=text.encode())
    assert piped.exit_code == 0, piped.stderr
    rows = [json.loads(line) for line in piped.stdout.splitlines()]
    assert [row["text"].split() for row in rows] == sentences
    found = [(row["text"], entity) for row in rows for entity in row["entities"]]
    assert found
    assert all(text[entity["start"] : entity["end"]] == entity["text"] for text, entity in found)
    assert invoke("predict", synchronous.out, "in.txt").stdout == piped.stdout
    assert invoke("predict", synchronous.out, "in.txt", "--out", "out.jsonl").stdout == ""
    assert (tmp_path / "out.jsonl").read_text(encoding="utf-8") == piped.stdout


def test_only_the_label_column_of_a_conll_file_changes(synchronous, sentences, invoke, tmp_path):
    lines = ["-DOCSTART- -X- O O", ""]
    for words in sentences:
        lines += [f"{word}  N\u00a0{i} x{i} B-ODD" for i, word in enumerate(words)] + ["  "]
    before = ("\ufeff" + "\r\n".join(lines)).encode()
    (tmp_path / "in.conll").write_bytes(before)
    result = invoke("predict", synchronous.out, "in.conll", "--out", "out.conll")
    assert result.exit_code == 0, result.stderr
    after = (tmp_path / "out.conll").read_bytes()
    rows = list(zip(before.decode().split("\r\n"), after.decode().split("\r\n"), strict=True))
    words = [(old, new) for old, new in rows if "B-ODD" in old]
    assert len(words) == sum(map(len, sentences))
    assert all(new.rpartition(" ")[0] == old.rpartition(" ")[0] for old, new in words)
    assert "B-ODD" not in after.decode()
    assert all(old == new for old, new in rows if "B-ODD" not in old)


def words_of(invoke, run, words, tmp_path):
    (tmp_path / "in.jsonl").write_text(json.dumps({"tokens": words}), encoding="utf-8")
    result = invoke("predict", run, "in.jsonl", "--out", "out.conll")
    assert result.exit_code == 0, result.stderr
    return [line.split("\t")[0] for line in (tmp_path / "out.conll").read_text("utf-8").strip("\n").split("\n")]


def test_words_no_tokenizer_piece_stands_for_get_a_label_too(synchronous, invoke, tmp_path):
    odd = ["\u200b", "\ufe0f", "日本語", "नमस्ते", "<mask>", "</s>", "x" * 300]
    assert words_of(invoke, synchronous.out, odd, tmp_path) == odd


def test_a_sentence_longer_than_the_model_gets_one_label_a_word(synchronous, sentences, invoke, tmp_path):
    words = [word for sentence in sentences for word in sentence] * 20
    assert words_of(invoke, synchronous.out, words, tmp_path) == words


def test_of_a_run_with_several_targets_the_folders_are_named(invoke, tmp_path):
    for target in ("sw", "es"):
        (tmp_path / "run" / target / "ensemble").mkdir(parents=True)
        (tmp_path / "run" / target / "ensemble/ensemble.json").write_text("{}")
    result = invoke("predict", "run", "-", input=b"a\n")
    assert result.exit_code == 2
    assert "run: a folder of several runs or targets; expected one of them: run/es, run/sw" in result.stderr
