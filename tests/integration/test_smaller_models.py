"""From a finished run to a smaller model, on the command line."""

import re

from transformers import pipeline

from uxla.testbed.world import World


def test_a_trimmed_run_labels_its_text_as_the_one_model_of_the_run_does(synchronous, invoke, tmp_path):
    sentences = [words for words, _ in World(0).sentences("far", "test", 20)]
    (tmp_path / "far.txt").write_text("\n".join(map(" ".join, sentences)), encoding="utf-8")
    done = invoke("trim", synchronous.out, "far.txt", "--out", "small")
    assert done.exit_code == 0, done.output
    before, after = map(int, re.search(r"\| pieces \| (\d+) \| (\d+) \|", done.stdout.replace(",", "")).groups())
    assert after < before
    assert "Your text is read in the same pieces as before" in done.stdout
    answers = [pipeline("token-classification", model=str(folder)) for folder in (synchronous.out, tmp_path / "small")]
    text = " ".join(sentences[0])
    assert answers[0](text) == answers[1](text) != []
    labelled = invoke("predict", "small", "far.txt")
    assert labelled.exit_code == 0, labelled.output
    assert len(labelled.stdout.split("\n\n")) == len(sentences)
    again = invoke("trim", synchronous.out, "far.txt", "--out", "small")
    assert (again.exit_code, "small: exists already" in again.stderr) == (2, True)


def test_trimming_names_what_is_missing(invoke, tmp_path):
    (tmp_path / "far.txt").write_text("a b\n")
    assert "nowhere" in invoke("trim", "nowhere", "far.txt", "--out", "small").stderr
    assert "gone.txt" in invoke("trim", "nowhere", "gone.txt", "--out", "small").stderr
