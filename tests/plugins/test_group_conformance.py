"""The conformance suite over the groups of flipforge_equivariant."""

import pytest

from conformance import GroupConformance
from flipforge import api
from flipforge.diagrams import Group

GROUPS = ("S:3", "A:2", "A:3", "O:2", "O:3", "SO:2", "SO:3", "Sp:2", "Sp:4", "H:3", "B:1", "B:3", "SxZ2:3", "BxZ2:3")
OTHERS = ("S+:3", "S+:4", "O+:2", "H+:4", "B+:3", "SxZ2+:4", "BxZ2+:3", "perm:2341", "Aut:path-3", "Aut:cycle-5")


@pytest.mark.parametrize("name", [*GROUPS, *OTHERS])
class TestGroups(GroupConformance):
    @pytest.fixture(autouse=True)
    def _named(self, name: str) -> None:
        self.made = api.parse_group(name)

    def group(self) -> Group:
        return self.made
