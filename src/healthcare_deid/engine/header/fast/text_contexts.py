"""The header values that a text engine knows an instance by, without reading the rest of the file."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Any

from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.tag import BaseTag

from healthcare_deid.engine.header.fast.lookup import Wanted
from healthcare_deid.engine.header.fast.value_cache import Memo

if TYPE_CHECKING:
    from healthcare_deid.engine.header.fast.encoded_file import EncodedFile
    from healthcare_deid.engine.header.values import ValueTransformer

SPECIFIC_CHARACTER_SET = 0x00080005
_CONTEXTS = 64


class Contexts:
    """Binds a text engine to files, and knows again a header it has seen: within a series most are alike.

    Args:
        engine: The text engine (`TextEngine`).
    """

    def __init__(self, engine: Any) -> None:
        from healthcare_deid.engine.text.find import header_values as header

        self._engine = engine
        # What `header.read_header` looks at: its own tables, so that the two cannot come apart.
        self._wanted = Wanted({SPECIFIC_CHARACTER_SET, *header.header_tags()})
        self._seen: OrderedDict[tuple[object, ...], tuple[ValueTransformer, Memo]] = OrderedDict()

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self._engine,)

    def bind(self, file: EncodedFile) -> tuple[ValueTransformer, Memo]:
        """Return the engine bound to a file's instance, and the memo of elements for headers like it."""
        found = self._wanted.find(file)
        key = tuple(found.items())
        known = self._seen.get(key)
        if known is None:
            known = (self._engine.bind(_dataset(found, explicit=file.explicit)), Memo())
            self._seen[key] = known
            if len(self._seen) > _CONTEXTS:
                self._seen.popitem(last=False)
        return known


def _dataset(found: dict[int, tuple[bytes, bytes]], *, explicit: bool) -> Dataset:
    elements: dict[BaseTag, Any] = {
        BaseTag(tag): RawDataElement(BaseTag(tag), vr.decode("ascii") or None, len(value), value, 0, not explicit, True)
        for tag, (vr, value) in found.items()
    }
    dataset = Dataset(elements)
    dataset.set_original_encoding(not explicit, True)
    return dataset
