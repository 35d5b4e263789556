"""What holds for every test: no network, one thread (more of them only disturb each other), a store of its own."""

import importlib
import os
import random
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import settings

from uxla.progress import listening

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["OMP_NUM_THREADS"] = "1"  # torch reads it when it is imported

settings.register_profile("uxla", deadline=None)  # a busy machine is no fault of the code
settings.load_profile("uxla")


@pytest.fixture(autouse=True)
def _own_store(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("UXLA_CACHE", str(tmp_path_factory.getbasetemp() / "no-store" / os.urandom(8).hex()))


class _Person:
    """Keeps the lines that a person is told."""

    def __init__(self):
        self.lines = []

    def start(self, label, total):
        return self

    def note(self, text):
        self.lines.append(text)

    def advance(self, amount=1):
        pass

    def stop(self):
        pass


@contextmanager
def _hearing():
    person = _Person()
    with listening(person):
        yield person.lines


@pytest.fixture(scope="session")
def hearing():
    """`with hearing() as lines:` what a person is told inside the block."""
    return _hearing


@pytest.fixture(scope="session")
def bench():
    """Of a name the script of that name under bench/, as a module."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "path", [str(Path(__file__).parents[1] / "bench"), *sys.path])
        yield importlib.import_module


_SIGNS = (
    "aZé1٣ n't'’-.,:;!?@#_/\n\t\u00a0\u3000\u200b\u200c\u200d\u00ad\u0301\ufe0f日本カーกำไทยကေ္ក្កabc👩🇵🇪{}\x00\u2028"
)


@pytest.fixture
def random_texts():
    """Texts of signs that meet in real text, and of any characters there are: `random_texts(count, seed)`."""

    def texts(count, seed=0):
        generator = random.Random(seed)
        characters = [chr(i) for i in range(sys.maxunicode + 1) if not 0xD800 <= i < 0xE000]
        for _ in range(count):
            alphabet = _SIGNS if generator.random() < 0.8 else characters
            yield "".join(generator.choices(alphabet, k=generator.randrange(30)))

    return texts


@pytest.fixture(scope="session")
def only_deterministic():
    """`with only_deterministic():` AssertionError at an operation that on a GPU torch refuses under
    `use_deterministic_algorithms(True)`, whatever the device of the test.

    The refusals are in CUDA's kernels, so no CPU and no fake tensor raises them; but what reaches a kernel is the same.
    `refused` are the operations as dispatch names them, and when they are refused, by their names in the documentation
    of `torch.use_deterministic_algorithms` (torch 2.13, "will throw a RuntimeError").
    """
    from torch.utils._python_dispatch import TorchDispatchMode

    def always(given):
        return True

    def floats(given):
        return given["self"].dtype.is_floating_point or given["self"].dtype.is_complex

    def products(given):
        return given["reduce"] == "prod"

    refused = {
        "torch.nn.AvgPool3d": {"avg_pool3d_backward": always},
        "torch.nn.AdaptiveAvgPool2d": {"_adaptive_avg_pool2d_backward": always},
        "torch.nn.AdaptiveAvgPool3d": {"_adaptive_avg_pool3d_backward": always},
        "torch.nn.AdaptiveMaxPool2d": {"adaptive_max_pool2d_backward": always},
        "torch.nn.FractionalMaxPool2d": {"fractional_max_pool2d_backward": always},
        "torch.nn.FractionalMaxPool3d": {"fractional_max_pool3d_backward": always},
        "torch.nn.MaxUnpool1d": {"max_unpool2d": always},
        "torch.nn.MaxUnpool2d": {"max_unpool2d": always},
        "torch.nn.MaxUnpool3d": {"max_unpool3d": always},
        "torch.nn.functional.interpolate": {
            f"upsample_{mode}_backward": always for mode in ("linear1d", "bilinear2d", "bicubic2d", "trilinear3d")
        },
        "torch.nn.ReflectionPad1d": {"reflection_pad1d_backward": always},
        "torch.nn.ReflectionPad2d": {"reflection_pad2d_backward": always},
        "torch.nn.ReflectionPad3d": {"reflection_pad3d_backward": always},
        # Of images alone: ATen's Loss.cu, for rows of logits, raises no alert, NLLLoss2d.cu does.
        "torch.nn.NLLLoss": {"nll_loss2d_forward": always, "nll_loss2d_backward": always},
        "torch.nn.CTCLoss": {"_ctc_loss_backward": always},
        "torch.nn.EmbeddingBag": {"_embedding_bag_dense_backward": always},
        "torch.Tensor.put_": {"put_": always, "put": always},
        "torch.histc": {"histc": always},
        "torch.bincount": {"bincount": lambda given: given.get("weights") is not None},
        "torch.median": {"median": lambda given: "dim" in given, "nanmedian": lambda given: "dim" in given},
        "torch.nn.functional.grid_sample": {"grid_sampler_2d_backward": always, "grid_sampler_3d_backward": always},
        "torch.cumsum": {"cumsum": floats, "cumsum_": floats},
        "torch.Tensor.scatter_reduce": {
            "scatter_reduce": products,
            "scatter_reduce_": products,
        },
        "torch.Tensor.resize_": {"resize_": lambda given: given["self"].is_quantized},
    }
    conditions = {name: refuses for found in refused.values() for name, refuses in found.items()}

    class OnlyDeterministic(TorchDispatchMode):
        def __torch_dispatch__(self, func, types, args=(), kwargs=None):
            name, names = func.overloadpacket.__name__, [argument.name for argument in func._schema.arguments]
            given = dict(zip(names, args, strict=False)) | (kwargs or {})
            assert not conditions.get(name, lambda given: False)(given), f"{name} is not deterministic on a GPU"
            return func(*args, **(kwargs or {}))

    OnlyDeterministic.refused = refused
    return OnlyDeterministic


@pytest.fixture
def invoke(tmp_path, monkeypatch):
    """Runs `uxla` in this process, in an empty working directory."""
    from typer.testing import CliRunner

    from uxla.cli.app import app

    monkeypatch.chdir(tmp_path)
    return lambda *arguments, **options: CliRunner().invoke(app, list(map(str, arguments)), **options)
