"""What is said of files that can be read and are hardly what they are taken for; and that nothing is said of others."""

from collections import Counter
from pathlib import Path

import pytest

from uxla.data.checks.check import check
from uxla.data.checks.differences import differences, missing_labels
from uxla.data.checks.doubts import doubts, languages, name_doubts
from uxla.data.checks.noise import double_encoding
from uxla.data.checks.statistics import Statistics
from uxla.data.formats.table import Table
from uxla.data.options import ReadOptions
from uxla.errors import spelled_as

SENTENCES = [f"Koru mira {tail} , tal {tail}eno ." for tail in ("sen", "ru", "dav", "osi", "nel", "hub", "wik", "zan")]


def portrait(texts, labels=None, shape="tagging", lines=False):
    """A portrait of texts, each alone or with others of its row."""
    found = Statistics(shape)
    for number, text in enumerate(texts, 1):
        row = (text,) if isinstance(text, str) else text
        found.add(row, None if labels is None else labels[number - 1], lambda word, n=number: n if lines else 0)
    return found


def said(found):
    """What each doubt is about, and its sentence."""
    return {doubt.about: doubt.text for doubt in found}


def test_plain_sentences_raise_no_doubt():
    assert said(doubts(portrait(SENTENCES * 3))) == {}


# --- words ---------------------------------------------------------------------------------------------------------


def test_a_language_before_every_word_is_seen():
    texts = [" ".join(f"fr:{word}" for word in text.split()) for text in SENTENCES]
    assert said(doubts(portrait(texts))) == {
        "prefix": "every word begins with 'fr:', as in raw WikiANN; remove it first"
    }
    mixed = [" ".join(f"{'fr' if i % 2 else 'de'}:{word}" for i, word in enumerate(text.split())) for text in SENTENCES]
    assert said(doubts(portrait(mixed))) == {}


@pytest.mark.parametrize("words", ["ru:sen", "ru: sen", ": : :", "16:30 17:45"])
def test_few_words_with_a_colon_are_no_prefix(words):
    assert "prefix" not in said(doubts(portrait([words, *SENTENCES])))


def as_read_by(text, codec):
    """`text` with its UTF-8 bytes read one by one."""
    decoded = (bytes([byte]).decode(codec, "replace") for byte in text.encode())
    return "".join(char if char != "\ufffd" else chr(byte) for char, byte in zip(decoded, text.encode(), strict=True))


@pytest.mark.parametrize("codec", ["cp1252", "latin-1"])
@pytest.mark.parametrize("word", ["korué", "“mira”", "ñandu", "5€", "Кору", "Μίρα", "水车", "कोरु", "naïve…"])
def test_text_that_was_encoded_twice_is_seen_in_one_word_of_any_script(word, codec):
    found = double_encoding({"mira": 5000, as_read_by(word, codec): 1})
    assert (found.words, found.codec, found.meant) == (1, "cp1252", word)


@pytest.mark.parametrize("codec", ["cp1251", "cp1250"])
@pytest.mark.parametrize("word", ["korué", "Кору"])
def test_text_that_was_read_by_another_windows_encoding_is_named_by_it(word, codec):
    found = double_encoding({"mira": 50, as_read_by(word, codec): 9})
    assert (found.words, found.codec, found.meant) == (9, codec, word)


@pytest.mark.parametrize(
    "word",
    [
        "groß“",
        "CAFÉ”",
        "JOSÉ’s",
        "«CASĂ»",
        "É»",
        "Übung“",
        "été",
        "Ñandú",
        "ß–",
        "IRMÃ",
        "Його",
        "Їжа",
        "його»",
        "水车",
        "…“",
    ],
)
def test_accents_and_marks_of_real_spelling_are_not_taken_for_a_second_encoding(word):
    assert double_encoding({word: 3, "mira": 400}) is None


def test_a_second_encoding_is_told_with_an_example():
    found = said(doubts(portrait([*SENTENCES, "Koru MÃ©ri ."])))
    assert found["encoding"].startswith("1 word like 'MÃ©ri', meant as 'Méri': UTF-8 was read as cp1252; repair")


