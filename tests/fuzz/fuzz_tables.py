"""Tables in the dress that other tools give them: `MAKERS` makes them, `ORACLES` reads them by other means."""

import bz2
import csv
import gzip
import io
import json
import lzma
import re
from dataclasses import replace
from random import Random

import fuzz_formats as formats
import fuzz_oracles as oracles

PACKERS = {b"\x1f\x8b": gzip.compress, b"\xfd7zXZ\x00": lzma.compress, b"BZh91AY&SY": bz2.compress}


def quoted_tsv(rng: Random):
    case, rows = formats._rows(rng, "tsv", "")
    raw = formats._encoded(rng, _written(rng, rows, delimiter="\t"), case.encoding, "")
    return replace(case, kind="quoted_tsv", raw=raw, sure={"quote": '"'})


def semicolon_csv(rng: Random):
    case, rows = formats._rows(rng, "csv", "")
    sure = {"delimiter": ";"}
    raw = formats._encoded(rng, _written(rng, rows, delimiter=";"), case.encoding, "")
    return replace(case, kind="semicolon_csv", raw=raw, sure=sure, always_sure=True)


def json_array(rng: Random):
    case, rows = formats._rows(rng, "jsonl", "")
    objects = [dict(zip(rows[0], row, strict=True)) for row in rows[1:]] if case.header else []
    if not case.header or not objects:
        return json_array(rng)
    case = replace(case, columns={role: str(name) for role, name in zip(case.columns, rows[0], strict=True)})
    text = json.dumps(objects, ensure_ascii=rng.random() < 0.5, indent=rng.choice([None, 1]))
    return replace(case, kind="json_array", raw=formats._encoded(rng, text, case.encoding))


def list_csv(rng: Random):
    while True:
        case, rows = formats._rows(rng, "csv", "")
        if case.shape == "tagging":
            break
    form = rng.choice([repr, json.dumps, lambda words: "[" + " ".join(map(repr, words)) + "]"])
    cells = [[form(cell.split(" ")) for cell in row] for row in rows[case.header :]]
    text = _written(rng, [*rows[: case.header], *cells])
    return replace(case, kind="list_csv", raw=formats._encoded(rng, text, case.encoding, ""), sure={"delimiter": ","})


def words_csv(rng: Random):
    while True:
        case, _ = formats._rows(rng, "csv", "")
        if case.shape == "tagging" and case.header:
            break
    each, told, rows = rng.random() < 0.5, [], [["key", "w", "t"]]
    for number in range(rng.randint(1, 5)):
        words, tags = formats._tagged(rng, case.encoding)
        told.append(((" ".join(words),), tuple(tags) if case.labelled else None))
        keys = [f"s{number}"] * len(words) if each else [f"s{number}", *[""] * (len(words) - 1)]
        rows += map(list, zip(keys, words, tags, strict=True))
    columns = {"sentence": "key", "tokens": "w", "tags": "t"}
    raw = formats._encoded(rng, _written(rng, rows), case.encoding, "")
    return replace(case, kind="words_csv", raw=raw, told=told, columns=columns, sure={"delimiter": ","})


def packed(rng: Random):
    case = formats.text(rng)
    return replace(case, kind="packed", raw=rng.choice(list(PACKERS.values()))(case.raw), told=None)


def quoted_rows(case):
    return oracles.table_rows(case, list(oracles.csv_records(oracles.text_of(case), "\t")))


def semicolon_rows(case):
    return oracles.table_rows(case, list(oracles.csv_records(oracles.text_of(case), ";")))


def array_rows(case):
    text = oracles.text_of(case)
    if not text.lstrip(" \t\r\n").startswith("["):
        return oracles.jsonl_rows(case)
    objects = json.loads(text, object_pairs_hook=_once)
    assert all(isinstance(value, dict) for value in objects)
    filled = (row for row in objects if any(value not in (None, "", []) for value in row.values()))
    return [oracles.row_of(case, {role: row[name] for role, name in oracles.wanted(case).items()}) for row in filled]


def list_rows(case):
    """Of damaged lists only the number can be known."""
    records = [record for record in oracles.csv_records(oracles.text_of(case), ",") if any(record)]
    return case.told or [None] * (len(records) - case.header)


def word_rows(case):
    names, *rows = [record for record in oracles.csv_records(oracles.text_of(case), ",") if any(record)]
    sentences, before = 0, ""
    for row in rows:
        key = re.sub(r"^[\s\u200b\u2060\ufeff]+|[\s\u200b\u2060\ufeff]+$", "", row[names.index("key")])
        key = "" if key.lower() in oracles.SIGNS and key not in ("none", "na") else key
        sentences += bool(key) and key != before
        before = key or before
    return case.told or [None] * sentences


def unpacked_rows(case):
    assert not any(case.raw.startswith(start) for start in PACKERS), "packed bytes were read as text"
    return oracles.text_rows(case)


def _written(rng: Random, rows, **dialect) -> str:
    sink = io.StringIO()
    quoting = rng.choice([csv.QUOTE_MINIMAL, csv.QUOTE_ALL])
    csv.writer(sink, lineterminator="\r\n", quoting=quoting, **dialect).writerows(rows)
    return sink.getvalue()


def _once(pairs):
    assert len(dict(pairs)) == len(pairs), "a key twice"
    return dict(pairs)


MAKERS = {maker.__name__: maker for maker in (quoted_tsv, semicolon_csv, json_array, list_csv, words_csv, packed)}
ORACLES = {
    "quoted_tsv": quoted_rows,
    "semicolon_csv": semicolon_rows,
    "json_array": array_rows,
    "list_csv": list_rows,
    "words_csv": word_rows,
    "packed": unpacked_rows,
}
