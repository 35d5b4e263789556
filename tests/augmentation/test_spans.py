"""`uxla augment` over text with character spans: the same form comes back, and each span has the words it had."""

import json
import re
from contextlib import nullcontext
from random import Random

import pytest

from uxla.augmentation.files import FileAugmentation
from uxla.config.method import MaskedLMVicinity
from uxla.data.checks.check import check
from uxla.data.discover import open_rewritable
from uxla.data.options import ReadOptions
from uxla.data.spans.file import open_spans
from uxla.errors import ConfigError, DataError
from uxla.store.journal import Journal
from uxla.store.store import Store


class Toy:
    """A model that puts `xx` behind every drawn word."""

    max_length, settled_precision, process = None, "fp32", nullcontext

    def digest(self):
        return "toy"

    def load(self, settings):
        return self

    def units(self, texts):
        return [[match.span() for match in re.finditer(r"\S+", text)] for text in texts]

    def fill(self, requests):
        return [self._longer(request) for request in requests]

    def _longer(self, request):
        text = request.text
        for _, end in sorted(request.spans, reverse=True):
            text = f"{text[:end]}xx{text[end:]}"
        return text


@pytest.fixture
def augment(tmp_path):
    def run(path, out, *, originals=False, reading=None, seed=0, **settings):
        store = Store(tmp_path / "store", Journal(out), False)
        source = open_rewritable(path, **(reading or {}))
        return FileAugmentation(source, out, MaskedLMVicinity(**settings), Toy(), store, seed, originals).run()

    return run


def doccano(text, spans):
    return {"id": 1, "text": text, "label": [list(span) for span in spans], "Comments": []}


def prodigy(text, spans):
    return {"text": text, "spans": [dict(zip(("start", "end", "label"), span, strict=True)) for span in spans]}


def label_studio(text, spans):
    values = [{"start": a, "end": b, "text": text[a:b], "labels": [label]} for a, b, label in spans]
    result = [{"value": value, "id": str(i), "type": "labels"} for i, value in enumerate(values)]
    return {"id": 9, "data": {"text": text}, "annotations": [{"result": result}], "predictions": []}


def json_min(text, spans):
    values = [{"start": a, "end": b, "text": text[a:b], "labels": [label]} for a, b, label in spans]
    return {"text": text, "label": values, "annotator": 3}


FORMS = {"doccano": doccano, "prodigy": prodigy, "label_studio": label_studio, "json_min": json_min}
ARRAYS = ("label_studio", "json_min")
TEXTS = [
    ("Koru Mira-Sen, tal 😀 Ru!\n", [(5, 13, "PER"), (21, 23, "LOC")]),
    ("  sah\r\nvo \u00a0", []),
    ("東京 ga zu.", [(0, 2, "LOC")]),
]


def entities(path):
    """The text of each span with its label, and the words around, by record."""
    return [
        ([(e.document.text[s.start : s.end], s.label) for s in e.document.spans], e.document.cut(), e)
        for e in open_spans(path, "tagging", ReadOptions()).entries(labelled=True)
    ]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("seed", range(3))
def test_each_span_has_the_words_it_had_and_the_rest_is_byte_for_byte_the_parents(form, seed, augment, tmp_path):
    rows = [FORMS[form](text, spans) for text, spans in TEXTS]
    ascii, array = Random(seed).random() < 0.5, form in ARRAYS
    path, out = tmp_path / ("a.json" if array else "a.jsonl"), tmp_path / ("b.json" if array else "b.jsonl")
    lines = [json.dumps(row, ensure_ascii=ascii) for row in rows]
    path.write_text("[" + ",\n ".join(lines) + "]" if array else "\n\n".join(lines), encoding="utf-8")
    report = augment(path, out, copies=2, share=0.5, seed=seed, originals=True)
    parents, samples = entities(path), entities(out)
    assert report.written + 3 == len(samples)
    assert check(out).sentences == len(samples)
    for spans, words, entry in samples:
        parent_spans, parent_words, parent = parents[entry.record.value["parent"]]
        assert [label for _, label in spans] == [label for _, label in parent_spans]
        for (now, _), (before, _) in zip(spans, parent_spans, strict=True):
            assert now.replace("xx", "").replace(" ", "") == before
        drawn = [f"{word}xx" if i in entry.record.value["changed"] else word for i, word in enumerate(parent_words)]
        assert "".join(words) == "".join(drawn)
        plain = re.sub(r', "parent": \d+, "changed": \[[^]]*\]', "", entry.record.raw)
        if not entry.record.value["changed"]:
            assert plain == parent.record.raw  # an original, as it stood
        unnumbered = [re.sub(r"\d+|xx| ", "", raw) for raw in (plain, parent.record.raw)]
        assert unnumbered[0] == unnumbered[1]


