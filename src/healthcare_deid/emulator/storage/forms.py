"""Export formats of a stored instance (``GcsDestination.mimeType``).

They are DICOM files, raw frames and pictures.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, assert_never

from pydicom.uid import UID, ExplicitVRLittleEndian, JPEGBaseline8Bit

from healthcare_deid.emulator.errors import invalid
from healthcare_deid.emulator.storage.frames import (
    encapsulated_frames,
    frame_count,
    frame_numbers,
    native_frames,
    opened,
)
from healthcare_deid.emulator.storage.transcoding import AS_STORED, can_make, in_syntax
from healthcare_deid.engine.dicom.transfer_syntaxes import is_native

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Literal

    from pydicom import FileDataset

    from healthcare_deid.emulator.storage.instances import StoredInstance

    MediaType = Literal["application/dicom", "application/octet-stream", "image/jpeg", "image/png"]


@dataclass(frozen=True, slots=True)
class Form:
    """Export format of an instance.

    Attributes:
        media_type: Media type of the objects.
        syntax: Transfer syntax UID, or ``*`` for the stored one.
    """

    media_type: MediaType
    syntax: str = AS_STORED

    @classmethod
    def parse(cls, media_type: str, syntax: str | None) -> Form:
        """Parse the format requested for an export.

        Raises:
            ServiceError: 400: the API does not have this format, or the emulator cannot produce it.
        """
        if media_type == "application/dicom" and (syntax in {None, AS_STORED} or can_make(syntax or "")):
            return cls("application/dicom", syntax or AS_STORED)
        if media_type == "application/octet-stream" and syntax in {None, AS_STORED, ExplicitVRLittleEndian}:
            return cls("application/octet-stream", syntax or ExplicitVRLittleEndian)
        if media_type == "image/jpeg" and syntax in {None, JPEGBaseline8Bit}:
            return cls("image/jpeg")
        if media_type == "image/png" and syntax is None:
            return cls("image/png")
        raise invalid(
            "gcsDestination.mimeType must be application/dicom, application/octet-stream, image/jpeg or image/png, "
            "with a transfer syntax that the service supports for it."
        )

    def objects(self, instance: StoredInstance) -> Iterator[tuple[str, bytes]]:
        """Yield the suffix of each object's name, and its content.

        A multi-frame instance has one object per frame, unless it is exported as a DICOM file.

        Raises:
            ServiceError: 404: the instance has no pixel data. 406: the format is not possible for this instance.
        """
        if self.media_type == "application/dicom":
            made = in_syntax(instance.path, instance.transfer_syntax, self.syntax)
            yield ".dcm", instance.path.read_bytes() if made is None else made
            return
        with opened(instance) as dataset:
            numbers = frame_numbers(",".join(map(str, range(1, frame_count(dataset) + 1))), dataset)
            frames = self._frames(instance, dataset, numbers)
            for number, frame in zip(numbers, frames, strict=True):
                # Named as by the service: a single frame has no number.
                yield (f"/{number}" if len(numbers) > 1 else "") + self._extension, frame

    @property
    def _extension(self) -> str:
        match self.media_type:
            case "application/dicom":
                return ".dcm"
            case "image/jpeg":
                return ".jpg"
            case "image/png":
                return ".png"
            case "application/octet-stream":
                return ""
            case _:
                assert_never(self.media_type)

    def _frames(self, instance: StoredInstance, dataset: FileDataset, numbers: list[int]) -> Iterator[bytes]:
        stored = UID(instance.transfer_syntax)
        if self.media_type != "application/octet-stream":
            # Imported late: numpy and Pillow are needed for pictures only.
            from healthcare_deid.emulator.storage.pictures import render

            return (render(instance.path, dataset, number, self.media_type) for number in numbers)
        if self.syntax == AS_STORED and not is_native(stored):
            return encapsulated_frames(dataset, numbers)
        return native_frames(dataset, stored, numbers)
