"""`PrivateCreators`: which private creators a plan may keep.

A private creator names the vendor of a block of private elements, which nobody can read without it (PS3.5 section
7.8.1). A creator without elements tells nothing but the vendor, so it goes with the last element of its block.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from healthcare_deid.engine.dicom.elements import creator_tag, is_private, is_private_creator
from healthcare_deid.engine.plan.rules import DROPPING, Op, Rule

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from healthcare_deid.engine.plan.rules import Override

_EMPTY_BLOCK = Rule(Op.DELETE, "empty-block")


class PrivateCreators:
    """Decides about private creators.

    Args:
        private: Rule for private elements that nothing below names.
        tags: Rules by tag.
        private_tags: Rules by private creator, group and last two digits of the element.
        overrides: Actions.
    """

    def __init__(
        self,
        private: Rule,
        tags: Mapping[int, Rule],
        private_tags: Mapping[tuple[str, int, int], Rule],
        overrides: Sequence[Override],
    ) -> None:
        # Emptied elements stay, so they need their creator too.
        staying = [action for action in overrides if action.op is not Op.DELETE]
        listed = {tag for tag, rule in tags.items() if rule.op is not Op.DELETE}
        listed |= {tag for action in staying for tag in action.tags}
        self._private = private
        self._listed = {tag for tag in listed if is_private_creator(tag)}
        self._of_listed = {creator_tag(tag) for tag in listed if is_private(tag)}
        self._of_safe = {(name, group) for (name, group, _), rule in private_tags.items() if rule.op is not Op.DELETE}
        self._by_vr = any(action.vrs for action in staying)
        gone = {tag for tag, rule in tags.items() if rule.op is Op.DELETE}
        deleting = [action for action in overrides if action.op is Op.DELETE]
        gone |= {tag for action in deleting for tag in action.tags}
        if private.op in DROPPING:
            self._all_weighed = bool(self._listed or self._of_listed or self._of_safe or self._by_vr)
            self._weighed = set[int]()
        else:
            self._all_weighed = any(action.vrs for action in deleting)
            self._weighed = {creator_tag(tag) for tag in gone if is_private(tag)}

    def weighs(self, tag: int) -> bool:
        """Return whether the creator of a private element, or this creator, stays only with an element of its block.

        Otherwise the plan keeps or removes the whole block.
        """
        return self._all_weighed or (tag if is_private_creator(tag) else creator_tag(tag)) in self._weighed

    def may_stay(self, tag: int, creator: str) -> bool:
        """Return whether an element of a creator's block may stay where private elements are removed."""
        listed = tag in self._listed or tag in self._of_listed
        return listed or self._by_vr or (creator, tag >> 16) in self._of_safe

    def empty_block(self, tag: int) -> Rule | None:
        """Return the rule for the creator of a block without elements; None if the config names the creator."""
        if tag in self._listed:
            return None
        return self._private if self._private.op is Op.DELETE else _EMPTY_BLOCK
