"""The command line: refusals in one line, exit codes, and what is not imported on the way to them."""

import errno
import json
import os
import re
import signal
import socket
import subprocess
import sys
import types
from inspect import unwrap
from itertools import chain
from pathlib import Path
from typing import get_type_hints

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from uxla import __version__, events, progress
from uxla.cli.app import app
from uxla.cli.options import _section
from uxla.config.run import load_config
from uxla.errors import DataError
from uxla.shards import UnfinishedError
from uxla.study.run_folder import taken
from uxla.testbed import asset

RESULTS = {
    "version": 2,
    "task": "ner",
    "metric": "f1",
    "source": {"name": "source"},
    "targets": {"far": {"uxla_ensemble": {"mean": 50.0, "sd": 0.0, "models": [50.0], "strict_f1": 50.0}}},
    "inputs": {},
}


@pytest.fixture
def invoke(tmp_path, monkeypatch):
    """Runs `uxla` in an empty working directory."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "120")
    return lambda *arguments, **options: CliRunner().invoke(app, list(arguments), **options)


@pytest.fixture
def pipeline(monkeypatch):
    """The library's place taken by one that notes its calls: the real one loads torch."""
    calls = []
    fake = types.ModuleType("uxla.api")

    def run(config, out, *, fresh=False, overwrite=False, shard=None, executor=None, on_event=None):
        calls.append((config, out, fresh))
        progress.note("working")
        return RESULTS

    fake.run = run
    import uxla

    monkeypatch.setattr(uxla, "api", fake, raising=False)
    monkeypatch.setitem(sys.modules, "uxla.api", fake)
    return types.SimpleNamespace(calls=calls, module=fake)


def test_version_is_printed(invoke):
    assert invoke("--version").stdout == f"uxla {__version__}\n"


def test_help_lists_every_command(invoke):
    shown = invoke("--help").stdout
    commands = get_command(app).list_commands(None)
    assert {"run", "grid", "predict", "augment", "report", "table", "figure", "methods", "cache"} < set(commands)
    assert all(f"\n  {command} " in shown for command in commands)
    assert invoke("-h").stdout == shown


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("train testbed", "no command train; did you mean uxla run?"),
        ("xyz", "no command xyz; see uxla -h"),
        ("cache lss", "cache: no command lss; did you mean uxla cache ls?"),
        ("run testbed --target near", "run: no option --target; did you mean target=near?"),
        ("run testbed --epochs=3", "run: no option --epochs; did you mean warmup.epochs=3 or adaptation.epochs=3"),
        ("run testbed --batch-size", "run: no option --batch-size; did you mean warmup.batch_size=VALUE"),
        ("run testbed --outt x", "run: no option --outt; did you mean --out?"),
        ("run testbed --methosd x", "run: no option --methosd; did you mean methods=x?"),
        ("--versoin", "no option --versoin; did you mean --version?"),
        ("run", "run: CONFIG is not given; see uxla run -h"),
        ("augment a.txt --model testbed", "augment: --out is not given; see uxla augment -h"),
        ("table 9 x", "table: NUMBER: got '9', expected at most 8; see uxla table -h"),
        ("grid testbed --seeds x", "grid: --seeds: got 'x', expected a whole number; see uxla grid -h"),
        ("data check x --task ners", "data check: --task: 'ners' is not one of 'ner', 'nli'"),
        ("run testbed --out", "option '--out' requires an argument; see uxla -h"),
        ("methods x", "methods: got unexpected extra argument(s) (x); see uxla methods -h"),
    ],
)
def test_wrong_arguments_are_one_line_that_says_what_was_meant(typed, said, invoke):
    result = invoke(*typed.split())
    assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (2, "", 1)
    assert result.stderr.startswith(f"uxla: error: {said}")


def test_each_mistake_of_a_file_is_a_line(invoke, tmp_path):
    text = "seed: x\ndve: 1\nwarmup: {batch_size: 0, learning_rate: 1.0, epochs: 1}\ntarget: es\n"
    (tmp_path / "bad.yaml").write_text(text + "target_data: {train: nowhere.txt}\n", encoding="utf-8")
    result = invoke("run", "bad.yaml", "alpha", "nowhere.x=1")
    assert (result.exit_code, result.stdout) == (2, "")
    lines = result.stderr.splitlines()
    assert all(line.startswith("uxla: error: ") for line in lines)
    for number, said in enumerate(
        [
            "command line: got 'alpha', expected key=value",
            "bad.yaml:2: no key dve",
            "command line: nowhere.x=1: no key nowhere",
            "bad.yaml:1: seed: got 'x', expected a whole number",
            "bad.yaml:3: warmup.batch_size: got 0, expected at least 1",
            "bad.yaml needs model (",
            "bad.yaml:5: no such file: ",
        ]
    ):
        assert said in lines[number]
    assert len(lines) == 7
    assert invoke("predict", "x").stderr.count("\n") == 1


