from __future__ import annotations

import pytest

from tests.cli.desk import Open
from tests.promises.kill.shop import KEY

GUARD = ("issue", "ventas.csv", "--expect-environment", "test", "--json")
PRODUCTION = f"{KEY}=tienda:01"
TEST = f"{KEY}=tienda:00"
WRONG = "This key issues in the production environment; test is expected. Nothing more is sent."
UNPROVEN = "It is not proven that the key is of the test environment: A-1 has no stamp."


@pytest.mark.parametrize("json_file", ["jws", "document"])
def test_a_production_key_issues_one_document_at_most(open_desk: Open, json_file: str) -> None:
    """For ever: whatever is run afterwards refuses before anything is sent."""
    desk, sandbox = open_desk(documents=12, keys=PRODUCTION, json_file=json_file)
    done = desk.call(*GUARD)
    assert (done.code, done.json["error"], done.json["sent"]) == (3, WRONG, 1)
    assert [record.ref for record in sandbox.documents()] == ["A-1"]
    total = sandbox.requests().total
    for arguments in (GUARD, GUARD, ("retry", "--expect-environment", "test", "--json")):
        again = desk.call(*arguments)
        assert (again.code, again.json["error"]) == (3, WRONG)
    assert sandbox.requests().total == total
    assert set(desk.states().values()) == {"stamped", "planned"}


def test_the_settings_can_expect_it_too(open_desk: Open) -> None:
    """For every command of the company."""
    desk, sandbox = open_desk(documents=5, keys=PRODUCTION)
    (desk.folder / "batch-issuer.toml").write_text('[company]\nexpect_environment = "test"\n')
    assert desk.call("issue", "ventas.csv", "--json").json["error"] == WRONG
    assert desk.call("issue", "ventas.csv", "--json").code == 3
    assert len(sandbox.documents()) == 1


@pytest.mark.parametrize("json_file", ["jws", "document"])
def test_the_right_key_goes_on(open_desk: Open, json_file: str) -> None:
    """After one document and one question; later runs do not ask again."""
    desk, sandbox = open_desk(documents=12, keys=TEST, json_file=json_file, document_in_answer=False)
    done = desk.call(*GUARD)
    assert (done.code, done.json["sent"], sandbox.requests().count("file")) == (0, 12, 1)
    desk.fill(14)
    again = desk.call(*GUARD)
    assert (again.code, again.json["sent"], sandbox.requests().count("file")) == (0, 2, 1)


def test_an_answer_with_the_document_needs_no_question(open_desk: Open) -> None:
    """It says the environment itself."""
    desk, sandbox = open_desk(documents=12, keys=TEST)
    done = desk.call(*GUARD)
    assert (done.code, done.json["sent"], sandbox.requests().count("file")) == (0, 12, 0)


def test_an_answer_of_an_earlier_run_proves_it(open_desk: Open) -> None:
    """Also of a run that expected nothing: then nothing is asked, and nothing sent."""
    desk, sandbox = open_desk(documents=2, keys=PRODUCTION)
    assert desk.call("issue", "ventas.csv").code == 0
    desk.fill(9)
    total = sandbox.requests().total
    done = desk.call(*GUARD)
    assert (done.code, done.json["error"], len(sandbox.documents())) == (3, WRONG, 2)
    assert sandbox.requests().total == total


def test_a_stamped_document_of_an_earlier_run_proves_it(open_desk: Open) -> None:
    """Then not even the first goes out unproven."""
    desk, sandbox = open_desk(documents=2, keys=PRODUCTION, document_in_answer=False)
    assert desk.call("issue", "ventas.csv").code == 0
    desk.fill(9)
    done = desk.call(*GUARD)
    assert (done.code, done.json["error"], done.json["sent"], len(sandbox.documents())) == (3, WRONG, 0, 2)


def test_without_a_stamp_nothing_more_goes(open_desk: Open) -> None:
    """A document in contingency proves nothing, however often it is tried; its stamp does."""
    desk, sandbox = open_desk(documents=6, keys=PRODUCTION, contingency=True)
    for sent in (1, 0, 0):
        done = desk.call(*GUARD)
        assert (done.code, done.json["error"], done.json["sent"]) == (3, UNPROVEN, sent)
    assert len(sandbox.documents()) == 1
    sandbox.resolve()
    assert desk.call(*GUARD).json["error"] == WRONG
    assert len(sandbox.documents()) == 1


