"""The cells of `bench/languages.py`, as languages.yaml has them: task, source, target and seed, and the settings."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from itertools import chain
from pathlib import Path
from typing import Any, Literal, NamedTuple

from languages_data import File, first_lines, in_language, parts_of, shared, texts

from uxla.config.run import RunConfig, load_config
from uxla.config.yaml_text import parse
from uxla.files import write_file

ROOT = Path(__file__).parents[1]
SETTINGS, PROTOCOL = Path("bench/languages.yaml"), Path("docs/protocol.md")
"""Relative to the repository."""
RECORDS = ROOT / "bench/cells"
"""What is kept of finished cells."""
Set = Literal["development", "test"]
_FROZEN = re.compile(r"^Frozen settings: `([0-9a-f]{64})`$", re.MULTILINE)


@dataclass(frozen=True)
class Cell:
    """One `uxla run`: a corpus of one target language with the settings of a variant, at one seed."""

    set: Set
    group: str
    variant: str
    corpus: str
    target: str
    seed: int

    @property
    def name(self) -> str:
        """Of its run folder."""
        return name_of(asdict(self))


def name_of(facts: Mapping[str, Any]) -> str:
    """A cell's name, by its fields."""
    return "{variant}_{corpus}-{target}_seed={seed}".format(**facts)


class Places(NamedTuple):
    """Where data sets and models are, and where runs and the records of finished ones go."""

    data: Path
    models: Path
    out: Path
    records: Path

    @property
    def missing(self) -> str | None:
        """Why nothing can run here, if so."""
        absent = [path for path in (self.data, self.models) if not path.is_dir()]
        named = f"{', '.join(map(str, absent))}: no such folder"
        return f"skipped: {named}; give the data sets by --data and the models by --models" if absent else None


@dataclass(frozen=True)
class Protocol:
    """What languages.yaml says."""

    said: Mapping[str, Any]
    digest: str

    @classmethod
    def read(cls, file: Path = ROOT / SETTINGS) -> "Protocol":
        """The protocol, and the SHA-256 of its file."""
        text = file.read_bytes()
        found, _ = parse(text.decode(), name=str(file))
        return cls(found, sha256(text).hexdigest())

    @property
    def groups(self) -> Mapping[str, Mapping[str, Any]]:
        """All groups by name."""
        return self.said["groups"]

    def cells(self, which: Set, groups: Sequence[str] = ("main",)) -> list[Cell]:
        """The cells of a set of languages, those that share warm-ups next to each other."""
        return [cell for name in groups for cell in self._of_group(which, name)]

    def _of_group(self, which: Set, name: str) -> Iterator[Cell]:
        group = self.groups[name]
        if which not in group.get("sets", ["development"]):
            return
        for seed in group.get("seeds", self.said["seeds"]):
            for corpus in group.get("corpora", self.said["corpora"]):
                given = self.said["corpora"][corpus]
                for target in given.get(which, ()):
                    yield from (Cell(which, name, v, corpus, target, seed) for v in group["variants"])

    def methods(self, cell: Cell) -> list[str]:
        """The rows of a cell."""
        rows, task = self.said["rows"], self.said["corpora"][cell.corpus]["task"]
        parts = [rows, *([rows["once"]] if "once" in rows and cell.seed == self.said["seeds"][0] else [])]
        of_task = [row for part in parts for key in ("all", task) for row in part.get(key, ())]
        return list(self.groups[cell.group].get("methods", of_task))

    def config(self, cell: Cell, places: Places, targets: Sequence[str] = ()) -> RunConfig:
        """The cell's configuration, checked; with `targets` that of one run for all of them."""
        base = self._base(cell, places, list(targets) or [cell.target])
        tuned = str(self.tuned(cell, places) or "")
        chosen = [text.replace("{tuned}", tuned) for text in self.groups[cell.group]["variants"][cell.variant]]
        return load_config(str(base), [*chosen, f"seed={cell.seed}", f"methods=[{', '.join(self.methods(cell))}]"])

    def _base(self, cell: Cell, places: Places, targets: list[str]) -> Path:
        """A configuration of what the cells of a corpus and target have in common, as a file."""
        given = self.said["corpora"][cell.corpus]
        source = {slot: self._file(given["source"][slot], f"en-{slot}", cell, places) for slot in given["source"]}
        asked = {**given["target"], "test": given["eval"][cell.set]}
        data = {slot: self._file(asked[slot], f"{{target}}-{slot}", cell, places, targets) for slot in asked}
        values: dict[str, Any] = {"task": given["task"], "target": targets}
        files = {"source": {"name": "en", **source}, "target_data": data}
        for more in (self.said["settings"], given.get("settings", {}), files):
            for key, value in more.items():
                both = isinstance(value, dict) and isinstance(values.get(key), dict)
                values[key] = {**values[key], **value} if both else value
        values["model"] = self._model(places)
        file = places.out.absolute() / "configs" / f"{cell.corpus}-{cell.set}-{'-'.join(targets)}.yaml"
        file.parent.mkdir(parents=True, exist_ok=True)
        write_file(file, json.dumps(values, indent=1))
        return file

    def _file(self, given: File, slot: str, cell: Cell, places: Places, targets: Sequence[str] = ("",)) -> str:
        place = places.out.absolute() / "data" / f"{cell.corpus}-{slot}"
        return str(parts_of(given, place, targets, places.data.absolute()))

    def in_english(self, cell: Cell, places: Places) -> dict[str, list[str]]:
        """A parallel corpus in English: the texts of the source and its dev set, the raw ones, the scored ones."""
        given = self.said["corpora"][cell.corpus]
        english = given["parallel"]
        asked = {"raw": given["target"]["train"], "scored": given["eval"][cell.set]}
        files = {slot: self._file(file, f"{{target}}-{slot}", cell, places, [english]) for slot, file in asked.items()}
        for slot in ("train", "dev"):
            files[slot] = self._file(given["source"][slot], f"en-{slot}", cell, places)
        return {slot: texts(in_language(Path(file), english)) for slot, file in files.items()}

    def _model(self, places: Places) -> str:
        return str(self.said["settings"]["model"]).replace("{models}", str(places.models.absolute()))

    def prepare(self, cell: Cell, places: Places) -> None:
        """Tune the masked LM of a cell that asks for one, unless it is there."""
        group, place = self.groups[cell.group], self.tuned(cell, places)
        if place is None or place.is_dir():
            return
        language, most = group["text"].get("names", {}).get(cell.target, cell.target), group["text"]["most"]
        packed = in_language(places.data / group["text"]["file"], language)
        text = first_lines(packed, most, places.out / "data" / f"text-{language}-{most}.txt")
        place.parent.mkdir(parents=True, exist_ok=True)
        command = [Path(sys.executable).with_name("uxla"), "mlm", "tune", self._model(places), text, "--out", place]
        subprocess.run([*command, *group["tune"]], check=True)

    def tuned(self, cell: Cell, places: Places) -> Path | None:
        """The folder of the masked LM that is tuned for a cell, which another model, text or option changes."""
        group = self.groups[cell.group]
        if "tune" not in group:
            return None
        asked = _digest([self._model(places), group["text"], group["tune"]])
        return places.out.absolute() / "models" / f"tuned-{cell.target}-{asked[:6]}"

    def digest_of(self, cell: Cell) -> str:
        """The SHA-256 of what the file says of a cell, which other cells' settings leave as it is."""
        corpus, group = self.said["corpora"][cell.corpus], self.groups[cell.group]
        lists = ("development", "test", "sets", "seeds", "corpora", "variants")
        own = [{key: of[key] for key in of if key not in lists} for of in (corpus, group)]
        return _digest([self.said["settings"], self.methods(cell), *own, group["variants"][cell.variant]])

    def facts(self, cell: Cell, config: RunConfig) -> dict[str, Any]:
        """What `cell.json` says of a finished cell: which it is, under which protocol and commit, its rows, and which
        test sentences also stand in the training files of the target."""
        data = config.target_data
        test, *train = (texts(in_language(Path(str(f)), cell.target)) for f in (data.test, data.train, data.labelled))
        given = {"task": config.task, "parallel": "parallel" in self.said["corpora"][cell.corpus]}
        made = {"settings": self.digest, "own_settings": self.digest_of(cell), "methods": self.methods(cell)}
        tree = {"commit": git("rev-parse", "HEAD"), "clean": git("status", "--porcelain", "-uno") == ""}
        counted = {"shared": shared(test, chain(*train)), "train_sentences": len(train[0])}
        return asdict(cell) | given | made | tree | counted


