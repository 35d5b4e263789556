"""A model in memory is the folder that `save_pretrained` writes, whatever was done with it before."""

import pytest
import torch
from transformers import AutoModelForMaskedLM, AutoTokenizer

from uxla.errors import ModelError
from uxla.models.hub import resolve
from uxla.models.objects import check_objects, objects_digest, write_objects
from uxla.testbed import asset


@pytest.fixture(scope="module")
def pair():
    return AutoModelForMaskedLM.from_pretrained(asset()), AutoTokenizer.from_pretrained(asset())


def test_the_folder_is_a_model_as_any_other(pair, tmp_path):
    write_objects(*check_objects(pair), tmp_path)
    again = AutoModelForMaskedLM.from_pretrained(resolve(str(tmp_path)).path)
    for name, tensor in pair[0].state_dict().items():
        assert torch.equal(again.state_dict()[name], tensor)
    assert AutoTokenizer.from_pretrained(tmp_path)("ko mira") == pair[1]("ko mira")


def test_equal_models_have_one_digest_and_others_another(pair):
    model, tokenizer = pair
    again = AutoModelForMaskedLM.from_pretrained(asset())
    assert objects_digest(again, tokenizer) == objects_digest(model, tokenizer)
    with torch.no_grad():
        next(again.parameters()).view(-1)[0] += 1
    assert objects_digest(again, tokenizer) != objects_digest(model, tokenizer)
    assert objects_digest(model.bfloat16(), tokenizer) != objects_digest(again, tokenizer)
    model.float()


@pytest.mark.parametrize("given", [3, ("a", "b"), (None,), object()])
def test_what_is_no_pair_of_transformers_is_refused(given):
    with pytest.raises(ModelError, match=r"^model: got .*, expected a folder, a Hub id, or \(model, tokenizer\)"):
        check_objects(given)


def test_the_model_alone_is_refused(pair):
    with pytest.raises(ModelError, match=r"^model: got XLMRobertaForMaskedLM, expected"):
        check_objects(pair[0])
