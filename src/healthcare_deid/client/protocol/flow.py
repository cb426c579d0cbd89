"""Flows: the client's decisions, without I/O.

A *flow* is a generator. It yields `Send` or `Sleep`, receives an `ApiReply` or an exception, and returns its result.
`drivers.run_flow` runs a flow on a thread or on an event loop, so both clients share every decision.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from healthcare_deid.client.protocol.methods import Method


@dataclass(frozen=True, slots=True)
class ApiCall:
    """One API request.

    Its `repr` shows only the method: names and queries may identify a patient.
    """

    method: Method
    path: str = field(repr=False)
    """Percent-encoded path below the API version."""
    version: str = "v1"
    query: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    body: Mapping[str, Any] | None = field(default=None, repr=False)
    timeout: float = 60.0


@dataclass(frozen=True, slots=True)
class ApiReply:
    """One successful API reply.

    Header names are lower case; `json` is ``{}`` for an empty body.
    """

    status: int
    headers: Mapping[str, str] = field(repr=False)
    content: bytes = field(repr=False)
    json: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Send:
    """Request for one HTTP attempt."""

    call: ApiCall
    attempt: int = 1


@dataclass(frozen=True, slots=True)
class Sleep:
    """Request for a pause."""

    seconds: float


T = TypeVar("T")
Effect = Send | Sleep
Flow = Generator[Effect, Any, T]
