"""The flag table of the provider's documentation (provider.md 15a), every row of it, and what is not in it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batch_issuer.model.states import State
from batch_issuer.provider.classify import FLAGS, Reason, classify

STAMP = "20260421154532ABCDEF"

TABLE = {
    "TTFF": State.STAMPED,
    "TFTF": State.CONTINGENCY,
    "FFFT": State.REJECTED,
    "TFFT": State.REJECTED,
    "TFFF": State.UNSURE,
    "FFFF": State.UNSURE,
    "TFTT": State.UNSURE,
    "TTFT": State.UNSURE,
    "FTFF": State.UNSURE,
    "FTFT": State.UNSURE,
    "FTTF": State.UNSURE,
    "FTTT": State.UNSURE,
    "TTTF": State.UNSURE,
    "TTTT": State.UNSURE,
    "FFTF": State.UNSURE,
    "FFTT": State.UNSURE,
}
"""success, dte_success, contingency, rejected: what an issuing answer proves."""


def answer(letters: str, **more: Any) -> dict[str, Any]:
    """An answer with these flags, and a stamp where it claims one."""
    flags = {name: letter == "T" for name, letter in zip(FLAGS, letters, strict=True)}
    return {**flags, "reception_stamp": STAMP if flags["dte_success"] else "", "external_ref": "R", **more}


def test_the_table_has_all_sixteen_rows() -> None:
    """Four flags, sixteen combinations."""
    assert len(TABLE) == 16


@pytest.mark.parametrize(("letters", "state"), TABLE.items())
def test_every_row_of_an_issuing_answer(letters: str, state: State) -> None:
    """What an answer to a POST proves, flag by flag."""
    assert classify(answer(letters), "R", confirmed=False)[0] is state


@pytest.mark.parametrize(("letters", "state"), TABLE.items())
def test_a_status_answer_settles_only_contingency_with_refusal(letters: str, state: State) -> None:
    """The status confirms a refusal that also claims contingency; every other row stays as it is."""
    expected = State.REJECTED if letters == "TFTT" else state
    assert classify(answer(letters), "R", confirmed=True)[0] is expected


def test_only_a_status_says_that_a_document_was_cancelled() -> None:
    """Whoever issues anew may be answered with an old document's marks: that it was cancelled, its status has to say."""
    plain = answer("TTFF", invalidated=True)
    assert classify(plain, "R", confirmed=False) == (State.STAMPED, None)
    assert classify(plain, "R", confirmed=True) == (State.CANCELLED, None)


@pytest.mark.parametrize("stamp", ["", "   ", None, 0, 12345, [STAMP], {"stamp": STAMP}, True])
def test_a_stamp_is_a_text_that_is_not_empty(stamp: object) -> None:
    """`dte_success` without a stamp to show is not believed."""
    assert classify(answer("TTFF", reception_stamp=stamp), "R", confirmed=True) == (State.UNSURE, Reason.NO_STAMP)


def test_a_refusal_with_a_stamp_contradicts_itself() -> None:
    """What was refused has no stamp; neither claim is believed."""
    for letters in ("FFFT", "TFFT"):
        state, reason = classify(answer(letters, reception_stamp=STAMP), "R", confirmed=True)
        assert (state, reason) == (State.UNSURE, Reason.CONTRADICTORY)


@pytest.mark.parametrize("missing", FLAGS)
@pytest.mark.parametrize("letters", TABLE)
@pytest.mark.parametrize("absent", ["left out", "null"])
def test_a_missing_flag_proves_nothing(letters: str, missing: str, absent: str) -> None:
    """An older answer may lack a flag: it is never read as the proof of a stamp, and never makes a refusal a success."""
    plain = answer(letters)
    if absent == "null":
        plain[missing] = None
    else:
        del plain[missing]
    state, _ = classify(plain, "R", confirmed=False)
    flags = {name: plain.get(name) for name in FLAGS}
    if state is State.STAMPED:
        assert flags["dte_success"] is True
        assert not flags["contingency"]
        assert not flags["rejected"]
        assert flags["success"] is not False
    if state is State.CONTINGENCY:
        assert flags["contingency"] is True
        assert not flags["rejected"]
        assert not flags["dte_success"]
    if state is State.REJECTED:
        assert flags["rejected"] is True