def test_with_the_stamp_the_rest_goes(open_desk: Open) -> None:
    """In the right environment."""
    desk, sandbox = open_desk(documents=6, keys=TEST, contingency=True)
    assert desk.call(*GUARD).code == 3
    sandbox.change(contingency=False)
    sandbox.resolve()
    done = desk.call(*GUARD)
    assert (done.code, done.json["states"]["stamped"], done.json["sent"]) == (0, 6, 5)


def test_an_answer_that_was_lost_proves_nothing(open_desk: Open) -> None:
    """The document may exist: it is asked about, and only it."""
    desk, sandbox = open_desk("reset-after:route=invoice", documents=6, keys=PRODUCTION)
    done = desk.call(*GUARD)
    assert (done.code, done.json["error"]) == (3, WRONG)
    assert len(sandbox.documents()) == 1


def test_rejected_documents_prove_nothing(open_desk: Open) -> None:
    """They have no fiscal validity anywhere; the next one is tried, alone."""
    desk, sandbox = open_desk(documents=6, keys=PRODUCTION, rejected_refs="A-1,A-2")
    done = desk.call(*GUARD)
    assert (done.code, done.json["error"]) == (3, WRONG)
    assert [(record.ref, record.standing.value) for record in sandbox.documents()] == [
        ("A-1", "rejected"), ("A-2", "rejected"), ("A-3", "stamped"),
    ]  # fmt: skip


def test_a_file_that_cannot_be_had_proves_nothing(open_desk: Open) -> None:
    """Nothing more is issued until it is."""
    desk, sandbox = open_desk("error-before:route=file", documents=6, keys=TEST, document_in_answer=False)
    for sent in (1, 0):
        done = desk.call(*GUARD)
        sentence = "The key's environment is not proven: the signed document of A-1 is not readable."
        assert (done.code, done.json["error"], done.json["sent"]) == (3, sentence, sent)
    sandbox.clear_faults()
    assert desk.call(*GUARD).code == 0


def test_a_changed_key_is_proven_anew(open_desk: Open) -> None:
    """What was proven of the old key says nothing about the new one: it does not find what the old one has issued."""
    new = "odt_" + "e" * 56
    desk, sandbox = open_desk(documents=4, keys=f"{TEST},{new}=otra tienda:01")
    assert desk.call(*GUARD).code == 0
    desk.fill(9)
    desk.key = new
    done = desk.call(*GUARD, "--new-key")
    assert (done.code, done.json["sent"]) == (3, 0)
    assert done.json["error"].startswith("The new key does not find A-4, which this ledger has as issued")
    assert desk.call(*GUARD).code == 2
    assert len(sandbox.documents()) == 4


def test_where_nothing_is_expected_nothing_is_asked(open_desk: Open) -> None:
    """The guard costs a request only where it is wanted."""
    desk, sandbox = open_desk(documents=4, keys=PRODUCTION)
    assert desk.call("issue", "ventas.csv").code == 0
    assert sandbox.requests().count("file") == 0


@pytest.mark.parametrize("guard", [("--expect-environment", "test"), ()])
def test_the_document_that_proves_the_key_is_a_canary(open_desk: Open, guard: tuple[str, ...]) -> None:
    """Of two canaries one has left with it: the second is the last that is waited for alone, the third is not."""
    desk, sandbox = open_desk(documents=12, keys=TEST, rejected_refs="A-3")
    done = desk.call("issue", "ventas.csv", *guard, "--canary", "2", "--json")
    assert (done.code, done.json["sent"], done.json["states"]["stamped"], done.json["states"]["rejected"]) == (
        1,
        12,
        11,
        1,
    )
    assert "error" not in done.json
    assert len(sandbox.documents()) == 12


@pytest.mark.parametrize("guard", [("--expect-environment", "test"), ()])
def test_the_canaries_that_are_left_are_waited_for(open_desk: Open, guard: tuple[str, ...]) -> None:
    """The second of two is refused: nothing follows it."""
    desk, sandbox = open_desk(documents=12, keys=TEST, rejected_refs="A-2")
    done = desk.call("issue", "ventas.csv", *guard, "--canary", "2", "--json")
    assert (done.code, done.json["sent"]) == (3, 2)
    assert "the rest was spared (--canary)" in done.json["error"]
    assert sorted(record.ref for record in sandbox.documents()) == ["A-1", "A-2"]
