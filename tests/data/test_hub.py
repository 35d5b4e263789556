"""The Hub's data sets, from Parquet of their schema written here, laid out as the Hub's own conversion lays it out."""

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from uxla.data import hub
from uxla.data.load import discover_labels, load_corpus
from uxla.errors import DataError

TEXT = {"dtype": "string", "_type": "Value"}
NER = ["O", "B-PER", "I-PER", "B-ORG", "I-ORG", "B-LOC", "I-LOC"]


def classes(names):
    return {"names": names, "_type": "ClassLabel"}


def spelt_list(feature, spelling):
    """A list of a feature in the three ways that versions of `datasets` have written it."""
    ways = {
        "list": [feature],
        "Sequence": {"feature": feature, "length": -1, "_type": "Sequence"},
        "List": {"feature": feature, "_type": "List"},
    }
    return ways[spelling]


def write(path, columns, features):
    metadata = {"huggingface": json.dumps({"info": {"features": features}})}
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(columns).replace_schema_metadata(metadata), path)
    return path


@pytest.fixture
def xnli(tmp_path):
    features = {"premise": TEXT, "hypothesis": TEXT, "label": classes(["entailment", "neutral", "contradiction"])}
    columns = {"premise": ["a", "b"], "hypothesis": ["c", "d"], "label": [2, 0]}
    return write(tmp_path / "hub/en/test/0000.parquet", columns, features)


def wikiann(path, spelling):
    features = {"tokens": spelt_list(TEXT, spelling), "ner_tags": spelt_list(classes(NER), spelling)}
    columns = {
        "tokens": [["Ana", "lee"], ["Nueva", "Loma", "."]],
        "ner_tags": [[1, 0], [5, 6, 0]],
        "langs": [["es"] * 2, ["es"] * 3],
        "spans": [["PER: Ana"], ["LOC: Nueva Loma"]],
    }
    return write(path, columns, features)


@pytest.fixture(autouse=True)
def _new_process():
    """What a process remembers of the Hub is of its own test."""
    hub.load.cache_clear()


@pytest.fixture
def local_hub(tmp_path, monkeypatch):
    """`datasets` itself, kept from the network: an id stands for a folder here."""
    import datasets

    real = datasets.load_dataset
    asked = []

    def load_dataset(id_, config=None, **options):
        asked.append(options.pop("revision", None))
        if "data_files" not in options:
            raise RuntimeError("Dataset scripts are no longer supported, but found x.py")
        return real(str(tmp_path / "hub"), config, cache_dir=str(tmp_path / "cache"), **options)

    monkeypatch.setattr(datasets, "load_dataset", load_dataset)
    return asked


def load(path, names, **options):
    return load_corpus(path, name="t", lang="es", label_names=names, labelled=True, **options)


def test_classes_of_a_parquet_file_are_known_by_their_names(xnli):
    names = discover_labels(xnli, shape="pair")
    assert names == ("contradiction", "entailment")
    corpus = load(xnli, names, shape="pair")
    assert [(example.segments, example.labels) for example in corpus] == [(("a", "c"), (0,)), (("b", "d"), (1,))]


@pytest.mark.parametrize("spelling", ["list", "Sequence", "List"])
def test_classes_in_lists_are_known_by_their_names(tmp_path, spelling):
    path = wikiann(tmp_path / "x.parquet", spelling)
    names = discover_labels(path)
    assert names == ("O", "B-LOC", "I-LOC", "B-PER", "I-PER")
    assert [(example.words, example.labels) for example in load(path, names)] == [
        (["Ana", "lee"], (3, 0)),
        (["Nueva", "Loma", "."], (1, 2, 0)),
    ]


def test_a_data_set_with_a_script_is_read_from_the_hubs_conversion(xnli, local_hub):
    names = hub.SOURCES["facebook/xnli"].label_names
    corpus = load("hub:facebook/xnli/en/test", names, shape="pair")
    assert [example.labels for example in corpus] == [(2,), (0,)]
    assert corpus.digest == load(xnli, names, shape="pair").digest


@pytest.mark.parametrize("uri", ["hub:unimelb-nlp/wikiann/es/train", "hub:unimelb-nlp/wikiann/train"])
def test_words_and_tags_come_from_the_hub_with_or_without_a_configuration(tmp_path, local_hub, uri):
    wikiann(tmp_path / "hub/es/train/0000.parquet", "List")
    assert discover_labels(uri) == ("O", "B-LOC", "I-LOC", "B-PER", "I-PER")


def test_an_unknown_data_set_is_read_with_a_column_map(tmp_path, local_hub):
    columns = {"body": ["a", "b"], "stars": [3, 1], "extra": [None, None]}
    write(tmp_path / "hub/default/train/0000.parquet", columns, {"body": TEXT})
    uri, asked = "hub:someone/reviews/train", {"text": "body", "label": "stars"}
    assert discover_labels(uri, shape="single", columns=asked) == ("1", "3")
    with pytest.raises(DataError, match="hub:someone/reviews/train: no column known as text; the columns are body"):
        discover_labels(uri, shape="single")


