"""uxla: train a model for a language in which you have no labels, from labelled text in another one.

What stands in `__all__` is the public interface, and nothing else is (docs/api.md). Names are imported when they are
first used, so that `import uxla` is quick.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"
__all__ = [
    "UXLA",
    "Adapted",
    "CleanCluster",
    "Corpus",
    "Ensemble",
    "Entity",
    "Epoch",
    "Example",
    "Learner",
    "MaskedLMVicinity",
    "MostConfident",
    "Predictions",
    "Sample",
    "Store",
    "Target",
    "UxlaError",
    "__version__",
    "adapt",
    "augment",
    "balanced_mix",
    "load",
    "read",
]

if TYPE_CHECKING:
    from uxla.adapted import Adapted, load
    from uxla.algorithm.cotraining import Epoch, Learner
    from uxla.algorithm.distil import CleanCluster, MostConfident
    from uxla.algorithm.mixing import balanced_mix
    from uxla.api import adapt
    from uxla.augmentation.memory import Sample, augment
    from uxla.config.method import MaskedLMVicinity
    from uxla.corpora import read
    from uxla.errors import UxlaError
    from uxla.models.ensemble import Ensemble
    from uxla.models.entities import Entity
    from uxla.records import Corpus, Example, Predictions, Target
    from uxla.store.store import Store
    from uxla.study.settings import UXLA

_PLACES = {
    "UXLA": "study.settings",
    "Adapted": "adapted",
    "CleanCluster": "algorithm.distil",
    "Corpus": "records",
    "Ensemble": "models.ensemble",
    "Entity": "models.entities",
    "Epoch": "algorithm.cotraining",
    "Example": "records",
    "Learner": "algorithm.cotraining",
    "MaskedLMVicinity": "config.method",
    "MostConfident": "algorithm.distil",
    "Predictions": "records",
    "Sample": "augmentation.memory",
    "Store": "store.store",
    "Target": "records",
    "UxlaError": "errors",
    "adapt": "api",
    "augment": "augmentation.memory",
    "balanced_mix": "algorithm.mixing",
    "load": "adapted",
    "read": "corpora",
}
"""The module of each public name."""


def __getattr__(name: str) -> Any:
    """A public name, imported when it is first asked for."""
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = globals()[name] = getattr(import_module(f"{__name__}.{_PLACES[name]}"), name)
    return found


def __dir__() -> list[str]:
    """The public names."""
    return sorted(__all__)
