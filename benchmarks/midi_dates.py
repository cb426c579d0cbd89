"""Ways to write a date in running text."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from midi_values import Value

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable

    from midi_values import FormKind, World

_SPANISH: Final = (
    *("enero", "febrero", "marzo", "abril", "mayo", "junio"),
    *("julio", "agosto", "septiembre", "octubre", "noviembre", "diciembre"),
)
_FRENCH: Final = (
    *("janvier", "février", "mars", "avril", "mai", "juin"),
    *("juillet", "août", "septembre", "octobre", "novembre", "décembre"),
)
_GERMAN: Final = (
    *("Januar", "Februar", "März", "April", "Mai", "Juni"),
    *("Juli", "August", "September", "Oktober", "November", "Dezember"),
)

WAYS: Final = {
    "birth": ("{mm}/{dd}/{yyyy}", "{yyyy}-{mm}-{dd}", "{dd}.{mm}.{yyyy}", "{d} {mon} {yyyy}"),
    "date_iso": ("{yyyy}-{mm}-{dd}",),
    "date_slash_iso": ("{yyyy}/{mm}/{dd}",),
    "date_us": ("{mm}/{dd}/{yyyy}", "{m}/{d}/{yyyy}"),
    "date_german": ("{dd}.{mm}.{yyyy}",),
    "date_dash": ("{mm}-{dd}-{yyyy}",),
    "date_compact": ("{yyyy}{mm}{dd}",),
    "date_short": ("{m}-{dd}-{yy}", "{mm}/{dd}/{yy}", "{dd}.{mm}.{yy}"),
    "date_long": ("{d} {month} {yyyy}",),
    "date_us_long": ("{month} {d}, {yyyy}", "{mon} {d} {yyyy}"),
    "date_abbreviated": ("{dd}-{MON}-{yy}", "{dd}{MON}{yyyy}", "{dd}-{mon}-{yyyy}"),
    "date_ordinal": ("{nth} of {month} {yyyy}", "{month} {nth}, {yyyy}"),
    "date_weekday": ("{day} <{d} {mon} {yyyy}>",),
    "date_german_words": ("{d}. {german} {yyyy}",),
    "date_spanish": ("{d} de {spanish} de {yyyy}",),
    "date_french": ("{d} {french} {yyyy}",),
    "date_time": (
        "<{yyyy}-{mm}-{dd}> 14:22",
        "<{mm}/{dd}/{yyyy}> 9:05 AM",
        "{yyyy}{mm}{dd}112233",
        "<{yyyy}-{mm}-{dd}>T08:31:00",
    ),
    "date_month_year": ("{mon} {yyyy}", "{month} {yyyy}"),
    "date_numeric_month": ("{mm}.{yyyy}", "{mm}/{yyyy}"),
    "date_day_month": ("{mm}/{dd}", "{mon} {d}", "{nth} {month}"),
}
"""By maker; angle brackets hold what must not be left where weekdays and times may."""


def date_maker(name: str) -> Callable[[World], Value]:
    """Return a maker that writes dates in the ways of a name."""

    def make(world: World) -> Value:
        day = world.patient.birth if name == "birth" else world.date()
        text = written(world.rng.choice(WAYS[name]), day)
        marked = re.search("<(.*)>", text)
        plain = text.replace("<", "").replace(">", "")
        # A time of day may follow a date without a space, so that the date alone is not a word.
        kind: FormKind = "part" if marked else "text"
        return Value(plain, ((kind, marked[1] if marked else plain),), date=True)

    return make


def written(way: str, day: dt.date) -> str:
    """Return a date in a way of writing."""
    return way.format(
        d=day.day,
        dd=f"{day:%d}",
        m=day.month,
        mm=f"{day:%m}",
        yy=f"{day:%y}",
        yyyy=f"{day:%Y}",
        mon=f"{day:%b}",
        MON=f"{day:%b}".upper(),
        month=f"{day:%B}",
        day=f"{day:%a}",
        nth=f"{day.day}{_ending(day.day)}",
        german=_GERMAN[day.month - 1],
        spanish=_SPANISH[day.month - 1],
        french=_FRENCH[day.month - 1],
    )


def _ending(day: int) -> str:
    return "th" if 11 <= day <= 13 else {1: "st", 2: "nd", 3: "rd"}.get(day % 10, "th")
