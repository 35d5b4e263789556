"""What models found, in the forms that annotation tools import: offsets are the tool's, and our readers read them."""

import json
import random

import pytest
import regex

from uxla.data.load import open_data
from uxla.data.options import ReadOptions
from uxla.data.spans.document import Span
from uxla.data.writing.annotations import AnnotatedText, annotated_texts, write_annotations
from uxla.errors import DataError, WriteError
from uxla.raw_text import split_words

UNSEEN = regex.compile(r"[\s\p{Cc}\p{Default_Ignorable_Code_Point}]")
NAMES = {"jsonl": "o.jsonl", "doccano": "o.jsonl", "label-studio": "o.json", "brat": "o", "conll": "o.conll"}
TEXT = "😀 Ana viajó a Lima, hoy."
SPANS = (Span(2, 5, "PER", confidence=0.98), Span(14, 18, "LOC", confidence=0.5))


@pytest.fixture
def written(tmp_path):
    """The path of texts that were written in a form."""

    def write(form, *texts):
        write_annotations(texts, form, tmp_path / NAMES[form])
        return tmp_path / NAMES[form]

    return write


def read(path, **options):
    return list(annotated_texts(open_data(path, "tagging", ReadOptions(**options))))


def seen(text, span):
    """What can be seen of an entity, and its label."""
    return UNSEEN.sub("", text[span.start : span.end]), span.label


def plain(spans):
    return [(span.start, span.end, span.label) for span in spans]


def random_spans(text, generator):
    """Spans that do not cross and have something to see in them; they may begin and end within words and characters."""
    edges = sorted(generator.sample(range(len(text) + 1), min(len(text) + 1, generator.randrange(9))))
    pairs = zip(edges[::2], edges[1::2], strict=False)
    spans = [Span(start, end, generator.choice(["PER", "LOC"])) for start, end in pairs]
    return tuple(span for span in spans if split_words(text[span.start : span.end]))


@pytest.fixture
def many(random_texts):
    generator = random.Random(5)
    return [AnnotatedText(text, random_spans(text, generator), id=i) for i, text in enumerate(random_texts(10_000, 3))]


@pytest.mark.parametrize("form", ["jsonl", "doccano", "label-studio"])
def test_the_places_of_10_000_texts_come_back_from_a_form_with_offsets(form, many, written):
    path = written(form, *many)
    back = read(path, format="spans")
    assert [(each.id, each.text) for each in back] == [(each.id, each.text) for each in many]
    assert [plain(each.spans) for each in back] == [plain(each.spans) for each in many]


def test_the_places_of_10_000_texts_come_back_from_brat(many, written):
    path = written("brat", *many)
    assert len(list(path.glob("*.txt"))) == 200
    back = read(path)
    flat = [each.text.replace("\r", " ").replace("\n", " ").replace("\t", " ") for each in many]
    assert [each.text.lstrip("\ufeff ") for each in back] == [text.lstrip("\ufeff ") for text in flat]
    for each, text, there in zip(back, flat, many, strict=True):
        assert [text[s.start : s.end].rstrip() for s in there.spans] == [each.text[s.start : s.end] for s in each.spans]


def test_the_entities_of_10_000_texts_come_back_from_conll(many, written):
    path = written("conll", *many)
    back = iter(read(path, comment="# id"))
    for each in many:
        if not split_words(each.text):
            continue
        found = next(back)
        assert [seen(found.text, span) for span in found.spans] == [seen(each.text, span) for span in each.spans]
    assert next(back, None) is None


