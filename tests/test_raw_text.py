"""Raw text becomes words with their places: nothing that can be seen is lost, and a source says what stays together."""

import sys
from collections import Counter

import pytest
import regex

from uxla.errors import ConfigError
from uxla.raw_text import TOGETHER, is_cut, places_of, split_words, together_in

UNSEEN = regex.compile(r"[\s\p{Cc}\p{Default_Ignorable_Code_Point}]")


def words(text, segmenter="auto", **how):
    return [text[start:end] for start, end in split_words(text, segmenter, **how)]


def test_the_words_of_10_000_random_texts_hold_all_that_can_be_seen_in_its_order(random_texts):
    for text in random_texts(10_000):
        for together in (TOGETHER, (), ("elisions", "clitics", "numbers")):
            places, at = split_words(text, together=together), 0
            for start, end in [*places, (len(text), len(text))]:
                assert at <= start <= end
                assert not UNSEEN.sub("", text[at:start]), (text, together)
                at = end
            assert not any(
                UNSEEN.sub("", text[start:end]) == "" or set(text[start:end]) & set(" \t\r\n") for start, end in places
            )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Ana viajó a Lima, ¿no?", "Ana|viajó|a|Lima|,|¿|no|?"),
        ("(F-16) well-known 24/7 AT&T 5 %", "(|F-16|)|well-known|24|/|7|AT|&|T|5|%"),
        ("aujourd'hui don’t ‘so’", "aujourd'hui|don’t|‘|so|’"),
        ("1,000.5 12:30 3. 1.000,5", "1,000.5|12:30|3|.|1.000,5"),
        ("U.S. e.g. J. R. Tolkien. Plan B.", "U.S.|e.g.|J.|R.|Tolkien|.|Plan|B|."),
        ("wait... what?! --", "wait|...|what|?|!|--"),
        ("see https://a.b/c?d=1. or www.x.org, ana.li@x.org! @ana #lima", "see|https://a.b/c?d=1|.|or|www.x.org|,|ana.li@x.org|!|@ana|#lima"),
        ("#東京 http://x.org中", "#|東|京|http://x.org|中"),
        ("👩‍👩‍👧🇵🇪 ok👍🏽", "👩‍👩‍👧|🇵🇪|ok|👍🏽"),
        ("می‌خواهم हिन्दी", "می‌خواهم|हिन्दी"),
        ("กำไร ຂ້ອຍ ក្រុង", "กำ|ไ|ร|ຂ້|ອ|ຍ|ក្រុ|ង"),
        ("東京タワー3階", "東|京|タ|ワ|ー|3|階"),
        ("\u0600 a \u0600b", "\u0600|a|\u0600b"),
        ("cafe\u0301 a\u00a0b\u3000c", "cafe\u0301|a|b|c"),
    ],
)  # fmt: skip
def test_what_is_a_word(text, expected):
    assert words(text) == expected.split("|")


@pytest.mark.parametrize(
    ("together", "expected"),
    [
        ((), "l|'|eau|d|'|O|'|Brien|'|s|can|'|t|3|,|5"),
        (("elisions",), "l'|eau|d'|O'|Brien'|s|can'|t|3|,|5"),
        (("clitics", "numbers"), "l|'|eau|d|'|O|'|Brien|'s|ca|n't|3,5"),
        (("apostrophes", "clitics"), "l'eau|d'O'Brien|'s|ca|n't|3|,|5"),
    ],
)
def test_apostrophes_go_with_the_word_that_the_language_gives_them_to(together, expected):
    assert words("l'eau d'O'Brien's can't 3,5", together=together) == expected.split("|")


