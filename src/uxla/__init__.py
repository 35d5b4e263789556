"""uxla: labels in one language, a model in another."""

from typing import TYPE_CHECKING

__version__ = "0.1.0"
__all__ = ["__version__", "load"]

if TYPE_CHECKING:
    from pathlib import Path

    from uxla.models.ensemble import Ensemble


def load(folder: "str | Path") -> "Ensemble":
    """The ensemble of a finished run, ready to label; `folder` is the run's or its `ensemble/`."""
    from uxla.models.ensemble import Ensemble

    return Ensemble.load(folder)
