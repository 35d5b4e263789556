"""Text that comes from users or data, made safe to stand in Markdown."""

from __future__ import annotations

import re


def inline(text: str) -> str:
    """`text` as a code span of Markdown, in which nothing is markup; what does not print is written as its escape."""
    shown = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text).strip(" ")
    shown = shown[:200] or "(empty)"
    fence = "`" * (1 + max(map(len, re.findall("`+", shown)), default=0))
    edge = " " if shown[0] == "`" or shown[-1] == "`" else ""
    return f"{fence}{edge}{shown}{edge}{fence}"
