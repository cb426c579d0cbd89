from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from healthcare_deid.engine.text.dicom_dates import parse_da, shift_da, shift_dt

DAYS = st.dates(min_value=date(1, 6, 1), max_value=date(9999, 1, 1))
SHIFTS = st.integers(-100, 100)
# PS3.5 table 6.2-1: HH, then MM, SS, fraction; the offset may follow any precision.
TIMES = st.from_regex(
    r"(?:[01]\d|2[0-3])(?:[0-5]\d(?:[0-5]\d(?:\.\d{1,6})?)?)?", fullmatch=True, alphabet="0123456789."
)
OFFSETS = st.sampled_from(["", "+0000", "-0500", "+1400", "-1200", "+0530"])


@pytest.mark.parametrize(
    ("value", "shifted"),
    [
        ("20200228", "20200301"),
        ("1999.12.31", "2000.01.02"),
        ("20200228-20200301", "20200301-20200303"),
        ("20200228-", "20200301-"),
        ("-20200228", "-20200301"),
    ],
)
def test_da_is_shifted_in_every_legal_form(value: str, shifted: str) -> None:
    assert shift_da(value, 2) == shifted


@pytest.mark.parametrize(
    ("value", "shifted"),
    [
        ("20200228", "20200301"),
        ("20200228120000.123456", "20200301120000.123456"),
        ("20200228120000+0100", "20200301120000+0100"),
        ("20200228-0500", "20200301-0500"),
        ("2020022812", "2020030112"),
        ("202002", "202002"),
        ("20200228120000-20200301", "20200301120000-20200303"),
        ("20200228-0500-20200301-0500", "20200301-0500-20200303-0500"),
        ("20200228-", "20200301-"),
        ("-20200228", "-20200301"),
    ],
)
def test_dt_is_shifted_in_every_legal_form(value: str, shifted: str) -> None:
    assert shift_dt(value, 2) == shifted


@pytest.mark.parametrize(
    "value",
    ["", "20201332", "20210229", "2020", "yesterday", "20200101x", "00000000", "-", "20200101-20200102-20200103"],
)
def test_an_invalid_date_is_not_shifted(value: str) -> None:
    assert shift_da(value, 5) is None


@pytest.mark.parametrize("value", ["", "20201332", "20210229", "202", "now", "00000101", "2020-01-01"])
def test_an_invalid_date_time_is_not_shifted(value: str) -> None:
    assert shift_dt(value, 5) is None


@pytest.mark.parametrize(("value", "shifted"), [("2020", "2020"), ("202003", "202006"), ("202012", "202103")])
def test_a_partial_date_time_is_shifted_from_the_middle_of_its_span(value: str, shifted: str) -> None:
    assert shift_dt(value, 90) == shifted


@given(DAYS, DAYS, SHIFTS)
def test_the_interval_between_two_dates_is_preserved(one: date, other: date, days: int) -> None:
    first, second = (parse_da(shift_da(f"{day:%Y%m%d}".zfill(8), days) or "") for day in (one, other))
    assert first is not None
    assert second is not None
    assert second - first == other - one
    assert first - one == timedelta(days=days)


@given(DAYS, TIMES, OFFSETS, SHIFTS)
def test_a_date_time_keeps_its_time_and_offset(day: date, time: str, offset: str, days: int) -> None:
    stem = f"{day:%Y%m%d}".zfill(8)
    shifted = shift_dt(stem + time + offset, days)
    assert shifted is not None
    assert shifted[8:] == time + offset
    assert parse_da(shifted[:8]) == day + timedelta(days=days)


@given(st.text("0123456789.+-", max_size=26), SHIFTS)
def test_whatever_comes_out_is_as_legal_as_a_date_and_can_be_shifted_back(value: str, days: int) -> None:
    for shift in (shift_da, shift_dt):
        shifted = shift(value, days)
        if shifted is not None:
            assert len(shifted) == len(value)
            assert shift(shifted, 0) == shifted
