"""`uxla.read`: the same examples in memory, in a data frame and in a file are the same corpus."""

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from uxla.corpora import labelled_like, raw, read, task_of
from uxla.errors import ConfigError, DataError
from uxla.records import IGNORED, Corpus, Example

WORDS = [(["Ana", "lee"], ["B-PER", "O"]), (["Nueva", "Loma", "."], ["B-LOC", "I-LOC", "O"])]
TEXTS = [("a good film", "good"), ("a poor plot", "bad"), ("so so", "good")]
PAIRS = [("a man eats", "he dines", 1), ("a man eats", "he sleeps", 0)]
COLUMNS = {"ner": ("tokens", "tags"), "classification": ("text", "label"), "nli": ("first", "second", "label")}
EXAMPLES = {"ner": WORDS, "classification": TEXTS, "nli": PAIRS}


def content(corpus):
    return corpus.label_names, [(example.segments, example.labels) for example in corpus]


def columns(task):
    return {name: list(cells) for name, cells in zip(COLUMNS[task], zip(*EXAMPLES[task], strict=True), strict=True)}


def mappings(task):
    return [dict(zip(COLUMNS[task], example, strict=True)) for example in EXAMPLES[task]]


def datasets_of(task):
    import datasets

    return datasets.Dataset.from_dict(columns(task))


def forms(task, folder):
    """The examples of a task in every form that is read."""
    file = folder / "x.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in mappings(task)))
    yield from (str(file), file, EXAMPLES[task], iter(EXAMPLES[task]), tuple(EXAMPLES[task]))
    yield from (columns(task), mappings(task), iter(mappings(task)))
    yield from (datasets_of(task), datasets_of(task).to_iterable_dataset(), datasets_of(task).data.table)


@pytest.mark.parametrize("task", EXAMPLES)
def test_the_form_of_the_data_makes_no_difference(task, tmp_path):
    expected = content(read(EXAMPLES[task]))
    assert len(expected[0]) > 1
    assert expected[1]
    for form in forms(task, tmp_path):
        assert content(read(form)) == expected, type(form)
    for form in forms(task, tmp_path):
        assert content(read(form, task=task, labelled=True)) == expected, type(form)
    for form in forms(task, tmp_path):
        bare = ((), [(segments, None) for segments, _ in expected[1]])
        assert content(read(form, labelled=False, task=task)) == bare, type(form)


@pytest.mark.parametrize("library", ["pandas", "polars"])
@pytest.mark.parametrize("task", EXAMPLES)
def test_a_data_frame_is_read_like_a_file(library, task):
    module = pytest.importorskip(library)
    frame = module.DataFrame(columns(task))
    assert content(read(frame)) == content(read(EXAMPLES[task]))
    column = frame[COLUMNS[task][0]]
    assert len(read(column, task="ner" if task == "ner" else "classification")) == len(EXAMPLES[task])


def test_classes_of_a_data_set_are_its_labels_also_of_chosen_rows():
    import datasets

    features = datasets.Features({"body": datasets.Value("string"), "label": datasets.ClassLabel(names=["no", "yes"])})
    rows = datasets.Dataset.from_dict({"body": ["a", "b", "c"], "label": [1, 0, 1]}, features=features)
    for chosen in (rows.select([2, 1]), rows.select([2, 1]).to_iterable_dataset()):
        corpus = read(chosen, columns={"text": "body"})
        assert content(corpus) == (("no", "yes"), [(("c",), (1,)), (("b",), (0,))])


def test_raw_texts_have_no_labels_and_blank_ones_are_left_out():
    lines = ["Ana lee .\n", "\n", "  ", "Nueva  Loma\n"]
    assert content(read(lines)) == ((), [(("Ana lee .",), None), (("Nueva  Loma",), None)])
    assert content(read((line for line in lines), task="ner"))[1] == [(("Ana lee .",), None), (("Nueva Loma",), None)]
    assert content(read([["Ana", "lee"], ["."]]))[1] == [(("Ana lee",), None), ((".",), None)]


def test_two_texts_are_a_pair_only_where_the_task_has_pairs():
    two = [("a", "b"), ("c", "d")]
    assert content(read(two)) == (("b", "d"), [(("a",), (0,)), (("c",), (1,))])
    assert content(read(two, task="nli")) == ((), [(("a", "b"), None), (("c", "d"), None)])


