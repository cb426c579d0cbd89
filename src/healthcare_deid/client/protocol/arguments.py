"""Checks of arguments.

They run at the call, so that a mistake is reported there and not as an ``AttributeError`` in a poller thread.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from healthcare_deid.config.base.config import RootConfig
from healthcare_deid.errors import ConfigError

T = TypeVar("T")


def require_type(name: str, value: Any, kind: type[T]) -> T:
    """Return *value* if it is an instance of *kind*.

    Raises:
        ConfigError: *value* is not an instance of *kind*.
    """
    if not isinstance(value, kind):
        raise ConfigError(f"{name}: must be a {kind.__name__}, not {type(value).__name__}")
    return value


def require_methods(name: str, value: Any, description: str, *methods: str) -> Any:
    """Return *value* if it has all of *methods*.

    Raises:
        ConfigError: A method is missing.
    """
    if not all(callable(getattr(value, method, None)) for method in methods):
        raise ConfigError(f"{name}: must be {description}, not {type(value).__name__}")
    return value


def check_callback(name: str, value: Any) -> None:
    """Check that *value* is callable or None.

    Raises:
        ConfigError: *value* is neither callable nor None.
    """
    if value is not None and not callable(value):
        raise ConfigError(f"{name}: must be a function, not {type(value).__name__}")


def check_wait_timeout(value: Any) -> None:
    """Check the ``timeout=`` of a wait: None, or 0 or more seconds.

    Raises:
        ConfigError: *value* is not None and not a number of at least 0.
    """
    if value is not None and (not isinstance(value, int | float) or not value >= 0):
        raise ConfigError("timeout: must be 0 or more seconds, or None to wait without limit")


def require_seconds(name: str, value: Any) -> float:
    """Return *value* if it is a positive number of seconds.

    Raises:
        ConfigError: *value* is not a positive number.
    """
    # `not value > 0` instead of `value <= 0`: every comparison with NaN is false. bool is a subclass of int.
    if isinstance(value, bool) or not isinstance(value, int | float) or not value > 0:
        raise ConfigError(f"{name}: must be a positive number of seconds")
    return value


def require_config(value: Any) -> RootConfig:
    """Return *value* if it is a `DeidentifyConfig` of either API version.

    Raises:
        ConfigError: *value* is not a `DeidentifyConfig`. A dict is refused because it does not say which API version it
            is written for.
    """
    if isinstance(value, RootConfig):
        return value
    hint = "; DeidentifyConfig.from_api(...) reads a dict" if isinstance(value, Mapping) else ""
    raise ConfigError(f"config: must be a DeidentifyConfig, not {type(value).__name__}{hint}")
