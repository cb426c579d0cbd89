"""The public names are one sorted list, and every one of them is there."""

from __future__ import annotations

import healthcare_deid


def test_the_public_names_are_sorted_and_unique() -> None:
    assert healthcare_deid.__all__ == sorted(set(healthcare_deid.__all__))


def test_every_public_name_loads_and_has_a_docstring() -> None:
    for name in healthcare_deid.__all__:
        value = getattr(healthcare_deid, name)
        if name != "__version__":
            assert value.__doc__, f"healthcare_deid.{name} has no docstring"


def test_an_unknown_name_is_an_attribute_error() -> None:
    assert not hasattr(healthcare_deid, "DeidKlient")


def test_dir_lists_the_public_names() -> None:
    assert dir(healthcare_deid) == sorted(healthcare_deid.__all__)
