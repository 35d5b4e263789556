"""Files of each format, first as any tool might have written them, then damaged: `make(format, rng)` gives a `Case`."""

import io
import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from random import Random
from typing import Any

import fuzz_conll
import fuzz_tables
import pyarrow as pa
import pyarrow.parquet as pq
from fuzz_mutations import ENCODINGS, WRONG, damaged, sometimes_huge, word
from fuzz_oracles import Row

LABELS = {
    "tagging": ("O", "B-LOC", "I-LOC", "B-PER", "I-PER"),
    "single": ("no", "yes"),
    "pair": ("no", "yes"),
}
ROLES = {"tagging": ("tokens", "tags"), "single": ("text", "label"), "pair": ("first", "second", "label")}
SCHEMES = {"IOB2": "BBII", "IOB1": "IIII", "BIOES": "SBIE", "BILOU": "UBIL"}
BLANKS = ["\n", " \n", "\t \n", "\n\n", "-DOCSTART- -X- O\n\n"]


@dataclass(frozen=True)
class Case:
    """A file and how it is to be read; `told`: the rows that were written, None once it is damaged."""

    format: str
    raw: bytes
    told: list[Row] | None
    shape: str
    labelled: bool
    encoding: str = "utf-8"
    columns: dict[str, str | int] | None = None
    header: bool = True
    kind: str = ""
    sure: dict[str, str] = field(default_factory=dict)
    """What is said of a damaged file, which would be guessed of a sound one, or of both if `always_sure`."""
    always_sure: bool = False

    def options(self) -> dict[str, Any]:
        """The keywords of `check`."""
        said = self.sure if self.told is None or self.always_sure else {}
        named = None if self.format in ("conll", "text") else self.columns
        options = {
            "split": "spaces",
            "shape": self.shape,
            "format": self.format,
            "encoding": self.encoding,
            "header": self.header,
        }
        return {**options, **said, "columns": named}


def make(format: str, rng: Random) -> Case:
    """A file of that format: one in four as it was written, the others damaged or read in another encoding."""
    case = (MAKERS | fuzz_tables.MAKERS)[format](rng)
    kind = rng.random()
    if kind < 0.25:
        return case
    if kind < 0.32 and format != "parquet":
        return replace(case, told=None, encoding=rng.choice(WRONG))
    return replace(case, told=None, raw=damaged(rng, case.raw))


def conll(rng: Random) -> Case:
    encoding, scheme = rng.choice(ENCODINGS), rng.choice(sorted(SCHEMES))
    separator, extra = rng.choice(["\t", " ", "   "]), rng.randrange(3)
    mixed = rng.random() < 0.1
    told, blocks = [], []
    for _ in range(rng.randint(1, 5)):
        words, tags = _tagged(rng, encoding)
        told.append(((" ".join(words),), tuple(tags)))
        written = _in_scheme(tags, rng.choice(sorted(SCHEMES)) if mixed else scheme)
        cells = zip(words, *[["X"] * len(words)] * extra, written, strict=True)
        blocks.append("".join(f"{separator.join(line)}\n" for line in cells) + rng.choice(BLANKS))
    raw = _encoded(rng, "".join(blocks), encoding)
    return _labelled_or_not(rng, Case("conll", raw, None if mixed else told, "tagging", True, encoding))


def conll_form(form: str, rng: Random) -> Case:
    """One of the forms that are told by their look."""
    encoding = rng.choice(ENCODINGS)
    more = [_tagged(rng, encoding) for _ in range(rng.randint(0, 3))]
    sentences = [(["koru", "mira", "sen"], ["B-PER", "I-PER", "O"]), *more]
    told: list[Row] = [((" ".join(words),), tuple(tags)) for words, tags in sentences]
    lines = fuzz_conll.blocks(form, sentences, rng, encoding)
    raw = _encoded(rng, "".join(f"{line}\n" for line in lines), encoding)
    return _labelled_or_not(rng, Case("conll", raw, told, "tagging", True, encoding))


def text(rng: Random) -> Case:
    shape, encoding = rng.choice(["tagging", "single", "pair"]), rng.choice(ENCODINGS)
    told, lines = [], []
    for _ in range(rng.randint(1, 6)):
        words = sometimes_huge(rng, [word(rng, encoding=encoding) for _ in range(rng.randint(1, 5))])
        parts = (" ".join(words),) if shape != "pair" else (" ".join(words), word(rng, encoding=encoding))
        told.append((parts, None))
        lines.append("\t".join(parts) + "\n" + rng.choice(["", "", "\n", "  \n"]))
    return Case("text", _encoded(rng, "".join(lines), encoding), told, shape, False, encoding)


def tsv(rng: Random) -> Case:
    case, rows = _rows(rng, "tsv", "\t\r\n")
    case = replace(case, sure={"quote": "none"})
    return replace(case, raw=_encoded(rng, "".join("\t".join(row) + "\n" for row in rows), case.encoding))


def csv(rng: Random) -> Case:
    case, rows = _rows(rng, "csv", "")
    always = rng.random() < 0.5

    def cell(value: str) -> str:
        return '"' + value.replace('"', '""') + '"' if always or set(value) & set('",\r\n') else value

    return replace(case, raw=_encoded(rng, "".join(",".join(map(cell, row)) + "\n" for row in rows), case.encoding, ""))


