from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from batch_issuer.sandbox import Key, SandboxOptions, running
from tests.cli.desk import Open
from tests.kill.shop import KEY, Nursery, Shop, assert_books_agree, until, write_sales

TWO = """
[companies.norte]
key_env = "NORTE_KEY"
[companies.sur]
key_env = "SUR_KEY"
"""


def test_a_second_program_on_one_ledger_is_told_who_holds_it(tmp_path: Path, nursery: Nursery) -> None:
    """Command, process, machine, since when; exit code 2, and not one request."""
    faults = ["hang-after:route=invoice,after=3"]
    with running(SandboxOptions(minute_limit=None, hour_limit=None), faults=faults) as sandbox:
        shop = Shop(tmp_path, sandbox.base_url, write_sales(tmp_path / "ventas.csv", 40), nursery=nursery)
        first = shop.start("issue", "ventas.csv")
        until(lambda: len(sandbox.documents()) == 11)
        total = sandbox.requests().total
        for command in (("issue", "ventas.csv"), ("retry",), ("refresh",), ("ledger", "verify", "--rebuild")):
            refused = shop.run(*command, "--json", fresh=False)
            said = refused.json["error"]
            assert (refused.code, refused.json["exit_code"]) == (2, 2)
            start = f"The ledger ledger.db is being written by another run: issue, process {first.pid} on "
            assert said.startswith(start), said
            assert ", since " in said
        for reader in (
            ("check", "ventas.csv"),
            ("ledger", "verify"),
            ("ledger", "export"),
            ("ledger", "backup", "c.db"),
        ):
            assert shop.run(*reader, fresh=False).code == 0, reader
        assert sandbox.requests().total == total
        sandbox.clear_faults()
        sandbox.release()
        assert first.done().code == 0
        assert_books_agree(shop, [record.as_json() for record in sandbox.documents()])


@pytest.mark.skipif(sys.platform == "win32", reason="the shop's processes are POSIX")
def test_two_companies_issue_into_one_ledger_at_once(tmp_path: Path, nursery: Nursery) -> None:
    """Each with its own key; the same references are different sales, and the chain is sound."""
    keys = (Key(key=KEY, company="norte"), Key(key="odt_" + "a" * 56, company="sur"))
    options = SandboxOptions(minute_limit=None, hour_limit=None, latency=0.02, keys=keys)
    with running(options) as sandbox:
        sales = write_sales(tmp_path / "ventas.csv", 150)
        (tmp_path / "batch-issuer.toml").write_text(TWO)
        environment = {"NORTE_KEY": keys[0].key, "SUR_KEY": keys[1].key}
        shop = Shop(tmp_path, sandbox.base_url, sales, environment=environment, nursery=nursery)
        names = ("norte", "sur")
        both = [shop.start("issue", "ventas.csv", "--company", name, "--json", fresh=False) for name in names]
        done = [process.done() for process in both]
        assert [(one.code, one.json["states"]["stamped"]) for one in done] == [(0, 150), (0, 150)]
        assert sandbox.requests().violations == ()
        verified = shop.run("ledger", "verify", "--json", "--company", "sur", fresh=False).json
        assert (verified["damages"], verified["documents"]) == ([], 300)
        at_provider = {(record.company, record.ref): record.control_number for record in sandbox.documents()}
        exported = shop.run("ledger", "export", "--json", "--company", "norte", fresh=False).json["documents"]
        assert {("norte", row["external_ref"]): row["control_number"] for row in exported} == {
            key: number for key, number in at_provider.items() if key[0] == "norte"
        }


def test_two_ledgers_never_make_two_documents(open_desk: Open) -> None:
    """The second ledger asks before it sends; told that they are the same sales, it compares what the provider has."""
    desk, sandbox = open_desk(documents=4)
    assert desk.call("issue", "ventas.csv", "-l", "one.db").code == 0
    desk.write("A-1,Café,2,2.50", "A-2,Café,2,9.00", "A-3,Café,2,2.50", "A-4,Café,2,2.50", "A-5,Café,2,2.50")
    posted = sandbox.requests().count("invoice")
    asked = desk.call("issue", "ventas.csv", "-l", "two.db", "--json")
    assert (asked.code, sandbox.requests().count("invoice")) == (2, posted)
    assert "4 of the 5 that were looked up" in asked.json["error"]
    done = desk.call("issue", "ventas.csv", "-l", "two.db", "--alike", "same", "--json")
    assert [record.ref for record in sandbox.documents()] == ["A-1", "A-2", "A-3", "A-4", "A-5"]
    assert sandbox.requests().count("invoice") == posted + 1
    one, two = desk.records("one.db"), desk.records("two.db")
    assert {ref: (record.state.value, record.unexpected_duplicate) for ref, record in two.items()} == {
        "A-1": ("stamped", False), "A-2": ("unsure", True), "A-3": ("stamped", False), "A-4": ("stamped", False),
        "A-5": ("stamped", False),
    }  # fmt: skip
    assert all(two[ref].answer.control_number == record.answer.control_number for ref, record in one.items())
    (conflict,) = done.json["conflicts"]
    assert (done.code, conflict["external_ref"], conflict["issued_gross"]) == (1, "A-2", "5.00")
    again = desk.call("issue", "ventas.csv", "-l", "two.db", "--json")
    assert (again.code, again.json["states"]["unsure"], again.json["sent"]) == (1, 1, 0)


def test_two_ledgers_at_once_never_make_two_documents(tmp_path: Path) -> None:
    """Two machines that were given the same file: what each finds at the provider is nobody's until a person says so."""
    with running(SandboxOptions(minute_limit=None, hour_limit=None, latency=0.02)) as sandbox:
        shops = []
        for name in ("caja-1", "caja-2"):
            (tmp_path / name).mkdir()
            sales = write_sales(tmp_path / name / "ventas.csv", 80)
            shops.append(Shop(tmp_path / name, sandbox.base_url, sales))
        with ThreadPoolExecutor(2) as pool:
            first = list(pool.map(lambda shop: shop.run("issue", "ventas.csv", "--json"), shops))
        assert len(sandbox.documents()) <= 80
        assert {one.code for one in first} != {0}, "each of two cannot have issued all"
        done = [shop.run("issue", "ventas.csv", "--alike", "same", "--json") for shop in shops]
        assert [(one.code, one.json["states"]["stamped"]) for one in done] == [(0, 80), (0, 80)]
        at_provider = [record.as_json() for record in sandbox.documents()]
        books = [assert_books_agree(shop, at_provider) for shop in shops]
        assert [len(book) for book in books] == [80, 80]
