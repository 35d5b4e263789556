"""`uxla predict` with a toy in place of a run's models."""

import pytest

from uxla.confidence import Scaling
from uxla.models.mentions import Mention
from uxla.raw_text import Splitter

CALIBRATED = Scaling()


class ToyEnsemble:
    """An ensemble that calls capitals names, and texts by how many words they have."""

    fingerprint = "toy"
    split = Splitter(together=("hyphens",))

    def __init__(self, task, answers, scaling, members=3):
        self.task, self.scaling, self.members = task, scaling, ("model",) * members
        self.answers = answers or self.answers

    def answers(self, rows):
        return [self.found(parts) if parts else [] for parts in rows]

    def found(self, parts):
        if self.task == "ner":
            return [Mention(i, i + 1, "PER", 0.75) for i, word in enumerate(parts) if word[0].isupper()]
        return [Mention(0, 0, f"n{len(' '.join(parts).split())}", 0.5)]


@pytest.fixture
def predict(monkeypatch, invoke, tmp_path):
    """`uxla predict` of a file, or with `-` of standard input, with a toy in place of a run's ensemble."""
    from uxla.models.ensemble import Ensemble

    (tmp_path / "run").mkdir()

    def run(name, content, *arguments, task="ner", answers=None, scaling=CALIBRATED, members=3):
        monkeypatch.setattr(Ensemble, "load", lambda *_, **__: ToyEnsemble(task, answers, scaling, members))
        raw = content.encode() if isinstance(content, str) else content
        if name == "-":
            return invoke("predict", "run", "-", *arguments, input=raw)
        (tmp_path / name).write_bytes(raw)
        return invoke("predict", "run", name, *arguments)

    return run
