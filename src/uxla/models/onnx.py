"""A model as an ONNX file, for programs without torch."""

from __future__ import annotations

import logging
import math
import shutil
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from uxla.errors import ConfigError, ModelError
from uxla.files import atomic_folder
from uxla.models.ensemble import Ensemble
from uxla.models.loading import usable_length
from uxla.models.model_safety import reason
from uxla.models.task_model import TaskModel

FILE = "model.onnx"
_TOLERANCE = 1e-3
"""The largest difference of a probability that rounding explains."""


def export_onnx(ensemble: Ensemble, out: Path) -> Path:
    """Write `model.onnx`, the tokenizer and `config.json` to the folder `out`; the value is the ONNX file.

    The graph has the inputs `input_ids` and `attention_mask` (B, L), and `token_type_ids` where the tokenizer gives
    them, and one output `logits`, of float32: (B, L, C) of a tagger, else (B, C). Of several models these are the
    logarithms of the mean probabilities, so that a softmax gives what `Ensemble.probabilities` gives. `check_onnx` is
    part of it. ConfigError where a package is missing, ModelError where the architecture cannot be exported.
    """
    try:
        import onnxruntime  # noqa: F401 (for the check)
        import onnxscript  # noqa: F401 (for torch's exporter)
    except ImportError as error:
        raise ConfigError(f"ONNX: {error.name} is not installed; run: pip install 'uxla[onnx]'") from None
    first = ensemble.members[0]
    folder = Path(first.module.name_or_path)
    with atomic_folder(out) as into:
        try:
            with _quiet(), torch.no_grad():
                net, longest = _Mean(ensemble.members).eval(), usable_length(first.module)
                _export(net, _example(first), longest).save(str(into / FILE))
        except Exception as error:  # whatever the exporter can raise about an architecture
            kind = type(first.module).__name__
            raise ModelError(f"{kind} cannot be exported to ONNX ({reason(error)}); try another torch") from error
        check_onnx(into / FILE, ensemble)
        for file in (folder / "config.json", *folder.glob("*token*")):
            shutil.copy(file, into / file.name)
    return out / FILE


def check_onnx(file: Path, ensemble: Ensemble) -> None:
    """ModelError where the file, run by onnxruntime, gives other probabilities than the ensemble."""
    import onnxruntime

    session = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
    net, inputs = _Mean(ensemble.members).eval(), _example(ensemble.members[0])
    for rows in (2, 1):
        given = {name: tensor[:rows] for name, tensor in inputs.items()}
        with torch.inference_mode():
            expected = net(*given.values()).softmax(-1)
        (logits,) = session.run(["logits"], {name: tensor.numpy() for name, tensor in given.items()})
        worst = float((torch.from_numpy(logits).softmax(-1) - expected).abs().max())
        if not worst < _TOLERANCE:
            raise ModelError(f"{file}: its probabilities differ by {worst:.2g} from the models'; try another torch")


class _Mean(nn.Module):
    """The logarithm of the mean of several models' probabilities; of one model its logits."""

    def __init__(self, members: tuple[TaskModel, ...]) -> None:
        super().__init__()
        self.members = nn.ModuleList(member.module for member in members)

    def forward(self, ids: Tensor, mask: Tensor, types: Tensor | None = None) -> Tensor:
        inputs = {"input_ids": ids, "attention_mask": mask} | ({} if types is None else {"token_type_ids": types})
        logits: list[Tensor] = [member(**inputs).logits.float() for member in self.members]
        if len(logits) == 1:
            return logits[0]
        return torch.stack(logits).log_softmax(-1).logsumexp(0) - math.log(len(logits))


def _example(model: TaskModel) -> dict[str, Tensor]:
    """Two rows of different length, the shorter one padded."""
    tokenizer = model.tokenizer
    body = tokenizer.encode_text("a b c")
    ids = torch.tensor([[*tokenizer.prefix, *body, *body, *tokenizer.suffix]]).repeat(2, 1)
    mask = torch.ones_like(ids)
    ids[1, -len(body) :], mask[1, -len(body) :] = tokenizer.pad, 0
    types = {"token_type_ids": torch.zeros_like(ids)} if tokenizer.segment_numbers else {}
    return {"input_ids": ids, "attention_mask": mask, **types}


def _export(net: nn.Module, inputs: dict[str, Tensor], longest: int) -> Any:
    axes = {0: torch.export.Dim("batch"), 1: torch.export.Dim("length", max=longest)}
    program = torch.onnx.export(
        net,
        tuple(inputs.values()),
        dynamo=True,
        verbose=False,
        input_names=list(inputs),
        output_names=["logits"],
        dynamic_shapes=(axes,) * len(inputs),
    )
    assert program is not None
    return program


@contextmanager
def _quiet() -> Iterator[None]:
    """Inside the block the exporter does not warn of packages and names that nobody asked for."""
    logger = logging.getLogger("torch.onnx")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(before)