def test_a_long_stream_of_text_is_not_held():
    corpus = read(f"mira {i}" for i in range(200_000))
    assert (len(corpus), corpus[199_999].segments) == (200_000, ("mira 199999",))
    assert corpus.table.column("segments").num_chunks > 1


def test_names_labels_and_a_part_can_be_chosen():
    corpus = read(WORDS, lang="es", name="es train", label_names=("O", "B-X", "I-X"), labels={"PER": "X", "LOC": None})
    assert (corpus.name, corpus[0].lang, corpus[0].id) == ("es train", "es", "es:es train:0")
    assert [example.labels for example in corpus] == [(1, 0), (0, 0, 0)]
    many = [f"mira {i}" for i in range(100)]
    assert content(read(many, take=5, seed=1)) == content(read(many, take=5, seed=1))
    assert len(read(many, share=0.1)) == 10
    assert [e.segments[0] for e in read(many, take=5)] == sorted(
        [e.segments[0] for e in read(many, take=5)], key=many.index
    )


@pytest.mark.parametrize(
    ("name", "text", "names"),
    [
        ("a.conll", "Ana B-PER\nlee O\n\n", ("O", "B-PER", "I-PER")),
        ("a.conll", "Ana\nlee\n\n", ()),
        ("a.tsv", "Ana\tB-PER\nlee\tO\n\n", ("O", "B-PER", "I-PER")),
        ("a.tsv", "text\tlabel\nAna lee\tx\nsi\ty\n", ("x", "y")),
        ("a.csv", "premise,hypothesis,label\na,b,1\nc,d,0\n", ("0", "1")),
        ("a.csv", "premise,hypothesis\na,b\nc,d\n", ()),
        ("a.txt", "Ana lee\n\nsi\n", ()),
        ("a.jsonl", '{"text": "Ana lee", "label": [[0, 3, "PER"]]}\n', ("O", "B-PER", "I-PER")),
    ],
)
def test_files_tell_what_they_hold(tmp_path, name, text, names):
    (tmp_path / name).write_text(text)
    assert read(tmp_path / name).label_names == names


def test_several_files_are_read_one_after_the_other(tmp_path):
    for number, text in enumerate(("Ana B-PER\n\n", "Loma B-LOC\n\n")):
        (tmp_path / f"{number}.conll").write_text(text)
    corpus = read([tmp_path / "0.conll", tmp_path / "1.conll"])
    assert content(corpus) == (("O", "B-LOC", "I-LOC", "B-PER", "I-PER"), [(("Ana",), (3,)), (("Loma",), (1,))])


def test_the_testbed_has_words_texts_and_pairs():
    assert len(read("testbed:source/train", take=7)) == 7
    corpus = read("testbed:far/unlabelled", take=3)
    assert (corpus.label_names, corpus.name, corpus[0].lang) == ((), "far", "far")
    assert [e.segments for e in corpus] == [e.segments for e in read("testbed:far/train", take=3)]
    assert len(read("testbed:near/test", task="nli", take=3)[0].segments) == 2
    assert read("testbed:near/unlabelled", task="paraphrase", take=2).label_names == ()
    assert len(read("testbed:near/unlabelled", task="classification", take=2)[0].segments) == 1


def test_the_seed_draws_from_the_testbed_and_a_share_is_of_the_split():
    def texts(**how):
        return [example.segments for example in read("testbed:source/dev", **how)]

    assert texts(take=5) == texts(take=9, seed=0)[:5] == texts()[:5]
    assert texts(take=5, seed=1) == texts(take=9, seed=1)[:5]
    assert not set(texts(seed=0)) & set(texts(take=5, seed=1))
    assert [len(texts(share=share, take=20)) for share in (1.0, 0.1, 0.01)] == [20, 20, 3]
    assert set(texts(share=0.1, take=20)) < set(texts(share=0.1)) < set(texts())
    nli = [read("testbed:near/test", task="nli", take=3, seed=seed)[0].segments for seed in (0, 1)]
    assert nli[0] != nli[1]


