"""The table of states: its groups say what they said when each module kept its own, and no module keeps one again."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from batch_issuer.model import states
from batch_issuer.model.states import MEANINGS, Action, State
from batch_issuer.plan.plan import decide

GROUPS = {
    "ISSUED": "stamped contingency",
    "WERE_ISSUED": "stamped contingency cancelled",
    "WERE_STAMPED": "stamped cancelled",
    "MAY_BE_ISSUED": "stamped contingency unsure sending",
    "IN_DOUBT": "unsure sending",
    "NEVER_THERE": "invalid planned",
    "REFUSED": "rejected invalid",
    "GIVEN_UP": "rejected invalid cancelled",
    "SETTLED": "stamped rejected invalid cancelled",
    "SENT": "stamped contingency rejected invalid unsure sending cancelled",
    "COMPARED": "stamped contingency unsure cancelled",
    "ALWAYS_SHOWN": "stamped contingency rejected invalid unsure",
    "OPEN": "unsure sending planned rejected invalid contingency",
    "NEEDS_PERSON": "unsure sending planned rejected invalid",
    "UNFINISHED": "unsure sending planned",
    "ONLY_PROVIDER_SETTLES": "unsure sending contingency",
    "WITHDRAWABLE": "planned rejected invalid",
}


def test_every_state_has_one_row() -> None:
    assert set(MEANINGS) == set(State)


@pytest.mark.parametrize("group", GROUPS)
def test_a_group_holds_these_states_in_this_order(group: str) -> None:
    assert [state.value for state in getattr(states, group)] == GROUPS[group].split()


def test_every_group_is_named_above() -> None:
    found = {name for name, value in vars(states).items() if isinstance(value, tuple) and not name.startswith("_")}
    assert found == set(GROUPS)


@pytest.mark.parametrize("state", State)
def test_what_the_provider_has_or_may_have_is_never_issued_anew(state: State) -> None:
    for changed in (False, True):
        if state in states.MAY_BE_ISSUED:
            assert decide(state, changed=changed) is not Action.ISSUE
    if state in states.REFUSED:
        assert decide(state, changed=False) is Action.NOTHING


def test_no_other_module_makes_a_group_of_states(root: Path) -> None:
    found = [
        f"{path.relative_to(root)}:{line}"
        for path in sorted((root / "batch_issuer").rglob("*.py"))
        if path != Path(states.__file__)
        for line in _groups(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert not found, "take or add a group in model/states.py instead"


@pytest.mark.parametrize(
    ("code", "is_group"),
    [
        ("X = (State.A, State.B)", True),
        ("x in {State.A, State.B.value}", True),
        ("[State.A.value, State.B]", True),
        ("match x:\n case State.A | State.B: pass", True),
        ("x in (None, State.A)", False),
        ("{State.A: 1, State.B: 2}", False),
        ("f(State.A, State.B)", False),
    ],
)
def test_what_counts_as_a_group(code: str, *, is_group: bool) -> None:
    assert bool(list(_groups(ast.parse(code)))) is is_group


def _groups(tree: ast.AST) -> Iterator[int]:
    """Lines with several states in one tuple, list, set or alternative of a `case`."""
    for node in ast.walk(tree):
        match node:
            case ast.Tuple(elts=parts) | ast.List(elts=parts) | ast.Set(elts=parts):
                several = parts
            case ast.MatchOr(patterns=patterns):
                several = [part.value for part in patterns if isinstance(part, ast.MatchValue)]
            case _:
                continue
        if sum(map(_is_state, several)) > 1:
            yield several[0].lineno


def _is_state(node: ast.expr) -> bool:
    inner = node.value if isinstance(node, ast.Attribute) and node.attr == "value" else node
    return isinstance(inner, ast.Attribute) and isinstance(inner.value, ast.Name) and inner.value.id == "State"
