"""The own terms of the last instances' patients: within a series they are the same."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

from healthcare_deid.engine.header.facts import own_values
from healthcare_deid.engine.text.own_terms import OwnTerms

if TYPE_CHECKING:
    from collections.abc import Sequence

    from healthcare_deid.engine.header.fast.follower import Noted
    from healthcare_deid.engine.text.own_terms import OwnValue

_MOST = 64


class Owners:
    """Makes own terms of noted elements, and knows the last ones again. A pickled one is empty."""

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[OwnValue, ...], OwnTerms] = OrderedDict()

    def __reduce__(self) -> tuple[type[Owners], tuple[()]]:
        return type(self), ()

    def of(self, noted: Sequence[Noted]) -> OwnTerms:
        """Return the own terms of an instance."""
        values = own_values(noted)
        known = self._known.get(values)
        if known is None:
            known = self._known[values] = OwnTerms(values)
            if len(self._known) > _MOST:
                self._known.popitem(last=False)
        return known
