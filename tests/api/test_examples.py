"""What the documents show of the Python interface, run as it stands; and the result that comes of it."""

import json
import re
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

import pytest

import uxla

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
API = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
NOTEBOOK = ROOT / "examples" / "algorithm.ipynb"


def between(text, mark):
    """The Python blocks between `<!-- mark -->` and `<!-- /mark -->`."""
    part = text.split(f"<!-- {mark} -->")[1].split(f"<!-- /{mark} -->")[0]
    return re.findall(r"^```python\n(.*?)^```$", part, flags=re.DOTALL | re.MULTILINE)


@pytest.fixture(scope="module")
def readme():
    """The names after the example of the README, and what it printed."""
    [code], names, printed = between(README, "python"), {}, StringIO()
    with redirect_stdout(printed):
        exec(code, names)
    return names, printed.getvalue()


def test_the_example_of_the_readme_prints_what_it_shows(readme):
    names, printed = readme
    assert (len(names["source"]), len(names["target"])) == (50, 500)
    shown = re.search(r"<!-- printed -->\n```\n(.*?)```", README, flags=re.DOTALL)[1]
    assert without_confidences(printed) == without_confidences(shown)
    assert re.fullmatch(r"(\w+ [A-Z]+ \d+ \d+ 0\.\d\d\n)+", printed)


def test_the_readme_is_short():
    lines = README.splitlines()
    assert len(lines) <= 150
    assert max(map(len, lines)) <= 100


def test_a_saved_result_comes_back_the_same(readme, tmp_path, monkeypatch):
    result = readme[0]["result"]
    texts = [example.segments[0] for example in readme[0]["target"].part(0, 20)]
    again = uxla.load(result.save(tmp_path / "run"))
    for name in ("scores", "history", "estimate", "warnings", "targets", "results", "environment"):
        assert getattr(again, name) == getattr(result, name), name
    assert again.ensemble.predict(texts) == result.ensemble.predict(texts)
    assert repr(again) == repr(result) == "Adapted(ner: source to far)"
    copied = uxla.load(again.save(tmp_path / "copy"))
    assert copied.ensemble.predict(texts) == result.ensemble.predict(texts)
    with pytest.raises(uxla.UxlaError, match="exists already; give the name of a new folder"):
        again.save(tmp_path / "copy")
    monkeypatch.setattr("uxla.study.write.link_or_copy", lambda *_: pytest.fail("a report needs no weights"))
    assert result.report(tmp_path / "a.html").read_text(encoding="utf-8").startswith("<!")
    assert (again.report(tmp_path / "b.html")).is_file()


def test_a_model_in_memory_is_the_folder_that_it_was_read_from(readme):
    from transformers import AutoModelForMaskedLM, AutoTokenizer

    from uxla.testbed import asset

    pair = AutoModelForMaskedLM.from_pretrained(asset()), AutoTokenizer.from_pretrained(asset())
    short = {"warm_up": uxla.WarmUp(batch_size=16, learning_rate=1e-3, max_steps=2, selection="last")}
    short["adaptation"] = uxla.Adaptation(batch_size=16, learning_rate=1e-3, max_steps=1)
    method = uxla.UXLA(epochs=[uxla.Epoch(uxla.MostConfident(1.0), source=True, target=True)], **short)
    target = readme[0]["target"].part(0, 20)
    results = [
        uxla.adapt(readme[0]["source"], target, model=model, method=method, max_length=128) for model in (pair, asset())
    ]
    first, second = (result.ensemble.probabilities(target).probs for result in results)
    assert (first == second).all()


def test_parts_of_ones_own_are_used_in_a_run(readme):
    blocks = between(API, "own parts")
    assert max(len(block.splitlines()) for block in blocks) <= 20
    names = {"uxla": uxla, "source": readme[0]["source"], "target": readme[0]["target"].part(0, 60)}
    for block in blocks:
        exec(block, names)
    methods = {entry["method"] for entry in names["result"].history}
    assert {"uxla", "half"} <= methods
    [first] = [e for e in names["result"].history if e["method"] == "uxla" and e["epoch"] == 1 and e["model"] == 1]
    kinds = {part["kind"]: part for part in first["learned_from"]}
    assert set(kinds) == {"source", "virtual_target"}
    assert max(kinds["virtual_target"]["kept"]) <= 30, "the selector keeps half of the sixty"


def test_the_notebook_is_algorithm_1_in_one_cell_and_runs():
    notebook = json.loads(NOTEBOOK.read_text(encoding="utf-8"))
    [cell] = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    source, printed = "".join(cell["source"]), StringIO()
    assert set(re.findall(r"uxla\.(\w+)", source)) <= set(uxla.__all__)
    assert "import uxla." not in source
    assert "from uxla" not in source
    with redirect_stdout(printed):
        exec(source, {})
    lines = printed.getvalue().splitlines()
    shown = "".join(cell["outputs"][0]["text"]).splitlines()
    assert [line.split(":")[0] for line in lines] == [line.split(":")[0] for line in shown]
    assert len(lines) == 4


@pytest.mark.filterwarnings("ignore:FigureCanvasAgg is non-interactive")
def test_the_notebook_from_lists_to_entities_prints_and_draws_what_it_shows():
    import matplotlib

    matplotlib.use("agg")
    notebook = json.loads((NOTEBOOK.parent / "lists_to_entities.ipynb").read_text(encoding="utf-8"))
    first, second = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    names, printed = {}, StringIO()
    with redirect_stdout(printed):
        exec("".join(first["source"]), names)
    assert without_confidences(printed.getvalue()) == without_confidences("".join(first["outputs"][0]["text"]))
    exec("".join(second["source"]), names)
    assert [text.get_text() for text in names["axes"].get_yticklabels()] == ["UXLA, ensemble", "UXLA", "zero-shot"]
    assert second["outputs"][0]["data"]["image/png"].startswith("iVBOR")


def without_confidences(text):
    """Confidences depend on the processor in their last digits."""
    return re.sub(r"0\.\d\d", "0", text)
