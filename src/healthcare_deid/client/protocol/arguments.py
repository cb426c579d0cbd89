"""Checks of arguments, made at the call instead of failing later with an ``AttributeError``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from healthcare_deid.config.base.config import RootConfig
from healthcare_deid.errors import ConfigError

T = TypeVar("T")


def of_type(name: str, value: Any, kind: type[T]) -> T:
    """Return an argument that is an instance of ``kind``.

    Raises:
        ConfigError: It is not.
    """
    if not isinstance(value, kind):
        raise ConfigError(f"{name}: must be a {kind.__name__}, not {type(value).__name__}")
    return value


def with_methods(name: str, value: Any, description: str, *methods: str) -> Any:
    """Return an argument that has all of ``methods``.

    Raises:
        ConfigError: One is missing.
    """
    if not all(callable(getattr(value, method, None)) for method in methods):
        raise ConfigError(f"{name}: must be {description}, not {type(value).__name__}")
    return value


def callback(name: str, value: Any) -> None:
    """Check that an argument is callable or None.

    Raises:
        ConfigError: It is neither.
    """
    if value is not None and not callable(value):
        raise ConfigError(f"{name}: must be a function, not {type(value).__name__}")


def patience(value: Any) -> None:
    """Check the ``timeout=`` of a wait: None, or seconds from 0 on.

    Raises:
        ConfigError: It is neither.
    """
    if value is not None and (not isinstance(value, int | float) or not value >= 0):
        raise ConfigError("timeout: must be 0 or more seconds, or None to wait as long as it takes")


def seconds(name: str, value: Any) -> float:
    """Return an argument that is a number of seconds above 0.

    Raises:
        ConfigError: It is not.
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or not value > 0:
        raise ConfigError(f"{name}: must be a number of seconds above 0")
    return value


def deidentify_config(value: Any) -> RootConfig:
    """Return an argument that is a `DeidentifyConfig` of either API version.

    Raises:
        ConfigError: It is something else. A mapping does not say which version it is meant for.
    """
    if isinstance(value, RootConfig):
        return value
    hint = "; DeidentifyConfig.from_api(...) reads a dict" if isinstance(value, Mapping) else ""
    raise ConfigError(f"config: must be a DeidentifyConfig, not {type(value).__name__}{hint}")
