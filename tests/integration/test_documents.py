"""Every command of README and docs runs to its end: as it stands there, with little data, a small model under the name
of the large one, and few steps."""

import doctest
import glob
import re
import shlex
from itertools import pairwise
from pathlib import Path

import pytest
from typer.testing import CliRunner

from uxla.cli.app import app
from uxla.config.run import KEYS, load_config
from uxla.study.run_folder import grid_folder, run_folder
from uxla.testbed import asset

ROOT = Path(__file__).parents[2]
HOWTO = tuple(f"docs/howto/{page.name}" for page in sorted((ROOT / "docs" / "howto").glob("*.md")))
NAMES = ("annotation", "augment", "compress", "grid", "mlm", "paper", "predict", "reliability", "tutorial")
PAGES = ("README.md", *(f"docs/{name}.md" for name in NAMES), *HOWTO)
"""The pages that tell what to type; those about measurements of hours quote the commands of `bench/`."""
QUICK = ("docs/augment.md", "docs/mlm.md", "docs/paper.md")
NO_RUN = re.compile(r"[…\[|]|\b(FILE|RUN|OUT|A --out B)\b|^uxla(?! cache)( [a-z]+)*( \d)?( --[\w-]+( \d)?)?$")
"""What a synopsis or a command's mere name is known by."""

DEMO = re.findall(r"^demo:.*\n\t\$\(BIN\)/(.+)$", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE)[
    0
]

WORLD = ("testbed.train=60", "testbed.unlabelled=20", "testbed.dev=12", "testbed.test=12")
STEPS = [f"{part}.{key}" for part in ("warmup", "adaptation") for key in ("epochs=null", "max_steps=3", "lr_warmup=0")]
FEWER = {
    "--train": "60",
    "--unlabelled": "40",
    "--seeds": "1",
    "--steps": "3",
    "--max-steps": "3",
    "--epochs": "1",
    "--pieces": "300",
}
"""Of options the values that stand in for the document's."""
OWN_DATA = ("source.train=en/train.{}", "source.dev=en/dev.{}", "source.test=null", "target_data.dev=null")
OWN_TARGET = ("target_data.train={{target}}/raw.{}", "target_data.test={{target}}/test.{}", "target_data.labelled=null")


def commands(page):
    """The lines of a page that begin with `uxla`, perhaps behind `echo … |`, and such within its text."""
    text = (ROOT / page).read_text(encoding="utf-8")
    prose = re.sub(r"^```.*?^```$", "", text, flags=re.DOTALL | re.MULTILINE)
    code = "".join([*re.findall(r"^ {4}.+\n", prose, flags=re.MULTILINE), *blocks(page, "(?:sh)?")])
    lines = re.findall(r"^(?: {4})?((?:uxla|echo) .+(?:\n {8}.+)*)$", code, flags=re.MULTILINE)
    makes = [DEMO] if "make demo" in lines_of(text) else []
    found = [*makes, *re.findall(r"`(uxla [^`\n]+)`", prose), *lines]
    return [line for line in dict.fromkeys(found) if line.startswith("echo") or not NO_RUN.search(unquoted(line))]


def lines_of(text):
    return [line.strip() for line in text.splitlines()]


def unquoted(line):
    return re.sub(r"'[^']*'|\"[^\"]*\"", "", line)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return tmp_path_factory.mktemp("store")


