"""`AsyncOperation`: long-running work, to be awaited."""

from __future__ import annotations

from healthcare_deid.client.handle import OperationHandle, T


class AsyncOperation(OperationHandle[T]):
    """Long-running work at the service, in an event loop."""
