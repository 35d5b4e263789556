"""A grid of runs: the product of settings and seeds, checked as a whole, then run and compared.

Where there are several devices and at least as many runs, each run has one device; else a run has all of them."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from functools import partial
from itertools import product
from math import prod
from pathlib import Path
from typing import Any

from ruamel.yaml.error import YAMLError

from uxla import progress
from uxla.config.run import RunConfig, load_config
from uxla.config.yaml_text import Plain, entries, parse
from uxla.errors import BeingWrittenError, ConfigError, UnreachableError, UxlaError
from uxla.executors.choice import Choice, running
from uxla.executors.executor import executing, independent, side_by_side
from uxla.report.folder import RunFolder
from uxla.report.grid import Baseline, GridRun, Setting
from uxla.shards import Unit
from uxla.store.locks import waiting
from uxla.store.opening import default_root, shared_url
from uxla.store.seen import Seen
from uxla.study.run_folder import check_folder, is_finished, safe_name
from uxla.study.status import Runs, shown

REMEDY = "free space there, or give another --out, and run again: finished runs are kept"
Run = Callable[..., Any]
"""`uxla.api.run`, which is above."""

_DEFAULT_BASELINES = ("tri_training", "zero_shot", "penalty")


@dataclass(frozen=True)
class Planned:
    """A run to make: its folder's name, the values of the varied keys as written, its whole configuration."""

    name: str
    values: Setting
    config: RunConfig


@dataclass(frozen=True)
class GridPlan:
    """The runs to make, the varied keys, what is compared with (None: nothing), and settings that all runs share."""

    keys: tuple[str, ...]
    runs: tuple[Planned, ...]
    baseline: Baseline | None
    fixed: tuple[str, ...] = ()


def grid_plan(config: str, settings: Sequence[str], *, seeds: int = 1, against: str | None = None) -> GridPlan:
    """The product of `settings`, `key=value` or `key=value,value…`, each at `seeds` seeds, the config's own and up.

    A synthetic world's `testbed.seed` moves with the seed unless it is among the settings. Nothing is written.
    ConfigError where any of the runs cannot be, or cannot be told from another.
    """
    choices = [_choices(text) for text in settings]
    varied = [place for place, texts in enumerate(choices) if len(texts) > 1]
    keys = tuple(_split(choices[place][0])[0] for place in varied)
    _check_keys(keys, [_split(texts[0])[0] for texts in choices])
    runs = []
    with progress.bar("checking settings", prod(map(len, choices))) as bar:
        for chosen in product(*choices):
            values = tuple(_split(chosen[place])[1] for place in varied)
            for one in map(_sharing, _seeded(config, chosen, seeds)):
                runs.append(Planned(_name(keys, values, one.seed), values, one))
            bar.advance()
    _check_runs(runs)
    fixed = tuple(text for text, texts in zip(settings, choices, strict=True) if len(texts) == 1)
    return GridPlan(keys, tuple(runs), _baseline(against, keys, runs), fixed)


def make(
    planned: Sequence[Planned],
    out: Path,
    run: Run,
    *,
    fresh: bool = False,
    overwrite: bool = False,
    executor: Choice = None,
) -> tuple[list[GridRun], dict[str, str]]:
    """Have `run` make each run's folder under `out` where it is not there yet; the finished ones, and why others
    failed by name.

    A folder whose run ended with the same configuration is kept, unless `fresh`: then everything is done again, what
    runs share once. With an `executor` each run is a job of it. ArtifactError before any work where a folder has a run
    of another configuration, unless `overwrite` is to replace it.
    """
    for one in planned:
        check_folder(out / one.name, one.config, overwrite=overwrite)
    seen = Seen()
    due = [one for one in planned if fresh or not is_finished(out / one.name, one.config)]
    runs = Runs(out, [one.name for one in planned], REMEDY)
    if len(due) < len(planned):
        progress.note(f"{len(planned) - len(due)} of {len(planned)} runs are finished already")
    done = partial(_made, partial(run, fresh=fresh, overwrite=overwrite, seen=seen), out, len(due))
    with progress.bar("runs of the grid", len(due)) as bar, _mapping(due, out, executor) as mapped:

        def one_done(numbered: tuple[int, Planned]) -> None:
            try:
                deque(mapped(done, [numbered]), maxlen=0)
            except UxlaError as error:
                runs.fail(numbered[1].name, _why(error))
                progress.note(f"{numbered[1].name}: failed and is left out: {error}")
            bar.advance()

        deque(side_by_side(one_done, enumerate(due, start=1)), maxlen=0)
    failed = runs.failed
    kept = [one for one in planned if one.name not in failed]
    return [GridRun(one.values, one.config.seed, RunFolder.read(out / one.name)) for one in kept], failed


