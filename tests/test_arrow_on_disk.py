"""Corpora larger than memory: the same as small ones, nothing left behind, one line where there is no room."""

import resource
import subprocess
import sys
import tempfile

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from uxla.arrow_on_disk import GATHERED_BYTES, HELD_BYTES, rows_at, table_of
from uxla.corpus_table import SCHEMA as EXAMPLES
from uxla.errors import ArtifactError
from uxla.records import Corpus, Example, concatenate

SCHEMA = pa.schema([("n", pa.int64()), ("text", pa.large_string())])
CHUNKS = st.lists(st.lists(st.text(max_size=5), max_size=6), min_size=1, max_size=6)
ROWS, LONG = 6_000, "long " * 700


def batches(chunks):
    first = 0
    for texts in chunks:
        yield pa.record_batch([pa.array(range(first, first + len(texts)), pa.int64()), texts], schema=SCHEMA)
        first += len(texts)


def examples(rows=ROWS, text=LONG):
    return (Example(f"x:c:{i}", "x", (f"{text}{i}", "other"), (i % 2,) if i % 3 else None) for i in range(rows))


def corpus(rows=ROWS, text=LONG):
    return Corpus.from_examples("c", ["no", "yes"], examples(rows, text))


@pytest.fixture
def aside(monkeypatch, tmp_path):
    """What is large is stored in this folder."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


@given(CHUNKS, st.sampled_from([0, 40, 1 << 20]))
def test_a_table_laid_aside_is_the_table_that_is_not(chunks, held):
    expected = pa.Table.from_batches(batches(chunks), SCHEMA)
    assert table_of(batches(chunks), SCHEMA, held_bytes=held).equals(expected)


@given(CHUNKS, st.sampled_from([1, 60, 1 << 20]), st.data())
def test_rows_are_gathered_in_the_order_asked_for(chunks, together, data):
    table = pa.Table.from_batches(batches(chunks), SCHEMA)
    indices = st.lists(st.integers(0, table.num_rows - 1), max_size=20) if table.num_rows else st.just([])
    wanted = np.array(data.draw(indices), dtype=np.int64)
    found = pa.Table.from_batches(rows_at(table, wanted, gathered_bytes=together), SCHEMA)
    assert found.equals(table.take(pa.array(wanted)))


@pytest.mark.parametrize("indices", [[0, 3], [-1, 0]])
def test_a_row_that_does_not_exist_is_refused(indices):
    with pytest.raises(IndexError, match="expected 0 to 2"):
        corpus(3).take(indices)


def test_a_large_corpus_has_the_digests_of_one_in_memory():
    order = np.random.default_rng(0).permutation(ROWS)
    labels, offsets = np.arange(ROWS) % 2, np.arange(ROWS + 1)
    whole = corpus()
    assert whole.table.nbytes > max(HELD_BYTES, GATHERED_BYTES)
    held = Corpus("c", whole.label_names, pa.table(whole.table.to_pydict(), EXAMPLES))
    taken = Corpus("c", whole.label_names, held.table.take(pa.array(order)))
    assert whole.digest == held.digest
    assert whole.take(order).digest == taken.digest
    assert concatenate("c", [whole.part(0, 17), whole.part(17)]).digest == held.digest
    assert whole.unlabelled().digest == held.unlabelled().digest
    assert whole.with_labels(labels, offsets).take(order).digest == held.with_labels(labels, offsets).take(order).digest


def test_a_small_corpus_touches_no_disk(monkeypatch, tmp_path):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "missing"))
    assert len(corpus(100, "text ").take(range(5))) == 5


def test_the_file_has_no_name_even_while_it_is_used(aside):
    whole = corpus()
    assert list(aside.iterdir()) == []
    assert whole[ROWS - 1].segments == (f"{LONG}{ROWS - 1}", "other")


def test_what_the_source_of_a_corpus_raises_comes_through_and_leaves_nothing(aside):
    def breaking_off():
        yield from examples()
        raise OSError("the source's own")

    with pytest.raises(OSError, match="the source's own"):
        Corpus.from_examples("c", ["no", "yes"], breaking_off())
    assert list(aside.iterdir()) == []


def test_a_disk_that_fills_up_is_one_line_with_the_remedy(aside):
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 17, hard))  # a write past it fails, as on a full disk
    try:
        with pytest.raises(ArtifactError, match=r"cannot be written \(File too large\); free space"):
            corpus()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert list(aside.iterdir()) == []


def test_a_missing_folder_for_temporary_files_is_one_line(aside, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(aside / "missing"))
    with pytest.raises(ArtifactError, match=r"missing: .* \(No such file or directory\)"):
        corpus()


MEASURED = """
import sys, threading, time
from pathlib import Path
import numpy as np
from uxla.algorithm.mixing import balanced_mix
from uxla.data.load import load_corpus
from uxla.records import concatenate

def anonymous():
    return int(Path("/proc/self/status").read_text().split("RssAnon:")[1].split()[0]) * 1024

def look():
    while True:
        seen.append(anonymous())
        time.sleep(0.005)

options = {"name": "c", "lang": "x", "label_names": ["no", "yes"], "labelled": True, "shape": "pair"}
load_corpus(sys.argv[1], **options, take=1).take([0])  # what is loaded once
seen = [anonymous()]
threading.Thread(target=look, daemon=True).start()
corpus = load_corpus(sys.argv[1], **options)
order = np.random.default_rng(0).permutation(len(corpus))
labelled = corpus.unlabelled().with_labels(order % 2, np.arange(len(corpus) + 1)).take(order)
mix, _ = balanced_mix([corpus, labelled], alpha=0.7, rng=np.random.default_rng(0))
parts = concatenate("parts", list(mix.parts(4096)))
assert sum(1 for _ in parts) == 2 * len(corpus) and len(parts.digest) == 64
print(max(seen) - seen[0])
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_corpora_larger_than_the_bound_stay_within_it(tmp_path):
    """200,000 pairs of 600 characters: 120 MB as a file, 500 MB in the corpora that are alive at the end."""
    file = tmp_path / "rows.tsv"
    with file.open("w") as stream:
        stream.write("premise\thypothesis\tlabel\n")
        stream.writelines(f"{i} {'p' * 300}\t{i} {'h' * 290}\tno\n" for i in range(200_000))
    done = subprocess.run([sys.executable, "-c", MEASURED, str(file)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < 200e6