def chains(cells: Sequence[Cell]) -> list[list[Cell]]:
    """The cells in lists of those that share their warm-ups: of one corpus and seed."""
    found: dict[tuple[str, int], list[Cell]] = {}
    for cell in cells:
        found.setdefault((cell.corpus, cell.seed), []).append(cell)
    return list(found.values())


def not_frozen(root: Path = ROOT) -> str | None:
    """Why test languages must not be run yet; None where the committed protocol names these very settings as frozen."""
    committed = git("show", f"HEAD:{PROTOCOL.as_posix()}", root=root)
    if committed is None:
        return f"{PROTOCOL} is not committed; commit the protocol before any test language is run"
    if committed != (root / PROTOCOL).read_text(encoding="utf-8").strip():
        return f"{PROTOCOL} differs from its committed version; commit it before any test language is run"
    named, here = _FROZEN.search(committed), sha256((root / SETTINGS).read_bytes()).hexdigest()
    if named is None:
        return (
            f"{PROTOCOL} does not say that the settings are frozen; to freeze them it says: Frozen settings: `{here}`"
        )
    if named[1] != here:
        return f"{SETTINGS} has changed since it was frozen: its SHA-256 is {here}, {PROTOCOL} names {named[1]}"
    for commit in (git("rev-list", "HEAD", "--", PROTOCOL.as_posix(), root=root) or "").split():
        earlier = _FROZEN.search(git("show", f"{commit}:{PROTOCOL.as_posix()}", root=root) or "")
        if earlier and earlier[1] != here:
            return f"{PROTOCOL} froze other settings in commit {commit[:9]}: {earlier[1]}; settings are frozen once"
    return None


def git(*arguments: str, root: Path = ROOT) -> str | None:
    """What git says in a repository; None where it fails."""
    done = subprocess.run(["git", "-C", root, *arguments], capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else None


def _digest(of: object) -> str:
    return sha256(json.dumps(of).encode()).hexdigest()
