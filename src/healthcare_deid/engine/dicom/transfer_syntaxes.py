"""Transfer syntaxes: one row each, for the engine and the emulator (PS3.5 section 10 and annex A, PS3.6 annex A).

To support another one: its row here, and its coding in `engine/pixels/frames/codecs` if no library that is there knows
it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

from pydicom.uid import UID

OCTETS = "application/octet-stream"


class Coding(Enum):
    """Coding of a frame."""

    NATIVE = auto()
    RLE = auto()
    JPEG = auto()
    """Lossy, by the discrete cosine transform (ITU-T T.81)."""
    JPEG_LOSSLESS = auto()
    JPEG_LS = auto()
    JPEG_2000 = auto()
    HTJ2K = auto()
    JPEG_XL = auto()
    DEFLATED_FRAMES = auto()
    UNCOMPRESSED_FRAMES = auto()
    """Each in a fragment, as it is natively (PS3.5 A.4.11)."""
    VIDEO = auto()
    """One stream for all frames (PS3.5 A.4.5 to A.4.9)."""
    REFERENCED = auto()
    """The pixels are elsewhere: on a JPIP server (PS3.5 A.6), or in an RTP stream (PS3.5 section 10.17)."""


@dataclass(frozen=True, slots=True)
class TransferSyntax:
    """One transfer syntax.

    Attributes:
        uid: Its UID.
        coding: How its frames are coded.
        lossless: Whether nothing was lost in its frames.
        decoder: Decodes a frame: pydicom's plugin, ``"pillow"``, ``"own"``, ``"imagecodecs"``, or nothing where no
            decoder is known.
        encoder: Encodes a frame without loss: pydicom's plugin, ``"own"``, ``"imagecodecs"``, or nothing; the pixel
            data is written natively then.
        encodes_as: The syntax whose encoder writes it, where it is another one: lossy syntaxes hold reversible
            codestreams too (PS3.5 A.4.3, A.4.4).
        media_type: Of one frame over DICOMweb (PS3.18 section 8.7.3).
        transcodes: Whether the emulator makes instances in it.
        title: Its name in PS3.6, where pydicom's dictionary does not have it yet.
    """

    uid: str
    coding: Coding
    lossless: bool = True
    decoder: str = ""
    encoder: str = ""
    encodes_as: str = ""
    media_type: str = OCTETS
    transcodes: bool = False
    title: str = ""

    @property
    def name(self) -> str:
        """Its name and UID, for a person."""
        return f"{self.title or UID(self.uid).name} ({self.uid})"

    @property
    def has_own_depth(self) -> bool:
        """Whether decoders give values as deep as the codestream says, whatever Bits Stored is.

        Others' readers cut off what is above Bits Stored: old devices keep overlays there.
        """
        return self.coding in (Coding.JPEG_2000, Coding.HTJ2K, Coding.JPEG_LS, Coding.JPEG_XL)

    @property
    def holds_single_bits(self) -> bool:
        """Whether frames of one bit a sample can be stored."""
        return self.coding not in (Coding.JPEG, Coding.JPEG_LOSSLESS, Coding.JPEG_LS)

    @property
    def stores_native_frames(self) -> bool:
        """Whether a frame is what it is natively, deflated or not: any attributes, and no header of its own."""
        return self.coding in (Coding.DEFLATED_FRAMES, Coding.UNCOMPRESSED_FRAMES)


_IMPLICIT, _EXPLICIT = "1.2.840.10008.1.2", "1.2.840.10008.1.2.1"
_JPEG = "1.2.840.10008.1.2.4."
_MPEG = "100 100.1 101 101.1 102 102.1 103 103.1 104 104.1 105 105.1 106 106.1 107 108"
_ROWS = (
    TransferSyntax(_IMPLICIT, Coding.NATIVE, transcodes=True),
    TransferSyntax(_EXPLICIT, Coding.NATIVE, transcodes=True),
    TransferSyntax("1.2.840.10008.1.2.1.99", Coding.NATIVE, transcodes=True),
    TransferSyntax("1.2.840.10008.1.2.2", Coding.NATIVE),
    TransferSyntax(
        "1.2.840.10008.1.2.5",
        Coding.RLE,
        decoder="pylibjpeg",
        encoder="pylibjpeg",
        media_type="image/dicom-rle",
        transcodes=True,
    ),
    TransferSyntax(
        f"{_JPEG}50", Coding.JPEG, lossless=False, decoder="pillow", media_type="image/jpeg", transcodes=True
    ),
    TransferSyntax(
        f"{_JPEG}51", Coding.JPEG, lossless=False, decoder="pillow", media_type="image/jpeg", transcodes=True
    ),
    TransferSyntax(
        f"{_JPEG}57", Coding.JPEG_LOSSLESS, decoder="gdcm", encoder="own", media_type="image/jpeg", transcodes=True
    ),
    TransferSyntax(
        f"{_JPEG}70", Coding.JPEG_LOSSLESS, decoder="gdcm", encoder="own", media_type="image/jpeg", transcodes=True
    ),
    TransferSyntax(
        f"{_JPEG}80",
        Coding.JPEG_LS,
        decoder="pyjpegls",
        encoder="pyjpegls",
        media_type="image/jls",
        transcodes=True,
    ),
    TransferSyntax(
        f"{_JPEG}81",
        Coding.JPEG_LS,
        lossless=False,
        decoder="pyjpegls",
        encoder="pyjpegls",
        encodes_as=f"{_JPEG}80",
        media_type="image/jls",
        transcodes=True,
    ),
    TransferSyntax(
        f"{_JPEG}90",
        Coding.JPEG_2000,
        decoder="pylibjpeg",
        encoder="pylibjpeg",
        media_type="image/jp2",
        transcodes=True,
    ),
    TransferSyntax(
        f"{_JPEG}91",
        Coding.JPEG_2000,
        lossless=False,
        decoder="pylibjpeg",
        encoder="pylibjpeg",
        encodes_as=f"{_JPEG}90",
        media_type="image/jp2",
        transcodes=True,
    ),
    *(
        TransferSyntax(
            f"{_JPEG}{number}",
            Coding.HTJ2K,
            lossless=number != 203,
            decoder="pylibjpeg",
            encoder="imagecodecs",
            media_type="image/jphc",
            transcodes=True,
        )
        for number in (201, 202, 203)
    ),
    *(
        TransferSyntax(f"{_JPEG}{number}", Coding.JPEG_2000, lossless=number == 92, media_type="image/jpx")
        for number in (92, 93)
    ),
    *(
        TransferSyntax(
            f"{_JPEG}{number}",
            Coding.JPEG_XL,
            lossless=number == 110,
            decoder="imagecodecs",
            encoder="" if number == 111 else "imagecodecs",
            media_type="image/jxl",
            transcodes=True,
            title=title,
        )
        for number, title in ((110, "JPEG XL Lossless"), (111, "JPEG XL JPEG Recompression"), (112, "JPEG XL"))
    ),
    TransferSyntax(
        "1.2.840.10008.1.2.8.1",
        Coding.DEFLATED_FRAMES,
        decoder="own",
        encoder="own",
        transcodes=True,
        title="Deflated Image Frame Compression",
    ),
    TransferSyntax("1.2.840.10008.1.2.1.98", Coding.UNCOMPRESSED_FRAMES, decoder="own", encoder="own"),
    *(TransferSyntax(f"{_JPEG}{number}", Coding.VIDEO, lossless=False) for number in _MPEG.split()),
    *(TransferSyntax(f"{_JPEG}{number}", Coding.REFERENCED) for number in (94, 95, 204, 205)),
    *(TransferSyntax(f"1.2.840.10008.1.2.7.{number}", Coding.REFERENCED) for number in (1, 2, 3)),
)
_FOLLOWED = frozenset(Coding) - {Coding.NATIVE, Coding.VIDEO, Coding.REFERENCED}
TRANSFER_SYNTAXES: dict[str, TransferSyntax] = {row.uid: row for row in _ROWS}
"""Every transfer syntax that is known, by UID."""


def transfer_syntax(uid: str) -> TransferSyntax | None:
    """Return the row of a transfer syntax; of none that is named, implicit VR's (PS3.5 section 10.1)."""
    return TRANSFER_SYNTAXES.get(uid or _IMPLICIT)


def is_native(uid: str) -> bool:
    """Return whether pixel data is never stored as fragments; of an unknown syntax it may be."""
    known = transfer_syntax(uid)
    return known is not None and known.coding is Coding.NATIVE


def is_video(uid: str) -> bool:
    """Return whether all frames are one stream."""
    known = transfer_syntax(uid)
    return known is not None and known.coding is Coding.VIDEO


def frames_are_followed(uid: str) -> bool:
    """Return whether what a frame's codestream holds besides pixels is found here; also in retired JPEG processes."""
    known = transfer_syntax(uid)
    return known.coding in _FOLLOWED if known is not None else uid.startswith(_JPEG)


def name_of(uid: str) -> str:
    """Return a transfer syntax's name and UID, for a person."""
    known = transfer_syntax(uid)
    return known.name if known is not None else uid
