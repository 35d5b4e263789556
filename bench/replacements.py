"""What a masked LM puts in the place of words, by the settings of the vicinity.

    python bench/replacements.py MODEL FILE… [--count N] [--precision P]

FILE is a corpus of `ner`; N of its sentences are varied once each. A row for each file and setting: the words that are
new; the share of them that replaced a sign; of those that replaced a word of letters, the share without a letter; of
those that replaced a word of more than three characters, the share of up to three; of those that replaced a word with a
capital, the share without; how many of a hundred new words are different; seconds of the processor.
"""

import argparse
import time
from collections.abc import Callable
from typing import Any

from common import table

import uxla

SETTINGS: tuple[dict[str, Any], ...] = (
    {},
    {"top": 5},
    {"match": "kind"},
    {"match": "case"},
    {"match": "length"},
    {"match": "length", "top": 5},
    {"match": "length", "top": 20},
)
HEADS = ("file", "setting", "new", "for a sign", "no letter", "short for long", "no capital", "different", "s")
Test = Callable[[str], bool]


def main(given: argparse.Namespace) -> None:
    rows = []
    for file in given.files:
        texts = [list(example.words) for example in uxla.read(file, task="ner", take=given.count)]
        for settings in SETTINGS:
            began = time.process_time()
            options = {"model": given.model, "precision": given.precision, "max_length": 128, "copies": 1, **settings}
            samples = list(uxla.augment(texts, **options))
            seconds = time.process_time() - began
            pairs = [(texts[sample.parent][i], sample.text[i]) for sample in samples for i in sample.changed[0]]
            named = ", ".join(f"{name} {value}" for name, value in settings.items()) or "the paper's"
            rows.append((file, named, len(pairs), *figures(pairs), f"{seconds:.0f}"))
    table(HEADS, rows)


def figures(pairs: list[tuple[str, str]]) -> list[str]:
    """The shares, in percent."""
    return [
        f"{100 * sum(not any(map(str.isalnum, old)) for old, _ in pairs) / len(pairs):.0f}",
        lost(pairs, lambda word: any(map(str.isalpha, word))),
        lost(pairs, lambda word: len(word) > 3),
        lost(pairs, lambda word: word[0].isupper()),
        f"{100 * len({new for _, new in pairs}) / len(pairs):.0f}",
    ]


def lost(pairs: list[tuple[str, str]], test: Test) -> str:
    """Of the words that pass a test, the share whose replacement does not."""
    passed = [test(new) for old, new in pairs if test(old)]
    return f"{100 * (1 - sum(passed) / len(passed)):.0f}" if passed else "–"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("files", nargs="+")
    parser.add_argument("--count", type=int, default=60)
    parser.add_argument("--precision", default="fp32")
    main(parser.parse_args())
