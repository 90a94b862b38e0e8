from __future__ import annotations

import json
import socket
import struct
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from batch_issuer.model.problems import CannotStart
from batch_issuer.sandbox import KIND_HELP, Fault, FaultKind, parse_fault, running
from batch_issuer.sandbox.faults import Faults, default_of
from tests.sandbox.conftest import Clock, Open, Till, until

words = st.text("abcDE-*?09", min_size=1, max_size=8)


def raw_post(till: Till, ref: str) -> socket.socket:
    """A POST sent over a bare socket, its answer still to be read."""
    address = urlsplit(till.sandbox.base_url)
    line = {"description": "x", "quantity": 1, "unit_price": 1}
    body = json.dumps({"external_ref": ref, "lines": [line]}).encode()
    connection = socket.create_connection((address.hostname or "", address.port or 0), timeout=5)
    head = f"POST {address.path}/invoice HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {till.sandbox.key}\r\n"
    connection.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
    return connection


def read_all(connection: socket.socket) -> bytes:
    found = b""
    while part := connection.recv(65536):
        found += part
    return found


def answers_again(till: Till) -> bool:
    try:
        return till.get("status", "A").status_code == 404
    except httpx.ConnectError:
        return False


@given(
    st.builds(
        Fault,
        kind=st.sampled_from([kind for kind in FaultKind if kind is not FaultKind.FLAGS]),
        route=st.sampled_from(["*", "invoice", "*status", "file"]),
        ref=words,
        probability=st.floats(0, 1),
        after=st.integers(0, 1000),
        count=st.none() | st.integers(0, 1000),
        seconds=st.floats(0, 1000),
        status=st.integers(200, 599),
    )
)
def test_a_fault_is_read_back_from_its_text(fault: Fault) -> None:
    """The compact form says everything."""
    assert parse_fault(fault.text) == fault


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("reset-afer", "There is no fault «reset-afer».\nDid you mean «reset-after»?"),
        ("delay:second=1", "The fault «delay:second=1» has a part that is not known: «second=1»."),
        ("delay:p", "The fault «delay:p» has a part that is not known: «p»."),
        ("delay:p=2", "The fault «delay:p=2» has «2» for p."),
        ("delay:count=1.5", "The fault «delay:count=1.5» has «1.5» for count."),
        ("flags:flags=TT", "The fault «flags:flags=TT» needs flags of four letters T or F."),
        ("delay:route=invoices", "The fault «delay:route=invoices» has «invoices» for route."),
        ("error-after:status=99", "The fault «error-after:status=99» has «99» for status."),
    ],
)
def test_a_fault_that_cannot_be_read_says_what_is_wrong(text: str, message: str) -> None:
    """The wrong part is quoted, with what may stand there."""
    with pytest.raises(CannotStart) as caught:
        parse_fault(text)
    assert str(caught.value).startswith(message)


def test_every_kind_of_fault_has_its_help() -> None:
    """The help names every kind."""
    assert set(KIND_HELP) == set(FaultKind)


def test_faults_strike_by_ordinal_reference_and_count() -> None:
    """`after` lets matching requests pass, `count` ends it, and others do not match."""
    faults = Faults([parse_fault("reset-before:route=invoice,ref=A*,after=1,count=2")])
    calls = [
        ("invoice", "B"),
        ("invoice", "A1"),
        ("status", "A1"),
        ("invoice", "A2"),
        ("invoice", "A3"),
        ("invoice", "A4"),
    ]
    assert [bool(faults.draw(route, ref)) for route, ref in calls] == [False, False, False, True, True, False]


@given(st.integers(0, 10**6))
def test_chance_is_repeatable_by_seed(seed: int) -> None:
    """The same seed strikes the same requests."""
    orders = [Faults([parse_fault("delay:p=0.5")], seed=seed) for _ in range(2)]
    assert len({tuple(bool(order.draw("invoice", "A")) for _ in range(30)) for order in orders}) == 1


