"""What a run asks of a `Deidentifier`, so that the two need not import each other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, Self

if TYPE_CHECKING:
    from pathlib import Path

    from healthcare_deid.engine.instance import InstanceEngine
    from healthcare_deid.engine.options import EngineOptions


class Engine(Protocol):
    """A compiled config; it can be pickled."""

    @property
    def config(self) -> Any:
        """The API's message."""
        ...

    @property
    def options(self) -> EngineOptions:
        """The engine's own arguments."""
        ...

    @property
    def needs_secret(self) -> bool:
        """Whether two of them differ, because nothing keys what they shift or hash."""
        ...

    @property
    def looks_at_pixels(self) -> bool:
        """Whether burned-in text is looked for."""
        ...

    def with_secret(self, secret: Path) -> Self:
        """Return one that differs only in its secret."""
        ...

    @property
    def instances(self) -> InstanceEngine:
        """What works on one instance after the other."""
        ...
