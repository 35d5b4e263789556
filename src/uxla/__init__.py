"""uxla: labels in one language, a model in another."""

__version__ = "0.1.0"
