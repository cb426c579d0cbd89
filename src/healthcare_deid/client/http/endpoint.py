"""Endpoint of a client: URL, credentials and user agent."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from healthcare_deid._version import __version__
from healthcare_deid.client.http.connection import Connection
from healthcare_deid.client.http.credentials import CredentialsSource, is_anonymous, universe_domain
from healthcare_deid.client.http.origin import Origin
from healthcare_deid.client.protocol.arguments import require_methods, require_type
from healthcare_deid.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable

    from healthcare_deid.client.http.connection import Http

EMULATOR_VARIABLE = "HEALTHCARE_EMULATOR_HOST"


def connect(
    *,
    endpoint: str | None,
    credentials: Any = None,
    http: Http | None = None,
    request_builder: Callable[..., Any] | None = None,
    app_info: str | None = None,
    anonymous: bool = False,
) -> Connection:
    """Return a connection for a client's arguments and the environment.

    Args:
        endpoint: ``endpoint=`` of the client.
        credentials: ``credentials=`` of the client.
        http: ``http=`` of the client.
        request_builder: ``request_builder=`` of the client.
        app_info: ``app_info=`` of the client.
        anonymous: Whether to send no token, whatever the endpoint.

    Raises:
        ConfigError: A token would be sent to another machine unencrypted, or two arguments exclude each other.
    """
    for name, value in (("endpoint", endpoint), ("app_info", app_info)):
        if value is not None:
            require_type(name, value, str)
    if http is not None:
        require_methods("http", http, "an object with httplib2.Http's request()", "request")
    # A user's transport is used as is, so credentials= would silently have no effect.
    if http is not None and credentials is not None:
        raise ConfigError("http= has its own credentials: remove credentials=")
    emulator = os.environ.get(EMULATOR_VARIABLE, "")
    address, given_as = (endpoint, "endpoint=") if endpoint else (emulator, EMULATOR_VARIABLE)
    if not address:
        address, given_as = f"https://healthcare.{universe_domain()}", ""
    # HEALTHCARE_EMULATOR_HOST is host:port, as for Google's other emulators.
    elif "://" not in address:
        address = f"http://{address}"
    origin = Origin.of(address)
    nearby = origin is not None and origin.is_loopback
    # An emulator takes no token. Looking for credentials would fail on a CI machine that has none.
    from_environment = not endpoint and bool(emulator)
    no_token = anonymous or is_anonymous(credentials) or (credentials is None and (nearby or from_environment))
    return Connection(
        endpoint=address,
        credentials=None if http is not None or no_token else CredentialsSource(credentials),
        http=http,
        request_builder=request_builder,
        user_agent=user_agent(app_info),
        given_as=given_as,
    )


def user_agent(app_info: str | None) -> str:
    """Return the user agent: this package, then the program's ``name/version``.

    Raises:
        ConfigError: *app_info* is not printable ASCII.
    """
    if app_info is not None and not (app_info.isascii() and app_info.isprintable()):
        raise ConfigError("app_info: must be printable ASCII, such as 'nightly-job/1.2'")
    return f"healthcare-deid/{__version__}" + (f" {app_info}" if app_info else "")