def test_a_share_of_less_than_one_example_is_refused_in_memory_as_in_a_file(tmp_path):
    (tmp_path / "two.txt").write_text("a\nb\n")
    for data, name in ((["a", "b"], "data"), (tmp_path / "two.txt", tmp_path / "two.txt")):
        with pytest.raises(DataError, match=f"^{name}: share 0.1 of 2 sentences is less than one; raise the share$"):
            read(data, share=0.1)


@pytest.mark.parametrize(
    ("data", "options", "says"),
    [
        ([], {}, "data: no row; expected one example"),
        (3, {}, "data: got 3 (int), expected a list of examples"),
        ({"a", "b"}, {}, "data: got {"),
        ("Ana lee mucho", {}, "no such file: 'Ana lee mucho'; if this is a text, write it as a list: [text]"),
        ("nope.conll", {}, "nope.conll: no such file"),
        (
            "eriktks/conll2003",
            {},
            "eriktks/conll2003: no such file; for a data set of the Hub write hub:eriktks/",
        ),
        ("https://x.org/a.csv", {}, "https://x.org/a.csv: is an address, expected a file; download it first"),
        (
            [["a nice text", "pos"]],
            {},
            "data:1: got ['a nice text', 'pos'] (list), expected a list of words; a ",
        ),
        ([(["a"], ["O", "O"])], {"name": "es"}, "es:1: 1 word and 2 tags; give each word one tag"),
        ([(["a"], ["O"]), (["a b"], ["O"])], {}, "data:2, word 1: got 'a b', expected a word"),
        ([("a", "x"), ("b", 3.5)], {}, "data:2, label: got 3.5 (float), expected a str; write str(value)"),
        ([("a", "x"), "b"], {}, "data:2: got 'b' (str), expected (text, label), as the first is"),
        (["a", ("b", "x")], {}, "data:2: got ('b', 'x') (tuple), expected (text), as the first is"),
        (["a", None], {}, "data:2: got None, a missing value, expected a str"),
        ([{"text": "a"}, 3], {}, "data:2: got 3 (int), expected a mapping, as the first is"),
        ([("a", "x")], {"task": "ner"}, "data:1: got ('a', 'x') (tuple), expected a str, a list of words, or (words"),
        (["a"], {"task": "nli"}, "data:1: got 'a' (str), expected (first, second), or (first, second, label)"),
        ([3], {}, "data:1: got 3 (int), expected a str, a list of words, (words, tags), (text, label) or (first"),
        (
            [(["a"], ["B-PER"])],
            {"label_names": ["O", "B-LOC", "I-LOC"]},
            "data:1: label B-PER: unknown type PER, expected one of LOC; map the type (read it with labels={'PER': ",
        ),
        ([(["a"], ["B-X"]), (["b"], ["Q-X"])], {}, "data:2: word 1: label 'Q-X' is not in IOB2"),
        ([{"body": "a"}], {}, "data: no columns known as words, text or a pair; the columns are body; name them"),
        ({"text": ["a"], "n": [1, 2]}, {}, "data: cannot be read as a table ("),
    ],
)
def test_what_cannot_be_read_is_one_line_with_its_place(data, options, says):
    with pytest.raises(DataError) as caught:
        read(data, **options)
    assert str(caught.value).startswith(says)


@pytest.mark.parametrize(
    ("data", "options", "says"),
    [
        (["a"], {"task": "tagging"}, "task: got 'tagging', expected one of ner"),
        (["a"], {"share": 0}, "share: got 0"),
        (["a"], {"language": "en"}, "language: no such argument; did you mean lang?"),
        (["a"], {"foo": 1}, "foo: no such argument; expected one of lang, name, labelled"),
        (["a"], {"lang": None}, "lang: got None, expected a str (the language's name)"),
        ("testbed:xx/dev", {}, "unknown testbed language 'xx'"),
        (
            "testbed:far",
            {},
            "testbed:far: expected testbed:LANGUAGE/SPLIT with a split of train, unlabelled, dev, test",
        ),
        ([{"a": "b"}], {"columns": {"tokens": "a", "x": "y"}}, "columns: got 'x'"),
    ],
)
def test_options_that_make_no_sense_are_refused(data, options, says):
    with pytest.raises(ConfigError) as caught:
        read(data, **options)
    assert str(caught.value).startswith(says)


