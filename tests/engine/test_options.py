"""The engine's arguments are stated once, and everything else follows the statement."""

from __future__ import annotations

import inspect
import re

import pytest

from healthcare_deid import DeidentifyConfig
from healthcare_deid.engine import Deidentifier
from healthcare_deid.engine.options import EngineOptions, meanings, options_table
from healthcare_deid.errors import ConfigError

CONFIG = DeidentifyConfig.from_api({"dicom": {"filterProfile": "ATTRIBUTE_CONFIDENTIALITY_BASIC_PROFILE"}})
KEYWORDS = {
    name: parameter
    for name, parameter in inspect.signature(Deidentifier.__init__).parameters.items()
    if name not in ("self", "config")
}


def test_the_constructor_spells_out_every_option_in_order() -> None:
    assert list(KEYWORDS) == [one.name for one, _ in meanings()]


@pytest.mark.parametrize("name", KEYWORDS)
def test_the_constructors_defaults_and_types_are_the_options(name: str) -> None:
    stated = EngineOptions.__dataclass_fields__[name]
    assert KEYWORDS[name].default == stated.default
    assert KEYWORDS[name].annotation == stated.type


@pytest.mark.parametrize("name", KEYWORDS)
def test_the_constructors_docstring_and_the_docs_table_name_every_option(name: str) -> None:
    assert re.search(rf"^    *{name}: ", Deidentifier.__doc__ or "", re.MULTILINE)
    assert f"| `{name}` |" in options_table()


def test_the_deidentifier_keeps_what_it_was_given() -> None:
    options = Deidentifier(CONFIG, markers=False, edition="2026d", options=["retain_uids"]).options
    assert options == EngineOptions(markers=False, edition="2026d", options=("retain_uids",))


@pytest.mark.parametrize("given", [{"options": "retain_uids"}, {"safe_private": b"x"}, {"other_uids": "some"}])
def test_a_wrong_value_is_refused(given: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match=next(iter(given))):
        Deidentifier(CONFIG, **given)  # type: ignore[arg-type]


def test_the_repr_of_options_tells_no_key_and_no_patient() -> None:
    options = EngineOptions(
        secret=b"sixteen bytes and more",
        salt=b"seventeen bytes of salt",
        patient_keys={"MRN4711": b"key of a patient"},
        unwrapped_keys={"wrapped": b"plain key"},
    )
    for told in ("teen bytes", "MRN4711", "key of", "plain key"):
        assert told not in repr(options)
