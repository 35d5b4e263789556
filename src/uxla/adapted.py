"""`uxla.Adapted`: the result of `uxla.adapt`, and of `uxla.load` from its folder."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from uxla.algorithm.estimates import Estimate
from uxla.annotation.evaluate import Evaluated, evaluate
from uxla.annotation.score import Scored, score_predictions
from uxla.annotation.suggest import Suggestion, suggest
from uxla.choices import AskedPrecision, check_choice
from uxla.compress.run import Length, Teachers, compress, teachers
from uxla.devices import check_one
from uxla.errors import ArtifactError, ConfigError, printable
from uxla.files import check_file
from uxla.given import path
from uxla.metrics import Score
from uxla.models.ensemble import Ensemble
from uxla.report.folder import RunFolder
from uxla.report.scores import every_score, final_estimates, summary
from uxla.report.table import run_table
from uxla.report.write import write_report
from uxla.store.opening import open_store
from uxla.study.environment import read_environment
from uxla.study.finished_run import FinishedRun
from uxla.study.run_folder import check_folder, copy_run
from uxla.study.sharing import folder_of_run, push_run
from uxla.study.write import write_run


@dataclass(frozen=True, eq=False)
class Adapted:
    """The models of a run, and what the run says of them. `uxla.adapt` makes it, `uxla.load` reads it back.

    >>> source = uxla.read("testbed:source/train", take=20)
    >>> result = uxla.adapt(source, target=["ko mira sen"], model="testbed")    # doctest: +SKIP
    >>> result.ensemble.predict("ko mira sen")                                    # doctest: +SKIP
    [Entity(text='ko', label='PER', start=0, end=2, confidence=0.71)]
    >>> result.save("runs/near"); uxla.load("runs/near").scores == result.scores  # doctest: +SKIP
    True
    """

    results: Mapping[str, Any] = field(repr=False)
    environment: Mapping[str, Any] = field(repr=False)
    """What `results.json` (docs/results-schema.md) and `environment.json` hold."""
    run: FinishedRun | None = field(default=None, repr=False)
    """The finished run with its handles and corpora; None of one that was read from a folder."""
    folder: Path | None = None
    """The run folder it was read from; None of one that was made in this process."""
    how: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """What `Ensemble.load` is told for the ensemble of a folder: `device`, `precision`, `trust_remote_code`."""

    @property
    def targets(self) -> tuple[str, ...]:
        """The names of the targets."""
        return tuple(self.results["targets"])

    @property
    def scores(self) -> dict[str, dict[str, Score]]:
        """The scores on each target's test set, in percent, by method; empty for a target without a test set.

        A method with epochs has the score of its last one; `uxla_ensemble`, and so for every method, is the score of
        its three models together; `averaged` that of the one model. `Score.mean` is the mean of the three models' own.

        >>> uxla.load("runs/es").scores["es"]["uxla"].mean        # doctest: +SKIP
        71.3
        """
        scores = [one for one in every_score(self.results) if not one[1].startswith("source:")]
        return {target: {m: Score.from_dict(one) for t, m, _, one in scores if t == target} for target in self.targets}

    @property
    def history(self) -> tuple[Mapping[str, Any], ...]:
        """What each training learned from, in the order they ended: `method`, `target`, `epoch`, `model` (from 1),
        `peers`, and for each data set in `learned_from` of how many examples each peer `kept` how many, and how many
        they `taught`; then `steps`, `loss` and the score on source `dev` (docs/results-schema.md)."""
        return tuple(self.results["trainings"])

    @property
    def estimate(self) -> dict[str, Estimate]:
        """For each target the score of the final models as it is estimated without labels, with its 80 % interval.

        Empty without a dev set of the source, and if the run is for a method that is not estimated (docs/estimates.md).
        """
        return final_estimates(self.results)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What to doubt, and what to do about it, a sentence each."""
        return tuple(self.results["warnings"])

    @cached_property
    def ensemble(self) -> Ensemble:
        """The three models of the one target as one, in memory. ConfigError where there are several targets."""
        if len(self.targets) != 1:
            one, several = self.targets[0], ", ".join(self.targets)
            raise ConfigError(f"targets {several}: name one: suggest(…, target={one!r}), ensemble_of({one!r})")
        return self.ensemble_of(self.targets[0])

    def ensemble_of(self, target: str) -> Ensemble:
        """The three models of a target as one, in memory; they are read again at each call. ConfigError for a target
        that there is not, ArtifactError and ModelError where models are missing or damaged.

        >>> uxla.load("runs/two").ensemble_of("es").predict("Ana vive en Lima.")    # doctest: +SKIP
        """
        if target not in self.targets:
            raise ConfigError(f"no target {target!r}; the targets are {', '.join(self.targets)}")
        if self.run is None:
            place = self._folder if len(self.targets) == 1 else self._folder / target
            return Ensemble.load(place, **self.how)
        return self.run.ensemble(target)

    def save(self, folder: str | Path) -> Path:
        """Write the run folder that `uxla run` writes (models, ensemble, predictions, scores, card); return its path.

        `uxla.load`, `uxla predict` and `uxla report` read it. ArtifactError if it cannot be written or has another run.
        """
        place = path(folder, "folder")
        if self.run is not None:
            check_folder(place, self.run.config)
            write_run(self.run, place)
        else:
            copy_run(self._folder, place)
        return place

    def push_to_hub(
        self, repo_id: str, *, private: bool | None = None, token: str | None = None, license: str | None = None
    ) -> str:
        """Push models, scores and card to the Hub repository `user/name`, made if need be; the value is its address.

        `uxla.load("user/name")` reads it, and `pipeline(…, model="user/name")`. No text and no path is pushed. The card
        names no licence but that of backbone and data unless `license` does, such as `mit`. ConfigError where there
        are several targets, ArtifactError where the Hub refuses or cannot be reached.
        """
        if len(self.targets) != 1:
            raise ConfigError(f"push_to_hub: there are several targets ({', '.join(self.targets)}); push a run of one")
        with self._in_a_folder("run", models=True) as folder:
            return push_run(folder, repo_id, private=private, token=token, license=license)

    @classmethod
    def from_pretrained(cls, name: str | Path, **how: Any) -> Adapted:
        """`uxla.load`, by the name that libraries around the Hub give it."""
        return load(name, **how)

    def suggest(self, texts: Iterable[Any], n: int = 50, *, target: str | None = None) -> list[Suggestion]:
        """The `n` texts whose labels would help the models most: those that they dispute, spread over all texts.

        `texts` are what `ensemble.predict` takes. Label them, and adapt again with `uxla.Target(raw, labelled=…)`. A
        suggestion has its `row` among the texts and what is `found` in it by now (docs/annotation.md). DataError for
        what is no text, ConfigError for an `n` below 1, and where one of several targets is to be named.

        >>> for one in result.suggest(open("raw.txt").read().splitlines(), 20): print(one.text)   # doctest: +SKIP
        """
        return suggest(self.ensemble if target is None else self.ensemble_of(target), texts, n)

    def score(self, predictions: Any, *, target: str | None = None, **options: Any) -> Scored:
        """Another tool's labels of a target's test set, scored as the run's methods are and compared with each.

        `predictions` are a corpus, or what `uxla.read` takes with the `options`. DataError where a sentence of the test
        set is missing or has other words, ConfigError without a test set.

        >>> result.score("theirs.conll").score       # doctest: +SKIP
        71.3
        """
        with self._in_a_folder("run") as folder:
            return score_predictions(RunFolder.read(folder), predictions, target, **options)

    def evaluate(self, gold: Any, *, target: str | None = None, **options: Any) -> Evaluated:
        """How well the ensemble labels `gold`, a labelled corpus or what `uxla.read` takes, in all and by class.

        DataError for data without labels, ConfigError for an option that the run decides.

        >>> result.evaluate("es/test.conll").total.f1       # doctest: +SKIP
        71.3
        """
        return evaluate(self.ensemble if target is None else self.ensemble_of(target), gold, **options)

    def compress(self, folder: str | Path, *, backbone: str | None = None, **length: float) -> Path:
        """Write one model, trained on the three models' mean probabilities for the run's text; return its folder.

        It starts from their mean weights, or from a `backbone`. `length` is `epochs` (1; with a backbone 3) or
        `learning_rate`. ConfigError where the folder exists, ArtifactError where data in memory is gone.

        >>> uxla.Ensemble.load(uxla.load("runs/es").compress("runs/es-one"))       # doctest: +SKIP
        """
        place = path(folder, "folder")
        taught_by = Teachers.of(self.run) if self.run else teachers(self._folder, open_store())
        compress(taught_by, place, backbone=backbone, length=Length(**length))
        return place

    def report(self, file: str | Path = "report.html") -> Path:
        """Write the report, table and figures beside it, and return its file. UxlaError where it cannot be written."""
        place = path(file, "file")
        check_file(place, ".html")
        with self._in_a_folder(place.stem) as folder:
            write_report([folder], place)
        return place

    @contextmanager
    def _in_a_folder(self, name: str, *, models: bool = False) -> Iterator[Path]:
        """The run folder; of a result in memory a temporary one, with its models if these are needed."""
        if self.run is None:
            yield self._folder
        else:
            with TemporaryDirectory(prefix="uxla-") as temporary:
                write_run(self.run, folder := Path(temporary) / name, models=models)
                yield folder

    @property
    def _folder(self) -> Path:
        assert self.folder is not None, "neither made here nor read from a folder"
        return self.folder

    def __getstate__(self) -> dict[str, Any]:
        """What is copied or pickled: all, of a result that was read from a folder."""
        if self.run is not None:
            raise ArtifactError("a result in memory cannot be copied or pickled; save it, and uxla.load the folder")
        return self.__dict__

    def __repr__(self) -> str:
        """One line: what was adapted to what, and how well."""
        return printable(f"Adapted({summary(self.results)})")

    def _repr_markdown_(self) -> str:
        """The table of scores, in a notebook."""
        return run_table(self.results).markdown()


