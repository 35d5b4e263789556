"""Bad tables through the command line: one line that says what, where, expected and remedy; exit 2."""

import pytest

GOOD = "premise\thypothesis\tlabel\n" + "".join(f"p{i}\th{i}\t{'yes' if i % 2 else 'no'}\n" for i in range(8))
CONFIG = """\
task: nli
model: testbed
threads: 1
source: {name: en, train: en.tsv}
target: sw
target_data: {train: sw.tsv, test: test.tsv}
warmup: {batch_size: 4, learning_rate: 1e-3, epochs: 1, selection: last}
adaptation: {batch_size: 4, learning_rate: 1e-3, epochs: 1}
methods: [uxla]
"""
BAD = {
    "a wrong column name": (
        {},
        ["source.columns={first: premis, second: hypothesis, label: label}"],
        ["en.tsv", "premis", "did you mean premise"],
    ),
    "a label outside the map": (
        {"test.tsv": GOOD + "p\th\tmaybe\n"},
        [],
        ["test.tsv:10", "maybe", "no, yes", "labels"],
    ),
    "a pair file with one column": ({"sw.tsv": "premise\nonly one\n"}, [], ["sw.tsv:1", "1 column"]),
    "a row with too few fields": ({"en.tsv": GOOD + "p\th\n"}, [], ["en.tsv:10", "expected 3"]),
    "quotes without an end": (
        {"en.csv": 'premise,hypothesis,label\n"p,h,yes\n'},
        ["source.train=en.csv"],
        ["en.csv:2", "quote"],
    ),
    "latin-1 read as UTF-8": (
        {"sw.tsv": "premise\thypothesis\ncaf\xe9\th\n".encode("latin-1")},
        [],
        ["sw.tsv:2", "latin-1"],
    ),
    "an empty target": ({"sw.tsv": ""}, [], ["sw.tsv"]),
    "a target with a header only": ({"sw.tsv": "premise\thypothesis\n"}, [], ["sw.tsv", "no row"]),
    "an unknown Hub data set": ({}, ["source.train=hub:xnli/en/train"], ["hub:", "facebook/xnli"]),
    "a Hub out of reach": ({}, ["source.train=hub:facebook/xnli/en/train"], ["hub:facebook/xnli/en/train", "network"]),
}


@pytest.mark.parametrize(("files", "overrides", "said"), BAD.values(), ids=BAD)
def test_one_line_says_what_is_wrong_with_a_table(files, overrides, said, tmp_path, invoke):
    contents = {"en.tsv": GOOD, "sw.tsv": GOOD, "test.tsv": GOOD, "run.yaml": CONFIG, **files}
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    result = invoke("run", "run.yaml", *overrides, "--out", "out")
    assert result.exit_code == 2, (result.exception, result.output)
    line = result.stderr.removesuffix("\n")
    assert line.startswith("uxla: error: ")
    assert "\n" not in line
    for text in said:
        assert text in line, f"{text!r} is not in {line!r}"
    assert not (tmp_path / "out").exists()
