"""The testbed: synthetic languages, labelled sentences, and a small masked language model that has read them."""

from pathlib import Path

SHIPPED_WORLD = 0
"""The world whose masked language model is shipped: `World(SHIPPED_WORLD)` writes the sentences it knows."""
TESTBED = "testbed:"
"""A data path that begins so is a file of a synthetic world, not of the disk."""
WORLD_TASKS = {"ner": "ner", "nli": "nli", "paraphrase": "paraphrase", "classification": "topic"}
"""The testbed's task of each task of uxla."""
SIZES = {"train": 1000, "unlabelled": 1000, "dev": 300, "test": 500}
"""How many examples each split of a language has where nobody says otherwise."""


def asset() -> Path:
    """The folder of the shipped masked language model and its tokenizer, as `save_pretrained` wrote them."""
    return Path(__file__).parent / "assets"


def model_name(name: str) -> str:
    """The folder of the shipped model for `testbed`; any other name unchanged."""
    return str(asset()) if name == "testbed" else name