def test_a_list_of_names_of_files_is_not_taken_for_texts(tmp_path):
    (tmp_path / "a.conll").write_text("a O\n")
    with pytest.raises(DataError, match="this is the name of a file; give Path objects"):
        read([str(tmp_path / "a.conll")])


def test_a_data_set_with_a_transform_is_refused_and_its_rows_are_read():
    rows = datasets_of("classification").with_transform(lambda batch: {"text": ["new"], "label": ["yes"]})
    with pytest.raises(DataError, match=r"^mine: has a transform, .* give `list\(data\)`"):
        read(rows, name="mine")
    assert read(list(rows)).label_names == ("yes",)


def test_of_a_tuple_the_words_are_at_fault_and_not_its_form():
    with pytest.raises(DataError, match="word 1: got 'a b'"):
        read([(["a b", "b"], ["O", "B-PER"])])
    with pytest.raises(DataError, match=r"a text with its label is a tuple, \(text, label\)"):
        read([["a b", "b"]])


def test_a_data_set_that_was_saved_is_told_how_to_be_read(tmp_path):
    saved = tmp_path / "rows"
    datasets_of("ner").save_to_disk(saved)
    for given in (str(saved), saved):
        with pytest.raises(DataError, match=r"expected a file; give uxla.read\(datasets.load_from_disk\('/"):
            read(given)
    [table] = saved.glob("*.arrow")
    with pytest.raises(DataError, match=r"arrow: Arrow, not text; write it as Parquet"):
        read(table, task="ner")


def test_several_sets_at_once_are_refused():
    import datasets

    with pytest.raises(DataError, match=r"^data: holds train, dev; give one of them$"):
        read(datasets.DatasetDict({"train": datasets_of("ner"), "dev": datasets_of("ner")}))


@pytest.mark.parametrize(("examples", "task"), [(WORDS, "ner"), (TEXTS, "classification"), (PAIRS, "nli")])
def test_labelled_examples_tell_their_task(examples, task):
    assert task_of(read(examples)) == task
    with pytest.raises(DataError, match="has no labels"):
        task_of(read(examples, labelled=False, task=task))


def test_raw_text_is_cut_into_words_as_a_file_of_it_is(tmp_path):
    texts = ["  Ana\tlee  mucho\u00a0ya . ", "Loma"]
    (tmp_path / "x.txt").write_text("\n".join(texts))
    source = read(WORDS)
    expected = content(read(tmp_path / "x.txt", task="ner", labelled=False, label_names=source.label_names))
    for data in (texts, read(texts), iter(texts), [text.strip(" ").split() for text in texts]):
        if not isinstance(data, list) or isinstance(data[0], str):
            found = raw(data, source, "ner", "es")
            assert (found.name, content(found)) == ("es", expected)
    assert content(raw(read(WORDS), source, "ner", "es"))[1] == [(e.segments, None) for e in source]


def test_raw_text_of_many_is_cut_too():
    texts = [f"mira  {i}" for i in range(10_000)]
    found = raw(read(texts), read(WORDS), "ner", "es")
    assert [found[i].segments for i in (0, 9_999)] == [("mira 0",), ("mira 9999",)]


def test_labels_of_other_data_are_those_of_the_source():
    source = read(WORDS)
    found = labelled_like(read([(["Loma", "x"], ["B-LOC", "I-LOC"])]), source, "ner", "es test")
    assert (found.name, content(found)) == ("es test", (source.label_names, [(("Loma x",), (1, 2))]))
    assert content(labelled_like([(["Loma", "x"], ["B-LOC", "I-LOC"])], source, "ner", "es test")) == content(found)
    with pytest.raises(DataError, match=r"^es test: label B-ORG is not one of the source's \(O, B-LOC, "):
        labelled_like(read([(["Loma"], ["B-ORG"])]), source, "ner", "es test")
    with pytest.raises(DataError, match=r"^es test: has no labels"):
        labelled_like(read(["Loma"], task="ner"), source, "ner", "es test")
    with pytest.raises(DataError, match=r"^es test: has no labels"):
        labelled_like(["Loma"], source, "ner", "es test")


