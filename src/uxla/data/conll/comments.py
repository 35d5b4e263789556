"""Which lines of a CoNLL file are no words: what separates sentences, and comments that cannot well be words."""

from __future__ import annotations

import re
from collections.abc import Sequence

AUTO = "auto"
"""Comments are told by their look; another text is the prefix of every comment; None: there are none."""

_DOCSTART = re.compile("-+DOCSTART-+", re.IGNORECASE)
_DOCUMENT = re.compile(r"#+\s*(begin|end) document\b")
_SURE = re.compile(r"#+\s*([\w.:-]+\s){1,2}=(\s|$)|#+\s+https?://")
_SPACED = re.compile(r"#+([ \t]|\Z)")
_USUAL = re.compile(r"#+\s*(sent_?id|sent-id|sentence|text|newdoc|newpar|id|doc_?id|doc|global\.columns)\b")
_LABEL = re.compile(r"O|[BIESLUM]-\S+|_|-|[(*].*|#|[A-Z]{1,5}|")


def separates(line: str, cells: Sequence[str], token_column: int, comment: str | None) -> bool:
    """Whether the line stands between sentences: blank, or the start or end of a document."""
    if not cells:
        return True
    if "-" in line and any(map(_DOCSTART.fullmatch, (cells[0], *cells[token_column:][:1]))):
        return True
    return comment == AUTO and line.startswith("#") and _DOCUMENT.match(line) is not None


def is_sure(line: str) -> bool:
    """Whether the line has the look of comments only: `# key = value`, `# http://…`."""
    return _SURE.match(line) is not None


def is_usual(line: str) -> bool:
    """Whether the line begins with a key that comments often have: `# id …`, `# sent_id …`."""
    return _USUAL.match(line) is not None


def may_be_comment(line: str) -> bool:
    """Whether the line begins as comments do: a # and a blank, or one of their keys. `#koru` is a word."""
    return line.startswith("#") and (_SPACED.match(line) is not None or is_usual(line) or is_sure(line))


def is_label_like(cell: str) -> bool:
    """Whether the cell may be a label, or a part of speech, of the word `#`, or a sign that there is none."""
    return _LABEL.fullmatch(cell) is not None