WORDS = ["koru", "mira", "tal", "sen", "vapo", "lide", "runo", "teki", "solu", "hama"]
LINES = [" ".join(WORDS[(3 * i + j) % 10] for j in range(3 + i % 4)) for i in range(12)]


@pytest.mark.parametrize(
    ("form", "says"),
    [
        ("__label__neg {}", "nearly every text begins like '__label__neg'"),
        ("[2031-02-03T12:04:05Z] WARN {}", "nearly every text begins like '[2031-02-03T12:04:05Z]'"),
        ("{{'text': '{}'}}", "nearly every text begins like \"{'text':\""),
        ("| 7 | {} |", "nearly every text begins like '|'"),
        ('"{}"', "nearly every text begins like"),
        ("{} tal,neg", "nearly every text ends like 'tal,neg'; of a table set format: csv"),
        ('<seg id="4"> {} </seg>', "12 words have a tag of markup, as '</seg>'"),
        ("koru <PER>mira</PER> {}", "12 words have a tag of markup"),
        ("koru&nbsp;mira {}", "12 words have a character reference of HTML"),
        ("mira \\u043a\\u043e {}", "12 words have an escape"),
        ("mira %D0%BA {}", "12 words have an escape"),
    ],
)
def test_what_stands_in_every_text_and_is_no_language_is_told(form, says):
    assert any(says in doubt.text for doubt in doubts(portrait([form.format(line) for line in LINES])))


@pytest.mark.parametrize("tag", ["/NN", "|NN", "_NN", "#NN", "/PRP$"])
def test_a_tag_behind_every_word_is_told(tag):
    texts = [" ".join(word + tag for word in line.split()) for line in LINES]
    assert said(doubts(portrait(texts))) == {
        "form": f"nearly every word has a tag attached, as 'koru{tag}'; remove it",
    }


def test_numbers_and_times_of_subtitles_are_told():
    texts = [part for i, line in enumerate(LINES) for part in (str(i), f"00:00:{i:02} --> 00:01:00", line)]
    assert said(doubts(portrait(texts)))["form"].startswith("24 texts have numbers and no letter, as '0'")


@pytest.mark.parametrize(
    "form",
    [
        "{}",
        "- {}",
        "Mira: {}",
        "{} | koru",
        "{} #mira",
        "koru; tal/sen {}",
        "w7 {} w8",
        "'{}'",
        "{} 3 < 4",
        "koru-mira {}!",
        "{} _",
    ],
)
def test_signs_of_real_text_are_no_form(form):
    assert "form" not in said(doubts(portrait([form.format(line) for line in LINES])))


def test_a_very_long_word_takes_no_time():
    assert "form" not in said(doubts(portrait([*LINES, "koru" * 100_000, "_/" * 100_000])))


# --- texts ---------------------------------------------------------------------------------------------------------


def test_signs_of_a_missing_text_are_named():
    pairs = [(text, text[::-1]) for text in SENTENCES]
    assert said(doubts(portrait([*pairs, ("NS", "koru"), ("mira", "NS")], shape="pair"))) == {
        "no text": "'NS' (2): a sign that the text is missing; leave such rows out"
    }
    assert said(doubts(portrait([*SENTENCES, "none", "na", "No"], shape="single"))) == {}


def test_one_text_of_a_pair_that_comes_again_and_again_is_shown():
    pairs = [(f"{text} {i}", f"{i} {text}") for i in range(10) for text in SENTENCES]
    filler = [(f"koru {i}", "Not translated") for i in range(9)]
    found = said(doubts(portrait([*pairs, *filler], shape="pair")))
    assert found == {"repeated": "'Not translated' stands 9 times as the second text, no other text nearly as often"}


def test_premises_that_all_stand_three_times_are_no_repetition():
    pairs = [(text, f"{text} {i}") for text in SENTENCES for i in range(9)]
    assert said(doubts(portrait(pairs, shape="pair"))) == {}


def test_a_line_of_marks_between_sentences_is_no_repetition():
    assert said(doubts(portrait([*SENTENCES, *["-"] * 90]))) == {}
    assert "repeated" in said(doubts(portrait([*SENTENCES, *["Sign in"] * 90])))