@pytest.mark.parametrize(("fault", "documents"), [("reset-before", 0), ("reset-after", 1)])
def test_a_reset_is_a_reset(open_till: Open, fault: str, documents: int) -> None:
    """The socket reports a reset, not an end; the document is there or is not."""
    till = open_till(f"{fault}:count=1")
    with raw_post(till, "A") as connection, pytest.raises(ConnectionResetError):
        connection.recv(1)
    assert len(till.sandbox.documents()) == documents
    assert till.issue("A")["is_duplicate"] is bool(documents)
    assert till.sandbox.requests().by_route["invoice"] == {"200": 1, "lost": 1}


def test_a_truncated_answer_promises_more_than_it_sends(open_till: Open) -> None:
    """Content-Length exceeds what comes before the connection closes; the document is registered."""
    till = open_till("truncate:count=1")
    with raw_post(till, "A") as connection:
        head, _, body = read_all(connection).partition(b"\r\n\r\n")
    promised = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
    assert 0 < len(body) < promised
    with pytest.raises(json.JSONDecodeError):
        json.loads(body)
    assert len(till.sandbox.documents()) == 1


@pytest.mark.parametrize(
    ("fault", "status", "documents"),
    [
        ("error-before", 500, 0),
        ("error-after:status=502", 502, 1),
        ("html-before", 200, 0),
        ("html-after", 200, 1),
        ("outage", 503, 0),
        ("429:seconds=7", 429, 0),
    ],
)
def test_broken_answers_come_before_or_after_the_registration(
    open_till: Open, fault: str, status: int, documents: int
) -> None:
    """The status is the ordered one, with the quota's headers, and the register as it should be."""
    till = open_till(fault)
    answer = till.post("A")
    assert (answer.status_code, len(till.sandbox.documents())) == (status, documents)
    assert answer.headers["X-RateLimit-Limit-Minute"] == "120"
    assert answer.headers.get("Retry-After") == ("7" if status == 429 else None)
    if status == 200:
        with pytest.raises(json.JSONDecodeError):
            answer.json()


def test_an_outage_refuses_everything_until_it_ends(open_till: Open, clock: Clock) -> None:
    """From the first request that it strikes, for its seconds, on every route."""
    till = open_till("outage:route=invoice,count=1,seconds=30")
    assert till.get("status", "A").status_code == 404
    assert till.post("A").status_code == 503
    clock.move(29)
    assert till.get("status", "A").status_code == 503
    clock.move(1)
    assert till.issue("A")["is_duplicate"] is False


def test_a_closed_socket_refuses_connections_and_opens_again(open_till: Open) -> None:
    """Open connections are cut, new ones refused, and the same address answers later."""
    till = open_till("closed:count=1,seconds=0.2")
    with pytest.raises(httpx.TransportError):
        till.post("A")
    with pytest.raises(httpx.ConnectError):
        till.post("A")
    until(lambda: answers_again(till))
    assert till.issue("A")["is_duplicate"] is False


@pytest.mark.parametrize(("fault", "registered"), [("hang-before", 0), ("hang-after", 1)])
def test_a_hanging_request_waits_until_it_is_released(open_till: Open, fault: str, registered: int) -> None:
    """Nothing comes until the release, and then the usual answer."""
    till = open_till(f"{fault}:count=1")
    with ThreadPoolExecutor(1) as pool:
        posted = pool.submit(till.post, "A")
        until(lambda: till.sandbox.requests().faults[0][1])
        assert not posted.done()
        assert len(till.sandbox.documents()) == registered
        till.sandbox.release()
        assert posted.result().json()["dte_success"]


def test_closing_the_sandbox_ends_a_hanging_request() -> None:
    """A client that waits when the sandbox stops is not left alone."""
    with ThreadPoolExecutor(1) as pool:
        with running(faults=["hang-before"]) as sandbox:
            till = Till(sandbox, Clock(), sandbox.key)
            posted = pool.submit(till.post, "A")
            until(lambda: sandbox.requests().faults[0][1])
        assert posted.result().status_code == 200
        till.http.close()