@pytest.fixture
def run(tmp_path, monkeypatch, store):
    """Runs a line of a shell in a folder that has what the documents speak of; the output of `uxla`."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("UXLA_CACHE", str(store))
    lay_out(tmp_path)

    def line(text):
        first, _, second = text.replace("\\\n", "").partition(" | ")
        given = shlex.split(first)[1] + "\n" if second else None
        words = [word for part in shlex.split(second or first, comments=True)[1:] for word in expanded(part)]
        words = stood_in(words)
        done = CliRunner().invoke(app, words, input=given)
        assert done.exit_code == 0, f"{text}\n{' '.join(words)}\n{done.output}\n{done.exception!r}"
        for option, value in pairwise(words):
            assert option != "--out" or Path(value).exists(), text
        return done.output

    return line


def lay_out(folder):
    """Files of the synthetic world by the names that the documents give to a user's."""
    write = ["testbed", "write", "files", "--train", "60", "--unlabelled", "20", "--dev", "12", "--test", "12"]
    assert CliRunner().invoke(app, write).exit_code == 0
    for language, name in {"source": "en", "far": "es", "near": "de", "low": "nl", "joined": "sw"}.items():
        (folder / "files" / language).rename(folder / name)
        train = (folder / name / "train.conll").read_text(encoding="utf-8").strip().split("\n\n")
        texts = [" ".join(line.split("\t")[0] for line in block.split("\n")) for block in train]
        (folder / name / "train.txt").write_text("\n".join(texts[:20]) + "\n", encoding="utf-8")
        pairs = [
            "premise\thypothesis\tlabel",
            *(f"{a}\t{b}\t{i % 2}" for i, (a, b) in enumerate(pairwise(texts))),
        ]
        (folder / name / "raw.conll").write_text("\n\n".join(train[:20]) + "\n", encoding="utf-8")
        for split in ("train", "dev", "test", "raw"):
            (folder / name / f"{split}.tsv").write_text("\n".join(pairs) + "\n", encoding="utf-8")
    (folder / "FacebookAI").mkdir()
    for name in ("xlm-roberta-base", "xlm-roberta-large"):
        (folder / "FacebookAI" / name).symlink_to(asset())
    copies = {"train.conll": "en/train.conll", "en.conll": "en/train.conll", "es.conll": "es/train.conll"}
    copies |= {"raw.txt": "es/train.txt", "new.txt": "es/train.txt", "xnli.tsv": "en/train.tsv"}
    copies |= {"es.txt": "es/train.txt", "news.conll": "es/train.conll", "theirs.conll": "es/test.conll"}
    for name, place in copies.items():
        (folder / name).symlink_to(folder / place)
    (folder / "reviews.csv").write_text("review,stars\nko mira sen,5\ntal ru,1\n", encoding="utf-8")
    topics = [f'"{text}",{"ab"[i % 2]}\n' for i, text in enumerate(texts)]
    (folder / "en" / "topics.csv").write_text("".join(["text,label\n", *topics]), encoding="utf-8")
    for page in ("README.md", *HOWTO):
        for example in blocks(page, "yaml"):
            named = re.match(r"# (\w+\.yaml)\n", example)
            (folder / (named[1] if named else "mine.yaml")).write_text(example, encoding="utf-8")


