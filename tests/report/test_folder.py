"""A run folder: what is no run is called what it is."""

import json

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