def jsonl(rng: Random) -> Case:
    case, rows = _rows(rng, "jsonl", "")
    ascii, lists = rng.random() < 0.5, case.shape == "tagging" and rng.random() < 0.5
    lines = []
    for row in rows[1:]:
        value: dict[str, Any] = dict(zip(rows[0], row, strict=True))
        if lists:
            value = {name: cell.split(" ") for name, cell in value.items()}
        value["more"] = rng.choice([None, 1e300, {"x": [1, {}]}, 10**30, []])
        lines.append(json.dumps(value, ensure_ascii=ascii) + "\n" + rng.choice(["", "", "\n"]))
    case = replace(case, columns={role: str(name) for role, name in zip(case.columns or {}, rows[0], strict=True)})
    return replace(case, header=True, raw=_encoded(rng, "".join(lines), case.encoding))


def parquet(rng: Random) -> Case:
    case, rows = _rows(rng, "parquet", "")
    columns: dict[str, Any] = {
        name: list(cells) for name, cells in zip(rows[0], zip(*rows[1:], strict=True), strict=True)
    }
    if case.shape == "tagging" and rng.random() < 0.5:
        columns = {name: [cell.split(" ") for cell in cells] for name, cells in columns.items()}
    table = pa.table({**columns, "more": pa.array(range(len(rows) - 1))})
    if rng.random() < 0.3:
        names = rng.choice(['{"info": {"features": {"label": {"names": ["a"]}}}}', "{", "[]", '{"info": 1}', "\ud800"])
        table = table.replace_schema_metadata({b"huggingface": names.encode(errors="surrogatepass")})
    sink = io.BytesIO()
    codec = rng.choice(["none", "snappy", "zstd", "gzip"])
    pq.write_table(table, sink, compression=codec, row_group_size=rng.choice([1, 2, 100]), write_page_checksum=True)
    return replace(case, header=True, raw=sink.getvalue(), encoding="utf-8")


MAKERS: dict[str, Callable[[Random], Case]] = {
    "conll": conll,
    "text": text,
    "tsv": tsv,
    "csv": csv,
    "jsonl": jsonl,
    "parquet": parquet,
    **{form: partial(conll_form, form) for form in fuzz_conll.FORMS},
}


def _rows(rng: Random, format: str, barred: str) -> tuple[Case, list[list[str]]]:
    """The case without its bytes, and its cells, the header first where there is one."""
    shape, encoding = rng.choice(["tagging", "single", "pair"]), rng.choice(ENCODINGS)
    if format == "parquet":
        encoding = "utf-8"
    header = rng.random() < 0.8 or format in ("jsonl", "parquet")
    names = list(dict.fromkeys([f"{role} {word(rng, '', 'ascii')}" for role in ROLES[shape]]))
    names = [name if barred == "" else "".join(char for char in name if char not in barred) for name in names]
    told, rows = [], [names] if header else []
    for _ in range(rng.randint(1, 5)):
        if shape == "tagging":
            words, tags = _tagged(rng, encoding)
            told.append(((" ".join(words),), tuple(tags)))
            rows.append([" ".join(words), " ".join(tags)])
        else:
            texts = [" ".join(_texts(rng, barred, encoding)) for _ in ROLES[shape][1:]]
            label = rng.choice(LABELS[shape])
            told.append((tuple(texts), (label,)))
            rows.append([*texts, label])
    columns = {
        role: name if header else place for place, (role, name) in enumerate(zip(ROLES[shape], names, strict=True))
    }
    return _labelled_or_not(rng, Case(format, b"", told, shape, True, encoding, columns, header)), rows


def _texts(rng: Random, barred: str, encoding: str) -> list[str]:
    return sometimes_huge(rng, [word(rng, barred, encoding) for _ in range(rng.randint(1, 4))])


def _tagged(rng: Random, encoding: str) -> tuple[list[str], list[str]]:
    """Words and IOB2 tags."""
    tags: list[str] = []
    for _ in range(rng.randint(1, 4)):
        kind, length = rng.choice(["", "LOC", "PER"]), rng.randint(1, 3)
        tags += [f"{'I' if i else 'B'}-{kind}" for i in range(length)] if kind else ["O"]
    words = sometimes_huge(rng, [word(rng, encoding=encoding).replace("DOCSTART-", "DOC") for _ in tags])
    return words, tags + ["O"] * (len(words) - len(tags))


def _in_scheme(tags: list[str], scheme: str) -> list[str]:
    """IOB2 tags in another scheme; its four letters: the only word, the first, an inner one, the last."""
    only, first, inner, last = SCHEMES[scheme]
    written = []
    for i, tag in enumerate(tags):
        ends = tags[i + 1 : i + 2] != [f"I{tag[1:]}"]
        touches = scheme == "IOB1" and i > 0 and tags[i - 1][1:] == tag[1:]
        letter = {"B": only if ends else first, "I": last if ends else inner}.get(tag[0], "O")
        written.append(tag if tag == "O" else ("B" if touches and tag[0] == "B" else letter) + tag[1:])
    return written


def _encoded(rng: Random, text: str, encoding: str, ends: str = "\n") -> bytes:
    if ends and rng.random() < 0.3:
        text = text.replace("\n", "\r\n")
    text = text.removesuffix("\n") if rng.random() < 0.3 else text
    if encoding in ("utf-8", "utf-16", "utf-16-le", "utf-7") and (rng.random() < 0.2 or text.startswith("\ufeff")):
        text = f"\ufeff{text}"
    return text.encode(encoding)


def _labelled_or_not(rng: Random, case: Case) -> Case:
    if rng.random() < 0.7:
        return case
    return replace(case, labelled=False, told=case.told and [(texts, None) for texts, _ in case.told])
