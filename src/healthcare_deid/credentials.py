"""Credentials for `DeidClient`.

Access tokens, impersonation, service account keys and quota projects.
"""

from healthcare_deid.client.http.credentials import (
    access_token,
    application_default,
    from_service_account,
    impersonated,
    with_quota_project,
)

__all__ = ["access_token", "application_default", "from_service_account", "impersonated", "with_quota_project"]
