"""Files of annotation tools, sound and damaged, and what must hold of each: read whole or refused in one line, and
written again without a byte lost."""

import json
import re
import unicodedata
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from random import Random

from fuzz_judge import Verdict, refusal, timed
from fuzz_mutations import damaged, word

from uxla.data.checks.check import check
from uxla.data.load import discover_labels, load_corpus
from uxla.data.options import ReadOptions
from uxla.data.spans.file import open_spans
from uxla.data.spans.rewrite import rewritten
from uxla.errors import UxlaError

NAMES = {"doccano": "x.jsonl", "prodigy": "x.jsonl", "label_studio": "x.json", "json_min": "x.json", "brat": "y.txt"}
GAPS = [" ", "  ", "\u00a0", "\u3000", "\t", " \u200b "]


@dataclass(frozen=True)
class Marked:
    """A file, brat's annotations beside it, and the entities' texts of each sentence that has a word, as they were
    written; None once it is damaged."""

    form: str
    raw: bytes
    beside: bytes | None
    told: list[list[str]] | None


def make(form: str, rng: Random) -> Marked:
    """One file in four as it was written, the others damaged, of brat in either part."""
    texts = [_text(rng, form) for _ in range(rng.randint(1, 4))]
    told = [[_seen(text[start:end]) for start, end, _ in spans] for text, spans in texts]
    if form == "brat":
        sound = Marked(form, *_brat(rng, texts), told)
    else:
        rows = [RECORDS[form](rng, text, spans) for text, spans in texts]
        sound = Marked(form, _json(rng, rows, array=NAMES[form] == "x.json"), None, told)
    if rng.random() < 0.25:
        return sound
    if sound.beside is not None and rng.random() < 0.5:
        return replace(sound, told=None, beside=damaged(rng, sound.beside))
    return replace(sound, told=None, raw=damaged(rng, sound.raw))


def judge(case: Marked, folder: Path) -> Verdict:
    """AssertionError for a file that is neither read whole nor refused in one line, or loses something on the way."""
    path = folder / NAMES[case.form]
    path.write_bytes(case.raw)
    if case.beside is not None:
        path.with_suffix(".ann").write_bytes(case.beside)
    read, loading = timed(_load, path)
    assert case.told is None or read == case.told, f"sound, but read as {read}"
    _, unlabelled = timed(_words, path)
    _, checking = timed(_asked, lambda: check(path))
    _, writing = timed(_asked, lambda: _written_again(path))
    return Verdict(len(read) if isinstance(read, list) else 0, max(loading, unlabelled, checking, writing))


def _text(rng: Random, form: str) -> tuple[str, list[tuple[int, int, str]]]:
    """Words that are told apart by what is between them, some of them entities."""
    text, spans = rng.choice(["", " "]), []
    for _ in range(rng.randint(1, 6)):
        start = len(text)
        text += rng.choice(["ab", "é", "日本", "x1", "ကေ", "😀", "ß\u0301", f"{word(rng, ' ')}x"])
        text = re.sub(r"[\r\n]", "", text) if form == "brat" else text
        if rng.random() < 0.4 and text[start:].strip():
            spans.append((start, len(text), rng.choice(["PER", "LOC", "a b"][: 2 if form == "brat" else 3])))
        text += rng.choice(GAPS)
    return text, [span for span in spans if _is_seen(text[span[0] : span[1]])]


def _is_seen(text: str) -> bool:
    return any(unicodedata.category(char)[0] in "LNM" for char in text)


def _doccano(rng, text, spans):
    return {"id": rng.random(), "text": text, "label": [list(span) for span in spans], "Comments": []}


def _prodigy(rng, text, spans):
    named = [dict(zip(("start", "end", "label"), span, strict=True)) for span in spans]
    return {"text": text, "_input_hash": -3, "spans": named, "answer": "accept", "meta": {"start": "x"}}


def _values(text, spans):
    return [{"start": a, "end": b, "text": text[a:b], "labels": [label]} for a, b, label in spans]


