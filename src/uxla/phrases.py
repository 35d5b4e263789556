"""Parts of messages: counts with nouns, shortened lists, quoted names."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence


def counted(count: int, noun: str, plural: str | None = None) -> str:
    """The number and its noun: `1 word`, `2 words`.

    >>> counted(1, "sentence"), counted(0, "sentence"), counted(2, "entity", "entities")
    ('1 sentence', '0 sentences', '2 entities')
    """
    return f"{count} {noun if count == 1 else plural or noun + 's'}"


def duration(seconds: float) -> str:
    """Seconds, minutes or hours, whichever are at least one: a digit after the point of less than ten hours only.

    >>> duration(40), duration(750), duration(19_800), duration(361_440)
    ('40 s', '12 min', '5.5 h', '100 h')
    """
    if round(seconds) < 60:
        return f"{seconds:.0f} s"
    if round(seconds / 60) < 60:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.0f} h" if seconds >= 9.95 * 3600 else f"{seconds / 3600:.1f} h"


def signed(value: float, digits: int = 1) -> str:
    """A number with its sign, a minus sign in place of a hyphen.

    >>> signed(1.25), signed(-0.5), signed(3, digits=2)
    ('+1.2', '−0.5', '+3.00')
    """
    return f"{value:+.{digits}f}".replace("-", "\N{MINUS SIGN}")


def listed(names: Iterable[str], most: int = 9) -> str:
    """The first names, and how many there are where that is not all.

    >>> listed(["a", "b", "c"], most=2)
    'a, b, … (3)'
    """
    every = list(names)
    return ", ".join(every[:most]) + (f", … ({len(every)})" if len(every) > most else "")


def seen(name: str) -> str:
    """`name` as it stands, quoted where a part of it could not be seen otherwise: blanks at an end or together, and
    characters without a picture of their own, which are written as escapes.

    >>> print(seen("PER"), seen("PER "), seen("P\\u200bER"), seen("two words"))
    PER 'PER ' 'P\\u200bER' two words
    """
    hidden = any(unicodedata.category(c)[0] in "CZ" and c != " " for c in name)
    return repr(name) if hidden or name != " ".join(name.split(" ")).strip() or "  " in name or not name else name


def enumerated(names: Sequence[object]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    shown = [str(name) for name in names]
    return " and ".join([", ".join(shown[:-1]), shown[-1]] if len(shown) > 1 else shown)


def first_line(error: BaseException) -> str:
    """The first line of what an error of a library says, without a full stop; its type where it says nothing.

    >>> first_line(OSError("no space\\nleft")), first_line(KeyError())
    ('no space', 'KeyError')
    """
    return (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")


def models(numbers: Sequence[int]) -> str:
    """`model 1`, `models 1 and 2`."""
    return f"model{'s' * (len(numbers) > 1)} {enumerated(numbers)}"


def one_label_only(numbers: Sequence[int]) -> str:
    """How messages describe models that have collapsed."""
    return f"{models(numbers)} give{'s' * (len(numbers) == 1)} nearly one label only"
