"""A command whose shards are jobs: its result has the bytes of one process, and no unit is done twice."""

import pickle
import random

import pytest

from uxla import plugins
from uxla.confidence import Scaling
from uxla.devices import Placement
from uxla.errors import ConfigError, UxlaError
from uxla.executors.executor import Serial
from uxla.executors.shares import SHARES, in_shares
from uxla.models.ensemble import Ensemble
from uxla.models.mentions import Mention
from uxla.raw_text import Splitter
from uxla.shards import Shard, UnfinishedError


class Elsewhere:
    """Does pickled jobs in an order of chance."""

    def map(self, function, items):
        jobs = [pickle.dumps((function, item)) for item in items]
        found = {}
        for number in random.Random(0).sample(range(len(jobs)), len(jobs)):
            call, item = pickle.loads(jobs[number])
            found[number] = call(item)
        return [found[number] for number in range(len(jobs))]


class Lengths:
    """An ensemble that answers a text with how many words it has, and counts them."""

    fingerprint, scaling, task, split = "lengths", Scaling(), "classification", Splitter()
    rows = 0

    def answers(self, rows):
        type(self).rows += len(rows)
        return [[Mention(0, 0, f"n{len(parts[0].split())}", 0.5)] for parts in rows]


@pytest.fixture
def elsewhere(monkeypatch):
    """The executor of this name."""
    monkeypatch.setattr(plugins, "load", lambda group, name: Elsewhere)
    return "elsewhere"


def work(done, fails=(), shard=None):
    """The second half of the shards finds all work done."""
    if shard is None:
        return "alone"
    if shard.number in fails:
        raise UxlaError("a fault")
    done.append(shard)
    return f"written by {len(done)}" if len(done) > SHARES // 2 else unfinished()


def unfinished():
    raise UnfinishedError("others are not done")


class Here:
    """Does jobs in their order, in this process."""

    map = map


def test_each_shard_is_a_job_and_the_result_is_that_of_one_that_wrote(tmp_path):
    done = []

    def do(shard=None):
        return work(done, shard=shard)

    assert in_shares(Here(), Placement("cpu"), do, tmp_path / "out") == f"written by {SHARES}"
    assert done == [Shard(number, SHARES) for number in range(1, SHARES + 1)]
    for given in (None, Serial()):
        assert in_shares(given, Placement("cpu"), do, tmp_path / "out") == "alone"


def test_a_fault_of_a_shard_is_that_of_the_command(tmp_path):
    def do(shard=None):
        return work([], fails=[2], shard=shard)

    with pytest.raises(UxlaError, match=r"^a fault$"):
        in_shares(Here(), Placement("cpu"), do, tmp_path / "out")
    with pytest.raises(ConfigError, match=r"^--fresh: cannot be given with --executor, whose jobs"):
        in_shares(Here(), Placement("cpu"), do, tmp_path / "out", fresh=True)


def test_augment_by_an_executor_writes_the_bytes_of_one_process(invoke, elsewhere, tmp_path, monkeypatch):
    (tmp_path / "a.txt").write_text("".join(f"ko{' mira' * (i % 3)}\n" for i in range(4100)))
    command = ["augment", "a.txt", "--model", "testbed", "--copies", 1, "--out"]
    monkeypatch.setenv("UXLA_CACHE", str(tmp_path / "one"))
    assert invoke(*command, "one.tsv").exit_code == 0
    monkeypatch.setenv("UXLA_CACHE", str(tmp_path / "store"))
    done = invoke(*command, "out.tsv", "--executor", elsewhere)
    assert (done.exit_code, done.stderr.count("4100 sentences read, 4100 samples written")) == (0, 1), done.output
    assert (tmp_path / "out.tsv").read_bytes() == (tmp_path / "one.tsv").read_bytes()
    assert len([*(tmp_path / "store/augment").iterdir()]) == 2


def test_predict_by_an_executor_writes_the_bytes_of_one_process(invoke, elsewhere, tmp_path, monkeypatch):
    monkeypatch.setattr(Ensemble, "load", lambda *_, **__: Lengths())
    (tmp_path / "run").mkdir()
    (tmp_path / "a.txt").write_text("".join("ko " * (i % 7) + "sen\n" for i in range(3000)))
    command = ["predict", "run", "a.txt", "--out"]
    monkeypatch.setenv("UXLA_CACHE", str(tmp_path / "one"))
    assert invoke(*command, "one.jsonl").exit_code == 0
    monkeypatch.setenv("UXLA_CACHE", str(tmp_path / "store"))
    done = invoke(*command, "out.jsonl", "--executor", elsewhere)
    assert done.exit_code == 0, done.output
    assert Lengths.rows == 2 * 3000, "no block twice"
    assert (tmp_path / "out.jsonl").read_bytes() == (tmp_path / "one.jsonl").read_bytes()


def test_predict_by_an_executor_needs_a_file_and_has_no_shards(invoke, elsewhere, tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "a.txt").write_text("ko\n")
    said = invoke("predict", "run", "a.txt", "--out", "b.jsonl", "--executor", "devices")
    assert (said.exit_code, said.stderr.count("this command computes on one --device; leave it out")) == (2, 1)
    said = invoke("predict", "run", "a.txt", "--executor", elsewhere)
    assert (said.exit_code, said.stderr.count("--executor: needs --out FILE")) == (2, 1)
    said = invoke("predict", "run", "a.txt", "--out", "b.jsonl", "--executor", elsewhere, "--shard", "1/2")
    assert (said.exit_code, said.stderr.count("--executor: cannot be given with --shard")) == (2, 1)
    said = invoke("predict", "run", "-", "--out", "b.jsonl", "--executor", elsewhere)
    assert (said.exit_code, said.stderr.count("--executor: other processes cannot read standard input")) == (2, 1)
