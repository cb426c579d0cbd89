from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from healthcare_deid.engine.text.calendar_dates import find_dates, shift_day

DAYS = st.dates(min_value=date(1900, 6, 1), max_value=date(2090, 1, 1))
# Spellings that tell the day without doubt.
CLEAR_FORMS = (
    "%Y-%m-%d",
    "%Y/%m/%d",
    "%Y.%m.%d",
    "%Y%m%d",
    "%d-%b-%Y",
    "%d %B %Y",
    "%b %d, %Y",
    "%B %d %Y",
    "%d%b%Y",
    "%Y-%b-%d",
    "%A, %d %B %Y",
)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2021-03-04", date(2021, 3, 4)),
        ("20210304", date(2021, 3, 4)),
        ("20210304123000", date(2021, 3, 4)),
        ("3/4/2021", date(2021, 3, 4)),
        ("03/04/21", date(2021, 3, 4)),
        ("13/04/2021", date(2021, 4, 13)),
        ("04.03.2021", date(2021, 3, 4)),
        ("4-MAR-2021", date(2021, 3, 4)),
        ("04MAR21", date(2021, 3, 4)),
        ("March 4th, 2021", date(2021, 3, 4)),
        ("4th of March 2021", date(2021, 3, 4)),
        ("4. März 2021", date(2021, 3, 4)),
        ("4 août 2021", date(2021, 8, 4)),
        ("1er mars 2021", date(2021, 3, 1)),
        ("4 de marzo de 2021", date(2021, 3, 4)),
        ("4 mei 2021", date(2021, 5, 4)),
        ("2021年3月4日", date(2021, 3, 4)),
        ("2021:03:04", date(2021, 3, 4)),
        ("2021-03", date(2021, 3, 15)),
        ("03/2021", date(2021, 3, 15)),
        ("04031961", date(1961, 4, 3)),
        ("12-31-1999", date(1999, 12, 31)),
        ("4 марта 2021", date(2021, 3, 4)),
        ("4 березня 2021", date(2021, 3, 4)),
        ("4 Μαρτίου 2021", date(2021, 3, 4)),
        ("4. októbra 2021", date(2021, 10, 4)),
        ("4 setembre 2021", date(2021, 9, 4)),
        ("2021. március 4", date(2021, 3, 4)),
    ],
)
def test_a_date_is_read_in_many_spellings(text: str, day: date) -> None:
    (item,) = find_dates(text)
    assert item.to_date() == day
    assert (item.start, item.end) == (0, len(text))


@pytest.mark.parametrize(
    "text",
    [
        "1.2.840.10008.1.2",
        "1.2.840.113619.20210304.1",
        "3.2.1",
        "T2 3D 1/20",
        "120 kV",
        "TR 2010 TE 15",
        "W 400 L 40",
        "12:30:59",
        "555-010-4477",
        "1/2",
        "may be normal",
        "2021",
        "20211399",
        "2021-13",
        "2021-1",
        "320x256",
    ],
)
def test_other_numbers_are_not_dates(text: str) -> None:
    assert find_dates(text) == ()


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("in March, 4 April 2020", ["4 April 2020"]),
        ("born 26-Oct-2006, seen October 26, 2022", ["26-Oct-2006", "October 26, 2022"]),
    ],
)
def test_of_two_months_near_each_other_each_keeps_its_whole_date(text: str, found: list[str]) -> None:
    assert [text[item.start : item.end] for item in find_dates(text)] == found


def test_a_time_of_day_belongs_to_a_date_beside_it_and_alone_is_not_a_date() -> None:
    text = "Acq 2021-03-04 12:33:01.5 done, printed 08:15 2021/03/05"
    assert [text[item.start : item.end] for item in find_dates(text)] == ["2021-03-04 12:33:01.5", "08:15 2021/03/05"]


@pytest.mark.parametrize(
    ("text", "shifted"),
    [
        ("28.02.2020", "01.03.2020"),
        ("2/28/20", "3/1/20"),
        ("FRI 28-FEB-2020 10:00", "SUN 01-MAR-2020 10:00"),
        ("28 février 2020", "1 mars 2020"),
        ("February 28th, 2020", "March 1st, 2020"),
        ("20200228235959", "20200301235959"),
        ("2020年2月28日", "2020年3月1日"),
    ],
)
def test_a_shifted_date_keeps_its_spelling(text: str, shifted: str) -> None:
    (item,) = find_dates(text)
    day = item.to_date()
    assert day is not None
    assert item.rewrite(text, day + timedelta(days=2)) == shifted


@given(DAYS, st.sampled_from(CLEAR_FORMS), st.integers(-100, 100))
def test_rewriting_moves_a_date_by_exactly_the_days_asked_for(day: date, form: str, days: int) -> None:
    text = day.strftime(form)
    (item,) = find_dates(text)
    assert item.to_date() == day
    new = shift_day(day, days)
    assert new is not None
    (again,) = find_dates(item.rewrite(text, new))
    assert again.to_date() == new


@given(DAYS, st.sampled_from(CLEAR_FORMS), st.text("ABCxyz .,:;()-", max_size=12))
def test_a_date_is_found_wherever_it_stands(day: date, form: str, around: str) -> None:
    text = f"{around} {day.strftime(form)} {around}"
    assert day in [item.to_date() for item in find_dates(text)]


@given(st.text(max_size=60))
def test_any_text_can_be_searched(text: str) -> None:
    for item in find_dates(text):
        assert 0 <= item.start < item.end <= len(text)


def test_shifting_stops_where_the_calendar_ends() -> None:
    assert shift_day(date(1, 1, 1), -1) is None
    assert shift_day(date(9999, 12, 31), 1) is None
