"""What becomes of the words of the testbed's sentences in vicinity samples of a masked LM.

    python bench/samples.py [MODEL] [--world N] [--top S] [--share P] [--count N]

MODEL is a folder that has read the world, as of `uxla testbed build`; without it the shipped one. A row a language:
of the words with an entity label the share that is one piece of the model's vocabulary, since a mask is filled by one;
of those that a sample replaces, the share that stays a proper name (begins with a capital; `joined` has letters
without) and the share whose new word is, in the world's own text, most often part of an entity of the same type. The
others are names of another type, common words, or words that the world does not have.
"""

import argparse
from collections import Counter, defaultdict
from pathlib import Path

from common import table
from transformers import AutoTokenizer

from uxla.algorithm.vicinity import Vicinity
from uxla.models.gen_lm.masked_lm import MaskedLM
from uxla.records import Corpus, Example
from uxla.testbed import asset
from uxla.testbed.languages import TARGETS
from uxla.testbed.world import Labelled, World

TEXT = 8000
"""Sentences of a language's text that tell which type a word mostly has."""


def main(given: argparse.Namespace) -> None:
    place = str(given.model or asset())
    world, model = World(given.world), MaskedLM.load(place, top=given.top, unit="word")
    tokenizer = AutoTokenizer.from_pretrained(place)
    rows = []
    for language in TARGETS:
        sentences = world.sentences(language, "train", given.count)
        examples = [Example(str(i), language, (" ".join(words),)) for i, (words, _) in enumerate(sentences)]
        made = Vicinity(model, given.share, (3,), 0)(Corpus.from_examples(language, ("O",), examples)).corpus
        types = common_types(world.sentences(language, "pretrain", TEXT))
        new = []
        for sample in made:
            words, tags = sentences[int(sample.id.split("~")[0])]
            changed = zip(words, tags, sample.segments[0].split(), strict=True)
            new += [(word, types.get(word) == tag[2:]) for old, tag, word in changed if tag != "O" and word != old]
        entities = [word for words, tags in sentences for word, tag in zip(words, tags, strict=True) if tag != "O"]
        whole = sum(len(tokenizer.tokenize(word)) == 1 for word in entities)
        names = sum(word[0].isupper() for word, _ in new)
        kept = sum(same for _, same in new)
        shares = (whole / len(entities), names / len(new), kept / len(new))
        rows.append((language, len(made), len(new), *(f"{share:.2f}" for share in shares)))
    table(["language", "samples", "entity words replaced", "one piece", "by a name", "by one of the same type"], rows)


def common_types(sentences: list[Labelled]) -> dict[str, str]:
    """Each word's most frequent type: PER, LOC, ORG, MISC, or O."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for words, tags in sentences:
        for word, tag in zip(words, tags, strict=True):
            counts[word][tag[2:] or "O"] += 1
    return {word: found.most_common(1)[0][0] for word, found in counts.items()}


if __name__ == "__main__":
    wanted = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    wanted.add_argument("model", nargs="?", type=Path, help="the masked LM's folder; the shipped one unless given")
    wanted.add_argument("--world", type=int, default=0, metavar="N")
    wanted.add_argument("--top", type=int, default=5, metavar="S")
    wanted.add_argument("--share", type=float, default=0.5, metavar="P")
    wanted.add_argument("--count", type=int, default=200, metavar="N", help="sentences of each language")
    main(wanted.parse_args())
