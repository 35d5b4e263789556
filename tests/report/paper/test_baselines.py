"""bench/paper_baselines.py: differences of the paper's own figures, and docs/results.md has what it prints."""

from pathlib import Path
from statistics import fmean

import pytest

RESULTS = Path(__file__).parents[3] / "docs" / "results.md"


@pytest.fixture(scope="module")
def baselines(bench):
    return bench("paper_baselines")


def test_the_page_has_what_the_command_prints(baselines, capsys):
    baselines.main()
    page = RESULTS.read_text(encoding="utf-8").splitlines()
    printed = [line for line in capsys.readouterr().out.splitlines() if line]
    assert len(printed) == 9 + 7 + 4
    assert not set(printed) - set(page)


def test_a_difference_is_that_of_the_printed_figures(baselines):
    targets, found = baselines.differences(baselines.ner())
    assert targets == ["es", "nl", "de", "ar", "fi"]
    headline = (83.05 - 79.29, 85.21 - 80.87, 80.33 - 73.40, 57.35 - 49.04, 79.75 - 75.57)
    assert found["UXLA − zero-shot"] == pytest.approx(headline)
    assert fmean(found["UXLA (ensemble) − ensemble of zero-shot"]) == pytest.approx(
        fmean((83.24, 85.32, 80.99, 58.29, 79.87)) - fmean((80.62, 81.46, 75.40, 52.30, 76.85))
    )
    assert found["UXLA, epoch 1 − tri-training, epoch 1"][0] == pytest.approx(82.33 - 82.50)
