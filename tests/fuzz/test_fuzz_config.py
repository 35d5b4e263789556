"""Any YAML and any override becomes a configuration that has each of its values, or is refused in one line."""

from random import Random

import fuzz_config
import pytest
from fuzz_judge import refusal
from hypothesis import given, settings
from hypothesis import strategies as st

from uxla.config.documents import MAX_BYTES
from uxla.config.run import load_config
from uxla.errors import ConfigError

INPUTS = 250
ANYTHING = st.text(st.characters(exclude_categories=[]), max_size=12)
VALUES = st.one_of(st.sampled_from(fuzz_config.VALUES), ANYTHING)
KEYS = st.one_of(st.sampled_from(fuzz_config.DOTTED), ANYTHING)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("config")
    fuzz_config.write_files(folder)
    return folder


@pytest.fixture(autouse=True)
def _working_directory(folder, monkeypatch):
    monkeypatch.chdir(folder)


def refused(folder, text, *overrides):
    (folder / "x.yaml").write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(ConfigError) as caught:
        load_config(str(folder / "x.yaml"), overrides)
    return refusal(caught.value)


def test_a_mutated_file_gives_a_configuration_or_one_line(folder):
    verdicts = [fuzz_config.judge(fuzz_config.make(Random(f"yaml quick {number}")), folder) for number in range(INPUTS)]
    read = sum(verdict.rows > 0 for verdict in verdicts)
    assert INPUTS / 10 < read < INPUTS / 2, "neither all nor nothing is read, else the mutations are no test"


@given(st.lists(st.tuples(KEYS, VALUES).map("=".join), min_size=1, max_size=3))
@settings(max_examples=150, derandomize=True)
def test_any_override_gives_a_configuration_or_one_line(folder, overrides):
    fuzz_config.judge(fuzz_config.Setting(fuzz_config.SOUND.encode(), tuple(overrides)), folder)


@given(st.lists(st.one_of(VALUES, st.sampled_from(fuzz_config.PIECES), st.sampled_from([*"\n\n\n-:?,[]{}#&*!|>'\""]))))
@settings(max_examples=150, derandomize=True)
def test_a_soup_of_yaml_gives_a_configuration_or_one_line(folder, pieces):
    fuzz_config.judge(fuzz_config.Setting("".join(pieces).encode(errors="surrogatepass"), ()), folder)


@pytest.mark.parametrize(
    "text",
    [
        *['a: "\\U00110000"', 'a: "\\UFFFFFFFF"', f"%YAML {'1' * 5000}.1\n---\na: 1"],
        *[fuzz_config.BOMB, "a: " + "{a: " * 10_000, "a: " + "[" * 10_000, "- " * 10_000],
    ],
)
def test_yaml_that_is_out_of_range_is_refused(text, folder):
    assert "not the YAML read here" in refused(folder, text)


def test_a_file_longer_than_any_configuration_is_refused_before_it_is_read(folder):
    assert "is this a data file?" in refused(folder, b"a: 1\n" * (MAX_BYTES // 5 + 1))


@pytest.mark.parametrize("path", ["~nobody-has-this-name/x", "x" * 5000, "a\0b"])
@pytest.mark.parametrize("key", ["source.train", "target_data.train"])
def test_a_path_that_no_system_has_is_refused(path, key, folder):
    assert "expected a data file" in refused(folder, fuzz_config.SOUND, f"{key}={path}", "target=es")


def test_a_home_of_nobody_is_no_model_folder_and_no_file(folder):
    (folder / "x.yaml").write_text(fuzz_config.SOUND)
    assert load_config("x.yaml", ["model=~nobody-has-this-name/x"]).model == str(folder / "~nobody-has-this-name/x")
    with pytest.raises(ConfigError, match="cannot be read"):
        load_config("~nobody-has-this-name/x.yaml")
    with pytest.raises(ConfigError, match="cannot be read"):
        load_config("a\0b.yaml")


def test_a_key_of_digits_keeps_its_zeros(folder):
    (folder / "x.yaml").write_text(fuzz_config.SOUND)
    config = load_config("x.yaml", ["source.labels.007=PER", "schedule.00.select.share=0.5"])
    assert config.source.labels == {"MISC": None, "no": "PER", "007": "PER"}
    assert config.schedule[0].select.share == 0.5


@pytest.mark.parametrize("override", ["a." * 3000 + "a=1", "seed" + ".a" * 3000 + "=1", f"seed={'x' * MAX_BYTES}"])
def test_an_override_longer_than_a_setting_can_be_is_refused(override, folder):
    assert "longer than a setting can be" in refused(folder, fuzz_config.SOUND, override)


def test_an_entry_of_a_list_with_too_many_digits_is_refused(folder):
    assert "expected a number from 0 to 1" in refused(folder, fuzz_config.SOUND, f"schedule.{'9' * 5000}.data=[source]")


@pytest.mark.parametrize("encoding", ["a\0b", '"\\ud800"'])
def test_what_is_no_encoding_is_refused_with_an_example(encoding, folder):
    assert "source.encoding" in refused(folder, fuzz_config.SOUND, f"source.encoding={encoding}")
