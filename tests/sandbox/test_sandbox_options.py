from __future__ import annotations

import json
from dataclasses import fields, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batch_issuer.model.problems import CannotStart
from batch_issuer.sandbox import Key, SandboxOptions, changed, described, parse_changes, possible_values
from tests.sandbox.conftest import Open, Till


def test_every_option_has_its_help_and_its_section() -> None:
    """What can be ordered is explained, and says which part of the documentation it plays."""
    assert set(described()) == {option.name for option in fields(SandboxOptions)}
    for option in fields(SandboxOptions):
        assert option.metadata["help"].endswith(".")
        assert option.metadata["section"]
        assert possible_values(option.name)


def test_options_survive_being_written_and_read() -> None:
    """What the control plane shows can be sent back."""
    shown = SandboxOptions().as_json()
    sent = {name: value for name, value in shown.items() if name not in ("keys", "disabled_keys")}
    assert changed(SandboxOptions(seed=9), json.loads(json.dumps(sent))) == SandboxOptions()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("minute_limit=none", {"minute_limit": None}),
        ("minute-limit=30", {"minute_limit": 30}),
        ("latency=0.05", {"latency": 0.05}),
        ("contingency=yes", {"contingency": True}),
        ("contingency_refs=A*, B?", {"contingency_refs": ("A*", "B?")}),
        ("window=sliding", {"window": "sliding"}),
        ("schema_error_status=422", {"schema_error_status": 422}),
        ("keys=odt_x=tienda:01", {"keys": (Key(key="odt_x", company="tienda", environment="01"),)}),
        ("keys=odt_x=tienda:01:0614", {"keys": (Key(key="odt_x", company="tienda", environment="01", nit="0614"),)}),
    ],
)
def test_options_are_read_from_text(text: str, expected: dict[str, Any]) -> None:
    """As the command line gives them."""
    assert changed(SandboxOptions(), parse_changes([text])) == replace(SandboxOptions(), **expected)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("minut_limit=1", "The sandbox has no option «minut_limit».\nDid you mean «minute_limit»?"),
        ("window=round", "«round» is not possible for the sandbox option window.\nPossible: fixed, first, sliding."),
        ("minute_limit=-1", "«-1» is not possible for the sandbox option minute_limit.\nPossible: none, 0, 1, 2…."),
        ("minute_limit=1.5", "«1.5» is not possible for the sandbox option minute_limit.\nPossible: none, 0, 1, 2…."),
        ("contingency=maybe", "«maybe» is not possible for the sandbox option contingency.\nPossible: true, false."),
        ("keys=odt_secret", "«…» is not possible for the sandbox option keys.\nPossible: KEY=COMPANY:00."),
        ("contingency", "The sandbox option «contingency» has no value.\nWrite NAME=VALUE."),
    ],
)
def test_an_impossible_option_is_a_sentence(text: str, message: str) -> None:
    """The name and value are quoted, with what is possible; a key is not shown."""
    with pytest.raises(CannotStart) as caught:
        changed(SandboxOptions(), parse_changes([text]))
    assert str(caught.value) == message


@given(st.sampled_from([option.name for option in fields(SandboxOptions)]), st.text() | st.integers() | st.floats())
def test_whatever_is_given_is_taken_or_refused_in_words(name: str, value: object) -> None:
    """No value makes a traceback."""
    try:
        options = changed(SandboxOptions(), {name: value})
    except CannotStart as error:
        said = str(error)
    else:
        said = f"{name} {getattr(options, name)}"
    assert name in said


def test_a_key_is_not_shown() -> None:
    """Neither a representation nor the control plane tells a key."""
    options = SandboxOptions(keys=(Key(key="odt_secret", company="tienda"),), disabled_keys=("odt_other",))
    assert "odt_secret" not in repr(options.keys)
    assert "odt_" not in json.dumps(options.as_json())


def test_options_change_while_it_runs(till: Till) -> None:
    """The control plane changes them, shows them, and refuses those of the start in words."""
    control = f"{till.sandbox.control_url}/options"
    assert till.http.post(control, json={"minute_limit": 7}).json()["minute_limit"] == 7
    assert till.post("A").headers["X-RateLimit-Remaining-Minute"] == "6"
    assert till.http.get(control).json()["minute_limit"] == 7
    refused = till.http.post(control, json={"seed": 3})
    assert refused.status_code == 400
    assert refused.json()["detail"].startswith("The sandbox option seed can only be chosen when it starts.")
    assert till.http.post(f"{till.sandbox.control_url}/contingency", json={"on": True}).json()["contingency"] is True
    assert till.issue("B")["contingency"] is True
    assert till.http.post(f"{till.sandbox.control_url}/resolve", json={"refs": ["B"]}).json() == {"resolved": 1}
    assert till.status("B")["dte_success"] is True