def test_repetitions_are_found_among_more_texts_than_are_kept():
    texts = [text for i in range(55_000) for text in (f"koru {i}", "Sign in")]
    assert "'Sign in' stands 55000 times" in said(doubts(portrait(texts, shape="single")))["repeated"]


@pytest.mark.parametrize("shape", ["single", "tagging"])
def test_equal_texts_with_different_labels_are_counted_with_the_first_lines(shape):
    texts = ["koru", "mira", "sen", "mira", "koru", "koru", "tal"]
    labels = ["a", "a", "b", "b", "a", "a", "a"]
    found = list(doubts(portrait(texts, labels, shape, lines=True)))
    assert said(found) == {"contradiction": "1 text has different labels in different places, as in lines 2 and 4"}
    assert not found[0].minor


def test_a_contradiction_in_a_hundred_texts_and_more_is_minor():
    texts = [f"koru {i}" for i in range(199)]
    found = list(doubts(portrait([*texts, "koru 5"], ["a"] * 199 + ["b"])))
    assert [doubt.minor for doubt in found] == [True]


def test_texts_without_labels_contradict_nothing():
    assert said(doubts(portrait(["koru", "koru"], [None, None]))) == {}
    assert said(doubts(portrait(["koru", "koru"], [None, "a"]))) == {}


# --- names ---------------------------------------------------------------------------------------------------------


def test_odd_types_are_named_and_good_ones_are_not():
    found = said(name_doubts({'DATE" E_OFF="5': 1, "PER": 16, "LOC": 4, "work-of-art": 2}, "type"))
    assert found == {"suspicious type": 'DATE" E_OFF="5 has a blank in it (1); is it an entity type?'}


def test_names_that_differ_in_capitals_and_signs_only_are_named():
    assert said(name_doubts({"PER": 5, "Per": 1, "LOC": 2}, "type")) == {
        "alike": "PER, Per differ in capitals and signs only; if they are one type, map them (labels)"
    }
    assert said(name_doubts({"0": 5, "1": 5, "-1": 3, "?": 1}, "label")) == {}  # three classes
    assert said(name_doubts({"PER": 5, "PERS": 1}, "type")) == {}


# --- two files -----------------------------------------------------------------------------------------------------


def glue(text):
    return text.replace(" ,", ",").replace(" .", ".")


def test_punctuation_of_raw_text_is_held_against_that_of_tokenised_text():
    apart, glued = portrait(SENTENCES * 3), portrait([glue(text) for text in SENTENCES] * 3)
    for here, there, names in ((apart, glued, ("en", "xx")), (glued, apart, ("xx", "en"))):
        assert said(differences(here, there, names)) == {
            "punctuation": "marks are words of their own in en and stand at the end of words in xx "
            "('mira ,' and 'mira,'); cut both into words alike"
        }
    assert said(differences(apart, apart, ("en", "xx"))) == said(differences(glued, glued, ("en", "xx"))) == {}


def test_punctuation_is_no_matter_where_labels_are_of_whole_texts():
    apart = portrait(SENTENCES * 3, shape="single")
    glued = portrait([glue(text) for text in SENTENCES] * 3, shape="single")
    assert said(differences(apart, glued, ("en", "xx"))) == {}


@pytest.mark.parametrize(
    "word", ["." * 200_000 + "a", "-" * 200_000, "a" * 200_000 + "..", ".-" * 100_000, "Ã" * 200_000]
)
def test_very_long_words_are_looked_at_at_once(word):
    long = portrait([f"koru {word} tal {word}"] * 2)
    assert said(doubts(long)) == {}
    assert "punctuation" not in said(differences(portrait(SENTENCES * 3), long, ("en", "xx")))


def test_full_stops_of_abbreviations_are_no_glued_punctuation():
    short = portrait(["Dr. Koru mira e.g. tal U.S. sen , nel ."] * 20)
    assert said(differences(portrait(SENTENCES * 3), short, ("en", "xx"))) == {}