def test_a_slow_registration_appears_only_later(open_till: Open, clock: Clock) -> None:
    """The connection is lost at once, the status says 404 for a while, and then the document is there."""
    till = open_till("slow:count=1,seconds=20")
    with pytest.raises(httpx.TransportError):
        till.post("A")
    assert till.get("status", "A").status_code == 404
    clock.move(19)
    assert till.get("status", "A").status_code == 404
    clock.move(1)
    assert till.status("A")["dte_success"]


def test_a_post_that_overtakes_a_slow_registration_makes_no_second_document(open_till: Open) -> None:
    """It is answered with the slow one's document, and noted."""
    till = open_till("slow:count=1,seconds=20")
    with pytest.raises(httpx.TransportError):
        till.post("A")
    assert till.issue("A")["is_duplicate"] is True
    assert till.status("A")["dte_success"]
    assert [violation.kind for violation in till.sandbox.requests().violations] == ["post-while-registering"]
    assert len(till.sandbox.documents()) == 1


def test_a_slow_resend_does_not_make_a_document_disappear(open_till: Open) -> None:
    """Only what is new appears late."""
    till = open_till("slow:route=invoice,after=1,seconds=20", rejected_refs="A")
    till.issue("A", 1)
    with pytest.raises(httpx.TransportError):
        till.post("A", 2)
    assert till.status("A")["dte_success"]


def test_a_delay_delays(open_till: Open) -> None:
    """The answer takes at least the ordered seconds."""
    till = open_till("delay:seconds=0.1")
    started = time.monotonic()
    till.issue("A")
    assert time.monotonic() - started >= 0.1


def test_answers_can_be_distorted(open_till: Open) -> None:
    """Contradictory flags, a missing stamp, a cent too much and a stranger's reference, while the register is right."""
    till = open_till("flags:ref=F,flags=TTTF", "no-stamp:ref=N", "cent:ref=C", "stranger:ref=S")
    assert till.issue("F")["contingency"] is True
    stampless = till.issue("N")
    assert (stampless["dte_success"], stampless["reception_stamp"]) == (True, "")
    assert till.issue("C", 10)["amount_gross"] == 10.01
    assert till.issue("S")["external_ref"] == "OTHER-S"
    assert all(record.stamp for record in till.sandbox.documents())


def test_faults_can_be_ordered_and_withdrawn_over_http(till: Till) -> None:
    """As text, as object or as list; a wrong one is a sentence; withdrawn ones strike no more."""
    control = f"{till.sandbox.control_url}/faults"
    till.http.post(control, json={"fault": "error-before:count=1"})
    till.http.post(control, json=[{"kind": "error-before", "status": 502, "ref": "B,C"}])
    assert till.post("A").status_code == 500
    assert till.post("B,C").status_code == 502
    assert [entry["struck"] for entry in till.http.get(control).json()] == [1, 1]
    wrong = till.http.post(control, json={"kind": "no"})
    assert (wrong.status_code, wrong.json()["detail"].partition("\n")[0]) == (400, "There is no fault «no».")
    assert till.http.delete(control).json() == []
    assert till.issue("B,C")["dte_success"]


def test_defaults_of_a_kind_are_said_by_its_name_alone() -> None:
    """`outage` alone is 503 for five seconds."""
    assert parse_fault("outage") == default_of(FaultKind.OUTAGE)
    assert (parse_fault("outage").status, parse_fault("outage").seconds) == (503, 5.0)


def test_a_client_that_hangs_up_does_not_stop_its_registration(open_till: Open) -> None:
    """The document is registered although nobody waits for the answer any more."""
    till = open_till(latency=0.05)
    with raw_post(till, "A") as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        until(till.sandbox.documents)
    until(lambda: till.sandbox.documents()[0].stamp)
