from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal

import pytest

from batch_issuer.model.documents import Amounts
from batch_issuer.model.records import NO_ANSWER
from batch_issuer.model.states import State
from batch_issuer.provider.contents import Difference, differences
from tests.reconcile.test_reconciliation import record

BODY = json.dumps({"external_ref": "R", "lines": []}).encode()


@pytest.mark.parametrize(
    ("lines", "theirs", "same"),
    [(1, "10.01", True), (1, "10.02", False), (3, "10.03", True), (3, "10.04", False), (3, "9.96", False)],
)
def test_the_same_sale_may_differ_by_a_cent_a_line(lines: int, theirs: str, same: bool) -> None:
    """Beyond it the provider's document under our reference is of another sale."""
    ours = replace(record("R", State.PLANNED, "10.00"), lines=lines)
    answer = replace(NO_ANSWER, amounts=Amounts(gross=Decimal(theirs)))
    assert differences(ours, BODY, answer, None) == ([] if same else [Difference("gross", "10.00", theirs)])