@pytest.mark.parametrize("types", [1, 70])
def test_a_word_without_a_gold_label_has_none_under_the_source_s_names(types):
    source = read([(["Loma"] * types, [f"B-T{i}" for i in range(types)])])
    names = tuple(reversed(source.label_names))
    partial = Corpus.from_examples("x", names, [Example("x", "es", ("Loma ko",), (names.index("B-T0"), IGNORED))])
    found = labelled_like(partial, source, "ner", "es test")
    assert content(found)[1] == [(("Loma ko",), (source.label_names.index("B-T0"), IGNORED))]


@pytest.mark.parametrize("other", [PAIRS, ["a b"]])
def test_texts_of_another_kind_than_the_sources_are_refused(other):
    source = read(TEXTS if other is PAIRS else PAIRS)
    with pytest.raises(DataError, match=r"^data: has examples of . texts?, the source has .*; give the same kind"):
        raw(read(other), source, task_of(source), "es")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"lang": 3}, "lang: got 3, expected a str"),
        ({"name": None}, "name: got None, expected a str"),
        ({"labelled": "yes"}, "labelled: got 'yes', expected True or False"),
        ({"labels": "x"}, "labels: got 'x', expected "),
        ({"take": "5"}, "take: got '5', expected a whole number"),
        ({"take": 1.5}, "take: got 1.5, expected a whole number"),
        ({"take": -1}, "take: got -1, expected at least 1"),
        ({"share": 2}, "share: got 2, expected at most 1"),
        ({"seed": -1}, "seed: got -1, expected at least 0"),
        ({"label_names": "abc"}, "label_names: got 'abc', expected a list"),
        ({"label_names": {"bad", "good"}}, "label_names: got .*, expected a list"),
        ({"label_names": [0, 1]}, "label_names.*: got 0, expected a str"),
        ({"label_names": []}, "label_names: got .*, expected at least one"),
        ({"label_names": ["good", "good", "bad"]}, "label_names: got .*, expected each once"),
    ],
)
def test_an_argument_of_another_kind_is_named_in_one_line(given, said):
    with pytest.raises(ConfigError, match=f"^{said}"):
        read(TEXTS, **given)
    assert len(read(TEXTS, take=np.int64(2), seed=np.int64(3), label_names=np.array(["bad", "good"]))) == 2


def test_no_text_at_all_is_refused_also_of_a_corpus_with_the_sources_labels():
    source = read("testbed:source/train", take=2)
    with pytest.raises(DataError, match="source: has no example, the source has single texts"):
        raw(source.take([]), source, "ner", "far")


def test_label_names_of_words_are_whole():
    for names in (["B-PER"], ["O", "B-PER"]):
        with pytest.raises(ConfigError, match=r"^label_names: (O|I-PER) is not there, expected O, and B and I of each"):
            read(WORDS, label_names=names)


@pytest.mark.parametrize("place", ["", Path("~nobody-of-that-name/x"), "a\0b"])
def test_what_is_no_path_is_said_in_one_line(place):
    with pytest.raises(ConfigError, match=r"^data: "):
        read(place)


def test_a_batch_and_a_lazy_frame_are_tables_too(recwarn):
    polars = pytest.importorskip("polars")
    batch = pa.RecordBatch.from_pydict(columns("nli"))
    for table in (batch, polars.LazyFrame(columns("nli"))):
        assert content(read(table)) == content(read(PAIRS))
    assert not [one for one in recwarn if issubclass(one.category, polars.exceptions.PerformanceWarning)]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ([[["a", "b"], ["O", "B-X"]]], r"data:1, word 1: .*; words with their tags are a tuple, \(words, tags\)"),
        ([[("a", "O"), ("b", "B-X")]], r"data:1, word 1: .*; words with their tags are a tuple, \(words, tags\)"),
        ([(["a", "b"], "OO")], r"data:1, tags is one str, expected a list of tags; put it in a list"),
        (read(TEXTS), r"data: is a uxla\.Corpus already; use it as it is"),
    ],
)
def test_what_is_nearly_an_example_is_told_how_to_be_one(data, said):
    with pytest.raises(DataError, match=f"^{said}"):
        read(data)
