from __future__ import annotations

import contextlib
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from batch_issuer.sandbox import SandboxOptions, Standing
from batch_issuer.sandbox.keys import Account
from batch_issuer.sandbox.payload import Refused
from batch_issuer.sandbox.register import Register
from batch_issuer.sandbox.store import Store
from tests.sandbox.conftest import Clock

COMPANIES = (Account(company="a", environment="00"), Account(company="b", environment="01"))

options = st.builds(
    SandboxOptions,
    contingency_share=st.sampled_from([0.0, 0.5]),
    rejected_share=st.sampled_from([0.0, 0.5]),
    resolve_rejected_share=st.sampled_from([0.0, 0.5]),
    resolve_after_seconds=st.sampled_from([None, 2.0]),
    contingency_repost=st.sampled_from(["original", "resend", "error409"]),
    cancelled_repost=st.sampled_from(["original", "resend", "error409"]),
    keep_generation_code=st.booleans(),
    resend_is_duplicate=st.booleans(),
    validate_first=st.booleans(),
    ref_case_sensitive=st.booleans(),
    shared_namespace=st.booleans(),
    seed=st.integers(0, 3),
)
calls = st.lists(
    st.one_of(
        st.tuples(
            st.just("post"),
            st.sampled_from(COMPANIES),
            st.sampled_from(["invoice", "suex"]),
            st.sampled_from(["A", "a", "B"]),
            st.sampled_from([1, 2, 0]),
        ),
        st.tuples(st.just("resolve"), st.sampled_from(["stamped", "rejected"])),
        st.tuples(st.just("cancel"), st.sampled_from(COMPANIES), st.sampled_from(["A", "B"])),
        st.tuples(st.just("wait")),
    ),
    max_size=40,
)


def post(register: Register, company: Account, route: str, ref: str, price: int) -> bool:
    """Whether the POST was answered with a document."""
    line = {"description": "x", "quantity": 1, "unit_price": price}
    payload: dict[str, Any] = {"external_ref": ref, "lines": [line]}
    if route == "suex":
        payload["subject"] = {"name": "Ana"}
    try:
        posting = register.register(route, company, payload, digest=str(price))
    except Refused:
        return False
    if posting.to_send:
        register.send(posting.record)
    return True


@given(options, calls)
def test_whatever_happens_there_is_one_document_for_one_reference(
    options: SandboxOptions, calls: list[tuple[Any, ...]]
) -> None:
    """Ids and numbers never change nor repeat, numbers have no gaps, and a repeat of a living document is noted."""
    clock = Clock()
    store = Store(fold_case=not options.ref_case_sensitive, shared=options.shared_namespace)
    register = Register(options, store, clock)
    ids: dict[str, str] = {}
    for verb, *rest in calls:
        match verb:
            case "post":
                before, noted = len(store), len(register.violations)
                living = _living(register, *rest[:3])
                answered = post(register, *rest)
                if living:
                    assert len(store) == before
                    assert len(register.violations) == noted + 1 or not answered
            case "resolve":
                register.resolve(("*",), *rest)
            case "cancel":
                with contextlib.suppress(Refused):
                    register.mark_cancelled(register.visible(rest[0], ("sale",), rest[1]), stamp="x")
            case _:
                clock.move(1)
        for record in store:
            identity = f"{record.document_id} {record.control_number}"
            assert ids.setdefault(f"{record.company} {record.family} {record.ref}", identity) == identity
            assert bool(record.stamp) is (record.standing is Standing.STAMPED) or record.standing is Standing.CANCELLED
    _check_numbers(store)


def _living(register: Register, company: Account, route: str, ref: str) -> bool:
    found = register.store.by_ref(company.company, "purchase" if route == "suex" else "sale", ref)
    return found is not None and register.settled(found).standing is not Standing.REJECTED


def _check_numbers(store: Store) -> None:
    by_type: dict[tuple[str, str], list[int]] = {}
    for record in store:
        by_type.setdefault((record.company, record.doc_type), []).append(int(record.control_number[-15:]))
    for numbers in by_type.values():
        assert sorted(numbers) == list(range(1, len(numbers) + 1))
    assert len({record.document_id for record in store}) == len(store)
