"""`uxla predict`: raw text and CoNLL in, CoNLL out; what was not asked to change does not."""

import pytest

from uxla.testbed.world import World


@pytest.fixture(scope="module")
def sentences():
    return [words for words, _ in World(0).sentences("far", "test", 3)]


def test_raw_text_from_standard_input_comes_back_as_words_and_labels(synchronous, sentences, invoke):
    text = "".join(" ".join(words) + "\n" for words in sentences)
    result = invoke("predict", synchronous.out, "-", input=text.encode())
    assert result.exit_code == 0, result.stderr
    blocks = [block.split("\n") for block in result.stdout.strip("\n").split("\n\n")]
    assert [[line.split("\t")[0] for line in block] for block in blocks] == sentences
    assert {line.split("\t")[1][:2] for block in blocks for line in block} <= {"O", "B-", "I-"}


def test_a_file_and_standard_input_are_labelled_alike(synchronous, sentences, invoke, tmp_path):
    text = "\n".join(" ".join(words) for words in sentences)
    (tmp_path / "in.txt").write_text(text, encoding="utf-8")
    piped = invoke("predict", synchronous.out, "-", input=text.encode())
    assert invoke("predict", synchronous.out, "in.txt").stdout == piped.stdout
    assert invoke("predict", synchronous.out, "in.txt", "--out", "out.conll").stdout == ""
    assert (tmp_path / "out.conll").read_text(encoding="utf-8") == piped.stdout


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


def test_words_no_tokenizer_piece_stands_for_get_a_label_too(synchronous, invoke):
    odd = "\u200b \ufe0f 日本語 नमस्ते <mask> </s> " + "x" * 300
    result = invoke("predict", synchronous.out, "-", input=f"{odd}\n".encode())
    assert result.exit_code == 0, result.stderr
    assert [line.split("\t")[0] for line in result.stdout.strip("\n").split("\n")] == odd.split(" ")


def test_a_sentence_longer_than_the_model_gets_one_label_a_word(synchronous, sentences, invoke):
    words = [word for sentence in sentences for word in sentence] * 20
    result = invoke("predict", synchronous.out, "-", input=" ".join(words).encode())
    assert [line.split("\t")[0] for line in result.stdout.strip("\n").split("\n")] == words


@pytest.mark.parametrize("content", [b"", b"\n \n", b"\xef\xbb\xbf"])
def test_empty_input_is_a_one_line_error(content, synchronous, invoke, tmp_path):
    (tmp_path / "in.txt").write_bytes(content)
    for result in (
        invoke("predict", synchronous.out, "-", input=content),
        invoke("predict", synchronous.out, "in.txt", "--out", "out.conll"),
    ):
        assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (2, "", 1), result.stderr
        assert "expected" in result.stderr
    assert not (tmp_path / "out.conll").exists()
