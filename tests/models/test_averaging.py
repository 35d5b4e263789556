"""The mean of models' weights, worked out by hand, and the weights that a backbone gives."""

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModelForSequenceClassification, AutoModelForTokenClassification

from uxla.models.averaging import average_weights, pretrained_weights
from uxla.models.loading import load_model
from uxla.models.model_safety import SAFE

LABELS = {0: "O", 1: "B-X", 2: "I-X"}


def averaged(tmp_path, start, *models):
    """The mean of models of one tensor `w` each."""
    for number, tensor in enumerate(models):
        (tmp_path / str(number)).mkdir()
        (tmp_path / str(number) / "config.json").write_text("{}")
        save_file({"w": torch.as_tensor(tensor)}, tmp_path / str(number) / "model.safetensors")
    (tmp_path / "mean").mkdir()
    folders = [tmp_path / str(number) for number in range(len(models))]
    average_weights(folders, {} if start is None else {"w": torch.as_tensor(start)}, tmp_path / "mean")
    return load_file(tmp_path / "mean/model.safetensors")["w"]


@pytest.mark.parametrize(
    ("start", "models", "expected"),
    [
        (None, ([1.0, 0.0], [0.0, 1.0]), [0.5, 0.5]),
        # changes of length 1 each, at a right angle: their mean (½, ½) has length √½, so it is stretched by √2
        ([1.0, 1.0], ([2.0, 1.0], [1.0, 2.0]), [1 + 0.5**0.5, 1 + 0.5**0.5]),
        # lengths 3 and 1 along one line: the mean has length 2, their root mean square is √5
        ([0.0], ([3.0], [1.0]), [5**0.5]),
        # changes that nearly cancel would be stretched without end: at most by √2
        ([0.0], ([1.0], [-0.9]), [0.05 * 2**0.5]),
        ([4.0, 5.0], ([5.0, 6.0], [3.0, 4.0]), [4.0, 5.0]),
        ([7.0], ([9.5], [9.5], [9.5]), [9.5]),
        ([7.0], ([7.0], [7.0]), [7.0]),
        ([5], ([3], [4]), [3]),
    ],
)
def test_the_mean_is_as_far_from_the_start_as_the_models_are(tmp_path, start, models, expected):
    found = averaged(tmp_path, start, *models)
    assert found.tolist() == pytest.approx(expected)
    assert found.dtype == torch.as_tensor(models[0]).dtype


@pytest.mark.parametrize("kind", ["metaspace", "bytelevel", "wordpiece", "roberta", "deberta", "albert"])
@pytest.mark.parametrize("auto_class", [AutoModelForTokenClassification, AutoModelForSequenceClassification])
def test_a_backbone_gives_every_weight_of_its_encoder_and_none_that_a_training_draws(kind, auto_class, folder_of):
    start = pretrained_weights(auto_class, folder_of(kind), SAFE)
    one, other = (load_model(auto_class, folder_of(kind), head_seed=s, id2label=LABELS)[0] for s in (1, 2))
    first, second = one.state_dict(), other.state_dict()
    assert start.keys() <= first.keys()
    for name, tensor in first.items():
        if name in start:
            assert torch.equal(tensor, start[name])
        elif name.startswith(f"{one.base_model_prefix}.") and "pooler" not in name:
            raise AssertionError(f"{name} is the encoder's")
    drawn = [name for name in first if not torch.equal(first[name], second[name])]
    assert drawn
    assert not start.keys() & set(drawn)


def test_a_backbones_own_classification_layer_is_no_start(folder_of, tmp_path):
    model = load_model(AutoModelForTokenClassification, folder_of("wordpiece"), id2label=LABELS)[0]
    model.save_pretrained(tmp_path)
    start = pretrained_weights(AutoModelForTokenClassification, tmp_path, SAFE)
    assert set(model.state_dict()) - set(start) == {"classifier.weight", "classifier.bias"}
