"""What is no text is named by its first bytes, whatever encoding is asked for; the remedy fits the bytes."""

import bz2
import gzip
import io
import lzma
import os
import pickle
import zipfile

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from uxla.data.checks.check import check
from uxla.data.load import load_corpus, stream_format
from uxla.data.options import ReadOptions
from uxla.errors import DataError, spelled_as

TEXT = b"koru mira tal\nsen ru osi\n"


def zipped(*names):
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as archive:
        for name in names:
            archive.writestr(name, TEXT)
    return sink.getvalue()


def parquet():
    sink = io.BytesIO()
    pq.write_table(pa.table({"text": ["koru", "mira"]}), sink)
    return sink.getvalue()


FOREIGN = {
    "gzip": (gzip.compress(TEXT), "gzip, not text; unpack it (gunzip FILE)"),
    "bzip2": (bz2.compress(TEXT), "bzip2, not text; unpack it (bunzip2 FILE)"),
    "empty bzip2": (bz2.compress(b""), "bzip2, not text; unpack it"),
    "xz": (lzma.compress(TEXT), "xz, not text; unpack it (unxz FILE)"),
    "zstandard": (b"\x28\xb5\x2f\xfd\x04\x00" + TEXT, "zstandard, not text; unpack it"),
    "zip": (zipped("x.txt"), "zip, not text; unpack it (unzip FILE)"),
    "xlsx": (zipped("[Content_Types].xml", "xl/workbook.xml"), "a spreadsheet (xlsx, ods), not text; save it as CSV"),
    "docx": (zipped("[Content_Types].xml", "word/document.xml"), "a text document (docx, odt), not text; save it"),
    "PDF": (b"%PDF-1.7\n" + TEXT, "PDF, not text; save it as text"),
    "rar": (b"Rar!\x1a\x07\x01" + TEXT, "rar, not text; unpack it"),
    "lz4": (b"\x04\x22\x4d\x18" + TEXT, "lz4, not text; unpack it (unlz4 FILE)"),
    "compress": (b"\x1f\x9d\x90" + TEXT, "compress (.Z), not text; unpack it (uncompress FILE)"),
    "HDF5": (b"\x89HDF\r\n\x1a\n" + TEXT, "HDF5, not text; save it as CSV or text"),
    "Git LFS": (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "a pointer of Git LFS, not text"),
    "PNG": (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "a picture (PNG), not text; give its text"),
    "JPEG": (b"\xff\xd8\xff\xe0\0\x10JFIF", "a picture (JPEG), not text"),
    "pickle": (pickle.dumps({"koru": 1}), "a pickle of Python, not text; save it as CSV or text"),
    "old pickle": (pickle.dumps(["koru"], protocol=2), "a pickle of Python, not text"),
    "Parquet": (parquet(), "Parquet, not text; set format: parquet"),
    "UTF-16 without its mark": (TEXT.decode().encode("utf-16-le"), "UTF-16-LE, read as"),
    "UTF-16, high byte first": (TEXT.decode().encode("utf-16-be"), "set encoding: utf-16-be"),
}


def load(path, **how):
    how = {"shape": "single"} | how
    return load_corpus(path, name="t", lang="x", label_names=("O",), labelled=False, **how)


@pytest.mark.parametrize("kind", FOREIGN)
@pytest.mark.parametrize("encoding", ["utf-8", "latin-1", "cp1252"])
def test_what_is_no_text_is_named_in_every_encoding(kind, encoding, tmp_path):
    raw, said = FOREIGN[kind]
    for name in ("x.txt", "x.tsv", "x.csv", "x.jsonl", "x.gz", "x.xlsx", "x"):
        path = tmp_path / name
        path.write_bytes(raw)
        for read in (load, check):
            for shape in ("tagging", "single"):
                with pytest.raises(DataError) as caught:
                    read(path, shape=shape, encoding=encoding)
                assert str(caught.value).startswith(f"{path}: ")
                assert said in str(caught.value)
    with pytest.raises(DataError) as caught:
        stream_format(raw, path=path, options=ReadOptions(encoding=encoding))
    assert said in str(caught.value)


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252", "utf-8"])
def test_utf_16_by_its_mark_is_not_read_in_bytes(encoding, tmp_path):
    (tmp_path / "x.txt").write_bytes(TEXT.decode().encode("utf-16"))
    with pytest.raises(DataError, match=r"UTF-16, read as .*; set encoding: utf-16"):
        load(tmp_path / "x.txt", encoding=encoding)
    assert len(load(tmp_path / "x.txt", encoding="utf-16")) == 2


@pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
@pytest.mark.parametrize("text", [TEXT.decode(), "кору мира\nтал сен\n", "كورو ميرا\nتال سن\n"])
def test_wide_encodings_without_a_mark_are_known(codec, text, tmp_path):
    (tmp_path / "x.txt").write_bytes(text.encode(codec))
    with pytest.raises(DataError, match=f"{codec.upper()}, read as utf-8; set encoding: {codec}"):
        load(tmp_path / "x.txt")
    assert len(load(tmp_path / "x.txt", encoding=codec)) == 2


def test_ebcdic_is_proposed_and_read(tmp_path):
    (tmp_path / "x.txt").write_bytes(TEXT.decode().encode("cp037"))
    with pytest.raises(DataError, match=r"encoding: cp037\?"):
        load(tmp_path / "x.txt")
    assert len(load(tmp_path / "x.txt", encoding="cp037")) == 2


@pytest.mark.parametrize("word", ["PK koru", "BZh koru", "PAR1 koru", "%PDF koru", "{\\rtf", "7z", "ko\0ru", "ÿþ"])
def test_words_that_begin_so_are_words(word, tmp_path):
    (tmp_path / "x.txt").write_text(f"{word} mira\nsen\n", encoding="utf-8")
    assert load(tmp_path / "x.txt")[0].segments == (f"{word} mira",)


def test_a_packed_file_called_parquet_is_named(tmp_path):
    (tmp_path / "x.parquet").write_bytes(gzip.compress(TEXT))
    with pytest.raises(DataError, match="gzip, not Parquet; unpack it"):
        load(tmp_path / "x.parquet")


@pytest.mark.parametrize(
    ("raw", "encoding", "other"),
    [
        ("koru’s mira –\n".encode("cp1252"), "utf-8", "cp1252"),
        ("koru…\n".encode("cp1252"), "ascii", "cp1252"),
        ("korú\n".encode("latin-1"), "utf-8", "latin-1"),
        ("korú \x81\n".encode("latin-1"), "utf-8", "latin-1"),
        ("korú\n".encode(), "ascii", "utf-8"),
    ],
)
def test_the_encoding_that_is_proposed_fits_the_bytes(raw, encoding, other, tmp_path):
    for name in ("x.txt", "x.conll"):
        (tmp_path / name).write_bytes(b"tal\n" + raw)
        shape = "single" if name == "x.txt" else "tagging"
        with pytest.raises(DataError, match=rf":2: byte 0x.. is not .*\(encoding: {other}\?\)"):
            load(tmp_path / name, shape=shape, encoding=encoding)
        with spelled_as("options"), pytest.raises(DataError, match=rf"\(--encoding {other}\?\)"):
            load(tmp_path / name, shape=shape, encoding=encoding)


@pytest.mark.parametrize("name", ["x.txt", "x.conll", "x.tsv", "x.csv", "x.jsonl", "x.parquet", "x"])
def test_a_pipe_is_refused_at_once_since_it_can_be_read_only_once(name, tmp_path):
    os.mkfifo(tmp_path / name)
    for read in (load, check):
        with pytest.raises(
            DataError, match="is not a regular file, and it has to be read more than once; save the data in a file"
        ):
            read(tmp_path / name, shape="tagging")
