"""uxla: train a model for a language in which you have no labels, from labelled text in another one.

What stands in `__all__` is the public interface, and nothing else is (docs/api.md). Names are imported when they are
first used, so that `import uxla` is quick.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"
__all__ = [
    "UXLA",
    "Adaptation",
    "Adapted",
    "Agreed",
    "CleanCluster",
    "Corpus",
    "Ensemble",
    "Entity",
    "Epoch",
    "Estimate",
    "Evaluated",
    "Event",
    "Exact",
    "Example",
    "FineTuning",
    "Label",
    "Learner",
    "MaskedLMVicinity",
    "Method",
    "ModelHandle",
    "MostConfident",
    "NoAgreement",
    "Predictions",
    "Ray",
    "Sample",
    "Score",
    "Scored",
    "Serial",
    "Store",
    "Suggestion",
    "Target",
    "Token",
    "Union",
    "UxlaError",
    "WarmUp",
    "__version__",
    "adapt",
    "augment",
    "balanced_mix",
    "co_label",
    "load",
    "read",
]

if TYPE_CHECKING:
    from uxla.adapted import Adapted, load
    from uxla.algorithm.agreement import Agreed, Exact, NoAgreement, Token, Union
    from uxla.algorithm.co_labelling import Learner, co_label
    from uxla.algorithm.cotraining import Epoch
    from uxla.algorithm.distil import CleanCluster, MostConfident
    from uxla.algorithm.estimates import Estimate
    from uxla.algorithm.mixing import balanced_mix
    from uxla.annotation.evaluate import Evaluated
    from uxla.annotation.score import Scored
    from uxla.annotation.suggest import Suggestion
    from uxla.api import adapt
    from uxla.augmentation.memory import Sample, augment
    from uxla.config.method import MaskedLMVicinity
    from uxla.config.training import Adaptation, WarmUp
    from uxla.corpora import read
    from uxla.errors import UxlaError
    from uxla.events import Event
    from uxla.executors.cluster import Ray
    from uxla.executors.executor import Serial
    from uxla.methods.method import Method
    from uxla.metrics import Score
    from uxla.models.ensemble import Ensemble
    from uxla.models.entities import Entity, Label
    from uxla.records import Corpus, Example, ModelHandle, Predictions
    from uxla.store.store import Store
    from uxla.study.fine_tuning import FineTuning
    from uxla.study.settings import UXLA
    from uxla.targets import Target

_PLACES = {
    "Adaptation": "config.training",
    "Adapted": "adapted",
    "Agreed": "algorithm.agreement",
    "CleanCluster": "algorithm.distil",
    "Corpus": "records",
    "Ensemble": "models.ensemble",
    "Entity": "models.entities",
    "Epoch": "algorithm.cotraining",
    "Estimate": "algorithm.estimates",
    "Evaluated": "annotation.evaluate",
    "Event": "events",
    "Exact": "algorithm.agreement",
    "Example": "records",
    "FineTuning": "study.fine_tuning",
    "Label": "models.entities",
    "Learner": "algorithm.co_labelling",
    "MaskedLMVicinity": "config.method",
    "Method": "methods.method",
    "ModelHandle": "records",
    "MostConfident": "algorithm.distil",
    "NoAgreement": "algorithm.agreement",
    "Predictions": "records",
    "Ray": "executors.cluster",
    "Sample": "augmentation.memory",
    "Score": "metrics",
    "Scored": "annotation.score",
    "Serial": "executors.executor",
    "Store": "store.store",
    "Suggestion": "annotation.suggest",
    "Target": "targets",
    "Token": "algorithm.agreement",
    "UXLA": "study.settings",
    "Union": "algorithm.agreement",
    "UxlaError": "errors",
    "WarmUp": "config.training",
    "adapt": "api",
    "augment": "augmentation.memory",
    "balanced_mix": "algorithm.mixing",
    "co_label": "algorithm.co_labelling",
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
