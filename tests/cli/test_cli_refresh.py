"""`refresh` as it is typed: late rejections loudly, cancellations too, and watching that ends."""

from __future__ import annotations

from pathlib import Path

from tests.cli.desk import Open


def test_a_late_rejection_is_loud_everywhere(open_desk: Open) -> None:
    """On the screen, in the JSON, on the page, and in every later report; the exit code is 1."""
    desk, sandbox = open_desk(contingency_refs="A-2,A-3", resolve_rejected_refs="A-2")
    assert desk.call("issue", "ventas.csv").code == 0
    sandbox.resolve("rejected", ["A-2"])
    sandbox.resolve("stamped", ["A-3"])
    done = desk.call("refresh")
    assert done.code == 1
    assert "!!! ATTENTION: 1 document that was in contingency has been REJECTED by the ministry.\n    A-2\n" in done.out
    assert "AFTER CONTINGENCY, customers may hold them: 096" in done.out
    (page,) = (path for path in Path(desk.folder, "reports").glob("*.html") if path.name in done.out)
    assert "AFTER CONTINGENCY, customers may hold them" in page.read_text(encoding="utf-8")
    again = desk.call("refresh", "--json")
    assert (again.code, again.json["late_rejections"]) == (1, []), "it is open until somebody corrects or withdraws it"
    assert desk.call("report", "--from", "2026-01-01", "--json").json["late_rejections"] == ["A-2"]


def test_a_rejection_at_once_is_not_late(open_desk: Open) -> None:
    """Nobody holds such a document."""
    desk, _ = open_desk(rejected_refs="A-1")
    done = desk.call("issue", "ventas.csv", "--json")
    assert (done.code, done.json["late_rejections"]) == (1, [])


def test_watching_ends_when_its_time_is_up_or_all_is_settled(open_desk: Open) -> None:
    """Exit 3 with what waits and how to go on; nothing to wait for is exit 0 at once."""
    desk, sandbox = open_desk(contingency=True, documents=2)
    desk.call("issue", "ventas.csv")
    done = desk.call("refresh", "--watch", "--max-wait", "0", "--json")
    assert (done.code, done.json["states"]["contingency"]) == (3, 2)
    assert "The time of --max-wait is over, and 2 are not settled yet." in done.err
    sandbox.change(contingency=False)
    sandbox.resolve()
    done = desk.call("refresh", "--watch", "--json")
    assert (done.code, done.json["states"]["stamped"]) == (0, 2)
    assert sandbox.requests().posts() == 2


def test_a_cancellation_that_waits_is_asked_about(open_desk: Open) -> None:
    """And only then is the document cancelled."""
    desk, sandbox = open_desk(documents=1)
    desk.call("issue", "ventas.csv")
    sandbox.change(contingency=True)
    assert desk.call("cancel", "A-1", "--yes", "--json").json["pending"] == 1
    assert desk.states() == {"A-1": "stamped"}
    sandbox.change(contingency=False)
    assert desk.call("refresh").code == 0
    assert desk.states() == {"A-1": "cancelled"}
