from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from batch_issuer.ledger.export import backup
from batch_issuer.ledger.opening import open_to_read
from batch_issuer.sandbox import Key, Running, SandboxOptions, running
from tests.cli.desk import Open
from tests.promises.kill.shop import KEY, Nursery, Process, Shop, assert_books_agree, until, write_sales

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
    assert "2 of the 3 that were looked up" in asked.json["error"]
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
        for shop in shops:
            done = shop.run("issue", "ventas.csv", "--alike", "same", "--json")
            assert (done.json["states"]["stamped"], {one["cause"] for one in done.json["open"]} <= {"look-owed"}) == (
                80, True,
            ), "it may be an older copy that knows nothing of the other's"  # fmt: skip
            assert shop.run("refresh").code == 0
            assert shop.run("issue", "ventas.csv").code == 0
        at_provider = [record.as_json() for record in sandbox.documents()]
        books = [assert_books_agree(shop, at_provider) for shop in shops]
        assert [len(book) for book in books] == [80, 80]


LINUX = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the lock is on a file beside the ledger")


@contextmanager
def hanging(tmp_path: Path, nursery: Nursery, documents: int = 40) -> Iterator[tuple[Shop, Running, Process]]:
    """A run of which eleven documents are stamped or on their way, and nothing goes on until the sandbox lets it."""
    faults = ["hang-after:route=invoice,after=3"]
    with running(SandboxOptions(minute_limit=None, hour_limit=None), faults=faults) as sandbox:
        shop = Shop(tmp_path, sandbox.base_url, write_sales(tmp_path / "ventas.csv", documents), nursery=nursery)
        first = shop.start("issue", "ventas.csv", "--json", fresh=False)
        until(lambda: len(sandbox.documents()) == 11)
        until(lambda: is_quiet(shop.ledger))
        yield shop, sandbox, first


def newest(path: Path) -> tuple[int, str]:
    ledger = open_to_read(path)
    try:
        return ledger.head()
    finally:
        ledger.close()


def is_quiet(path: Path) -> bool:
    """Whether nothing has been written for a moment."""
    before = newest(path)
    time.sleep(0.3)
    return newest(path) == before


def go_on(sandbox: Running) -> None:
    sandbox.clear_faults()
    sandbox.release()


def removed(shop: Shop) -> Path:
    """Everything beside the ledger is gone."""
    for file in shop.folder.glob("ledger.db?*"):
        file.unlink()
    return shop.ledger


def linked(shop: Shop) -> Path:
    os.link(shop.ledger, shop.folder / "other.db")
    return shop.folder / "other.db"


def linked_elsewhere(shop: Shop) -> Path:
    (shop.folder / "else").mkdir()
    os.link(shop.ledger, shop.folder / "else" / "ledger.db")
    return shop.folder / "else" / "ledger.db"


def pointed_to(shop: Shop) -> Path:
    (shop.folder / "pointer.db").symlink_to(shop.ledger)
    return shop.folder / "pointer.db"


@LINUX
@pytest.mark.parametrize("way_in", [removed, linked, linked_elsewhere, pointed_to])
def test_there_is_no_second_way_into_a_ledger(tmp_path: Path, nursery: Nursery, way_in: Callable[[Shop], Path]) -> None:
    """Neither by removing files nor under another name of the ledger: not one request, and the first run ends well."""
    with hanging(tmp_path, nursery) as (shop, sandbox, first):
        name, total = str(way_in(shop)), sandbox.requests().total
        for command in (("issue", "ventas.csv"), ("retry",), ("refresh",), ("ledger", "verify", "--rebuild")):
            refused = shop.run(*command, "--json", "--ledger", name, fresh=False)
            assert (refused.code, refused.json["exit_code"]) == (2, 2)
            start = f"The ledger {name} is being written by another run: issue, process {first.pid} on "
            assert refused.json["error"].startswith(start), refused.json["error"]
        assert sandbox.requests().total == total
        go_on(sandbox)
        assert first.done().code == 0
        assert_books_agree(shop, [record.as_json() for record in sandbox.documents()])


def renamed_over(shop: Shop, older: Path) -> None:
    older.replace(shop.ledger)


def written_over(shop: Shop, older: Path) -> None:
    shutil.copyfile(older, shop.ledger)


def moved_away(shop: Shop, _older: Path) -> None:
    shop.ledger.rename(shop.folder / "away.db")


def moved_and_begun_anew(shop: Shop, _older: Path) -> None:
    shop.ledger.rename(shop.folder / "away.db")
    assert shop.run("issue", "ventas.csv", "--limit", "0", fresh=False).code in (0, 1)


@LINUX
@pytest.mark.parametrize("exchange", [renamed_over, written_over, moved_away, moved_and_begun_anew])
def test_a_run_whose_ledger_is_exchanged_stops(
    tmp_path: Path, nursery: Nursery, exchange: Callable[[Shop, Path], None]
) -> None:
    """It says so, sends nothing whose intent the right ledger does not have, and leaves what stands there alone."""
    write_sales(tmp_path / "ventas.csv", 2)
    with running(SandboxOptions(minute_limit=None, hour_limit=None)) as sandbox:
        before = Shop(tmp_path, sandbox.base_url, [], nursery=nursery)
        assert before.run("issue", "ventas.csv", "--limit", "0", fresh=False).code in (0, 1)
    for file in tmp_path.glob(".process*"):
        file.unlink()
    older, right = tmp_path / "older.db", tmp_path / "right.db"
    backup(before.ledger, older)
    with hanging(tmp_path, nursery, 150) as (shop, sandbox, first):
        backup(shop.ledger, right)
        exchange(shop, older)
        there = newest(shop.ledger) if shop.ledger.exists() else None
        go_on(sandbox)
        done = first.done()
        assert (done.code, done.json["exit_code"]) == (3, 3)
        assert done.json["error"].startswith("The ledger ledger.db is not the one that this run began with: ")
        assert (newest(shop.ledger) if shop.ledger.exists() else None) == there
        if there:
            assert shop.run("ledger", "verify", fresh=False).code == 0
        at_provider = {record.ref for record in sandbox.documents()}
        ledger = open_to_read(right)
        assert at_provider <= {record.external_ref for record in ledger.all_records() if record.attempts}
        ledger.close()
        assert len(at_provider) < 150
        for file in tmp_path.glob("ledger.db*"):
            file.unlink()
        right.rename(shop.ledger)
        assert shop.run("issue", "ventas.csv", fresh=False).code == 0
        assert_books_agree(shop, [record.as_json() for record in sandbox.documents()])


@LINUX
def test_a_run_that_was_killed_keeps_nobody_out(tmp_path: Path, nursery: Nursery) -> None:
    """Whatever it left beside the ledger: the next one goes on."""
    with hanging(tmp_path, nursery, 150) as (shop, sandbox, first):
        first.kill()
        go_on(sandbox)
        assert (shop.folder / "ledger.db.default.holder").exists()
        assert shop.run("issue", "ventas.csv", fresh=False).code == 0
        assert_books_agree(shop, [record.as_json() for record in sandbox.documents()])
