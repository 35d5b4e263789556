"""A run folder: what is no run is called what it is."""

import json
import re

import pytest

from uxla.errors import ArtifactError, spelled_as
from uxla.report.folder import RunFolder


def test_the_folder_of_a_target_is_said_to_be_one(tmp_path):
    (tmp_path / "far").mkdir()
    (tmp_path / "results.json").write_text(json.dumps({"targets": {"far": {}, "near": {}}}))
    with pytest.raises(ArtifactError, match=r"far: is one target of a run, not a run, .*, then ensemble_of\('far'\)$"):
        RunFolder.read(tmp_path / "far")
    with spelled_as("options"), pytest.raises(ArtifactError, match=rf"; give {tmp_path}$"):
        RunFolder.read(tmp_path / "far")
    (tmp_path / "other").mkdir()
    with pytest.raises(ArtifactError, match=r"other: no results\.json"):
        RunFolder.read(tmp_path / "other")


SCORE = {"mean": 50.0, "sd": 1.0, "models": [49.0, 50.0, 51.0]}
RESULTS = {"version": 2, "task": "ner", "metric": "f1", "source": {"name": "en"}, "targets": {"es": {"uxla": [SCORE]}}}


def written(folder, found):
    (folder / "results.json").write_text(json.dumps(found), encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"task": "parsing"}, "task: got 'parsing', expected"),
        ({"methods": {"mine": {"title": "my own"}}}, "methods.mine."),
        ({"final": 3}, "final: got 3"),
        ({"targets": {"es": {"zero_shot": {"mean": 50.0}}}}, "targets.es.zero_shot.sd: is not given"),
        ({"targets": {"es": {"penalty": [SCORE]}}}, "targets.es.penalty: got [{"),
        ({"targets": {"es": {"ensemble": None}}}, "targets.es.ensemble: got null, expected"),
        ({"source": {"name": "en", "after": {"es": 3}}}, "source.after.es: got 3, expected"),
        ({"kept_epoch": {"es": 2}}, "es has epoch 2, of 1"),
        ({"trainings": [{"method": "uxla"}]}, "trainings.0.target: is not given"),
        ({"estimates": {"es": {"uxla": {"score": 50.0}}}}, "estimates.es.uxla.low: is not given"),
    ],
)
def test_results_that_are_not_as_documented_are_refused_where_they_are_read_with_the_place(tmp_path, more, said):
    assert RunFolder.read(written(tmp_path, RESULTS)).targets == ("es",)
    with pytest.raises(ArtifactError, match=rf"results.json: damaged \(.*{re.escape(said)}"):
        RunFolder.read(written(tmp_path, RESULTS | more))


@pytest.mark.parametrize("found", ["[1]", '{"seconds": 3}', '{"hardware": {"cpu": "x"}}', "{"])
def test_an_environment_that_cannot_be_used_is_none(tmp_path, found):
    (tmp_path / "environment.json").write_text(found, encoding="utf-8")
    assert RunFolder.read(written(tmp_path, RESULTS)).environment == {}