def load(
    folder: str | Path,
    *,
    revision: str | None = None,
    device: str = "auto",
    precision: AskedPrecision = "auto",
    trust_remote_code: bool = False,
) -> Adapted:
    """The result in a run folder, written by `Adapted.save` or `uxla run`, or pushed to the Hub.

    `folder` is a folder, or `user/name` of `Adapted.push_to_hub`, of which `revision` is a commit, tag or branch.
    Models are read with the first `ensemble`, to compute on `device` (`auto`, `cpu`, `cuda`, or `cuda:1`) in
    `precision` (`auto`: the run's on a GPU that has it, else `fp32`); `trust_remote_code` runs the backbone's own code.
    ArtifactError where there is no finished run of this version, ConfigError for an unknown device or precision.

    >>> uxla.load("runs/es").ensemble.predict("Ana viajó a Lima .")    # doctest: +SKIP
    [Entity(text='Ana', label='PER', start=0, end=3, confidence=0.98), ...]
    """
    check_one(device)
    check_choice("precision", precision, AskedPrecision)
    place = folder_of_run(path(folder, "folder"), revision)
    results, environment = RunFolder.read(place).results, read_environment(place)
    how = {"device": device, "precision": precision, "trust_remote_code": trust_remote_code}
    return Adapted(results, environment, folder=place, how=how)
