"""Protocol of a deidentifier as runs use it, so that `Deidentifier` and runs need not import each other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, Self

if TYPE_CHECKING:
    from pathlib import Path

    from healthcare_deid.engine.instance import InstanceEngine
    from healthcare_deid.engine.options import EngineOptions


class Engine(Protocol):
    """Compiled config. It can be pickled."""

    @property
    def config(self) -> Any:
        """The API's config message."""
        ...

    @property
    def options(self) -> EngineOptions:
        """The engine's own arguments."""
        ...

    @property
    def needs_secret(self) -> bool:
        """Whether dates or hashes are random without a secret, so that two deidentifiers differ."""
        ...

    @property
    def looks_at_pixels(self) -> bool:
        """Whether pixels are searched for burned-in text."""
        ...

    def with_secret(self, secret: Path) -> Self:
        """Return a copy with another secret."""
        ...

    @property
    def instances(self) -> InstanceEngine:
        """Engine for single instances."""
        ...
