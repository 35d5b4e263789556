"""CoNLL files of some lines, and what is said of those that cannot be read."""

import pytest

from uxla.data.conll.file import read_conll
from uxla.errors import DataError, spelled_as


@pytest.fixture
def put(tmp_path):
    """Writes a file."""

    def put(content, name="x.conll"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return put


@pytest.fixture
def refused():
    """What is said of a CoNLL file when its labels are asked for, or something else of it."""

    def refused(path, ask=lambda file: file.tags, **options):
        with pytest.raises(DataError) as caught:
            ask(read_conll(path, **options))
        return str(caught.value).replace(str(path), "FILE")

    return refused


@pytest.fixture(autouse=True)
def _remedies_for_a_configuration():
    """Remedies are read as somebody with a configuration reads them: `encoding: cp1252`."""
    with spelled_as("yaml"):
        yield
