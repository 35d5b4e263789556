"""Large tables of embeddings in a training: the optimiser has the rows that were looked up, and no others.

Of XLM-R's 250,002 rows a training on labelled sentences looks up some ten thousand. The others have no gradient: AdamW
only decays them, and all at the same rate. They are decayed together, when the table is read as a whole.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn
from torch.nn.functional import embedding

from uxla.models.device import to_device
from uxla.records import Ints

_LARGE = 2**22
"""Numbers in a table: 16 MB in float32."""


class LookedUpRows:
    """The rows of a table that a training has looked up so far, as one parameter in place of the table.

    A step is `begin`, forward and backward passes, `end`, and the optimiser's step. The table itself is as it was when
    `put_back` was last called. Row 0 of the parameter stands for all rows that were not looked up: it begins as ones,
    and the optimiser makes of it what is left of them.
    """

    def __init__(self, table: nn.Embedding) -> None:
        self.table, weight = table, table.weight
        self.place = np.zeros(len(weight), dtype=np.int64)
        """Of each row of the table, the number of its row in `rows`; 0 where it was not looked up."""
        self.rows = nn.Parameter(torch.ones_like(weight[:1]))
        self.numbers = torch.full((len(weight),), -1, device=weight.device)
        """Of each row of the table that the step looks up, its number in the step."""
        weight.requires_grad_(False)
        self.hook = table.register_forward_hook(self._look_up)

    @classmethod
    def of(cls, module: Any, *, large: int = _LARGE) -> list[LookedUpRows]:
        """That of a module's table of pieces, if it is trained and has at least `large` numbers; else none.

        Also none for a masked LM: its output may use the same table, in whatever way. Nor where a second module has the
        table's weights, as in T5: the model looks them up in that one.
        """
        table = module.get_input_embeddings()
        if sum(getattr(one, "weight", None) is table.weight for one in module.modules()) > 1:
            return []
        if module.get_output_embeddings() is not None or type(table) is not nn.Embedding or table.scale_grad_by_freq:
            return []
        return [cls(table)] if table.weight.requires_grad and table.weight.numel() >= large else []

    def begin(self, ids: npt.ArrayLike, optimiser: torch.optim.Optimizer) -> None:
        """Make ready what a step looks up: the rows `ids`, of which that of padding has no gradient."""
        padding = [] if self.table.padding_idx is None else [self.table.padding_idx]
        wanted = np.unique(np.append(ids, padding).astype(np.int64))
        new, device = wanted[self.place[wanted] == 0], self.rows.device
        if len(new):
            self._admit(new, optimiser)
        self.now = to_device(torch.from_numpy(self.place[wanted]), device)
        self.step = self.rows.detach()[self.now].requires_grad_()
        self.numbers[to_device(torch.from_numpy(wanted), device)] = torch.arange(len(wanted), device=device)
        self.padding = int(np.searchsorted(wanted, padding[0])) if padding else None

    def end(self) -> None:
        """Hand the step's gradient to the optimiser's parameter."""
        if self.rows.grad is None:
            self.rows.grad = torch.zeros_like(self.rows)
        assert self.step.grad is not None, "the model looks up its embeddings in their module"
        self.rows.grad.index_copy_(0, self.now, self.step.grad)

    def put_back(self) -> None:
        """Make the table what the training has made of it."""
        ids = np.flatnonzero(self.place)
        with torch.no_grad():
            self.table.weight *= self.rows[0]
            self.table.weight[ids] = self.rows[self.place[ids]]
            self.rows[0] = 1

    def close(self) -> None:
        """Put the rows back for good."""
        self.put_back()
        self.hook.remove()
        self.table.weight.requires_grad_(True)

    def state(self) -> dict[str, torch.Tensor]:
        """What `restore` needs, beside the table and the optimiser."""
        return {"place": torch.from_numpy(self.place), "rows": self.rows.detach()}

    def restore(self, state: dict[str, torch.Tensor], optimiser: torch.optim.Optimizer) -> None:
        """Set the state that `state` returned; the optimiser's own is to be restored behind it."""
        self.place = state["place"].numpy().copy()
        self._replace(state["rows"].to(self.rows.device, copy=True), optimiser)

    def _look_up(self, table: nn.Module, inputs: tuple[torch.Tensor, ...], found: object) -> torch.Tensor | None:
        """In a step of the training the rows that are trained, else those of the table."""
        return embedding(self.numbers[inputs[0]], self.step, self.padding) if torch.is_grad_enabled() else None

    def _admit(self, new: Ints, optimiser: torch.optim.Optimizer) -> None:
        first = int(self.place.max()) + 1
        last = first + len(new)
        if last > len(self.rows):
            self._replace(_enlarged(self.rows.detach(), 2 ** (last - 1).bit_length()), optimiser)
        self.place[new] = np.arange(first, last)
        with torch.no_grad():  # the indices go by `to_device`: a GPU's own copy of them would be waited for
            there = to_device(torch.from_numpy(new), self.rows.device)
            self.rows[first:last] = self.table.weight[there] * self.rows[0]

    def _replace(self, rows: torch.Tensor, optimiser: torch.optim.Optimizer) -> None:
        """Give the optimiser a larger parameter, whose new rows are zero and have never moved."""
        old, new = self.rows, nn.Parameter(rows)
        # first what may run out of memory
        state = optimiser.state.get(old, {})
        larger = {n: v if v.ndim == 0 else _enlarged(v, len(rows)) for n, v in state.items()}
        self.rows = new
        for group in optimiser.param_groups:
            group["params"] = [new if parameter is old else parameter for parameter in group["params"]]
        optimiser.state.pop(old, None)
        optimiser.state[new] = larger


def _enlarged(tensor: torch.Tensor, size: int) -> torch.Tensor:
    larger = tensor.new_zeros(size, *tensor.shape[1:])
    larger[: len(tensor)] = tensor
    return larger
