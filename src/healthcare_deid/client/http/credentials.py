"""Credentials: where they come from, and one refresh at a time however many threads need it.

Whatever google-auth can do works: application default credentials (the default), a service-account file or its content,
impersonation, a bare access token, a quota project. google-auth is imported when the credentials are first needed.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from healthcare_deid._border import border
from healthcare_deid.errors import ConfigError, CredentialsError

if TYPE_CHECKING:
    from collections.abc import Callable

    from google.auth.credentials import Credentials

SCOPES = ("https://www.googleapis.com/auth/cloud-platform",)
DEFAULT_UNIVERSE = "googleapis.com"

CredentialsLike = "Credentials | str | os.PathLike[str] | Mapping[str, Any]"


def universe_domain() -> str:
    """Return the universe the client talks to: ``GOOGLE_CLOUD_UNIVERSE_DOMAIN``, or Google's public one."""
    return os.environ.get("GOOGLE_CLOUD_UNIVERSE_DOMAIN") or DEFAULT_UNIVERSE


@border
def application_default(*, quota_project: str | None = None) -> Credentials:
    """Find the application default credentials (``gcloud auth application-default login``, or the machine's own).

    Raises:
        CredentialsError: There are none.
    """

    def find() -> Credentials:
        import google.auth

        found, _ = google.auth.default(scopes=SCOPES, quota_project_id=quota_project)
        return found

    return _made(find, "no application default credentials: run 'gcloud auth application-default login'")


@border
def from_service_account(source: str | os.PathLike[str] | Mapping[str, Any]) -> Credentials:
    """Load a service account's key from its JSON file, or from the content of one.

    Raises:
        CredentialsError: It cannot be read, or is not a service account's key.
    """

    def load() -> Credentials:
        from google.oauth2 import service_account

        kind: Any = service_account.Credentials
        if isinstance(source, Mapping):
            return cast("Credentials", kind.from_service_account_info(dict(source), scopes=SCOPES))
        return cast("Credentials", kind.from_service_account_file(os.fspath(Path(source)), scopes=SCOPES))

    return _made(load, "the service account's key cannot be used")


@border
def access_token(token: str) -> Credentials:
    """Use a bare access token (``gcloud auth print-access-token``); it ends within the hour and is not renewed."""

    def make() -> Credentials:
        import google.oauth2.credentials

        return cast("Credentials", google.oauth2.credentials.Credentials(token=token))  # type: ignore[no-untyped-call]

    return _made(make, "the access token cannot be used")


@border
def impersonated(
    service_account: str, *, source: Credentials | None = None, lifetime: int = 3600, delegates: tuple[str, ...] = ()
) -> Credentials:
    """Act as another service account.

    Args:
        service_account: Its e-mail address.
        source: Who asks for that; the application default credentials when unset.
        lifetime: Seconds a token lives.
        delegates: Accounts in between, when the grant is chained.

    Raises:
        CredentialsError: There are no source credentials.
    """
    start = source if source is not None else application_default()

    def make() -> Credentials:
        import google.auth.impersonated_credentials as impersonation

        kind: Any = impersonation.Credentials
        return cast(
            "Credentials",
            kind(
                source_credentials=start,
                target_principal=service_account,
                target_scopes=list(SCOPES),
                delegates=list(delegates),
                lifetime=lifetime,
            ),
        )

    return _made(make, "impersonation cannot be set up")


@border
def with_quota_project(credentials: Credentials, project: str) -> Credentials:
    """Charge quota to ``project`` (the header ``x-goog-user-project``).

    Raises:
        CredentialsError: These credentials cannot name one.
    """
    return _made(
        lambda: cast("Any", credentials).with_quota_project(project), "these credentials take no quota project"
    )


def is_anonymous(given: Any) -> bool:
    """Return whether these are google-auth's credentials for nobody, which add no token."""
    if not hasattr(given, "before_request"):
        return False
    from google.auth.credentials import AnonymousCredentials

    return isinstance(given, AnonymousCredentials)


