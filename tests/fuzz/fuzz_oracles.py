"""What a file of each format holds, read a second time by other means: slow, plain, and without a word of the library's
code. An oracle raises where a file cannot be read at all."""

import io
import json
import re
from itertools import chain

import pyarrow.parquet as pq

Row = tuple[tuple[str, ...], tuple[str, ...] | None]
"""The texts of an example (words joined by a space), and its labels or IOB2 tags where they are asked for."""


def conll_rows(case):
    rows, words, labels = [], [], []
    for line in [*_lines(case), ""]:
        cells = line.split("\t") if "\t" in line else re.findall("[^ ]+", line)
        if not line.strip(" \t") or cells[0] == "-DOCSTART-":
            if words:
                rows.append(((" ".join(words),), _iob2(labels) if case.labelled else None))
            words, labels = [], []
        else:
            words.append(cells[0])
            labels.append(cells[-1])
    return rows


def is_plain_conll(case):
    """Whether nothing in the file could have it read in another way than a word a line."""
    lines = [line for line in _lines(case) if line.strip(" \t")]
    first = [re.split("[ \t]+", line.strip(" "))[0] for line in lines]
    names = {cell.lower() for cell in re.split("[ \t]+", lines[0])} if lines else set()
    special = re.compile(r"#.*|[0-9]+([-.][0-9]+)?|[a-z]{2,3}(-[a-z]+)*:.*|-+docstart.*", re.IGNORECASE)
    ends = all(line == line.strip(" \t") and " \t" not in line and "\t " not in line for line in lines)
    told = {"word", "words", "token", "tokens", "tok", "form"}
    return ends and not names & told and not any(map(special.match, first))


def all_accounted_for(case, words, numbers):
    """AssertionError unless each line is a word's, in its place, or may be left out; `numbers` are the words' lines."""
    lines = text_of(case).split("\n")
    of_line = dict(zip(chain(*numbers), chain(*words), strict=True))
    assert sorted(of_line) == list(chain(*numbers)), "words out of order"
    sentence = {number: i for i, places in enumerate(numbers) for number in places}
    before = None
    for number, line in enumerate(lines, start=1):
        body = line.rstrip("\r")
        if number in of_line:
            cells = [cell.strip(" ") for cell in body.split("\t")] if "\t" in body else body.split(" ")
            assert any(cell.removesuffix(of_line[number]) in ("", "fr:") for cell in cells), f"another word in {number}"
            assert before in (None, sentence[number]), f"a line that separates does not, before {number}"
            before = sentence[number]
        elif not body.strip(" \t") or re.match("#|-+docstart-+", body.lstrip(" \t"), re.IGNORECASE):
            before = None
        else:
            assert _ASIDE.match(body), f"line {number} is lost"


def text_rows(case):
    lines = [line for line in _lines(case) if line.strip(" \t")]
    if case.shape == "tagging":
        return [((" ".join(re.findall("[^ \t]+", line)),), None) for line in lines]
    return [(tuple(line.split("\t")) if case.shape == "pair" else (line,), None) for line in lines]


def tsv_rows(case):
    return table_rows(case, [line.split("\t") for line in _lines(case) if line])


def csv_rows(case):
    return table_rows(case, list(csv_records(text_of(case))))


def jsonl_rows(case):
    rows = []
    for line in text_of(case).split("\n"):
        if line.strip("\r"):
            pairs = json.loads(line, object_pairs_hook=list)
            values = dict(pairs)
            assert len(values) == len(pairs), "a key twice"
            if any(value not in (None, "", []) for value in values.values()):
                rows.append(row_of(case, {role: values[name] for role, name in wanted(case).items()}))
    return rows


def parquet_rows(case):
    """Of damaged bytes only the number of rows can be known: that of the footer."""
    return case.told or [None] * pq.read_metadata(io.BytesIO(case.raw)).num_rows


SIGNS = {"", "_", "-", "--", "–", "—", "?", "nan", "none", "null", "na", "n/a", "#n/a", "<na>", "\\n"}

_ASIDE = re.compile(r" *[0-9]+[-.][0-9]+([ \t]|$)|.*\b(word|words|token|tokens|tok|form)\b|.*docstart", re.IGNORECASE)
ORACLES = {
    "conll": conll_rows,
    "text": text_rows,
    "tsv": tsv_rows,
    "csv": csv_rows,
    "jsonl": jsonl_rows,
    "parquet": parquet_rows,
}


def text_of(case):
    encoding = "utf-8" if case.encoding == "utf-8-sig" else case.encoding  # of two marks, one is text
    return case.raw.decode(encoding).removeprefix("\ufeff")


def _lines(case):
    """Cut at LF, CR LF and CR."""
    return [part for line in text_of(case).split("\n") for part in line.rstrip("\r").split("\r")]


def table_rows(case, records):
    names = records[0] if case.header else [str(i) for i in range(len(records[0]))]
    assert all(len(record) == len(names) for record in records)
    places = {role: names.index(str(name)) for role, name in wanted(case).items()}
    filled = (record for record in records[case.header :] if any(record) or case.format != "csv")
    cells = ({role: record[place] for role, place in places.items()} for record in filled)
    return [row_of(case, values) for values in cells]


def wanted(case):
    return {role: name for role, name in case.columns.items() if case.labelled or role not in ("tags", "label")}


def row_of(case, values):
    if case.shape == "tagging":
        labels = _iob2(_words(values["tags"])) if case.labelled else None
        return (" ".join(_words(values["tokens"])),), labels
    texts = tuple(values[role] for role in ("text", "first", "second") if role in values)
    label = values.get("label")
    if isinstance(label, float) and label.is_integer():
        label = int(label)
    return texts, (_cut_ends(str(label).lower() if isinstance(label, bool) else str(label)),) if case.labelled else None


def has_label(row):
    """Whether the row has a label, if labels were asked for, that is no sign of a missing value."""
    return row is None or row[1] is None or row[1] == () or row[1][0].lower() not in SIGNS


def _cut_ends(label):
    return re.sub(r"^[\s\u200b\u2060\ufeff]+|[\s\u200b\u2060\ufeff]+$", "", label)


def _words(value):
    return value if isinstance(value, list) else [word for word in re.split("[ \t\r\n]+", value) if word]


def csv_records(text, delimiter=","):
    """CSV character by character."""
    fields, field, state = [], [], "start"
    for char in text + "\n":
        if state == "quoted":
            if char == '"':
                state = "closing"
            else:
                field.append(char)
        elif state == "closing" and char == '"':
            field.append(char)
            state = "quoted"
        elif char in f"{delimiter}\r\n":
            if char == delimiter or field or fields or state == "closing":
                fields.append("".join(field))
            if char != delimiter and fields:
                yield fields
                fields = []
            field, state = [], "start"
        elif state == "start" and char == '"':
            state = "quoted"
        else:
            assert state != "closing", "text after a quoted field"
            field.append(char)
            state = "plain"
    assert (state, fields) == ("start", []), "an open quote"


def _iob2(labels):
    """The tags as IOB2 whatever the scheme: an entity begins at B, S and U, and wherever nothing goes on."""
    tags, before = [], "O"
    for label in labels:
        goes_on = label[0] in "IEL" and before[0] in "BI" and before[1:] == label[1:]
        tags.append("O" if label == "O" else ("I" if goes_on else "B") + label[1:])
        before = label
    return tuple(tags)
