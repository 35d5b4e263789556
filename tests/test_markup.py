"""One table in its forms; text of anybody is none of their markup."""

import csv
import io
import re

import pytest
from rich.console import Console

from uxla.markup import Figure, Row, Table, code_span, escaped

NASTY = "a|b <i>*[x](y)` \u202e"
TABLE = Table(
    names=("method", "run"),
    columns=("es", "سلام"),
    rows=(
        Row(("zero-shot", NASTY), (Figure("41.00 ± 1.00", values=(41.0, 1.0)), "83.05"), "first"),
        Row(("UXLA", "x" * 50), (Figure("45.00", strong=True, values=(45.0, None)), ""), "second", strong=True),
    ),
    title="Scores",
    notes=("note [a]",),
    warnings=("beware <b>",),
)
MARKDOWN = """\
**beware \\<b>.**

**Scores**

| method | run | es | \u2068سلام\u2069 |
| --- | --- | ---: | ---: |
| *first* |  |  |  |
| zero-shot | a\\|b \\<i>\\*\\[x\\](y)\\` \\\\u202e | 41.00 ± 1.00 | 83.05 |
| *second* |  |  |  |
| UXLA | xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx | **45.00** |  |

- note \\[a\\].
"""


def test_the_markdown_is_the_golden_one():
    assert TABLE.markdown() == MARKDOWN


def test_a_terminal_has_the_same_cells_and_no_control_characters():
    console = Console(width=200, record=True, file=io.StringIO())
    console.print(TABLE)
    text = console.export_text()
    for words in ("beware <b>.", "Scores", "method", "first", r"a|b <i>*[x](y)` \u202e", "41.00 ± 1.00", "note [a]."):
        assert words in text
    assert "\u202e" not in text
    assert text.index("beware") < text.index("Scores") < text.index("note")


def test_the_html_has_no_markup_of_others_and_isolates_names():
    html = TABLE.html()
    assert "<i>" not in html
    assert '<th class="number"><bdi>سلام</bdi></th>' in html
    assert '<tr class="own"><th scope="row"><bdi>UXLA</bdi></th>' in html
    assert '<td class="number">41.00 ± 1.00</td>' in html


def test_the_csv_has_a_line_for_each_cell_with_its_values_as_they_are():
    rows = list(csv.DictReader(io.StringIO(TABLE.csv())))
    assert [(row["section"], row["run"], row["column"], row["value"], row["sd"]) for row in rows] == [
        ("first", NASTY, "es", "41.0", "1.0"),
        ("first", NASTY, "سلام", "83.05", ""),
        ("second", "x" * 50, "es", "45.0", ""),
    ]


def test_a_table_without_rows_is_its_notes_and_one_without_heads_has_no_line_of_them():
    assert Table((), (), (), notes=("No scores",)).markdown() == "No scores.\n"
    console = Console(width=80, record=True, file=io.StringIO())
    console.print(Table(("", ""), (), (Row(("format", "conll")),), title="a.conll"))
    assert len(console.export_text().splitlines()) == 4


@pytest.mark.parametrize("text", ["`", "a``b", " ", "", "\u202e", "x" * 300])
def test_a_code_span_ends_where_it_should(text):
    span = code_span(text)
    fence = re.match("`+", span)[0]
    assert span.endswith(fence)
    assert fence not in re.findall("`+", span[len(fence) : -len(fence)])
    assert "\u202e" not in span
    assert len(span) < 250


def test_only_text_that_runs_from_right_to_left_is_isolated():
    assert escaped("Ana") == "Ana"
    assert escaped("سلام") == "\u2068سلام\u2069"