def test_offsets_are_what_the_tool_counts(written):
    """doccano counts UTF-16 units, of which 😀 has two; the others code points."""
    each = AnnotatedText(TEXT, SPANS, id=7, more={"source": "x"})
    [line] = written("doccano", each).read_text().splitlines()
    own = {"id": 7, "source": "x", "text": TEXT}
    assert json.loads(line) == {**own, "label": [[3, 6, "PER"], [15, 19, "LOC"]], "offsets": "utf-16"}
    [task] = json.loads(written("label-studio", each).read_text())
    assert task["data"] == own
    first, second = task["predictions"][0]["result"]
    assert first["value"] == {"start": 2, "end": 5, "text": "Ana", "labels": ["PER"]}
    assert (first["from_name"], first["to_name"], first["type"], first["score"]) == ("label", "text", "labels", 0.98)
    assert (second["value"]["start"], task["predictions"][0]["score"]) == (14, 0.74)
    folder = written("brat", each)
    assert (folder / "0001.ann").read_text() == "T1\tPER 2 5\tAna\nT2\tLOC 14 18\tLima\n"
    assert (folder / "annotation.conf").read_text().startswith("[entities]\nLOC\nPER\n[relations]\n")
    conll = "# id = 7\n😀\tO\nAna\tB-PER\nviajó\tO\na\tO\nLima\tB-LOC\n,\tO\nhoy\tO\n.\tO\n"
    assert written("conll", each).read_text() == conll


def test_confidence_ids_and_further_keys_go_along_where_there_is_room(written):
    each = AnnotatedText(TEXT, SPANS, id="a b", more={"source": "x", "n": [1]})
    for form in ("jsonl", "label-studio"):
        [back] = read(written(form, each))
        assert (back.id, back.more, back.spans[0].confidence) == ("a b", {"source": "x", "n": [1]}, 0.98)
    [back] = read(written("doccano", each))
    assert (back.id, back.more) == ("a b", {"source": "x", "n": [1]})


def test_a_text_that_nobody_has_looked_at_has_no_answer(written):
    """As `uxla suggest` gives texts without predictions to be labelled."""
    texts = [AnnotatedText("ko", None, id=1), AnnotatedText("mira", (), id=2)]
    assert [each.spans for each in read(written("jsonl", *texts), format="spans")] == [None, ()]
    assert [each.spans for each in read(written("doccano", *texts), format="spans")] == [None, ()]
    assert [each.spans for each in read(written("label-studio", *texts))] == [None, ()]


def test_words_that_a_file_has_stay_words(written, tmp_path):
    (tmp_path / "a.conll").write_text("a.b B-PER\nc I-PER\n\n, O\n")
    (tmp_path / "a.jsonl").write_text(
        '{"tokens": ["a.b", "c"], "tags": ["B-PER", "I-PER"]}\n{"tokens": [","], "tags": ["O"]}\n'
    )
    for name in ("a.conll", "a.jsonl"):
        texts = read(tmp_path / name)
        assert [(each.text, plain(each.spans)) for each in texts] == [("a.b c", [(0, 5, "PER")]), (",", [])]
        assert written("conll", *texts).read_text() == "a.b\tB-PER\nc\tI-PER\n\n,\tO\n"


def test_what_a_model_found_goes_before_what_people_did(tmp_path):
    record = {"text": "ko Mira", "label": [[0, 2, "LOC"]], "predicted": [{"start": 3, "end": 7, "label": "PER"}]}
    (tmp_path / "x.jsonl").write_text(json.dumps(record))
    [each] = read(tmp_path / "x.jsonl")
    assert (plain(each.spans), each.more) == ([(3, 7, "PER")], {})


def test_what_a_form_cannot_hold_is_refused_and_leaves_nothing(written, tmp_path):
    crossing = AnnotatedText("a b c", (Span(0, 3, "X"), Span(2, 5, "Y")), file="p.jsonl", line=4)
    with pytest.raises(DataError, match=r"p\.jsonl:4: span 2-5 'b c' \(Y\) crosses 0-3 'a b' \(X\)"):
        written("conll", AnnotatedText("ko", ()), crossing)
    assert not list(tmp_path.iterdir())
    (tmp_path / "o").mkdir()
    with pytest.raises(WriteError, match=r"\(it exists already\); give the name of a new folder"):
        written("brat", crossing)


def test_an_entity_inside_a_word_cuts_it_in_conll(written):
    each = AnnotatedText("Ana-Li's", (Span(4, 6, "PER"),))
    assert written("conll", each).read_text() == "Ana-\tO\nLi\tB-PER\n's\tO\n"
