"""uxla: labels in one language, a model in another."""

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"
__all__ = ["Sample", "__version__", "augment", "load"]

if TYPE_CHECKING:
    from pathlib import Path

    from uxla.augmentation.memory import Sample, augment
    from uxla.models.ensemble import Ensemble
else:

    def __getattr__(name: str) -> Any:
        """`augment` and `Sample`, imported when first asked for: they need numpy and Arrow."""
        if name not in ("augment", "Sample"):
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from uxla.augmentation import memory as module

        return getattr(module, name)


def load(folder: "str | Path", *, trust_remote_code: bool = False) -> "Ensemble":
    """The ensemble of a finished run, ready to label; `folder` is the run's or its `ensemble/`.

    `trust_remote_code` runs Python code that the backbone brought along.
    """
    from uxla.models.ensemble import Ensemble
    from uxla.models.model_safety import ModelSafety

    return Ensemble.load(folder, safety=ModelSafety(remote_code=trust_remote_code))
