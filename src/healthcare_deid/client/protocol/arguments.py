"""What arguments must be, said at the call rather than by an ``AttributeError`` far from it."""

from __future__ import annotations

from typing import Any, TypeVar

from healthcare_deid.errors import ConfigError

T = TypeVar("T")


def of_type(name: str, value: Any, kind: type[T]) -> T:
    """Return an argument that is of the type it must have.

    Raises:
        ConfigError: It is not.
    """
    if not isinstance(value, kind):
        raise ConfigError(f"{name}: a {kind.__name__} is needed, not {type(value).__name__}")
    return value


def with_methods(name: str, value: Any, what: str, *methods: str) -> Any:
    """Return an argument that has the methods it must have.

    Raises:
        ConfigError: It has not.
    """
    if not all(callable(getattr(value, method, None)) for method in methods):
        raise ConfigError(f"{name}: {what} is needed, not {type(value).__name__}")
    return value


def callback(name: str, value: Any) -> None:
    """Check that an argument can be called, or is left out.

    Raises:
        ConfigError: It cannot: better said now than when it is to be called.
    """
    if value is not None and not callable(value):
        raise ConfigError(f"{name}: a function is needed, not {type(value).__name__}")


def patience(value: Any) -> None:
    """Check the ``timeout=`` of a wait: none, or seconds from 0 on.

    Raises:
        ConfigError: It is something else.
    """
    if value is not None and (not isinstance(value, int | float) or not value >= 0):
        raise ConfigError("timeout: seconds from 0 on are needed, or None to wait as long as it takes")


def seconds(name: str, value: Any) -> float:
    """Return an argument that is a time above 0.

    Raises:
        ConfigError: It is not.
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or not value > 0:
        raise ConfigError(f"{name}: seconds above 0 are needed")
    return value