def test_usage_has_plain_names_for_arguments(invoke):
    assert "Usage: uxla run [OPTIONS] CONFIG [KEY=VALUE]...\n" in invoke("run", "-h").stdout
    assert "Usage: uxla data check [OPTIONS] FILE\n" in invoke("data", "check", "-h").stdout


def test_shells_complete_commands(invoke):
    done = invoke(env={"_UXLA_COMPLETE": "complete_bash", "COMP_WORDS": "uxla me", "COMP_CWORD": "1"})
    assert done.stdout.split() == ["methods"]


def test_run_hands_the_configuration_on_and_prints_the_table_to_stdout(invoke, pipeline):
    result = invoke("run", "testbed", "seed=3", "source.label_column=-1")
    [(config, out, fresh)] = pipeline.calls
    assert (config.seed, out, fresh) == (3, Path("runs/testbed-far-seed=3_source.label_column=-1"), False)
    assert result.exit_code == 0
    assert result.stdout.splitlines()[2] == "| UXLA (ensemble) | 50.00 | 50.00 |"
    assert result.stderr == f"working\nwritten to {out}\n"


def test_a_quiet_run_prints_the_table_alone_and_a_verbose_one_each_event(invoke, pipeline):
    result = invoke("run", "testbed", "-q")
    assert (result.exit_code, result.stderr) == (0, "")
    assert "| UXLA (ensemble) |" in result.stdout

    def run(config, out, *, fresh=False, overwrite=False, shard=None, executor=None, on_event=None):
        on_event(events.Planned(24))
        on_event(events.Began())
        return RESULTS

    pipeline.module.run = run
    assert invoke("run", "testbed", "-v").stderr.splitlines()[0] == "planned trainings=24"
    assert json.loads(invoke("run", "testbed", "--json").stdout)["task"] == "ner"


def test_the_run_folder_is_named_after_configuration_and_targets(invoke, pipeline):
    invoke("run", "testbed", "target=[near, low]")
    invoke("run", "testbed", "--out", "here")
    assert [out for _, out, _ in pipeline.calls] == [Path("runs/testbed-near-low"), Path("here")]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("run", "tesbed"), "no preset 'tesbed'; did you mean testbed?"),
        (("run", "testbed", "sed=1"), "no key sed; did you mean seed?"),
        (("run", "testbed", "--out", "file"), "--out file: is a file, expected a folder"),
        (("predict", "nowhere", "-"), "nowhere: no such folder, expected one written by `uxla run`"),
        (("predict", ".", "nowhere.txt"), "nowhere.txt: no such file"),
        (("data", "check", "nowhere.conll"), "nowhere.conll: "),
        (
            ("grid", "testbed", "agree=exact,nope"),
            "command line: agree=nope: agree.kind: got 'nope'; did you mean none?",
        ),
        (("table", "1", "nowhere"), "nowhere: no such folder, expected a folder written by `uxla run`; check the path"),
        (("figure", "2", "nowhere"), "nowhere: no such folder"),
        (("report", "nowhere"), "nowhere: no such folder"),
        (("evaluate", "file/nowhere", "file"), "file/nowhere: no such folder, expected one written by `uxla run`"),
        (("export", "nowhere", "--to", "onnx", "--out", "x"), "nowhere: no such folder, expected one written by"),
        (
            ("predict", ".", "file", "--columns", "text=1", "--columns", "label=2"),
            "predict: --columns: given twice, expected one value; see uxla predict -h",
        ),
        (("run", "testbed", "--out", "a", "--out", "b"), "run: --out: given twice, expected one value"),
        (("mlm", "tune", "testbed", "nowhere.txt", "--out", "lm"), "nowhere.txt: "),
    ],
)
def test_a_users_fault_is_one_line_on_stderr_and_exit_2(arguments, said, invoke, tmp_path):
    (tmp_path / "file").write_text("")
    result = invoke(*arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("uxla: error: ")
    assert said in result.stderr
    assert result.stderr.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_an_error_of_several_lines_is_still_one_line(invoke, pipeline):
    def run(config, out, *, fresh=False, overwrite=False, shard=None, executor=None, on_event=None):
        raise DataError("one\n  two", file="a.conll", line=3)

    pipeline.module.run = run
    result = invoke("run", "testbed")
    assert (result.exit_code, result.stderr) == (2, "uxla: error: a.conll:3: one two\n")


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 75), (signal.SIGUSR1, 75), (signal.SIGUSR2, 75)]
)
def test_a_signal_ends_the_command_with_one_line_that_says_how_to_go_on(number, code, invoke, pipeline):
    def run(config, out, *, fresh=False, overwrite=False, shard=None, executor=None, on_event=None):
        os.kill(os.getpid(), number)
        raise AssertionError("not reached")

    pipeline.module.run = run
    before = signal.getsignal(number)
    result = invoke("run", "testbed")
    assert (result.exit_code, result.stderr.count("\n")) == (code, 1)
    assert "repeat the command to resume" in result.stderr
    assert signal.getsignal(number) is before


