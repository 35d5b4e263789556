"""Scripts that write no spaces, and characters with their marks, as parts of regular expressions."""

from __future__ import annotations

UNSPACED = r"\p{Han}\p{Hiragana}\p{Katakana}\p{Bopomofo}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}\p{Tibetan}"
"""The characters of scripts that write no spaces between words, as a part of a character class of `regex`."""

CLUSTER = r"\X(?:(?:(?=\p{M})|(?<=[\u1039\u17d2])(?!\s))\X)*"
"""A character with its marks, and with what the Burmese virama and the Khmer coeng stack below it."""
