"""Words from all over Unicode, and bytes as disks, editors and strangers damage them; all drawn from a generator."""

from random import Random

ODD = [
    *"\x00\x01\x07\x08\x0b\x0c\x1b\x1c\x1f\x7f\x85\xa0\xad\u061c\u1680\u2007\u200b\u200c\u200d\u200e\u2028\u2029\u202e",
    *"\u2066\u2069\u3000\ufdd0\ufe0f\ufeff\ufffd\uffff\U000e0001\U0010ffff\"',#&*!|>%@`{}[]:-\\/$~=",
    "e\u0301",
    "👩\u200d👧",
    "\u0e01\u0e33",
    "\x1b[31m",
    "[/b]",
    "-DOCSTART",
    "B-PER",
    "NULL",
    "nan",
]
PIECES = [
    *(bytes([byte]) for byte in b"\x00\t\n\r \"',\\{}[]:\xff\xfe\xc0\x80\xed"),
    *[b"\r\n", b"\n\n", b"\n\r", b"\r\r\n", b"\t\t", b'""', b'"\n"', b"\xef\xbb\xbf", b"\xff\xfe", b"\xed\xa0\x80"],
    *[b"\xf4\x90\x80\x80", b"\\ud800", b"\\u0000", b"null", b"NaN", b"1e999", b"-DOCSTART- -X- O O\n\n", b"B-PER"],
    *[b"I-PER", b"E-", b" O\n", b"\tO\n", b'{"text": 1}\n', b'{"text": "a", "text": "b"}\n', b"[[[[", b"9" * 5000],
    *["\u2028".encode(), "\u0085".encode(), "\u202e".encode(), "\u3000".encode(), b"+2AA-", b"PAR1"],
]
ENDS = [b"\r\n", b"\r", b"\n\n", b"\r\r\n", b"\n\r", "\u2028".encode()]
ENCODINGS = ["utf-8", "utf-8", "utf-8", "utf-8-sig", "utf-16", "latin-1", "cp1252", "utf-7", "utf-16-le"]
WRONG = ["utf-16", "utf-16-be", "utf-32", "ascii", "cp1252", "utf-7", "hex", "rot13", "zlib", "undefined", "idna"]
WRONG += ["punycode", "unicode_escape", "raw_unicode_escape", "uu", "no\0name", "\ud800", "", "shift_jis", "hz"]


def word(rng: Random, barred: str = " \t\r\n", encoding: str = "utf-8") -> str:
    """One to eight characters, none of them `barred`, one at least visible, all of them in `encoding`."""
    kind = rng.randrange(6)
    if kind < 3:
        chars = rng.choices("abcdefgh" if kind else "äßñçéØ¿", k=rng.randint(1, 8))
    elif kind == 3:
        chars = rng.choices(ODD, k=rng.randint(1, 4))
    else:
        chars = [chr(rng.randrange(0x110000 if kind == 4 else 0x3000)) for _ in range(rng.randint(1, 6))]
    written = "".join(char for char in "".join(chars) if char not in barred)
    sound = written.encode("utf-8", "ignore").decode()  # UTF-7 would take halves of surrogate pairs
    kept = sound.encode(encoding, "ignore").decode(encoding).removeprefix("\ufeff")
    return kept if any(char.isalnum() for char in kept) else f"{kept}x"


def sometimes_huge(rng: Random, words: list[str]) -> list[str]:
    """The words; once in four hundred times one of them is half a megabyte long, or there are 10⁵."""
    match rng.randrange(800):
        case 0:
            return [words[0] * (500_000 // len(words[0])), *words[1:]]
        case 1:
            return words + words[:1] * 100_000
    return words


def damaged(rng: Random, raw: bytes) -> bytes:
    """`raw` after one to four accidents."""
    for _ in range(rng.randint(1, 4)):
        raw = _accident(rng, raw)
    return raw


def _accident(rng: Random, raw: bytes) -> bytes:
    start = rng.randint(0, len(raw))
    stop = min(len(raw), start + rng.choice([0, 1, 1, 2, 8, 64]))
    piece = raw[start:stop]
    match rng.randrange(12):
        case 0:  # a truncated file
            return raw[:start]
        case 1:  # a lost beginning
            return raw[stop:]
        case 2:
            return raw[:start] + raw[stop:]
        case 3:
            return raw[:start] + piece * rng.choice([2, 2, 50]) + raw[stop:]
        case 4:
            return raw[:start] + rng.randbytes(len(piece)) + raw[stop:]
        case 5:
            return raw.replace(b"\n", rng.choice(ENDS), rng.choice([1, 2, -1]))
        case 6:  # written in another encoding
            text = raw.decode(rng.choice(["utf-8", "latin-1"]), "replace")
            return text.encode(rng.choice(["utf-8", "utf-16", "utf-16-le", "latin-1", "utf-8-sig"]), "replace")
        case 7:  # a block of zeros, as a disk leaves it
            return raw[:start] + b"\x00" * len(piece) + raw[stop:]
        case 8:
            inserted = rng.choice(PIECES)
            times = rng.choice([1, 1, 1, 30, 300_000 // len(inserted)])
            return raw[:start] + inserted * times + raw[stop:]
    return raw[:start] + rng.choice(PIECES) + raw[start if rng.random() < 0.5 else stop :]