@pytest.mark.parametrize(("again", "code"), [(True, 75), (False, 0)])
def test_a_shard_that_ends_before_the_others_says_whether_to_repeat_it(again, code, invoke, pipeline):
    def run(config, out, *, fresh=False, overwrite=False, shard=None, executor=None, on_event=None):
        raise UnfinishedError(f"shard {shard.number} of {shard.of}", again=again)

    pipeline.module.run = run
    result = invoke("run", "testbed", "--shard", "2/7")
    assert (result.exit_code, result.stderr) == (code, "uxla: shard 2 of 7\n")


@pytest.mark.parametrize(
    "command", [["run", "testbed"], ["grid", "testbed"], ["augment", "a.txt", "--model", "testbed"]]
)
def test_a_shard_that_would_do_the_work_of_others_again_is_refused(command, invoke, tmp_path):
    out = ["--out", str(tmp_path / "out")]
    result = invoke(*command, *out, "--shard", "2/7", "--fresh")
    assert (result.exit_code, result.stderr.count("\n")) == (2, 1)
    assert "--fresh: cannot be given with --shard" in result.stderr
    result = invoke(*command, *out, "--shard", "8/7")
    assert (result.exit_code, result.stderr) == (
        2,
        "uxla: error: --shard: got '8/7', expected I/N with I from 1 to N, as 2/7\n",
    )


def test_a_command_that_keeps_nothing_says_that_it_begins_again(invoke, monkeypatch):
    def look(*_, **__):
        os.kill(os.getpid(), signal.SIGTERM)
        raise AssertionError("not reached")

    monkeypatch.setattr("uxla.data.checks.check.check", look)
    result = invoke("data", "check", "words.conll")
    assert result.exit_code == 75
    assert result.stderr == "uxla: terminated; repeat the command to start again\n"


def test_fresh_is_handed_on(invoke, pipeline):
    invoke("run", "testbed", "--fresh")
    [(_, _, fresh)] = pipeline.calls
    assert fresh is True


def test_a_folder_of_another_run_is_refused_before_any_work_and_replaced_where_that_is_asked(invoke, pipeline):
    for overrides, name in (((), "testbed-far"), (("seed=1",), "testbed-far-seed=1")):
        assert invoke("run", "testbed", *overrides).exit_code == 0
        assert pipeline.calls[-1][1] == Path("runs") / name
    with taken(Path("out"), load_config("testbed")):
        Path("out/journal.jsonl").write_text("")
    result = invoke("run", "testbed", "seed=1", "--out", "out")
    assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (2, "", 1)
    assert "out: holds an unfinished run of another configuration (seed is 0 there, 1 here)" in result.stderr
    assert "give another --out, or --overwrite to replace it" in result.stderr
    assert len(pipeline.calls) == 2
    assert invoke("run", "testbed", "seed=1", "--out", "out", "--overwrite").exit_code == 0
    assert invoke("run", "testbed", "--out", "out").exit_code == 0, "the pipeline's place is taken: nothing was written"
    assert len(pipeline.calls) == 4


def test_our_own_bugs_keep_their_traceback(invoke, pipeline):
    def run(config, out, *, fresh=False, overwrite=False, shard=None, executor=None, on_event=None):
        raise AssertionError("a bug")

    pipeline.module.run = run
    assert isinstance(invoke("run", "testbed").exception, AssertionError)


