"""Where a run is written: the folder's name, and checks that no other run's or person's files are overwritten."""

from __future__ import annotations

import os
import re
import shutil
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from hashlib import blake2b
from itertools import chain
from pathlib import Path
from typing import Any

from uxla.config.run import RunConfig, load_config
from uxla.errors import ArtifactError, BeingWrittenError, ConfigError, in_python
from uxla.files import alone, atomic_folder, leftovers, write_file
from uxla.store.journal import JOURNAL
from uxla.write_errors import writing

CONFIG = "config.yaml"
_PARTS = (
    *("models", "ensemble", "README.md"),
    *("config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"),
)
"""The parts of a run folder that each target has in its own folder if there are several targets."""
_WRITTEN = (
    *("results.json", "environment.json", "table.md", CONFIG, JOURNAL),
    *("predictions", "trace", "warmup", "tracking"),
)
_BEGIN = b'{"event": '
"""How a journal begins; a killed run may have written less of it."""
_REPORT = re.compile(r"report(\.html|-table\.(md|csv)|-.+-(scores|reliability)\.(svg|png))")
_INDIFFERENT = {
    "devices",
    "jobs_per_device",
    "threads",
    "deterministic",
    "tokens_per_batch",
    "checkpoint_minutes",
    "keep_weights",
    "tracking",
}
"""Keys that say how a run computes, not what: a run may be resumed with other values of them."""

_REMEDY = "free space there, or give another --out"
_LONGEST, _LONGEST_PART, _TOLD = 100, 60, 3
_MOMENT = 0.5
"""Seconds until a folder counts as another run's."""


def run_folder(config: str, overrides: Sequence[str], targets: Sequence[str]) -> Path:
    """`runs/NAME-TARGET`, followed by the overrides that make another run: `runs/testbed-far-seed=1`."""
    name = "-".join([_part(Path(config).stem), _part("-".join(targets))])
    return Path("runs") / _with_settings(
        name, [text for text in overrides if text.partition("=")[0].strip() != "target"]
    )


def grid_folder(config: str, settings: Sequence[str]) -> Path:
    """`runs/NAME-grid`, followed by the settings of one value: `runs/testbed-grid-seed=1`."""
    return Path("runs") / _with_settings(f"{_part(Path(config).stem)}-grid", settings)


def safe_name(text: str, shown: str | None = None) -> str:
    """`text`, or what is `shown` for it, as a file's name on any disk: of letters that all disks take, and with a
    digest of `text` where that changes it, cuts it, or only case would tell it from another."""
    plain = re.sub(r"[^\w.+=-]+", "-", shown or text, flags=re.ASCII)[:_LONGEST]
    return plain if plain == text.lower() else f"{plain}-{blake2b(os.fsencode(text), digest_size=4).hexdigest()}"


def check_folder(out: Path, config: RunConfig, *, overwrite: bool = False) -> None:
    """ArtifactError where the run of `config` must not be written to `out`: a run of another configuration is there,
    finished or not, unless `overwrite` is to replace it; or files with the names of a run's that no run wrote."""
    if not out.is_dir():
        return
    if not is_run(out):
        foreign = [name for name in _names(config) if os.path.lexists(out / name)]
        if foreign:
            found = f"has {foreign[0]}, which no run wrote and this one would overwrite"
            raise ArtifactError(
                f"{'' if in_python() else '--out '}{out}: {found}; give another folder, or move it away"
            )
        return
    other = _difference(out, config)
    if other is not None and not overwrite:
        state = "a finished" if (out / "results.json").exists() else "an unfinished"
        remedy = "give another folder" if in_python() else "give another --out, or --overwrite to replace it"
        raise ArtifactError(f"{out}: holds {state} run of another configuration ({other}); {remedy}")


@contextmanager
def locked_folder(out: Path) -> Iterator[None]:
    """Make the folder `out` and keep it to this process; WriteError where another one writes there.

    Who asks whether a run lives (`uxla.study.status`) holds its lock for a moment, which is waited for.
    """
    until = time.monotonic() + _MOMENT
    with ExitStack() as held:
        while True:
            try:
                held.enter_context(alone(out, _REMEDY, lock=out / ".lock"))
                break
            except BeingWrittenError:
                if time.monotonic() >= until:
                    raise
            time.sleep(_MOMENT / 10)
        yield


@contextmanager
def taken(out: Path, config: RunConfig, *, overwrite: bool = False) -> Iterator[None]:
    """Keep `out`, made if need be, to this process and to the run of `config`.

    What another configuration left is removed where `overwrite` says so: all that a run or a report wrote, and nothing
    else. ArtifactError as `check_folder`, where another run writes there, and where nothing can be written.
    """
    with locked_folder(out):
        check_folder(out, config, overwrite=overwrite)
        with writing(out, _REMEDY):
            if is_run(out) and _difference(out, config) is not None:
                for path in [*_left(out)]:
                    _remove(path)
            if not (out / CONFIG).exists():
                write_file(out / CONFIG, config.to_yaml())
        yield