def test_numbers_without_names_are_the_classes_that_the_table_of_sources_knows(tmp_path, local_hub):
    columns = {"sentence1": ["a", "c"], "sentence2": ["b", "d"], "label": [1, 2]}
    write(tmp_path / "hub/es/test/0000.parquet", columns, {})
    uri = "hub:google-research-datasets/paws-x/es/test"
    with pytest.raises(DataError, match=r"paws-x/es/test:2: label has 2, expected the number of a class, 0 to 1; corr"):
        load(uri, ("0", "1"), shape="pair")
    unlabelled = load_corpus(uri, name="t", lang="es", label_names=("0", "1"), labelled=False, shape="pair")
    assert len(unlabelled) == 2


@pytest.mark.parametrize("name", ["xnli", "paws-x", "wikiann", "conll2003", "conll2002", "masakhaner2", "sib200"])
def test_a_name_without_its_namespace_is_refused_with_the_full_one(name):
    with pytest.raises(DataError) as caught:
        discover_labels(f"hub:{name}/en/test")
    (full,) = [id_ for id_ in hub.SOURCES if id_.endswith(f"/{name}")]
    assert str(caught.value).endswith(f"{name!r} has no namespace; write hub:{full}/en/test")


NO_SPLIT = ["hub:", "hub:facebook/xnli", "hub:a/b/c/d/e", "hub:a//train", "hub:a/b/train[:5%]"]
NO_REVISION = ["hub:a/b/train@", "hub:a/b/train@../x", "hub:a/b/train@a b", "hub:a/b/train@/x", "hub:a/b/train@x\n"]


def test_a_pinned_revision_reaches_the_hub_and_is_read_once_a_process(xnli, local_hub):
    names = ("contradiction", "entailment")
    assert discover_labels("hub:facebook/xnli/en/test@v1.0", shape="pair") == names
    assert len(load("hub:facebook/xnli/en/test@v1.0", names, shape="pair")) == 2
    assert local_hub == ["v1.0", "v1.0"]  # the data set's own files, then the same revision as the conversion's
    load("hub:facebook/xnli/en/test", names, shape="pair")
    assert local_hub[2:] == [None, hub.CONVERTED]


@pytest.mark.parametrize(
    ("uri", "parts"),
    [
        ("hub:a/b/train@refs/convert/parquet", ("a/b", None, "train", "refs/convert/parquet")),
        ("hub:a/b/en/train@0a1b2c", ("a/b", "en", "train", "0a1b2c")),
        ("hub:a/b/en/train", ("a/b", "en", "train", None)),
    ],
)
def test_a_revision_follows_the_split(uri, parts):
    assert hub.parse_uri(uri) == parts


@pytest.mark.parametrize("folder", ["0123456789abcdef0123456789abcdef01234567", "default-1a2b"])
def test_the_commit_is_the_one_that_datasets_names_its_cache_by(folder, monkeypatch):
    class Rows:
        cache_files = ({"filename": f"cache/a___b/en/0.0.0/{folder}/b-test.arrow"},)

    monkeypatch.setattr(hub, "load", lambda *where: Rows)
    assert hub.commit("hub:a/b/en/test") == (folder if len(folder) == 40 else None)


@pytest.mark.parametrize("uri", [*NO_SPLIT, *NO_REVISION])
def test_what_is_no_name_of_a_split_is_refused_with_an_example(uri):
    with pytest.raises(DataError, match=r"expected hub:namespace/name\[/config\]/split, as hub:facebook/xnli/en/test"):
        hub.parse_uri(uri)


def test_a_data_set_of_another_shape_is_refused(local_hub, xnli):
    with pytest.raises(DataError, match="holds pair examples, read as tagging; choose the task that fits"):
        discover_labels("hub:facebook/xnli/en/test")


def test_without_a_network_one_line_says_how_to_do_it_by_hand():
    """`HF_HUB_OFFLINE` is set for every test: `datasets` refuses as it does where no host answers."""
    with pytest.raises(DataError) as caught:
        discover_labels("hub:facebook/xnli/en/test", shape="pair")
    text = str(caught.value)
    assert "\n" not in text
    assert text.startswith("hub:facebook/xnli/en/test: cannot be loaded (")
    assert "hf download facebook/xnli --repo-type dataset --revision refs/convert/parquet" in text


def test_an_unknown_split_is_named_in_one_line(xnli, local_hub):
    with pytest.raises(
        DataError, match=r"hub:facebook/xnli/en/dev: cannot be loaded \(No \(supported\) data files"
    ) as caught:
        discover_labels("hub:facebook/xnli/en/dev", shape="pair")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("id_", sorted(hub.SOURCES))
def test_every_known_source_names_its_roles_classes_and_licence(id_):
    source = hub.SOURCES[id_]
    roles = {"tagging": {"tokens", "tags"}, "single": {"text", "label"}, "pair": {"first", "second", "label"}}
    assert set(source.columns) == roles[source.shape]
    assert len(set(source.label_names)) == len(source.label_names) > 1
    assert source.licence