SYSTEM_FAULTS = [
    (FileNotFoundError(2, "No such file or directory", "words/train.conll"), "words/train.conll: No such file"),
    (ConnectionError("the far side does not answer"), "the far side does not answer; check the network and run again"),
    (TimeoutError("read timed out"), "read timed out; check the network and run again"),
    (socket.gaierror(-2, "Name or service not known"), "Name or service not known; check the network and run again"),
    (OSError(errno.EMFILE, "Too many open files", "words"), "words: Too many open files; allow more open files (ulim"),
    (OSError(errno.ENOMEM, "Cannot allocate memory", "words"), "words: Cannot allocate memory; close other programs"),
    (MemoryError(), "out of memory; close other programs"),
    (RuntimeError("DefaultCPUAllocator: can't allocate memory"), "out of memory; close other programs"),
    (RuntimeError("CUDA out of memory. Tried to allocate 9 GiB"), "out of memory; close other programs"),
    (OSError("libnowhere.so.7: cannot open shared object file"), "OSError: libnowhere.so.7: cannot open shared object"),
    (ImportError("libnowhere.so.7: cannot open shared object file"), "libnowhere.so.7: cannot open shared object"),
    (ModuleNotFoundError("No module named 'nowhere'", name="nowhere"), "No module named 'nowhere'; a library is"),
]


@pytest.mark.parametrize(("fault", "said"), SYSTEM_FAULTS)
def test_a_fault_of_the_system_is_one_line_that_says_what_failed(fault, said, invoke, pipeline):
    def run(config, out, *, fresh=False, overwrite=False, shard=None, executor=None, on_event=None):
        raise fault

    pipeline.module.run = run
    result = invoke("run", "testbed")
    assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (2, "", 1)
    assert said in result.stderr
    assert "free space" not in result.stderr


def test_a_module_of_our_own_that_is_missing_is_our_bug(invoke, pipeline):
    def run(config, out, *, fresh=False, overwrite=False, shard=None, executor=None, on_event=None):
        raise ModuleNotFoundError("No module named 'uxla.nowhere'", name="uxla.nowhere")

    pipeline.module.run = run
    assert isinstance(invoke("run", "testbed").exception, ModuleNotFoundError)


def test_data_check_shows_the_figures_of_a_file(invoke, tmp_path):
    (tmp_path / "a.conll").write_text("Mika\tB-PER\nsings\tO\n\nMika\tB-PER\nsings\tO\n\n", encoding="utf-8")
    result = invoke("data", "check", "a.conll")
    assert result.exit_code == 0
    assert "2, 4 words, the longest has 2" in result.stdout
    assert "2 PER" in result.stdout
    assert "1 sentence equals an earlier one" in result.stdout


def test_data_check_exits_1_where_labels_break_their_scheme(invoke, tmp_path):
    (tmp_path / "a.conll").write_text("sings\tO\nMika\tB-PER\nx\tI-LOC\n\n", encoding="utf-8")
    result = invoke("data", "check", "a.conll")
    assert result.exit_code == 1
    assert "violations" in result.stdout
    assert "line 3" in result.stdout


def test_data_check_says_what_is_no_word_and_what_is_left_out_of_words(invoke, tmp_path):
    (tmp_path / "a.conll").write_text("# k = v\nfr:koru\tO\nfr:mira\tO\nfr:sen\tO\n", encoding="utf-8")
    result = invoke("data", "check", "a.conll")
    assert "1 comment" in result.stdout
    assert "'fr:', with which every word begins, is left out" in result.stderr
    (tmp_path / "b.conll").write_text("# k\tO\nkoru\tO\n", encoding="utf-8")
    assert "1 comment" in invoke("data", "check", "b.conll").stdout
    assert "write the space as U+00A0" in invoke("data", "check", "b.conll", "--comment", "none").stderr
    (tmp_path / "c.conll").write_text("# doc1\nkoru O\n", encoding="utf-8")
    assert 'set --comment "#" if it is one, --comment none if' in invoke("data", "check", "c.conll").stderr
    assert "1, 1 word" in invoke("data", "check", "c.conll", "--comment", "#").stdout


def test_testbed_write_makes_files_a_run_can_read(invoke, tmp_path):
    sizes = ("--train", "5", "--unlabelled", "4", "--dev", "3", "--test", "2")
    assert invoke("testbed", "write", "world", *sizes).exit_code == 0
    assert len((tmp_path / "world/far/train.txt").read_text(encoding="utf-8").splitlines()) == 4
    assert invoke("data", "check", "world/source/train.conll").exit_code == 0


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("augment", "30 % is 0.3; more than 0 and at most 1. [default: 0.3]"),
        ("augment", "for pairs [2, 2]; write 3, or 2,2."),
        ("augment", "cpu, cuda, or auto: a GPU where there is one. [default: auto]"),
        ("augment", "default: what the model takes; at least 3."),
        ("mlm tune", "longer ones are read in windows; at least 3. [default: 512]"),
        ("mlm tune", "or give --max-steps; neither: one pass; more than 0."),
        ("grid", "commas separate several values: agree=exact,token."),
    ],
)
def test_help_says_what_an_option_takes_and_how_it_is_written(invoke, command, said):
    shown = invoke(*command.split(), "--help", env={"COLUMNS": "300"}).stdout
    assert said in " ".join(shown.split()).replace("- ", "-")