def test_the_first_generation_of_the_api_proves_no_stamp() -> None:
    """Only `success` and a stamp, as before the other flags existed: registered, and not proven more."""
    plain = {"success": True, "posted": True, "reception_stamp": STAMP, "external_ref": "R"}
    assert classify(plain, "R", confirmed=True) == (State.UNSURE, Reason.NO_STAMP)


@pytest.mark.parametrize("flag", FLAGS)
@pytest.mark.parametrize("value", ["true", "false", 1, 0, [], [True], {}, "", 1.5])
@pytest.mark.parametrize("letters", ["TTFF", "TFTF", "FFFT"])
def test_a_flag_of_another_type_makes_the_answer_unsure(letters: str, flag: str, value: object) -> None:
    """A text "true" is not the truth; what cannot be read as flags is asked about."""
    assert classify(answer(letters, **{flag: value}), "R", confirmed=True) == (State.UNSURE, Reason.NOT_UNDERSTOOD)


@pytest.mark.parametrize("letters", TABLE)
def test_an_answer_about_another_document_proves_nothing(letters: str) -> None:
    """Mixed-up answers happen behind proxies; ours is the one that bears our reference."""
    plain = answer(letters, external_ref="S")
    assert classify(plain, "R", confirmed=True) == (State.UNSURE, Reason.OTHER_DOCUMENT)


@pytest.mark.parametrize("reference", [None, "", 17])
def test_a_reference_that_is_not_said_is_no_other(reference: object) -> None:
    """Every field of an answer is optional."""
    assert classify(answer("TTFF", external_ref=reference), "R", confirmed=True)[0] is State.STAMPED


@pytest.mark.parametrize("letters", TABLE)
@pytest.mark.parametrize("dte_state", ["", "PROCESADO", "RECHAZADO", "OBSERVADO", None, 3])
def test_texts_decide_nothing(letters: str, dte_state: object) -> None:
    """`dte_state` and the rest are for people: the booleans alone decide."""
    plain = answer(
        letters, dte_state=dte_state, dte_message="RECHAZADO", codigo_msg="001", is_duplicate=True, posted=False
    )
    assert classify(plain, "R", confirmed=False)[0] is TABLE[letters]


@given(
    st.dictionaries(
        st.sampled_from([*FLAGS, "reception_stamp", "external_ref", "dte_state"]),
        st.one_of(st.booleans(), st.none(), st.text(max_size=4), st.integers(-2, 2), st.just("R"), st.just([True])),
    ),
    st.booleans(),
)
def test_no_answer_can_talk_its_way_to_a_stamp(plain: dict[str, Any], confirmed: bool) -> None:
    """Stamped needs both the flag and the seal, and nothing that speaks against them."""
    state, reason = classify(plain, "R", confirmed=confirmed)
    if state is State.STAMPED:
        assert plain["dte_success"] is True
        assert isinstance(plain["reception_stamp"], str)
        assert plain["reception_stamp"].strip()
        assert plain.get("rejected") in (False, None)
        assert plain.get("contingency") in (False, None)
    if state is State.CONTINGENCY:
        assert plain["contingency"] is True
        assert plain.get("rejected") in (False, None)
        assert plain.get("dte_success") in (False, None)
        assert plain.get("success") in (True, None)
    if plain.get("rejected") is True:
        assert state in {State.REJECTED, State.UNSURE}
    if state is State.REJECTED:
        assert plain["rejected"] is True
    if plain.get("external_ref") not in ("R", "", None) and isinstance(plain["external_ref"], str):
        assert state is State.UNSURE
    assert (reason is None) == (state is not State.UNSURE)
