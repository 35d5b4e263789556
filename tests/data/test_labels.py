import pytest

from uxla.data.labels.names import doubtful_type, missing


@pytest.mark.parametrize(
    "label", ["", " ", "_", "-", "–", "nan", "NaN", "None", "null", "NULL", "NA", "N/A", " - ", "\\N"]
)
def test_a_sign_of_a_missing_value_is_told(label):
    assert missing(label)


@pytest.mark.parametrize("label", ["O", "0", "none", "na", "neutral", "B-PER", "Nan Li", "no", "_x", "B--"])
def test_a_label_is_no_sign_of_a_missing_value(label):
    assert not missing(label)


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("PER ", "blank"),
        ("P ER", "blank"),
        ("PER\u00a0", "blank"),
        ("PER\u200b", "cannot be seen"),
        ("PER\x00", "cannot be seen"),
        ('DATE"', "quotation mark"),
        ("[PER]", "bracket"),
        ("PER=1", "sign"),
        ("PER|LOC", "sign"),
        ("12", "no letter"),
        ("", "no letter"),
        ("x" * 51, "51 characters"),
    ],
)
def test_an_odd_type_is_told(name, what):
    assert what in doubtful_type(name)


@pytest.mark.parametrize(
    "name",
    ["PER", "per", "LOC-derived", "OTHpart", "product.type", "ORG/GPE", "WORK_OF_ART", "人名", "शहर", "R&D", "x" * 50],
)
def test_a_usual_type_is_not_odd(name):
    assert doubtful_type(name) is None