def blocks(page, language):
    text = (ROOT / page).read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```$", text, flags=re.DOTALL | re.MULTILINE)


def expanded(word):
    """What a shell makes of `runs/*/`."""
    return sorted(glob.glob(word)) if "*" in word and "=" not in word else [word]


def stood_in(words):
    """A command's words with fewer of everything, and local files for data of the Hub."""
    words = [FEWER.get(before, word) for before, word in pairwise(["", *words])]
    if words[0] not in ("run", "grid"):
        return [*words, *STEPS] if words[0] == "plan" else words
    settings, given = [*STEPS, "trace=50"], [word for word in words[2:] if re.match(r"[\w.]+=", word)]
    if "--out" not in words:  # the folder that the command as it is documented writes to
        single = [word for word in given if not re.search(r"=[^\[]+,", word)]
        folder = grid_folder(words[1], single) if words[0] == "grid" else run_folder(words[1], given, targets(words))
        settings += ["--out", str(folder)]
    if words[0] == "grid":
        words = [re.sub(r"^([\w.]+=[^,\[]+,[^,]+),.+$", r"\1", word) for word in words]  # two values of a key are many
        settings.append("methods=[zero_shot,penalty,uxla]")
    if words[1] == "testbed":
        settings += WORLD
    elif words[1].startswith("bench/"):
        words[1] = str(ROOT / words[1])
        settings += ["model=testbed", *(text.format("conll") for text in (*OWN_DATA, *OWN_TARGET))]
    elif not words[1].endswith(".yaml"):
        kind = "conll" if words[1] == "xner" else "tsv"
        settings += ["source.share=1", "target_data.share=1"] if kind == "tsv" else []
        keys = {word.partition("=")[0] for word in given}
        names = OWN_DATA if "target_data.train" in keys else (*OWN_DATA, *OWN_TARGET)
        settings += [text.format(kind) for text in names if text.partition("=")[0] not in keys]
    return [*words, *settings]


def targets(words):
    """The targets of a run, as its arguments or its file name them."""
    return load_config(words[1], [word for word in words[2:] if word.startswith("target=")]).target


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore:Tokenizer does not")
@pytest.mark.parametrize("page", [pytest.param(page, marks=[pytest.mark.slow] * (page not in QUICK)) for page in PAGES])
def test_every_command_runs_to_its_end(page, run, tmp_path, monkeypatch):
    found = commands(page)
    assert found
    text = (ROOT / page).read_text(encoding="utf-8")
    if "export UXLA_STORE=" in text:
        monkeypatch.setenv("UXLA_STORE", str(tmp_path / "shared"))
    if "runs/es" in text and "--out runs/es\n" not in text:
        run("uxla run mine.yaml target=es --out runs/es")
    for line in found:
        run(line)
    for example in blocks(page, "python"):
        if not example.startswith(">>>"):
            exec(example, {})  # uses files that a command made


def test_every_page_with_a_command_in_a_block_is_run():
    pages = [page.relative_to(ROOT).as_posix() for page in USERS]
    assert {page for page in pages if re.search(r"^uxla ", "".join(blocks(page, "sh")), flags=re.MULTILINE)} <= {*PAGES}


def test_the_page_about_configuration_has_a_file_that_runs(run):
    [example] = blocks("docs/configuration.md", "yaml")
    Path("own.yaml").write_text(example, encoding="utf-8")
    run("uxla run own.yaml 'methods=[uxla]' --out runs/own")


@pytest.mark.slow
def test_what_the_readme_s_file_calls_optional_may_be_left_out(run):
    [example] = blocks("README.md", "yaml")
    lines = [line for line in example.splitlines(keepends=True) if "optional" not in line]
    assert len(lines) < len(example.splitlines())
    Path("mine.yaml").write_text("".join(lines), encoding="utf-8")
    assert "left out: zero_shot, penalty, ensemble, tri_training" in run("uxla run mine.yaml --out runs/es")


@pytest.mark.slow
def test_the_tour_goes_to_its_end(run, capsys):
    run("uxla run testbed --out runs/demo")
    code = "".join(blocks("docs/tour.md", "python")).replace("204", "3").replace("205", "4")
    code = code.replace('load_config("testbed")', f'load_config("testbed", {[*STEPS, *WORLD]})')
    examples = doctest.DocTestParser().get_doctest(code, {}, "docs/tour.md", None, None)
    assert len(examples.examples) > 25
    assert doctest.DocTestRunner(checker=AnyFigures()).run(examples).failed == 0, capsys.readouterr().out
    shown = [row for row in blocks("docs/tour.md", "console")[-1].splitlines() if row.startswith("|")]
    table = Path("runs/demo/table.md").read_text(encoding="utf-8").splitlines()
    rows = [row for row in table if row.startswith("|") and re.search("method|zero-shot|UXLA", row)]
    assert [names(row) for row in shown] == [names(row) for row in rows][: len(shown)]


def names(row):
    return row.split("|")[1].strip()


class AnyFigures(doctest.OutputChecker):
    """Takes any output: so small a world has other figures. An exception is a failure all the same."""

    def check_output(self, want, got, flags):
        return True


@pytest.mark.slow
def test_the_tour_lists_the_files_that_a_world_has(tmp_path, run):
    shown = blocks("docs/tour.md", "console")[0].split("$ ls runs/world/far\n")[1].split("\n$")[0].split("\n")
    run("uxla testbed write runs/world --train 20 --unlabelled 20")
    assert shown == sorted(path.name for path in Path("runs/world/far").iterdir())


USERS = [ROOT / "README.md", *sorted(ROOT.glob("docs/*.md")), *sorted(ROOT.glob("docs/howto/*.md"))]


@pytest.mark.parametrize("page", [page for page in USERS if page.name != "api.md"], ids=lambda page: page.name)
def test_a_shell_that_reads_brackets_takes_every_setting(page):
    for code in re.findall(r"`([^`\n]+)`|^ {4}(.+)$|^(uxla .+)$", page.read_text(encoding="utf-8"), flags=re.MULTILINE):
        bare = re.findall(r"(?:^|(?<=\s))[a-z_.\d]+=[^\s=]*[\[\]{}*?~]\S*", unquoted("".join(code)))
        assert not bare or "KEY=" in "".join(code), "".join(code)


@pytest.mark.parametrize("name", ["configuration", "data", "estimates", "paper", "results"])
def test_every_setting_that_a_page_shows_has_a_key(name):
    text = (ROOT / "docs" / f"{name}.md").read_text(encoding="utf-8")
    settings = [setting for code in re.findall(r"`'?([a-z_]+[.\w]*=[^`\n(]+)`", text) for setting in code.split()]
    shown = {re.sub(r"\b\d+\b", "*", setting.strip("'").partition("=")[0]) for setting in settings if "=" in setting}
    assert shown - {"key"} <= {*KEYS, *(key.split(".")[0] for key in KEYS)}


@pytest.mark.parametrize("page", USERS, ids=lambda page: page.name)
def test_every_benchmark_that_a_page_names_has_its_options(page):
    shared = (ROOT / "bench" / "common.py").read_text(encoding="utf-8")
    for script, rest in re.findall(r"python (bench/\w+\.py)([^`\n#]*)", page.read_text(encoding="utf-8")):
        source = (ROOT / script).read_text(encoding="utf-8") + shared
        assert all(f'"{option}"' in source for option in re.findall(r"--[\w-]+", rest)), f"{script}{rest}"
