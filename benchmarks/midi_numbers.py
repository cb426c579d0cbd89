"""Invented national identifiers with the check digits that real ones have."""

from __future__ import annotations

from typing import TYPE_CHECKING

from midi_values import Value, number_value

if TYPE_CHECKING:
    from midi_values import World


def _mod97(number: int) -> str:
    return f"{97 - number % 97:02d}"


def _weighted(digits: str, weights: tuple[int, ...]) -> int:
    return sum(int(digit) * weight for digit, weight in zip(digits, weights, strict=False))


def _luhn(digits: str) -> str:
    total = 0
    for index, digit in enumerate(reversed(digits)):
        step = int(digit) * (2 if index % 2 == 0 else 1)
        total += step - 9 if step > 9 else step
    return str(-total % 10)


def nhs(world: World) -> Value:
    """Return an NHS number, England."""
    while True:
        digits = world.digits(9)
        check = 11 - _weighted(digits, tuple(range(10, 1, -1))) % 11
        if check != 10:
            whole = f"{digits}{check % 11}"
            return number_value(world.rng.choice((f"{whole[:3]} {whole[3:6]} {whole[6:]}", whole)))


def cpf(world: World) -> Value:
    """Return a CPF, Brazil."""
    digits = world.digits(9)
    for length in (9, 10):
        rest = _weighted(digits, tuple(range(length + 1, 1, -1))) * 10 % 11
        digits += str(rest % 10)
    return number_value(f"{digits[:3]}.{digits[3:6]}.{digits[6:9]}-{digits[9:]}")


def dni(world: World) -> Value:
    """Return a DNI, Spain."""
    number = int(world.digits(8))
    return number_value(f"{number}{'TRWAGMYFPDXBNJZSQVHLCKE'[number % 23]}")


def codice_fiscale(world: World) -> Value:
    """Return a text in the form of a codice fiscale, Italy."""

    def letters(count: int) -> str:
        return "".join(world.rng.choice("BCDFGLMNPRST") for _ in range(count))

    birth = world.patient.birth
    month = "ABCDEHLMPRST"[birth.month - 1]
    text = f"{letters(6)}{birth:%y}{month}{birth:%d}{letters(1)}{world.digits(3)}{letters(1)}"
    return Value(text, (("text", text),))


def personnummer(world: World) -> Value:
    """Return a personnummer, Sweden."""
    start = f"{world.patient.birth:%y%m%d}{world.digits(3)}"
    whole = start + _luhn(start)
    return number_value(f"{whole[:6]}-{whole[6:]}")


def nir(world: World) -> Value:
    """Return a NIR, France."""
    birth = world.patient.birth
    body = f"{world.rng.randint(1, 2)}{birth:%y%m}{world.rng.randint(11, 95)}{world.digits(3)}{world.digits(3)}"
    key = _mod97(int(body))
    return number_value(f"{body[0]} {body[1:3]} {body[3:5]} {body[5:7]} {body[7:10]} {body[10:]} {key}")


def pesel(world: World) -> Value:
    """Return a PESEL, Poland."""
    body = f"{world.patient.birth:%y%m%d}{world.digits(4)}"
    return number_value(body + str(-_weighted(body, (1, 3, 7, 9) * 3) % 10))


def sin(world: World) -> Value:
    """Return a social insurance number, Canada."""
    body = world.digits(8)
    whole = body + _luhn(body)
    return number_value(f"{whole[:3]} {whole[3:6]} {whole[6:]}")


def rrn(world: World) -> Value:
    """Return a resident registration number, Korea."""
    body = f"{world.patient.birth:%y%m%d}{world.rng.randint(1, 2)}{world.digits(5)}"
    check = (11 - _weighted(body, (2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5)) % 11) % 10
    return number_value(f"{body[:6]}-{body[6:]}{check}")


def bsn(world: World) -> Value:
    """Return a burgerservicenummer, the Netherlands."""
    while True:
        body = world.digits(8)
        check = _weighted(body, tuple(range(9, 1, -1))) % 11
        if check < 10:
            return number_value(f"{body}{check}")


def npi(world: World) -> Value:
    """Return a National Provider Identifier, US."""
    body = f"1{world.digits(8)}"
    return number_value(body + _luhn(f"80840{body}"))
