"""Text and pseudonym contexts, shared by equal headers.

The header values are found without parsing the rest of a file.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Any, NamedTuple

from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.tag import BaseTag

from healthcare_deid.engine.header.fast.lookup import ElementFinder
from healthcare_deid.engine.header.fast.value_cache import Memo

if TYPE_CHECKING:
    from healthcare_deid.engine.header.fast.encoded_file import EncodedFile
    from healthcare_deid.engine.header.instance_rewriting import InstanceRewriting
    from healthcare_deid.engine.header.rewriting import ValueRewriter
    from healthcare_deid.engine.header.values import ValueTransformer
    from healthcare_deid.engine.plan.tag_decisions import TagPlan
    from healthcare_deid.engine.text.engine import TextEngine

SPECIFIC_CHARACTER_SET = 0x00080005
_CONTEXTS = 64


class Context(NamedTuple):
    """Context for instances that share a header.

    Attributes:
        text: The text engine bound to the header; None if no text is inspected.
        memo: Cache for instances with this header; None if results do not depend on it.
        rewriting: The project's own values; None if it sets none.
    """

    text: ValueTransformer | None = None
    memo: Memo | None = None
    rewriting: InstanceRewriting | None = None


class Contexts:
    """Factory and cache of contexts.

    Within a series most headers are alike.

    Args:
        engine: The text engine; None if no text is inspected.
        rewriter: The project's own values; None if it sets none.
        plan: The plan.
    """

    def __init__(self, engine: TextEngine | None, rewriter: ValueRewriter | None, plan: TagPlan) -> None:
        from healthcare_deid.engine.text.find import header_values as header

        self._engine = engine
        self._rewriter = rewriter
        self._plan = plan
        # Exactly the tags that `header.read_header` reads, taken from its tables so that the two cannot diverge.
        read = header.header_tags() if engine is not None else frozenset[int]()
        self._wanted = ElementFinder(
            {SPECIFIC_CHARACTER_SET, *read, *(rewriter.wanted if rewriter is not None else ())}
        )
        self._seen: OrderedDict[tuple[object, ...], Context] = OrderedDict()

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self._engine, self._rewriter, self._plan)

    def bind(self, file: EncodedFile) -> Context:
        """Return the context of a file's instance.

        Raises:
            EngineError: The instance has no pseudonym, or an unsafe one.
        """
        if self._engine is None and self._rewriter is None:
            return _NOTHING
        found = self._wanted.find(file)
        key = tuple(found.items())
        known = self._seen.get(key)
        if known is None:
            known = self._seen[key] = self._made({tag: item[1] for tag, item in found.items()}, found, file)
            if len(self._seen) > _CONTEXTS:
                self._seen.popitem(last=False)
        return known

    def _made(self, values: dict[int, bytes], found: dict[int, tuple[bytes, bytes]], file: EncodedFile) -> Context:
        rewriting = self._rewriter.bind(values, self._plan) if self._rewriter is not None else None
        if self._engine is None:
            return Context(rewriting=rewriting)
        person = rewriting.person if rewriting is not None else None
        pseudonyms = rewriting.pseudonyms if rewriting is not None else None
        text = self._engine.bind(_dataset(found, explicit=file.explicit), person, pseudonyms)
        return Context(text, Memo(), rewriting)


_NOTHING = Context()


def _dataset(found: dict[int, tuple[bytes, bytes]], *, explicit: bool) -> Dataset:
    elements: dict[BaseTag, Any] = {
        BaseTag(tag): RawDataElement(BaseTag(tag), vr.decode("ascii") or None, len(value), value, 0, not explicit, True)
        for tag, (vr, value) in found.items()
    }
    dataset = Dataset(elements)
    dataset.set_original_encoding(not explicit, True)
    return dataset
