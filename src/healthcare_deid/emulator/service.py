"""`Emulator`: the Cloud Healthcare API's de-identification over a folder of this machine."""

from __future__ import annotations

import os
import shutil
import tempfile
import threading
import weakref
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from healthcare_deid.emulator.handlers.datasets import Datasets
from healthcare_deid.emulator.handlers.deidentify import DeidentifyCalls
from healthcare_deid.emulator.handlers.dicomweb.calls import DicomWebCalls
from healthcare_deid.emulator.handlers.iam import IamCalls
from healthcare_deid.emulator.handlers.operations import OperationCalls
from healthcare_deid.emulator.handlers.stores import Stores
from healthcare_deid.emulator.handlers.import_export import TransferCalls
from healthcare_deid.emulator.storage.catalog import Kind
from healthcare_deid.emulator.clock import Clock, SystemClock
from healthcare_deid.emulator.handlers.control import Control
from healthcare_deid.emulator.jobs.execution import EngineFactory, InProcess, local_engine
from healthcare_deid.emulator.faults import FaultPlan
from healthcare_deid.emulator.storage.buckets import Buckets
from healthcare_deid.emulator.http.in_process import EmulatorHttp
from healthcare_deid.emulator.http.router import Router
from healthcare_deid.emulator.http.routes import Routes
from healthcare_deid.emulator.backend import State
from healthcare_deid.emulator.storage.cloud_storage import VARIABLE, StorageApi
from healthcare_deid.emulator.jobs.workers import WorkerProcesses
from healthcare_deid.errors import EmulatorError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from os import PathLike

    from healthcare_deid.emulator.http.reply import Reply
    from healthcare_deid.emulator.http.request import Request
    from healthcare_deid.emulator.http.routes import Route
    from healthcare_deid.emulator.http.server import Server


class Emulator:
    """A Cloud Healthcare API on this machine: datasets, DICOM stores, DICOMweb, and real de-identification.

    Its state is in the folder and survives a restart. Several objects of one process may have the same folder open;
    they are one emulator. A second process is refused.

    Args:
        data_dir: The folder, made when it is missing. None: a temporary one, removed by `close`.
        faults: What goes wrong; see `faults`.
        clock: Where times come from: a fake one in tests.
        gcs: A folder for each bucket name that ``gs://`` URIs may use. Other buckets are looked for in the emulated
            Cloud Storage that the environment variable ``STORAGE_EMULATOR_HOST`` names, if it is set.
        allow_remote_storage: Take a ``STORAGE_EMULATOR_HOST`` on another machine: instances are sent there.
        workers: Worker processes of an operation. None: one a core, and none for a few instances; 0: none at all.
        engine: What makes the de-identifier of a config; this package's own unless given.

    Raises:
        EmulatorError: The folder is in use by another process, is already open here with other arguments, or was
            written by another version.
    """

    def __init__(
        self,
        data_dir: str | PathLike[str] | None,
        *,
        faults: FaultPlan | None = None,
        clock: Clock | None = None,
        gcs: Mapping[str, str | PathLike[str]] | None = None,
        allow_remote_storage: bool = False,
        workers: int | None = None,
        engine: EngineFactory = local_engine,
    ) -> None:
        if workers is not None and workers < 0:
            raise ValueError("workers is a number of processes: 0 or more")
        options: dict[str, Any] = {
            "faults": faults,
            "clock": clock,
            "gcs": gcs,
            "allow_remote_storage": allow_remote_storage or None,
            "workers": workers,
            "engine": engine,
        }
        self._core = _Core.shared(data_dir, options)
        self._close = weakref.finalize(self, self._core.release)
        self._transports: weakref.WeakSet[EmulatorHttp] = weakref.WeakSet()

    @property
    def data_dir(self) -> Path:
        """The folder."""
        return self._core.state.folder

    @property
    def faults(self) -> FaultPlan:
        """What goes wrong; plan more at any time."""
        return self._core.faults

    def handle(self, request: Request) -> Reply:
        """Answer one request: the whole service as a function."""
        return self._core.router.handle(request)

    def routes(self) -> tuple[Route, ...]:
        """Return the methods of the API that are answered."""
        return self._core.routes

    def http(self) -> EmulatorHttp:
        """Return a transport in the shape of ``httplib2.Http``. While it is used the emulator stays open.

        Raises:
            EmulatorError: The emulator is closed.
        """
        if not self._close.alive:
            raise EmulatorError("the emulator is closed")
        self._core.retain()
        transport = EmulatorHttp(self._core.router.handle, self._core.release)
        self._transports.add(transport)
        return transport

    def server(
        self,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        origins: Collection[str] = (),
        allow_remote: bool = False,
    ) -> Server:
        """Return a server of this emulator, which listens already: ``with emulator.server() as server: server.url``.

        Args:
            host: Address to listen on.
            port: Port; 0 for any that is free.
            origins: Origins of web pages that may read; those of this machine may.
            allow_remote: Take an address that other machines reach. Nobody is asked for credentials.

        Raises:
            EmulatorError: The address is not this machine's own, or the port is taken.
            MissingExtraError: The extra ``[server]`` is not installed.
        """
        from healthcare_deid.emulator.http.server import Server

        return Server(self.handle, host, port, origins=origins, allow_remote=allow_remote, scratch=self.data_dir)

    def serve(
        self,
        host: str = "127.0.0.1",
        port: int = 8085,
        *,
        origins: Collection[str] = (),
        allow_remote: bool = False,
    ) -> None:
        """Serve until the process is told to end (Ctrl-C); arguments and errors as of `server`."""
        self.server(host, port, origins=origins, allow_remote=allow_remote).run()

    def settle(self, timeout: float | None = None) -> bool:
        """Wait until the operations that run now have ended; return whether they have within ``timeout`` seconds."""
        return self._core.state.runner.settle(timeout)

    def close(self) -> None:
        """Close the transports that came from here, stop running operations and give the folder back.

        A second call does nothing. Other `Emulator` objects of the same folder keep it open.
        """
        for transport in list(self._transports):
            transport.close()
        self._close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Emulator({str(self.data_dir)!r})"