def test_text_without_spaces_is_held_against_text_with_them():
    joined = portrait(["水车在河边没有人看守灯却亮着", "风吹过山谷的时候鸟儿都不叫了"] * 5)
    found = said(differences(portrait(SENTENCES), joined, ("en", "zh")))
    assert found["spaces"].startswith("the words of zh have 14 characters on average, the other's 3; is there a space")
    cut = portrait([" ".join("水车在河边没有人看守灯却亮着")] * 5)
    assert said(differences(portrait(SENTENCES), cut, ("en", "zh"))) == {}


@pytest.mark.parametrize("write", [str.lower, str.upper], ids=["lower", "upper"])
def test_text_without_or_only_with_capitals_is_held_against_other_text(write):
    plain, other = portrait(SENTENCES * 20), portrait([write(text) for text in SENTENCES * 20])
    for here, there, names in ((plain, other, ("en", "xx")), (other, plain, ("xx", "en"))):
        assert "xx " in said(differences(here, there, names))["capitals"]
    assert said(differences(other, other, ("en", "xx"))) == {}


def test_scripts_without_capitals_have_none_to_miss():
    greek, hindi = portrait(["Κορου μιρα σεν ."] * 300), portrait(["कोरु मीरा सेन ।"] * 300)
    assert said(differences(greek, hindi, ("el", "hi"))) == {}


def test_labels_that_the_other_file_should_have_and_has_not_are_named_together():
    trained = {"PER": 500, "LOC": 300, "DATE": 150, "EVT": 50}
    found = said(missing_labels(trained, {"PER": 100, "LOC": 100}, ("en", "xx test"), "entities"))
    assert found == {"labels": "xx test has no DATE, EVT, 20% of the entities in en; does it have another name there?"}
    assert said(missing_labels(trained, {"PER": 6, "LOC": 3}, ("en", "xx test"), "entities")) == {}  # by chance
    assert said(missing_labels({}, {"PER": 100}, ("raw", "xx"), "entities")) == {}
    assert said(missing_labels(trained, {}, ("en", "raw"), "entities")) == {}


# --- files ---------------------------------------------------------------------------------------------------------


def table(path, rows, **more):
    path.write_text("".join("\t".join(row) + "\n" for row in rows), encoding="utf-8")
    return Table(path, "tsv", "pair", ReadOptions(**more))


def test_a_column_of_languages_is_told_with_the_remedy(tmp_path):
    rows = [("language", "premise", "hypothesis"), *((lang, "koru", f"mira {lang}") for lang in ("es", "fr", "es"))]
    assert said(languages(table(tmp_path / "x.tsv", rows))) == {
        "languages": "column 'language' has 2 values (es 2, fr 1), all of them are read; "
        "for one of them set where: {language: es}"
    }
    assert said(languages(table(tmp_path / "x.tsv", rows), "fr"))["languages"].endswith("set where: {language: fr}")
    with spelled_as("options"):
        assert said(languages(table(tmp_path / "x.tsv", rows)))["languages"].endswith("set --where language=es")
    chosen = table(tmp_path / "x.tsv", rows, where={"language": ("es",)})
    assert said(languages(chosen)) == {}
    assert said(languages(table(tmp_path / "y.tsv", [row for row in rows if row[0] != "fr"]))) == {}
    assert said(languages(table(tmp_path / "z.tsv", [row[1:] for row in rows]))) == {}


def test_languages_of_json_lines_are_seen_too(tmp_path):
    lines = [f'{{"text": "koru {i}", "Lang": "{lang}"}}\n' for i, lang in enumerate(("es", "fr", "es"))]
    (tmp_path / "x.jsonl").write_text("".join(lines), encoding="utf-8")
    assert (
        "column 'Lang' has 2 values (es 2, fr 1)"
        in said(check(tmp_path / "x.jsonl", shape="single").doubts)["languages"]
    )


