"""Credentials: default, service account, impersonated, access token, quota project.

google-auth is imported when credentials are first needed, to keep ``import healthcare_deid`` fast.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from healthcare_deid._border import border
from healthcare_deid.errors import ConfigError, CredentialsError

if TYPE_CHECKING:
    from collections.abc import Callable

    from google.auth.credentials import Credentials

# The API's own scope, cloud-healthcare, would not cover Secret Manager, which pipelines read.
SCOPES = ("https://www.googleapis.com/auth/cloud-platform",)
DEFAULT_UNIVERSE = "googleapis.com"

CredentialsLike = "Credentials | str | os.PathLike[str] | Mapping[str, Any]"


def universe_domain() -> str:
    """Return ``GOOGLE_CLOUD_UNIVERSE_DOMAIN``, or Google's public universe."""
    return os.environ.get("GOOGLE_CLOUD_UNIVERSE_DOMAIN") or DEFAULT_UNIVERSE


@border
def application_default(*, quota_project: str | None = None) -> Credentials:
    """Find the application default credentials.

    They come from ``gcloud auth application-default login`` or from the machine's service account.

    Raises:
        CredentialsError: No credentials were found.
    """

    def find() -> Credentials:
        import google.auth

        found, _ = google.auth.default(scopes=SCOPES, quota_project_id=quota_project)
        return found

    return _made(find, "no application default credentials: run 'gcloud auth application-default login'")


@border
def from_service_account(source: str | os.PathLike[str] | Mapping[str, Any]) -> Credentials:
    """Load a service account key from a JSON file or its content.

    Raises:
        CredentialsError: The key cannot be read, or is not a service account key.
    """

    def load() -> Credentials:
        from google.oauth2 import service_account

        kind: Any = service_account.Credentials
        if isinstance(source, Mapping):
            return cast("Credentials", kind.from_service_account_info(dict(source), scopes=SCOPES))
        return cast("Credentials", kind.from_service_account_file(os.fspath(Path(source)), scopes=SCOPES))

    return _made(load, "the service account key cannot be used")


@border
def access_token(token: str) -> Credentials:
    """Use an access token (``gcloud auth print-access-token``).

    It expires within an hour and cannot be refreshed.
    """

    def make() -> Credentials:
        import google.oauth2.credentials

        return cast("Credentials", google.oauth2.credentials.Credentials(token=token))  # type: ignore[no-untyped-call]

    return _made(make, "the access token cannot be used")


@border
def impersonated(
    service_account: str, *, source: Credentials | None = None, lifetime: int = 3600, delegates: tuple[str, ...] = ()
) -> Credentials:
    """Impersonate a service account.

    Args:
        service_account: E-mail address of the account.
        source: Credentials that may impersonate it. Defaults to the application default credentials.
        lifetime: Lifetime of each token in seconds.
        delegates: Intermediate accounts of a delegation chain.

    Raises:
        CredentialsError: No source credentials were found.
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
    """Charge quota to *project* (header ``x-goog-user-project``).

    Raises:
        CredentialsError: The credentials do not support a quota project.
    """
    return _made(
        lambda: cast("Any", credentials).with_quota_project(project), "these credentials do not support a quota project"
    )


def anonymous() -> Any:
    """Return google-auth's `AnonymousCredentials`, for servers that must not see a token of Google's."""
    from google.auth.credentials import AnonymousCredentials

    return AnonymousCredentials()  # type: ignore[no-untyped-call]


def is_anonymous(given: Any) -> bool:
    """Return whether *given* is google-auth's `AnonymousCredentials`."""
    if not hasattr(given, "before_request"):
        return False
    from google.auth.credentials import AnonymousCredentials

    return isinstance(given, AnonymousCredentials)


def carries_credentials(http: Any) -> bool:
    """Return whether a user's transport appears to add credentials.

    google-auth's ``AuthorizedHttp`` holds them in ``credentials``. ``httplib2.Http`` has a list of passwords there.
    """
    held = getattr(http, "credentials", None)
    return held is not None and not is_anonymous(held) and bool(getattr(held, "credentials", True))


class CredentialsSource:
    """Credentials that are looked up when the first request is sent.

    The `repr` shows nothing of them.
    """

    def __init__(self, given: Any = None) -> None:
        # By attribute instead of isinstance(), because google-auth is not imported yet.
        usable = given is None or isinstance(given, str | os.PathLike | Mapping) or hasattr(given, "before_request")
        if not usable:
            kind = type(given).__name__
            raise ConfigError(
                f"credentials: must be google-auth credentials, or the path or content of a key file, not {kind}"
            )
        self._given = given

    def __repr__(self) -> str:
        return "<credentials>"

    def find(self) -> Any:
        """Return the google-auth credentials.

        Raises:
            CredentialsError: No credentials were found, or they belong to another universe.
        """
        given = self._given
        if given is None:
            given = application_default()
        elif isinstance(given, str | os.PathLike | Mapping):
            given = from_service_account(cast("str", given))
        # A token of one universe, such as a sovereign cloud, is not valid in another.
        theirs = getattr(given, "universe_domain", DEFAULT_UNIVERSE)
        if isinstance(theirs, str) and theirs != universe_domain():
            raise CredentialsError(
                "the credentials and the endpoint belong to different universes: set GOOGLE_CLOUD_UNIVERSE_DOMAIN"
            )
        return given


def credentials_error(error: BaseException) -> CredentialsError | None:
    """Return a `CredentialsError` for a google-auth exception.

    Its text is not copied: it may contain the token server's reply. Returns None for any other exception.
    """
    from google.auth import exceptions

    if not isinstance(error, exceptions.GoogleAuthError):
        return None
    transient = isinstance(error, exceptions.TransportError) or bool(getattr(error, "retryable", False))
    if isinstance(error, exceptions.DefaultCredentialsError):
        return CredentialsError("no application default credentials: run 'gcloud auth application-default login'")
    problem = (
        "the token server could not be reached"
        if transient
        else "no access token was issued; the credentials may be revoked"
    )
    return CredentialsError(f"{type(error).__name__}: {problem}", transient=transient)


def _made(make: Callable[[], Credentials], problem: str) -> Credentials:
    from google.auth import exceptions

    try:
        return make()
    except (exceptions.GoogleAuthError, OSError, ValueError, KeyError, AttributeError) as error:
        name = type(error).__name__
    # Raised outside the except block: texts and frames of google-auth's exceptions may contain the key.
    raise CredentialsError(f"{problem} ({name})")
