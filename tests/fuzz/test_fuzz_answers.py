"""Answers beside the rows of mutated tables leave the rows as they were."""

from random import Random

import fuzz_answers
import pytest
from fuzz_formats import make

INPUTS = 80

pytestmark = pytest.mark.filterwarnings("ignore:invalid escape:DeprecationWarning")  # the codec unicode_escape


@pytest.mark.parametrize("format", fuzz_answers.FORMS)
def test_a_table_that_can_be_read_keeps_its_texts_beside_answers(format, tmp_path):
    cases = (make(format, Random(f"{format} answers {number}")) for number in range(INPUTS))
    read = sum(fuzz_answers.judge(case, tmp_path).rows > 0 for case in cases)
    assert INPUTS / 6 < read < INPUTS * 5 / 6, "neither all nor nothing is read, else the mutations are no test"
