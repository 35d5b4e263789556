"""The real data, where it is at hand, is read to the last row. Counts are those its sources publish."""

from pathlib import Path

import pytest

from uxla.data.checks.check import check
from uxla.data.conll.file import read_conll
from uxla.data.load import load_corpus

REAL = Path(__file__).parents[2].parent / "shared" / "data"
NLI = ("contradiction", "entailment", "neutral")
TOPICS = ("entertainment", "geography", "health", "politics", "science/technology", "sports", "travel")
SIB = [
    "arb_Arab",
    "eng_Latn",
    "hin_Deva",
    "mya_Mymr",
    "quy_Latn",
    "spa_Latn",
    "swh_Latn",
    "urd_Arab",
    "yor_Latn",
    "zho_Hans",
]

PAIRS = {
    **{f"xnli/{lang}": (NLI, {"dev": 2_490, "test": 5_010}) for lang in ("en", "es", "ar", "sw", "hi", "zh")},
    **{f"pawsx/{lang}": (("0", "1"), {"dev": 2_000, "test": 2_000}) for lang in ("en", "es", "zh", "ja")},
    **{f"americasnli/{lang}": (NLI, {"dev": 743, "test": 750}) for lang in ("quy", "gn")},
    "nli_en": (NLI, {"taxinli10k_mnli": 10_071}),
}
SINGLES = {f"sib200/{lang}": (TOPICS, {"train": 701, "dev": 99, "test": 204}) for lang in SIB}
MASAKHANER = {  # MasakhaNER 2.0, Adelani et al. 2022, Table 2
    "hau": {"train": 5_716, "dev": 816, "test": 1_633},
    "swa": {"train": 6_593, "dev": 942, "test": 1_883},
    "yor": {"train": 6_876, "dev": 983, "test": 1_964},
}

pytestmark = pytest.mark.skipif(not REAL.is_dir(), reason="the real data (../shared/data) is not on this machine")


def load(path, shape, names):
    return load_corpus(path, name=path.stem, lang=path.parent.name, label_names=names, labelled=True, shape=shape)


@pytest.mark.parametrize("folder", [*PAIRS, *SINGLES])
def test_every_row_of_a_real_table_is_read_as_it_stands(folder):
    names, counts = (PAIRS | SINGLES)[folder]
    shape = "pair" if folder in PAIRS else "single"
    for split, count in counts.items():
        path = REAL / folder / f"{split}.tsv"
        corpus = load(path, shape, names)
        assert (split, len(corpus)) == (split, count)
        lines = path.read_bytes().split(b"\n")[1 : count + 1]
        for example, line in zip(corpus, lines, strict=True):
            fields = line.decode().removesuffix("\r").split("\t")
            assert {*example.segments, names[example.labels[0]]} <= set(map(meant, fields))


def meant(field):
    """The text of a cell, which some of these files have in quotes, as a CSV writer wrote them."""
    inner = field[1:-1].replace('""', "")
    quoted = field[:1] == field[-1:] == '"' and '"' not in inner and '""' in field[1:-1]
    return field[1:-1].replace('""', '"') if quoted else field


@pytest.mark.parametrize("lang", sorted(MASAKHANER))
def test_masakhaner_has_the_published_number_of_sentences(lang):
    for split, count in MASAKHANER[lang].items():
        assert len(read_conll(REAL / "masakhaner2" / lang / f"{split}.conll").sentences) == count


def test_half_of_urdu_dev_also_stands_in_train():
    """As the data's README says of WikiANN's Urdu."""
    report = check(REAL / "panx/ur/dev.conll", against=REAL / "panx/ur/train.conll")
    assert report.overlap is not None
    assert (report.sentences, report.overlap.examples) == (1_000, 500)
