"""Credentials for `DeidClient`: an access token, impersonation, a service account's key, a quota project."""

from healthcare_deid.client.http.credentials import (
    access_token,
    application_default,
    from_service_account,
    impersonated,
    with_quota_project,
)

__all__ = ["access_token", "application_default", "from_service_account", "impersonated", "with_quota_project"]
