"""The start-up matrix: in every environment each command ends as it should, and never in a traceback."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.start.environments import Row, rows
from tests.start.matrix import faults_of, outcome_of

pytestmark = pytest.mark.network


@pytest.mark.parametrize("row", [pytest.param(row, id=row.name) for row in rows(all_of_them=False)])
async def test_every_command_ends_as_it_should(row: Row, tmp_path: Path) -> None:
    assert faults_of(row, await outcome_of(row, tmp_path)) == []