class _Core:
    """One open folder, however many `Emulator` objects use it."""

    _open: dict[Path, _Core] = {}  # noqa: RUF012 - the registry of this process, guarded by the lock
    _lock = threading.RLock()

    def __init__(self, folder: Path, options: dict[str, Any], *, temporary: bool) -> None:
        self.folder = folder
        self.options = options
        self.temporary = temporary
        self.users = 0
        self.faults: FaultPlan = options["faults"] or FaultPlan()
        self.clock: Clock = options["clock"] or SystemClock()
        self.state = State.open(
            folder,
            clock=self.clock,
            executor=InProcess() if options["workers"] == 0 else WorkerProcesses(options["workers"]),
            make_engine=options["engine"],
            buckets=Buckets(options["gcs"], _storage(allow_remote=bool(options["allow_remote_storage"]))),
            faults=self.faults,
        )
        self.routes: tuple[Route, ...] = (
            *Datasets(self.state).routes(),
            *Stores(self.state, Kind.DICOM_STORE).routes(),
            *Stores(self.state, Kind.FHIR_STORE).routes(),
            *OperationCalls(self.state).routes(),
            *DeidentifyCalls(self.state).routes(),
            *TransferCalls(self.state).routes(),
            *IamCalls(self.state).routes(),
            *DicomWebCalls(self.state).routes(),
        )
        try:
            self.faults.attach(route.method_id for route in self.routes)
        except ValueError:
            self.state.close()
            raise
        self.router = Router(Routes(self.routes), Control(self.state), self.faults, self.clock)

    @classmethod
    def shared(cls, data_dir: str | PathLike[str] | None, options: dict[str, Any]) -> _Core:
        """Return the core of a folder, and count one more user."""
        with cls._lock:
            temporary = data_dir is None
            folder = Path(tempfile.mkdtemp(prefix="healthcare-emulator-") if data_dir is None else data_dir).resolve()
            core = cls._open.get(folder)
            if core is None:
                core = cls._open[folder] = cls(folder, options, temporary=temporary)
            elif any(
                value is not None and value is not core.options[name] and value != core.options[name]
                for name, value in options.items()
            ):
                raise EmulatorError(f"{folder} is already open in this process with other arguments: close that first")
            core.retain()
            return core

    def retain(self) -> None:
        """Count one more user."""
        with self._lock:
            self.users += 1

    def release(self) -> None:
        """Count one user less; the last one closes the folder."""
        with self._lock:
            self.users -= 1
            if self.users:
                return
            del self._open[self.folder]
            self.state.close()
        if self.temporary:
            shutil.rmtree(self.folder, ignore_errors=True)


def _storage(*, allow_remote: bool) -> StorageApi | None:
    address = os.environ.get(VARIABLE, "").strip()
    return StorageApi(address, allow_remote=allow_remote) if address else None