@contextmanager
def _mapping(runs: Sequence[Planned], out: Path, given: Choice) -> Iterator[Callable[..., Iterable[None]]]:
    """How a function is called on runs: side by side where they have an executor or a device each, else one by one."""
    most = max((one.config.devices_per_training for one in runs), default=1)
    place = replace(runs[0].config.placement, devices_per_training=most) if runs else None
    if place is None or (given in (None, "devices") and not 1 < len(place.slots) // most <= len(runs)):
        yield map
        return
    bars = nullcontext() if given in (None, "devices") else shown(out, [one.name for one in runs])
    shared = [out] if shared_url() else [default_root(), out]
    with running(given, place, shared=shared) as executor, executing(executor), bars:
        yield partial(independent, devices=most)


def _made(run: Run, out: Path, count: int, numbered: tuple[int, Planned]) -> None:
    """Make one run. What another run of the grid is doing is waited for."""
    number, one = numbered
    progress.note(f"run {number} of {count}: {one.name}")
    with waiting(True):
        run(one.config, out / one.name)


def _why(error: UxlaError) -> str:
    """Why a run failed; but a store that cannot be reached ends the grid."""
    if isinstance(error, UnreachableError):
        raise error
    return str(error)


def units(
    planned: Sequence[Planned], out: Path, run: Run, failed: dict[str, str], *, overwrite: bool = False
) -> Iterator[Unit]:
    """The runs as units of a shard. Why a run failed is put into `failed`; one that another process makes is left to
    it."""
    for one in planned:
        check_folder(out / one.name, one.config, overwrite=overwrite)
    runs = Runs(out, [one.name for one in planned], REMEDY, shards=True)
    for one in planned:

        def do(one: Planned = one) -> None:
            if not is_finished(out / one.name, one.config):
                progress.note(f"run {one.name}")
                try:
                    run(one.config, out / one.name, overwrite=overwrite)
                except BeingWrittenError as error:
                    progress.note(str(error))
                except UxlaError as error:
                    failed[one.name] = _why(error)
                    progress.note(f"{one.name}: failed: {error}")
                    runs.fail(one.name, failed[one.name])

        yield Unit(do, one)


def _choices(text: str) -> list[str]:
    """The overrides that a setting stands for: `a=1,2` for `a=1` and `a=2`, a list in brackets being one value."""
    key, equals, written = text.partition("=")
    found = entries(f"[{written}]") if equals else []
    return [f"{key}={entry}" for entry in found] or [text]


def _split(text: str) -> tuple[str, str]:
    key, _, value = text.partition("=")
    return key.strip(), value


def _seeded(config: str, settings: Sequence[str], seeds: int) -> Iterator[RunConfig]:
    """The configuration at its own seed and those that follow."""
    first = load_config(config, settings)
    yield first
    moves = first.testbed is not None and not {"testbed.seed", "testbed"} & {_split(text)[0] for text in settings}
    for step in range(1, seeds):
        texts = [*settings, f"seed={first.seed + step}"]
        if moves and first.testbed is not None:
            texts.append(f"testbed.seed={first.testbed.seed + step}")
        yield load_config(config, texts)


def _sharing(config: RunConfig) -> RunConfig:
    """With the models that methods begin with left for the other runs of the grid."""
    return config if config.keep_weights == "all" else config.model_copy(update={"keep_weights": "warmup"})


def _name(keys: Sequence[str], values: Setting, seed: int) -> str:
    """A folder's name on any disk: of letters that all disks take, and with a digest where that changes the text."""
    settings = [f"{key}={value}" for key, value in zip(keys, values, strict=True)]
    text = "_".join([*settings, f"seed={seed}"])
    return safe_name(text)


def _check_keys(keys: Sequence[str], given: Sequence[str]) -> None:
    if "seed" in keys:
        raise ConfigError("seed: got several values; give --seeds 3, which counts up from seed=0")
    for key in keys:
        if given.count(key) > 1:
            raise ConfigError(f"{key}: given twice, once with several values; give it once, as {key}=first,second")


def _check_runs(runs: Sequence[Planned]) -> None:
    if runs[0].config.target_data.test is None:
        raise ConfigError("target_data.test is not given, and a grid compares scores; give target_data.test=FILE")
    seen: dict[str, Planned] = {}
    for one in runs:
        chosen = one.config.keep == "estimated" and "uxla" in one.config.methods
        if chosen and "penalty" not in one.config.methods:
            why = "with keep=estimated UXLA may keep the warm-up, whose score is penalty's"
            raise ConfigError(f"methods: {why}; add penalty, as 'methods=[penalty,uxla]'")
        other = seen.setdefault(one.config.to_yaml(), one)
        if other is not one:
            raise ConfigError(f"{one.name} and {other.name} are the same run; leave one of the values out")


def _baseline(against: str | None, keys: Sequence[str], runs: Sequence[Planned]) -> Baseline | None:
    """A method is compared as its three models together: `ensemble` is `zero_shot` then, and no baseline of its own."""
    shared = set.intersection(*({*one.config.methods} for one in runs)) - {"ensemble"}
    methods = [method for method in runs[0].config.methods if method in shared]
    if against is None:
        return next((Baseline(method) for method in _DEFAULT_BASELINES if method in methods), None)
    key, value = _split(against)
    if "=" not in against:
        if key in methods:
            return Baseline(key)
        known = f"expected a method of every run ({', '.join(methods)}) or a varied KEY=VALUE"
        raise ConfigError(f"--against {against}: {known}")
    if key not in keys:
        raise ConfigError(f"--against {against}: expected a varied key ({', '.join(keys) or 'none is'}) or a method")
    place = keys.index(key)
    options = dict.fromkeys(one.values[place] for one in runs)
    for option in options:
        if _read(option) == _read(value):
            return Baseline(option, place)
    raise ConfigError(f"--against {against}: expected a value of the grid: {', '.join(options)}")


def _read(text: str) -> Plain:
    try:
        return parse(text, name="--against")[0]
    except YAMLError:
        return text