def test_the_control_plane_lists_what_is_registered(till: Till) -> None:
    """As a list, as lines, or one; its own requests are neither counted nor limited."""
    till.issue("A", 10)
    till.issue("B")
    url = f"{till.sandbox.control_url}/documents"
    listed = till.http.get(url).json()
    assert [entry["ref"] for entry in listed] == ["A", "B"]
    assert (listed[0]["amount_gross"], listed[0]["state"], listed[0]["received"]) == ("10.00", "stamped", 1)
    lines = till.http.get(url, params={"format": "jsonl"}).text.splitlines()
    assert [json.loads(line) for line in lines] == listed
    assert till.http.get(url, params={"ref": "B"}).json() == listed[1:]
    requests = till.http.get(f"{till.sandbox.control_url}/requests").json()
    assert (requests["total"], requests["by_route"], requests["most_at_once"]) == (2, {"invoice": {"200": 2}}, 1)
    assert till.http.get(f"{till.sandbox.control_url}/nothing").status_code == 404


def test_the_root_tells_what_there_is(till: Till) -> None:
    """Whoever opens the address in a browser sees where to go."""
    found = till.http.get(till.sandbox.control_url.removesuffix("_sandbox")).json()
    assert found["base_url"] == till.sandbox.base_url
    assert "GET /_sandbox/documents" in found["control"]


@pytest.mark.parametrize(
    ("shape", "body"),
    [
        ("text", {"detail": "Debe incluir al menos una línea"}),
        (
            "list",
            {"detail": [{"loc": ["body", "lines"], "msg": "Debe incluir al menos una línea", "type": "value_error"}]},
        ),
        ("object", {"detail": {"code": "error", "message": "Debe incluir al menos una línea"}}),
    ],
)
def test_shapes_of_a_400(open_till: Open, shape: str, body: dict[str, Any]) -> None:
    """The detail is text, list or object."""
    assert open_till(detail_shape=shape).post("A", lines=[]).json() == body


@pytest.mark.parametrize(
    ("shape", "text"),
    [
        ("text", '{"detail": "Documento no encontrado"}'),
        ("error", '{"error": "Documento no encontrado"}'),
        ("empty", ""),
    ],
)
def test_shapes_of_other_errors(open_till: Open, shape: str, text: str) -> None:
    """404 and its like have a shape of their own; 429 keeps its documented one."""
    till = open_till(error_shape=shape, minute_limit=1)
    assert till.get("status", "A").text == text
    assert "detail" in till.get("status", "A").json()


def test_the_first_generation_lacks_the_later_fields(open_till: Open) -> None:
    """Old answers have success, and neither the later flags nor diagnostics."""
    first, flags = open_till(generation="first").issue("A"), open_till(generation="flags").issue("A")
    assert not {"contingency", "rejected", "dte_success", "dte_state", "invoice_url"} & set(first)
    assert first["success"] is True
    assert "invoice_url" not in flags
    assert flags["contingency"] is False


def test_fields_can_be_left_out_emptied_and_added(open_till: Open) -> None:
    """Every field is optional somewhere."""
    till = open_till(
        omitted="posted,codigo_msg", status_omitted="success,is_duplicate", extra_fields=True, absent="null"
    )
    issued, status = till.issue("A"), till.status("A")
    assert not {"posted", "codigo_msg"} & set(issued)
    assert not {"success", "is_duplicate", "posted"} & set(status)
    assert issued["dte_state"] is None
    assert issued["is_dte"] is True
    assert "dte_state" not in open_till(absent="omitted").issue("A")


def test_unknown_fields_are_ignored_or_refused(open_till: Open) -> None:
    """A typing error in a field's name goes unnoticed, or is a 400 or 422."""
    assert open_till().post("A", descripcion="x").status_code == 200
    refused = open_till(unknown_fields="refused", schema_error_status=422).post("A", descripcion="x")
    assert (refused.status_code, refused.json()["detail"][0]["loc"]) == (422, ["body", "descripcion"])


def test_prices_may_be_cut_to_some_decimals(open_till: Open) -> None:
    """A provider that keeps two decimals of a price changes the total."""
    lines = [{"description": "x", "quantity": 100, "unit_price": 1.125}]
    assert open_till().issue("A", lines=lines)["amount_gross"] == 112.5
    assert open_till(decimals=2).issue("A", lines=lines)["amount_gross"] == 113.0


def test_include_dte_adds_document_and_raw_answer(till: Till) -> None:
    """Only when asked for, and only with a stamp."""
    till.issue("A")
    assert "schema" not in till.status("A")
    body = till.get("status", "A", include_dte="1").json()
    assert body["schema"]["selloRecibido"] == body["response"]["selloRecibido"] == body["reception_stamp"]


def test_control_numbers_in_paths(open_till: Open) -> None:
    """Unknown in the documentation: looked up only where ordered."""
    for allowed, status in ((False, 404), (True, 200)):
        till = open_till(control_number_in_path=allowed)
        assert till.get("status", till.issue("A")["control_number"]).status_code == status