def test_brat_is_written_as_json_lines_of_doccano(augment, tmp_path):
    (tmp_path / "a.txt").write_bytes(b"Koru Mira.\r\n\r\nSen Ru\r\n")
    (tmp_path / "a.ann").write_text("T1\tPER 5 9\tMira\nT2\tLOC 14 20\tSen Ru\nR1\tnear Arg1:T1 Arg2:T2\n")
    augment(tmp_path / "a.txt", tmp_path / "b.jsonl", copies=1, share=1.0)
    assert (tmp_path / "b.jsonl").read_text() == (
        '{"text": "Koruxx Miraxx.xx", "label": [[7, 13, "PER"]], "parent": 0, "changed": [0, 1, 2]}\n'
        '{"text": "Senxx Ruxx", "label": [[0, 10, "LOC"]], "parent": 1, "changed": [0, 1]}\n'
    )
    augment(tmp_path / "a.txt", tmp_path / "b.json", copies=1, share=1.0)
    array = json.loads((tmp_path / "b.json").read_text())
    assert array == list(map(json.loads, (tmp_path / "b.jsonl").read_text().splitlines()))
    with pytest.raises(ConfigError, match=r"written as JSON; expected a name in \.jsonl"):
        augment(tmp_path / "a.txt", tmp_path / "b.txt")


@pytest.mark.parametrize(
    ("name", "text", "reading"),
    [
        ("a.jsonl", '{"text": "ko"}\n{"text": "Koru Mira", "label": [[5, 9, "PER"]]}\n', {"shape": "single"}),
        ("a.jsonl", '{"text": "Koru", "answers": {"answer_start": [0], "text": ["Ko"]}}\n', {}),
        ("a.csv", 'text,entities\nKoru,"[{""start"": 0, ""end"": 4}]"\n', {}),
        ("a.tsv", "text\tstart\tend\nKoru\t0\t4\n", {}),
    ],
)
def test_a_table_with_offsets_into_its_text_is_refused(name, text, reading, augment, tmp_path):
    (tmp_path / name).write_text(text)
    with pytest.raises(DataError, match=r"column '\w+' has offsets, which would not fit another text"):
        augment(tmp_path / name, tmp_path / f"b{(tmp_path / name).suffix}", reading=reading)
    assert not list(tmp_path.glob("b.*"))


def test_a_span_that_cuts_a_word_is_refused(augment, tmp_path):
    (tmp_path / "a.jsonl").write_text('{"text": "Koru Mira", "label": [[5, 7, "PER"]]}\n')
    with pytest.raises(DataError, match=r"a\.jsonl:1: span 5-7 'Mi' .* inside the word 'Mira'"):
        augment(tmp_path / "a.jsonl", tmp_path / "b.jsonl")
    assert not (tmp_path / "b.jsonl").exists()


def test_records_of_spans_that_have_such_keys_are_refused(augment, tmp_path):
    (tmp_path / "a.jsonl").write_text('{"text": "Koru", "spans": [], "parent": 0}\n')
    with pytest.raises(DataError, match="there is a column 'parent' already"):
        augment(tmp_path / "a.jsonl", tmp_path / "b.jsonl")