def test_a_file_is_checked_for_its_own_doubts_and_against_another(tmp_path):
    source = "".join(f"{word}\t{'B-DATE' if word == 'tal' else 'O'}\n" for word in " ".join(SENTENCES * 9).split())
    (tmp_path / "en.conll").write_text(source.replace(".\tO\n", ".\tO\n\n"), encoding="utf-8")
    target = "".join("".join(f"fr:{word}\tB-PER\n" for word in glue(text).split()) + "\n" for text in SENTENCES * 9)
    (tmp_path / "fr.conll").write_text(target, encoding="utf-8")
    found = check(tmp_path / "fr.conll", against=tmp_path / "en.conll")
    assert Counter(doubt.about for doubt in found.doubts) == {"punctuation": 1, "labels": 2}
    assert check(tmp_path / "en.conll", against=tmp_path / "en.conll").doubts == ()


# --- real data -----------------------------------------------------------------------------------------------------

REAL = Path(__file__).parents[2].parent / "shared" / "data"
SOUND = [*(f"conll/{lang}" for lang in ("en", "es", "de")), *(f"masakhaner2/{lang}" for lang in ("hau", "swa", "yor"))]


@pytest.mark.slow
@pytest.mark.skipif(not REAL.is_dir(), reason="the real data (../shared/data) is not on this machine")
@pytest.mark.parametrize("folder", SOUND)
def test_real_tagged_data_raises_no_doubt_but_of_labels(folder):
    """Labels: MasakhaNER has DATE, CoNLL has MISC; and annotators contradict themselves in a text in a thousand."""
    found = check(REAL / folder / "dev.conll", against=REAL / "conll/en/dev.conll").doubts
    assert {doubt.about for doubt in found if not doubt.minor} <= {"labels"}
    assert ("masakhaner2" in folder) == any("DATE" in doubt.text for doubt in found)


@pytest.mark.slow
@pytest.mark.skipif(not REAL.is_dir(), reason="the real data (../shared/data) is not on this machine")
def test_what_is_wrong_with_real_data_is_told():
    spanish = said(check(REAL / "pawsx/es/dev.tsv", shape="pair").doubts)
    assert spanish == {"no text": "'NS' (39): a sign that the text is missing; leave such rows out"}
    assert "3 words like" in said(check(REAL / "xnli/es/dev.tsv", shape="pair").doubts)["encoding"]
    urdu = check(REAL / "panx/ur/dev.conll", against=REAL / "panx/en/dev.conll").doubts
    assert [doubt.about for doubt in urdu] == ["punctuation"]


@pytest.mark.parametrize(
    ("labels", "doubted"), [(range(20), True), ([0] * 11 + [*range(1, 10)], False), (range(9), False)]
)
def test_labels_that_are_nearly_all_different_may_be_another_column(labels, doubted, tmp_path):
    rows = "".join(f"koru {i}\tmira {label}\n" for i, label in enumerate(labels))
    (tmp_path / "x.tsv").write_text(f"text\tlabel\n{rows}")
    found = {doubt.about: doubt.text for doubt in check(tmp_path / "x.tsv", shape="single").doubts}
    said = "20 labels for 20 texts; is it the labels' column? name it (columns)"
    assert found == ({"labels": said} if doubted else {})


@pytest.mark.parametrize("names", [("göd", "go\u0308d"), ("good", "ｇｏｏｄ")])
def test_one_name_in_two_forms_of_unicode_is_told(names):
    assert "alike" in said(name_doubts(dict.fromkeys(names, 4), "label"))


@pytest.mark.parametrize("what", ["label", "type"])
def test_a_name_of_letters_from_two_scripts_is_told(what):
    doubt = said(name_doubts({"PER": 4, "\u0420ER": 1, "ПЕР": 2}, what))
    assert doubt == {f"suspicious {what}": "'\\u0420ER' mixes letters of several scripts (1); is it spelt right?"}


def test_numbers_that_differ_in_their_sign_are_not_alike():
    assert said(name_doubts({"-1": 4, "0": 4, "1": 4}, "label")) == {}


def test_numbers_written_in_two_ways_are_alike_and_fractions_are_told():
    assert said(name_doubts({"0": 4, "0.0": 4, "-1": 2, "1": 2}, "label"))["alike"].startswith("0, 0.0 differ")
    assert said(name_doubts({"0.0": 4, "1.0": 4}, "label")) == {}
    assert "0.25, 1.5: numbers with a fraction" in said(name_doubts({"0.25": 4, "1.5": 4}, "label"))["labels"]