@pytest.mark.parametrize(
    ("source", "kept", "cut"),
    [
        ({"well-known": 3, "-": 2}, "hyphens", ""),
        ({"well-known": 1, "-": 2}, "", "hyphens"),
        ({"l'": 4, "aujourd'hui": 1}, "elisions", "apostrophes"),
        ({"'s": 4, "O'Brien": 1}, "clitics apostrophes", "elisions"),
        ({"don't": 1}, "apostrophes", "clitics elisions"),
        ({"n't": 1}, "clitics", "apostrophes"),
        ({"'": 9, "don": 1}, "", "apostrophes elisions clitics"),
        ({"7": 50}, "", "numbers"),
        ({"7": 50, "3.5": 1}, "numbers", ""),
        ({"mira": 5000}, "hyphens", "abbreviations repeats"),
        ({"mira": 5000, "U.S.": 1, "...": 1}, "abbreviations repeats", ""),
        ({}, " ".join(TOGETHER), "clitics elisions"),
    ],
)
def test_a_source_shows_what_it_keeps_together(source, kept, cut):
    found = set(together_in(Counter(source)))
    assert found >= set(kept.split())
    assert not found & set(cut.split())


def test_running_text_is_cut_as_the_source_is():
    source = "l' eau est - elle à 3,5 km ? J. dit : « non » ..."
    together = together_in(Counter(source.split()))
    assert words("l'eau est-elle à 3,5 km? J. dit: «non»...", together=together) == source.split()


def test_words_of_a_sentence_stand_one_space_apart():
    assert places_of(["ko", "mira", "."]) == [(0, 2), (3, 7), (8, 9)]
    assert places_of([]) == []


@pytest.mark.parametrize(
    ("texts", "yes"),
    [
        (["Ana vive en Lima ."], True),
        (["1,000 men of the U.S. said ( no ) ."], True),
        (["ko mira sen"], True),
        ([], True),
        (["Ana vive en Lima."], False),
        (["Ana , su hermana", "(y Bo)", "ya"], False),
        (["बुद्धि है।"], False),
        (["我 来到 北京 。"], True),
        (["我来到北京清华大学"], False),
        (["用 iPhone15手机 a000㐀"], True),
        (["ผม รัก ประเทศ ไทย"], True),
        (["ผมรักประเทศไทยมากๆครับ"], False),
    ],
)
def test_whether_text_is_cut_into_words_already(texts, yes):
    assert is_cut(texts) is yes


@pytest.mark.parametrize(
    ("segmenter", "text", "expected"),
    [
        ("pythainlp", "ผมรักประเทศไทย abc 東京", "ผม|รัก|ประเทศ|ไทย|abc|東|京"),
        ("jieba", "我来到北京清华大学,ok ไทย", "我|来到|北京|清华大学|,|ok|ไ|ท|ย"),
        ("fugashi", "東京タワーへ行く。ABC", "東京|タワー|へ|行く|。|ABC"),
    ],
)
@pytest.mark.filterwarnings("ignore")
def test_a_segmenter_cuts_the_script_it_is_for(segmenter, text, expected):
    pytest.importorskip(segmenter)
    assert words(text, segmenter) == expected.split("|")


@pytest.mark.parametrize("segmenter", ["pythainlp", "jieba", "fugashi"])
@pytest.mark.filterwarnings("ignore")
def test_a_segmenter_loses_nothing_and_tears_no_character(segmenter, random_texts):
    pytest.importorskip(segmenter)
    for text in random_texts(300, seed=1):
        whole = {edge for place in split_words(text, together=()) for edge in place}
        assert "".join(words(text, segmenter, together=())) == "".join(words(text, together=()))
        assert {edge for place in split_words(text, segmenter, together=()) for edge in place} <= whole


@pytest.mark.parametrize(("segmenter", "extra"), [("pythainlp", "thai"), ("jieba", "chinese"), ("fugashi", "japanese")])
def test_a_segmenter_that_is_not_installed_says_what_to_install(segmenter, extra, monkeypatch):
    monkeypatch.setitem(sys.modules, segmenter, None)
    monkeypatch.setitem(sys.modules, f"{segmenter}.tokenize", None)
    with pytest.raises(ConfigError, match=rf"{segmenter} is not installed \(.*\); run: pip install 'uxla\[{extra}\]'"):
        split_words("東京ไทย", segmenter)
