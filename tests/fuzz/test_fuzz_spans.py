"""Of files with character spans every text is read as it stands, or the file is refused in one line."""

from random import Random

import fuzz_spans
import pytest

INPUTS = 100


@pytest.mark.parametrize("form", fuzz_spans.NAMES)
def test_every_text_of_a_mutated_file_is_read_and_written_or_the_file_is_refused(form, tmp_path):
    numbers = range(INPUTS)
    verdicts = [
        fuzz_spans.judge(fuzz_spans.make(form, Random(f"{form} quick {number}")), tmp_path) for number in numbers
    ]
    read = sum(verdict.rows > 0 for verdict in verdicts)
    assert INPUTS / 5 < read < INPUTS * 4 / 5, "neither all nor nothing is read, else the mutations are no test"