def carries_credentials(http: Any) -> bool:
    """Return whether a transport of the caller's would add credentials, as far as it tells.

    google-auth's ``AuthorizedHttp`` has them as ``credentials``; ``httplib2.Http`` has a list of passwords there.
    """
    held = getattr(http, "credentials", None)
    return held is not None and not is_anonymous(held) and bool(getattr(held, "credentials", True))


class CredentialsSource:
    """Credentials to be: looked up when the first request leaves. Its `repr` shows none of it."""

    def __init__(self, given: Any = None) -> None:
        usable = given is None or isinstance(given, str | os.PathLike | Mapping) or hasattr(given, "before_request")
        if not usable:
            kind = type(given).__name__
            raise ConfigError(f"credentials: google-auth's, or a service account's file or its content, not {kind}")
        self._given = given

    def __repr__(self) -> str:
        return "<credentials>"

    def shared(self, request: Any) -> SharedCredentials:
        """Return the credentials, to be refreshed with ``request``, google-auth's transport.

        Raises:
            CredentialsError: There are none, or they belong to another universe.
        """
        given = self._given
        if given is None:
            given = application_default()
        elif isinstance(given, str | os.PathLike | Mapping):
            given = from_service_account(cast("str", given))
        theirs = getattr(given, "universe_domain", DEFAULT_UNIVERSE)
        if isinstance(theirs, str) and theirs != universe_domain():
            raise CredentialsError(
                "the credentials belong to another universe than the endpoint: set GOOGLE_CLOUD_UNIVERSE_DOMAIN"
            )
        return SharedCredentials(given, request)


class SharedCredentials:
    """What an ``AuthorizedHttp`` asks of credentials, for many threads: the first refreshes, the others wait."""

    def __init__(self, credentials: Any, request: Any) -> None:
        self._credentials = credentials
        self._request = request
        self._lock = threading.Lock()
        self._seen = threading.local()

    def __repr__(self) -> str:
        return "<credentials>"

    def before_request(self, request: Any, method: str, url: str, headers: dict[str, str]) -> None:
        """Refresh when needed and add the headers; ``request`` is left alone: refreshing has its own transport."""
        del request
        with self._lock:
            _reaching(lambda: self._credentials.before_request(self._request, method, url, headers))
            self._seen.token = self._credentials.token

    def refresh(self, request: Any) -> None:
        """Refresh after a 401, unless another thread has meanwhile."""
        del request
        with self._lock:
            if self._credentials.token == getattr(self._seen, "token", None):
                _reaching(lambda: self._credentials.refresh(self._request))


def _reaching(refresh: Callable[[], None]) -> None:
    """Run what may ask the token server; a broken connection to that one says nothing about the API's."""
    try:
        refresh()
    except OSError:
        failed = True
    else:
        failed = False
    if failed:
        raise CredentialsError("the token server could not be reached", transient=True)


def credentials_error(error: BaseException) -> CredentialsError | None:
    """Return our error for one of google-auth's; its own text may hold a token server's answer."""
    from google.auth import exceptions

    if not isinstance(error, exceptions.GoogleAuthError):
        return None
    transient = isinstance(error, exceptions.TransportError) or bool(getattr(error, "retryable", False))
    if isinstance(error, exceptions.DefaultCredentialsError):
        return CredentialsError("no application default credentials: run 'gcloud auth application-default login'")
    what = "the token server could not be reached" if transient else "no access token could be had; it may be revoked"
    return CredentialsError(f"{type(error).__name__}: {what}", transient=transient)


def _made(make: Callable[[], Credentials], problem: str) -> Credentials:
    from google.auth import exceptions

    try:
        return make()
    except (exceptions.GoogleAuthError, OSError, ValueError, KeyError, AttributeError) as error:
        name = type(error).__name__
    raise CredentialsError(f"{problem} ({name})")
