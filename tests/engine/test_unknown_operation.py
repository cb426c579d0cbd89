"""An operation that no code handles is refused: it never falls through to "unchanged"."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from healthcare_deid.config.v1.deidentify import DeidentifyConfig
from healthcare_deid.engine import Deidentifier
from healthcare_deid.engine.header.actions import action_of
from healthcare_deid.engine.header.fast.tables import DecisionTables
from healthcare_deid.engine.header.values import Values
from healthcare_deid.engine.identity.uid_mapper import UidMapper
from healthcare_deid.engine.plan.rules import Op, Rule
from healthcare_deid.engine.plan.tag_decisions import TagPlan
from healthcare_deid.errors import EngineError

PATIENT_COMMENTS = 0x00104000


def new_operation() -> Op:
    """Return an operation as the next version may have one."""
    made = int.__new__(Op, 99)
    made._name_, made._value_ = "NEW", 99
    return made


PLAN = TagPlan(name="new", tags={PATIENT_COMMENTS: Rule(new_operation(), "new")})


@pytest.mark.parametrize("vr", ["LT", "SQ", "UI", "OB"])
def test_no_value_is_made_for_it(vr: str) -> None:
    with pytest.raises(AssertionError):
        Values(PLAN, UidMapper()).new_value(Rule(new_operation(), "new"), PATIENT_COMMENTS, vr, b"text", ("iso8859",))


def test_the_record_has_no_word_for_it() -> None:
    with pytest.raises(AssertionError):
        action_of(new_operation(), "new")


def test_an_instance_with_it_is_refused_both_ways(planted: Any, write: Any, tmp_path: Any) -> None:
    deidentifier = Deidentifier(DeidentifyConfig.from_api({"dicom": {}}))
    tags = {**deidentifier.plan.tags, PATIENT_COMMENTS: Rule(new_operation(), "new")}
    deidentifier.instances.plan = replace(deidentifier.plan, tags=tags)
    deidentifier.instances._tables = DecisionTables(deidentifier.instances.plan)

    with pytest.raises(EngineError):
        deidentifier.deidentify(planted.dataset)
    with pytest.raises(EngineError):
        deidentifier.deidentify_file(write(planted.file()), tmp_path / "out.dcm")
    assert not (tmp_path / "out.dcm").exists()
