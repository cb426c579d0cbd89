"""Flows: decisions without I/O, with the requests and replies that pass between them and their drivers.

A *flow* is a generator. It yields `Send` or `Sleep`, is sent an `ApiReply` or has the failure thrown in, and returns
its result. `drivers.run_flow` runs one with a thread or an event loop, and decides nothing.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from healthcare_deid.client.protocol.methods import Method


@dataclass(frozen=True, slots=True)
class ApiCall:
    """One request of the API. Its `repr` shows the method only."""

    method: Method
    path: str = field(repr=False)
    """Path below the API version, quoted."""
    version: str = "v1"
    query: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    body: Mapping[str, Any] | None = field(default=None, repr=False)
    timeout: float = 60.0


@dataclass(frozen=True, slots=True)
class ApiReply:
    """Good answer of the API.

    Header names are lower case; `json` is ``{}`` for an empty body.
    """

    status: int
    headers: Mapping[str, str] = field(repr=False)
    content: bytes = field(repr=False)
    json: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Send:
    """Make one HTTP try."""

    call: ApiCall
    attempt: int = 1


@dataclass(frozen=True, slots=True)
class Sleep:
    """Let time pass."""

    seconds: float


T = TypeVar("T")
Effect = Send | Sleep
Flow = Generator[Effect, Any, T]
