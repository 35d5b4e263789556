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
    `use_deterministic_algorithms(True)`, as its documentation lists them; whatever the device of the test."""
    from torch.utils._python_dispatch import TorchDispatchMode

    refused = {
        "avg_pool3d_backward", "_adaptive_avg_pool2d_backward", "_adaptive_avg_pool3d_backward",
        "adaptive_max_pool2d_backward", "fractional_max_pool2d_backward", "fractional_max_pool3d_backward",
        "max_unpool2d", "max_unpool3d", "upsample_linear1d_backward", "upsample_bilinear2d_backward",
        "upsample_bicubic2d_backward", "upsample_trilinear3d_backward", "reflection_pad1d_backward",
        "reflection_pad2d_backward", "reflection_pad3d_backward", "nll_loss2d_forward", "nll_loss2d_backward",
        "_ctc_loss_backward", "_embedding_bag_dense_backward", "put_", "put", "histc", "grid_sampler_2d_backward",
        "grid_sampler_3d_backward", "median", "nanmedian",
    }  # fmt: skip

    class OnlyDeterministic(TorchDispatchMode):
        def __torch_dispatch__(self, func, types, args=(), kwargs=None):
            name = func.overloadpacket.__name__
            adds = name in ("cumsum", "cumsum_") and (args[0].is_floating_point() or args[0].is_complex())
            weighted = name == "bincount" and len(args) > 1 and args[1] is not None
            product = name.startswith("scatter_reduce") and args[4] == "prod"
            found = name in refused or adds or weighted or product
            assert not found, f"{name} is not deterministic on a GPU"
            return func(*args, **(kwargs or {}))

    return OnlyDeterministic


@pytest.fixture
def invoke(tmp_path, monkeypatch):
    """Runs `uxla` in this process, in an empty working directory."""
    from typer.testing import CliRunner

    from uxla.cli.app import app

    monkeypatch.chdir(tmp_path)
    return lambda *arguments, **options: CliRunner().invoke(app, list(map(str, arguments)), **options)
