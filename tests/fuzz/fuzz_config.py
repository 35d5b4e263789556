"""Configurations and overrides as strangers write them, and what must hold of each: a `RunConfig`, or one line."""

from dataclasses import dataclass
from pathlib import Path
from random import Random

from fuzz_judge import Verdict, refusal, timed
from fuzz_mutations import ODD, damaged, word
from ruamel.yaml import YAML

from uxla.config.run import KEYS, RunConfig, load_config
from uxla.config.yaml_text import parse
from uxla.errors import ConfigError

SOUND = """\
task: ner
model: some/model
target: [es, ur]
source: {name: en, train: a.conll, dev: a.conll, labels: {MISC: null, no: PER}}
target_data:
  train: "{target}/train.txt"
  test: a.{target}
warmup: {batch_size: 32, learning_rate: 2e-5, epochs: 3.5, lr_warmup: 0.1}
adaptation:
  batch_size: 16
  learning_rate: 1.e-5
  max_steps: 100  # a comment
schedule:
- {data: [source, target], select: {kind: confidence, share: 0.8}}
- data: [target_vicinity]
  select: {kind: clustering, threshold: 0.5}
agree: token
vicinity: {copies: 3, share: 0.3}
methods: [zero_shot, uxla]
"""
FILES = ["a.conll", "es/train.txt", "ur/train.txt", "a.es", "a.ur"]

BOMB = "a: &a [x, x]\n" + "".join(f"{b}: &{b} [*{a}, *{a}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True))
VALUES = [
    *["", "~", "null", "no", "yes", "true", "3", "-1", "0", "0x1F", "010", "1_000", "1:30", "1e999", "-1e999", ".nan"],
    *[".inf", "9" * 18, "9" * 19, "9" * 5000, "1e-999", "2001-01-01", "2001-12-14t21:59:43.10-05:00", "=", "<<", "'x"],
    *[
        '"\\ud800"',
        '"\\U00110000"',
        '"\\UFFFFFFFF"',
        '"\\0"',
        '"\\x1b[31m"',
        '"\\u202e"',
        '"a\\nb"',
        "'a\n\n b'",
        '"\\q"',
    ],
    *["[", "]", "{", "}", "{a: 1, a: 2}", "{? a : b}", "{[a]: 1}", "[" * 10_000, "[" * 30 + "]" * 30, "{a: " * 30],
    *["&x 1", "*x", "&x [*x]", "!!python/object/apply:os.system ['true']", "!!int x", "!x y", "!<tag:x> y", "!%ff z"],
    *[
        "|\n  text\n",
        ">+\n\n  x\n",
        "|9\n",
        "| x",
        "- - - x",
        "? x",
        "x: y: z",
        "a #b",
        "\tx",
        "@x",
        "`x",
        "%x",
        "x" * 30_000,
    ],
    *[
        "{target}",
        "../../x",
        "~nobody/x",
        "/",
        ".",
        "testbed:x",
        "hub:a/b/c",
        "a\x00b",
        "\ufeff",
        "\u2028",
        "[a, [b, {c: d}]]",
    ],
]
PIECES = [
    *["---\n", "...\n", "--- x\n", "%YAML 1.1\n---\n", f"%YAML {'1' * 5000}.1\n---\n", "%TAG ! x\n", "<<: {seed: 1}\n"],
    *[
        "seed: 1\n",
        "seed: 1\nseed: 2\n",
        "? seed\n: 1\n",
        "  - x\n",
        "\t",
        "\t\t- x\n",
        "#",
        "\r",
        "\r\n",
        "\x85",
        "\n\n",
    ],
    *["a: 1\n" * 2000, "- " * 2000, ": ", "? " * 2000, BOMB, "x: &x\n  - *x\n", "!!python/name:os.system", ' "', " '"],
]
DOTTED = sorted(key.replace("*", "0") for key in KEYS)


@dataclass(frozen=True)
class Setting:
    """What stands in the file, and what on the command line."""

    raw: bytes
    overrides: tuple[str, ...]


def make(rng: Random) -> Setting:
    """A sound file with odd values, odd lines, damaged bytes, odd overrides, or by chance none of them."""
    lines = SOUND.splitlines(keepends=True)
    for _ in range(rng.choice([0, 0, 1, 2])):
        at = rng.randrange(len(lines))
        head, colon, _ = lines[at].partition(": ")
        lines[at] = rng.choice(
            [f"{head}{colon}{_value(rng)}\n", rng.choice(PIECES), f"{word(rng)}: {_value(rng)}\n", ""]
        )
    raw = "".join(lines).encode("utf-8", "replace")
    if rng.random() < 0.4:
        raw = damaged(rng, raw)
    return Setting(raw, tuple(_override(rng) for _ in range(rng.choice([0, 0, 0, 1, 2]))))


def write_files(folder: Path) -> None:
    """The data files that SOUND names."""
    for name in FILES:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("w\n")


def judge(setting: Setting, folder: Path) -> Verdict:
    """`rows` is the number of values read: as many as PyYAML, which takes every scalar for text, finds in the file."""
    path = folder / "fuzz.yaml"
    path.write_bytes(setting.raw)
    config, seconds = timed(_load, path, setting.overrides)
    if config is None:
        return Verdict(0, seconds)
    assert isinstance(config, RunConfig)
    text = setting.raw.decode("utf-8-sig")
    leaves = _leaves(YAML(typ="base", pure=True).load(text))
    assert _leaves(parse(text, name="x")[0]) == leaves, "values got lost"
    again = folder / "again.yaml"
    again.write_text(config.to_yaml(), encoding="utf-8")
    assert load_config(str(again)) == config, "the resolved configuration is another one"
    return Verdict(leaves, seconds)


def _load(path: Path, overrides: tuple[str, ...]) -> RunConfig | None:
    try:
        return load_config(str(path), overrides)
    except ConfigError as error:
        refusal(error)
        return None


def _override(rng: Random) -> str:
    key = rng.choice(DOTTED) if rng.random() < 0.7 else ".".join(word(rng) for _ in range(rng.choice([1, 2, 3])))
    key = rng.choice([key] * 8 + [f"{key}.0", f"{key}.{'9' * 5000}", f"{key}.٣", f"{key}.007", "a." * 3000 + "a"])
    return f"{key}={_value(rng)}"


def _value(rng: Random) -> str:
    match rng.randrange(4):
        case 0:
            return word(rng, "\n")
        case 1:
            return "".join(rng.choices(ODD, k=rng.randint(1, 6)))
    return rng.choice(VALUES)


def _leaves(value: object) -> int:
    if isinstance(value, dict):
        return sum(map(_leaves, value.values()))
    return sum(map(_leaves, value)) if isinstance(value, list) else 1
