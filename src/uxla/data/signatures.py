"""Files that are not text, recognised by their first bytes, and what to do about them."""

from __future__ import annotations

import codecs
import re
from pathlib import Path

from uxla.errors import DataError, setting

HEAD = 4096
"""The number of first bytes by which a file is recognised."""

_UNPACK = "unpack it"
_EXPORT = "save it as CSV or text"
_TEXT = "save it as text"
_OCR = "give its text"
_SIGNS = tuple(
    (re.compile(sign, re.DOTALL), name, remedy)
    for sign, name, remedy in (
        (rb"\x1f\x8b", "gzip", f"{_UNPACK} (gunzip FILE)"),
        (rb"\xfd7zXZ\x00", "xz", f"{_UNPACK} (unxz FILE)"),
        (rb"\x28\xb5\x2f\xfd", "zstandard", f"{_UNPACK} (unzstd FILE)"),
        (rb"7z\xbc\xaf\x27\x1c", "7-zip", _UNPACK),
        (rb"Rar!\x1a\x07", "rar", _UNPACK),
        (rb"\x04\x22\x4d\x18", "lz4", f"{_UNPACK} (unlz4 FILE)"),
        (rb"\x1f\x9d", "compress (.Z)", f"{_UNPACK} (uncompress FILE)"),
        (rb"\x89HDF\r\n", "HDF5", _EXPORT),
        (rb"version https://git-lfs\.github\.com/spec/", "a pointer of Git LFS", "fetch the file (git lfs pull)"),
        (rb"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Office file", _EXPORT),
        (rb"SQLite format 3\x00", "an SQLite database", _EXPORT),
        (rb"\x93NUMPY", "a NumPy array", _EXPORT),
        (rb"\x89PNG\r\n", "a picture (PNG)", _OCR),
        (rb"\xff\xd8\xff", "a picture (JPEG)", _OCR),
        (rb"PK\x03\x04.*(?:xl/|opendocument\.spreadsheet)", "a spreadsheet (xlsx, ods)", "save it as CSV"),
        (rb"PK\x03\x04.*(?:word/|opendocument\.text)", "a text document (docx, odt)", _TEXT),
        (rb"PK\x03\x04.*\[Content_Types\]\.xml", "an Office file", _EXPORT),
        (rb"PK\x03\x04", "zip", f"{_UNPACK} (unzip FILE)"),
        (rb"\x80[\x02-\x05](?:\x95|[()\[\]{}qcX])", "a pickle of Python", _EXPORT),
        (rb"BZh[1-9](?:1AY&SY|\x17rE8P\x90)", "bzip2", f"{_UNPACK} (bunzip2 FILE)"),
        (rb".{257}ustar", "a tar archive", f"{_UNPACK} (tar -xf FILE)"),
        (rb"%PDF-\d\.\d", "PDF", _TEXT),
        (rb"\{\\rtf\d", "RTF", _TEXT),
        (rb"PAR1.{0,59}?[\x00-\x08]", "Parquet", ""),
        (rb"\xff\xff\xff\xff..\x00\x00", "Arrow", "write it as Parquet"),
        (rb"ARROW1.{0,57}?[\x00-\x08]", "Arrow", "write it as Parquet"),
    )
)
"""What the first bytes of files that are not text look like, what the files are, and the remedy."""
_HIGH = bytes(range(9)) + bytes(range(14, 32))
"""High bytes of letters in UTF-16, from Latin to Arabic. In text they would be control characters, which it lacks."""


def foreign(head: bytes) -> tuple[str, str] | None:
    """What a file that begins with `head` is, and the remedy; None if it may be text."""
    found = next(((name, remedy) for sign, name, remedy in _SIGNS if sign.match(head)), None)
    return ("Parquet", f"set {setting('format', 'parquet')}") if found == ("Parquet", "") else found


def wrong_width(head: bytes, codec: str) -> str | None:
    """UTF-16 or UTF-32 if the bytes are in it, but `codec` has one byte a letter; else None.

    A byte order mark shows it, or that every second byte is zero.
    """
    if codec.startswith(("utf-16", "utf-32")):
        return None
    if head.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        return "utf-32"
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    for wide, zeros in (("utf-32-le", head[2::4] + head[3::4]), ("utf-32-be", head[::4] + head[1::4])):
        if len(head) > 15 and _share(b"\0", zeros) > 0.9 and _share(b"\0", head) < 0.9:
            return wide
    even, odd = (_share(_HIGH, head[side::2]) for side in (0, 1))
    if max(even, odd) > 0.5 and min(even, odd) < 0.05 and len(head) > 7:
        return "utf-16-le" if odd > even else "utf-16-be"
    return None


def refuse_foreign(head: bytes, codec: str, *, file: Path) -> None:
    """DataError if a file that begins with `head` is not text in `codec`, even if it can be decoded."""
    found = foreign(head[:HEAD])
    if found is not None:
        raise DataError(f"{found[0]}, not text; {found[1]}", file=file)
    wide = wrong_width(head[:HEAD], codec)
    if wide is not None:
        raise DataError(f"{wide.upper()}, read as {codec}; set {setting('encoding', wide)}", file=file)


def is_foreign(head: bytes, codec: str) -> bool:
    """Whether `refuse_foreign` would refuse the file."""
    return foreign(head[:HEAD]) is not None or wrong_width(head[:HEAD], codec) is not None


def other_encoding(raw: bytes, codec: str) -> str:
    """The probable encoding of bytes that are not in `codec`."""
    if not codec.startswith(("utf-8", "ascii")):
        return "utf-8"
    if codec == "ascii" and _decodes(raw, "utf-8"):
        return "utf-8"
    if b" " not in raw and raw.count(b"@") > len(raw) / 50 and sum(byte > 0x7F for byte in raw) > len(raw) / 2:
        return "cp037"  # EBCDIC, whose blank is @
    if any(0x80 <= byte < 0xA0 for byte in raw) and _decodes(raw, "cp1252"):
        return "cp1252"
    return "latin-1"


def _decodes(raw: bytes, codec: str) -> bool:
    try:
        raw.decode(codec)
    except UnicodeError:
        return False
    return True


def _share(wanted: bytes, part: bytes) -> float:
    return sum(map(part.count, wanted)) / max(1, len(part))