def is_finished(out: Path, config: RunConfig) -> bool:
    """Whether the run in `out` is whole and of this configuration: `results.json` is written after `config.yaml`."""
    from uxla.report.folder import RunFolder  # numpy and pyarrow, which `uxla run` need not load to refuse a folder

    file, results = out / CONFIG, out / "results.json"
    try:
        run = RunFolder.read(out)
        for target in run.targets:
            run.test_set(target)
        in_order = results.stat().st_mtime_ns >= file.stat().st_mtime_ns
        return in_order and file.read_bytes() == config.to_yaml().encode()
    except (ArtifactError, OSError):
        return False


def copy_run(folder: Path, out: Path) -> None:
    """Copy a run folder to `out`. ArtifactError where something is there already, or it cannot be written."""
    if out.exists():
        raise ArtifactError(f"{out}: exists already; give the name of a new folder")
    with atomic_folder(out) as into:
        shutil.copytree(folder, into, dirs_exist_ok=True)


def remove_reports(out: Path) -> None:
    """Remove what `uxla report` wrote into a run folder. Raises OSError."""
    for path in _reports(out):
        path.unlink()


def _with_settings(name: str, settings: Sequence[str]) -> str:
    """The name with its settings, sorted by key and each with its last value: their order makes no difference."""
    split = (text.partition("=") for text in settings)
    pairs = {key.strip(): value.strip() for key, _, value in split if key.strip() not in _INDIFFERENT}
    if not pairs:
        return name
    text = "_".join(f"{key}={value}" for key, value in sorted(pairs.items()))
    shown = re.sub(r"[\[\]\"' ]", "", text).replace(",", "+")
    return f"{name}-{safe_name(text, shown)}"


def _part(text: str) -> str:
    return text if len(os.fsencode(text)) <= _LONGEST_PART else safe_name(text, text[:_LONGEST_PART])


def is_run(out: Path) -> bool:
    """Whether a run wrote here: there is a journal, a run's first file, or all other files of a finished run."""
    return _is_journal(out / JOURNAL) or all((out / name).is_file() for name in (CONFIG, "results.json", "table.md"))


def _is_journal(file: Path) -> bool:
    """Whether a run's journal is there, and not a file of that name from elsewhere."""
    if not file.is_file():
        return False
    with file.open("rb") as stream:
        begin = stream.read(len(_BEGIN))
    return _BEGIN.startswith(begin)


def _names(config: RunConfig) -> list[str]:
    """The files and folders that the run of `config` writes, relative to its folder."""
    if len(config.target) == 1:
        return [*_WRITTEN, *_PARTS]
    return [*_WRITTEN, *(f"{target}/{part}" for target in config.target for part in _PARTS)]


def _difference(out: Path, config: RunConfig) -> str | None:
    """What differs between the configuration of the run in `out` and `config`; None where nothing does."""
    file = out / CONFIG
    if not os.path.lexists(file):
        return None if not any(_left(out, but=JOURNAL)) else f"its {CONFIG} is gone"
    if file.is_file() and file.read_bytes() == config.to_yaml().encode():
        return None
    try:
        there, here = (dict(_flat(one.model_dump())) for one in (load_config(str(file)), config))
    except ConfigError as error:
        return f"its {CONFIG} cannot be read here: {error}"
    differing = [key for key in here if here[key] != there.get(key)] + [key for key in there if key not in here]
    differing = [key for key in differing if key.split(".")[0] not in _INDIFFERENT]
    if not differing:
        return None
    told = "; ".join(
        f"{key} is {_short(there.get(key))} there, {_short(here.get(key))} here" for key in differing[:_TOLD]
    )
    return told + (f"; and {len(differing) - _TOLD} more" if len(differing) > _TOLD else "")


def _flat(values: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in values.items():
        if isinstance(value, dict) and value:
            yield from _flat(value, f"{above}{key}.")
        else:
            yield f"{above}{key}", value


def _short(value: object) -> str:
    text = "null" if value is None else str(value)
    return text if len(text) <= _LONGEST_PART else f"{text[:_LONGEST_PART]}…"


def _left(out: Path, but: str | None = None) -> Iterator[Path]:
    """Everything in `out` that a run of any targets, or a report of it, wrote; but not the folders of other runs."""
    names = [name for name in (*_WRITTEN, *_parts(out)) if name != but]
    places = [out / name for name in names]
    yield from (path for path in (*places, *chain.from_iterable(map(leftovers, places))) if os.path.lexists(path))
    yield from _reports(out)
    for folder in (path for path in out.iterdir() if path.is_dir() and path.name not in (*_WRITTEN, *_PARTS)):
        ours = (folder / "ensemble/ensemble.json").exists() or (folder / "models/1/config.json").exists()
        if ours and not is_run(folder):
            yield from (folder / part for part in _parts(folder) if os.path.lexists(folder / part))
            yield folder


def _parts(folder: Path) -> Iterable[str]:
    """The names of models in a folder. The one model has a file for each of a member's, whatever its library writes."""
    return dict.fromkeys((*_PARTS, *(file.name for file in folder.glob("models/1/*"))))


def _reports(out: Path) -> list[Path]:
    return [path for path in sorted(out.iterdir()) if path.is_file() and _REPORT.fullmatch(path.name)]


def _remove(path: Path) -> None:
    """Remove a file, a link, or a folder with its content; a target's folder only when it is empty."""
    if path.is_symlink() or not path.is_dir():
        path.unlink()
    elif path.name in (*_WRITTEN, *_PARTS):  # of parts only these are folders
        shutil.rmtree(path)
    elif not any(path.iterdir()):
        path.rmdir()