def _label_studio(rng, text, spans):
    values, units = _values(text, spans), rng.random() < 0.5
    if units:  # as older versions count
        for value in values:
            for edge in ("start", "end"):
                value[edge] = len(text[: value[edge]].encode("utf-16-le")) // 2
    result = [{"value": value, "type": "labels", "id": "k"} for value in values]
    result += [{"type": "relation", "from_id": "k"}, {"type": "choices", "value": {"choices": ["z"]}}]
    return {"id": 1, "data": {"text": text}, "annotations": [{"result": result, "was_cancelled": False}]}


def _json_min(rng, text, spans):
    return {"text": text, "label": _values(text, spans), "annotator": 1}


RECORDS = {"doccano": _doccano, "prodigy": _prodigy, "label_studio": _label_studio, "json_min": _json_min}


def _json(rng, rows, *, array):
    ascii = rng.random() < 0.5
    indent = rng.choice([None, 1]) if array else None
    lines = [json.dumps(row, ensure_ascii=ascii, indent=indent) for row in rows]
    ends = rng.choice(["\n", "\r\n", "\n\n"])
    text = "[" + f",{ends}".join(lines) + "]" if array else "".join(f"{line}{ends}" for line in lines)
    return text.encode("utf-8", "surrogatepass")


def _brat(rng, texts):
    ends, counted_as_one = rng.choice([("\n", False), ("\r\n", False), ("\r\n", True)])
    begins, notes, lines = 0, [], []
    for text, spans in texts:
        for start, end, label in spans:
            notes.append(f"T{len(notes) + 1}\t{label} {begins + start} {begins + end}\t{text[start:end]}\n")
        lines.append(text + ends)
        begins += len(text) + (1 if counted_as_one else len(ends))
    notes.insert(rng.randint(0, len(notes)), "R1\tnear Arg1:T1 Arg2:T2\n#1\tNote T1\tx\n")
    return "".join(lines).encode(), "".join(notes).encode()


def _asked(call):
    try:
        return call()
    except UxlaError as error:
        return refusal(error)


def _load(path):
    """The texts of the entities in each sentence, without what lies between their words; or the refusal."""

    def load():
        names = discover_labels(path, format="spans")
        corpus = load_corpus(path, name="t", lang="x", label_names=names, labelled=True, format="spans")
        rows = [_entities(example.words, [names[label] for label in example.labels]) for example in corpus]
        return [[_seen(text) for text in row] for row in rows]

    return _asked(load)


def _entities(words, tags):
    found = []
    for text, tag in zip(words, tags, strict=True):
        if tag[0] == "B":
            found.append(text)
        elif tag[0] == "I":
            found[-1] += text
    return found


def _words(path):
    """All that can be seen of each text is in its words, and nothing else is."""
    corpus = _asked(lambda: load_corpus(path, name="t", lang="x", label_names=(), labelled=False, format="spans"))
    if isinstance(corpus, str):
        return
    entries = open_spans(path, "tagging", ReadOptions(format="spans")).entries(labelled=False)
    texts = [_seen(entry.document.text) for entry in entries]
    words = [_seen("".join(example.words)) for example in corpus]
    assert list(filter(None, words)) == list(filter(None, texts)), "words got lost"
    if path.suffix == ".txt":
        assert "".join(texts) == _seen(path.read_bytes().decode().removeprefix("\ufeff")), "text got lost"


def _seen(text):
    return "".join(char for char in text if unicodedata.category(char)[0] in "LNPS")


def _written_again(path):
    """With its own words a record is what it was, with others its spans have the words they had."""
    file = open_spans(path, "tagging", ReadOptions(format="spans"))
    joined = ""
    for record, document in islice(file.entries(labelled=True), 2000 if file.is_brat else None):
        again = rewritten((record, document), document.cut(), {})
        assert json.loads(again) == record.value, "another record with the same words"
        joined += record.before + record.raw + record.after
        longer = [f"{text}x" for text in document.cut()]
        other = json.loads(rewritten((record, document), longer, {"parent": 1}))
        assert other.pop("parent") == 1
        assert json.dumps(other).count("{") == json.dumps(record.value).count("{")
    assert file.is_brat or not joined or joined == path.read_bytes().decode().removeprefix("\ufeff"), (
        "characters got lost"
    )