def test_a_remedy_names_an_option_where_the_command_has_one(invoke, tmp_path):
    (tmp_path / "a.txt").write_text("a b c\n", encoding="utf-8")
    done = invoke("mlm", "tune", "testbed", "a.txt", "--out", "m", "--precision", "tf32", "--device", "cpu")
    assert done.stderr.splitlines()[-1].endswith("have it; set --precision fp32")


def leaves(group, *names):
    """Each command below a group, by its names."""
    for name in group.list_commands(None):
        one = group.get_command(None, name)
        yield from leaves(one, *names, name) if hasattr(one, "list_commands") else [((*names, name), one)]


def numbers_or_words():
    """Each option, with what else its command requires, whose value is a number or a word: `threads`, for one."""
    for names, command in leaves(get_command(app)):
        sections = map(_section, get_type_hints(unwrap(command.callback), include_extras=True).values())
        keys = {key: str(info.annotation) for one in sections if one for key, info in one.model_fields.items()}
        required = [[p.opts[0], "x"] if p.opts[0].startswith("-") else ["x"] for p in command.params if p.required]
        for option in command.params:
            kind = keys.get(option.name, "")
            if "int" in kind and "Literal" in kind:
                yield [*names, *chain.from_iterable(required), option.opts[0]]


def test_an_option_that_takes_a_word_takes_a_number_too(invoke):
    found = list(numbers_or_words())
    assert {"--tokens-per-batch", "--threads"} <= {option for *_, option in found}
    for command in found:
        for value in ("4096", "auto"):
            assert command[-1] not in invoke(*command, value).stderr, command
        for value in ("many", "9" * 5000):
            assert f"{command[-1]}: got '{value[:20]}" in invoke(*command, value).stderr


@pytest.mark.parametrize("command", ["augment", "predict", "evaluate", "compress", "trim"])
def test_help_names_no_option_that_the_command_lacks(invoke, command):
    shown = invoke(*command.split(), "--help", env={"COLUMNS": "300"}).stdout
    options = re.findall(r"^  (?:-\w, )?(--[a-z-]+)", shown, flags=re.MULTILINE)
    assert set(re.findall(r"--[a-z][a-z-]*", shown)) - {*options} <= {one.replace("--", "--no-", 1) for one in options}


def test_a_model_of_the_hub_is_trimmed_by_its_id(invoke, tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr("uxla.models.hub._download", lambda name, *_: asked.append(name) or asset())
    (tmp_path / "a.txt").write_text("ko mira\n", encoding="utf-8")
    done = invoke("trim", "me/small", "a.txt", "--out", "trimmed")
    assert (done.exit_code, asked, (tmp_path / "trimmed/config.json").is_file()) == (0, ["me/small"], True), done.stderr


@pytest.mark.parametrize("arguments", [["--help"], ["run", "xner"], ["run", "testbed", "sed=1"], ["cache", "ls"]])
def test_help_and_refusals_load_no_heavy_module(arguments):
    heavy = ["torch", "transformers", "pyarrow", "numpy", "sklearn"]
    code = (
        "import atexit, json, sys\n"
        f"atexit.register(lambda: print(json.dumps([m for m in {heavy!r} if m in sys.modules])))\n"
        "from uxla.cli.app import main\nmain()"
    )
    done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False)
    assert json.loads(done.stdout.splitlines()[-1]) == []
    assert done.returncode == (2 if arguments[0] == "run" else 0)


@pytest.mark.parametrize(
    "command", [["data", "check", "{file}"], ["augment", "{file}", "--out", "{file}.tsv", "--model", "x"]]
)
@pytest.mark.parametrize("columns", ["text", "text=", "=1", "text=" + "9" * 5000])
def test_columns_that_make_no_sense_are_one_line(tmp_path, command, columns):
    file = tmp_path / "a.tsv"
    file.write_text("text\tlabel\na b\tx\n", encoding="utf-8")
    arguments = [part.format(file=file) for part in command]
    result = CliRunner().invoke(app, [*arguments, "--task", "classification", "--columns", columns])
    assert result.exit_code == 2, result.exception
    assert result.stderr.startswith("uxla: error: ")
    assert len(result.stderr.splitlines()) == 1
