from __future__ import annotations

import random
import signal
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from batch_issuer.sandbox import Running, SandboxOptions, running
from tests.promises.kill.shop import (
    Nursery,
    Process,
    Provider,
    Shop,
    assert_books_agree,
    assert_report_agrees,
    until,
    write_sales,
)

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
SHOPS = 5
"""At once, each with its own provider: most of their time is waiting."""


def live(process: Process, moment: Callable[[], bool]) -> bool:
    """Let a process live until a moment comes or it ends by itself; whether it was killed."""
    until(lambda: process.poll() is not None or moment(), pace=0.03)
    if process.poll() is None:
        process.kill()
    if process.poll() != -signal.SIGKILL:
        process.done()
    return process.poll() == -signal.SIGKILL


def moment_of(chance: random.Random, posts: Callable[[], int]) -> Callable[[], bool]:
    """Some time after the start, or a while after some more documents were sent."""
    if chance.random() < 0.3:
        end = time.monotonic() + chance.uniform(0.05, 3)
        return lambda: time.monotonic() > end
    enough, pause = posts() + chance.randint(1, 40), chance.uniform(0, 0.05)
    reached: list[float] = []

    def come() -> bool:
        if not reached and posts() >= enough:
            reached.append(time.monotonic())
        return bool(reached) and time.monotonic() - reached[0] >= pause

    return come


def issue_among_kills(nursery: Nursery, folder: Path, kills: int, documents: int, seed: int) -> int:
    """One shop's day: killed again and again, then finished, and all books compared. How many kills struck."""
    chance = random.Random(seed)
    options = SandboxOptions(
        minute_limit=None, hour_limit=None, latency=0.08, contingency_share=0.1, rejected_share=0.05, seed=seed
    )
    with running(options) as sandbox:
        sales = write_sales(folder / "ventas.csv", documents, seed=seed, mixed=True)
        shop, struck = Shop(folder, sandbox.base_url, sales, nursery=nursery), 0
        while struck < kills:
            again = chance.random() < 0.3 and shop.ledger.exists()
            arguments = ("retry",) if again else ("issue", "ventas.csv", "--json")
            process = shop.start(*arguments, fresh=not struck)
            struck += live(process, moment_of(chance, lambda: sandbox.requests().posts()))
            if len(sandbox.documents()) == documents:
                break
        finish_the_day(shop, sandbox)
    return struck


def finish_the_day(shop: Shop, sandbox: Running) -> None:
    """Once more to the end, the books, the ministry's late answers, the books again, and nothing more to send."""
    last = shop.run("issue", "ventas.csv", "--json", fresh=False)
    assert last.code == last.json["exit_code"] == 1, last.err
    assert_books_agree(shop, [record.as_json() for record in sandbox.documents()])
    sandbox.resolve()
    assert shop.run("refresh", "--json", fresh=False).code == 1  # what was rejected is still open
    exported = assert_books_agree(shop, [record.as_json() for record in sandbox.documents()])
    assert_report_agrees(shop, exported)
    assert {row["state"] for row in exported.values()} == {"stamped", "rejected"}
    before = sandbox.requests().total
    again = shop.run("issue", "ventas.csv", "--json", fresh=False)
    assert (again.code, again.json["sent"], again.json["asked"]) == (1, 0, 0)
    assert sandbox.requests().total == before
    assert sandbox.requests().violations == ()
    assert {record.received for record in sandbox.documents()} == {1}


def test_killed_at_any_moment_it_issues_every_sale_once(
    tmp_path: Path, request: pytest.FixtureRequest, nursery: Nursery
) -> None:
    """`--kills N` times altogether, the program dies without a word; afterwards file, provider, ledger and report agree."""
    wanted, seed = int(request.config.getoption("--kills")), random.SystemRandom().randrange(10**6)
    print("seed", seed)  # noqa: T201 - shown with a failure
    began = time.monotonic()
    each = -(-wanted // SHOPS)
    folders = [tmp_path / f"shop-{number}" for number in range(SHOPS)]
    for folder in folders:
        folder.mkdir()
    with ThreadPoolExecutor(SHOPS) as pool:
        days = [
            pool.submit(issue_among_kills, nursery, folder, each, 45 * each, seed + number)
            for number, folder in enumerate(folders)
        ]
        struck = [day.result() for day in days]
    print("struck", struck, f"{time.monotonic() - began:.1f} s")  # noqa: T201 - as above
    assert sum(struck) >= wanted


@pytest.mark.long
def test_killed_a_thousand_times(tmp_path: Path, nursery: Nursery) -> None:
    """The same for half an hour."""
    for number in range(10):
        folder = tmp_path / str(number)
        folder.mkdir()
        folders = [folder / f"shop-{shop}" for shop in range(SHOPS)]
        for one in folders:
            one.mkdir()
        with ThreadPoolExecutor(SHOPS) as pool:
            days = [
                pool.submit(issue_among_kills, nursery, one, 20, 800, 100 * number + shop)
                for shop, one in enumerate(folders)
            ]
            assert sum(day.result() for day in days) >= 100


ISSUE = ("issue", "ventas.csv", "--json", "--concurrency", "4")
TROUBLES = {
    "the provider dies": ["dies"] * 4,
    "the provider hangs": ["hangs"] * 4,
    "both": ["killed", "dies", "hangs", "killed", "hangs", "killed", "dies"],
}


def suffer(trouble: str, process: Process, provider: Provider, chance: random.Random) -> None:
    """After some more documents: the program is killed, or the provider dies and comes back, or hangs for a while."""
    enough = provider.posts() + chance.randint(3, 9)
    until(lambda: process.poll() is not None or provider.posts() >= enough, pace=0.03)
    match trouble:
        case "killed":
            process.kill()
        case "dies":
            provider.die()
            time.sleep(chance.uniform(0, 1))
            provider.start()
        case _:
            provider.signal(signal.SIGSTOP)
            time.sleep(chance.uniform(0.1, 1))
            if chance.random() < 0.5:
                process.kill()
            provider.signal(signal.SIGCONT)


def issue_through_trouble(nursery: Nursery, folder: Path, troubles: Sequence[str], documents: int, seed: int) -> None:
    """One shop's day with a provider that is not well; then all books are compared."""
    chance = random.Random(seed)
    options = ("latency=0.08", f"seed={seed}", "contingency_share=0.05")
    with Provider(folder, *(part for option in options for part in ("--set", option))) as provider:
        sales = write_sales(folder / "ventas.csv", documents, seed=seed, mixed=True, notes=True)
        shop = Shop(folder, provider.base_url, sales, nursery=nursery)
        process = shop.start(*ISSUE)
        for trouble in troubles:
            if process.poll() is not None:
                process = shop.start(*ISSUE, fresh=False)
            suffer(trouble, process, provider, chance)
        until(lambda: process.poll() is not None, 180)

        def ends_well() -> bool:
            """Credit notes wait for CCFs in contingency, so that the ministry answers now and then."""
            code = shop.run(*ISSUE, fresh=False).code
            provider.order("resolve", to="stamped", refs=["*"])
            assert shop.run("refresh", "--json", fresh=False).code in (0, 1)
            return code == 0

        until(ends_well, 180)
        provider.order("resolve", to="stamped", refs=["*"])
        assert shop.run("refresh", "--json", fresh=False).code == 0
        held = provider.ask("documents")
        exported = assert_books_agree(shop, held)
        assert_report_agrees(shop, exported)
        assert {row["state"] for row in exported.values()} == {"stamped"}
        assert [one["ref"] for one in held if one["received"] != 1] == []
        assert provider.ask("requests")["violations"] == []
        again = shop.run(*ISSUE, fresh=False)
        assert (again.code, again.json["sent"], again.json["asked"]) == (0, 0, 0)


def test_whatever_the_provider_suffers_every_sale_is_issued_once(tmp_path: Path, nursery: Nursery) -> None:
    """It dies and comes back with what it had registered, or answers nobody for a while; alone, or with the program."""
    seed = random.SystemRandom().randrange(10**6)
    print("seed", seed)  # noqa: T201 - shown with a failure
    with ThreadPoolExecutor() as pool:
        days = []
        for number, (name, troubles) in enumerate(TROUBLES.items()):
            folder = tmp_path / name
            folder.mkdir()
            days.append(pool.submit(issue_through_trouble, nursery, folder, troubles, 100, seed + number))
        for day in days:
            day.result()


@pytest.mark.long
@pytest.mark.parametrize("name", TROUBLES)
def test_whatever_the_provider_suffers_for_long(tmp_path: Path, nursery: Nursery, name: str) -> None:
    """Many days with much trouble each."""
    for seed in range(10):
        folder = tmp_path / str(seed)
        folder.mkdir()
        issue_through_trouble(nursery, folder, TROUBLES[name] * 4, 500, seed)


def test_a_dead_holder_blocks_nobody(tmp_path: Path, nursery: Nursery) -> None:
    """The lock goes with its process; the run after it finishes the day."""
    faults = ["hang-after:route=invoice,after=10"]
    with running(SandboxOptions(minute_limit=None, hour_limit=None), faults=faults) as sandbox:
        shop = Shop(tmp_path, sandbox.base_url, write_sales(tmp_path / "ventas.csv", 60), nursery=nursery)
        first = shop.start("issue", "ventas.csv", fresh=False)
        until(lambda: len(sandbox.documents()) == 18)
        refused = shop.run("issue", "ventas.csv", "--json", fresh=False)
        assert refused.code == 2
        said = refused.json["error"]
        assert said.startswith(
            f"The ledger {shop.ledger.name} is being written by another run: issue, process {first.pid} on "
        )
        assert ", since " in said
        first.kill()
        sandbox.clear_faults()
        sandbox.release()
        assert shop.run("issue", "ventas.csv", fresh=False).code == 0
        assert_books_agree(shop, [record.as_json() for record in sandbox.documents()])


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_of_many_documents_an_interruption_leaves_the_answers_recorded(
    tmp_path: Path, nursery: Nursery, number: signal.Signals
) -> None:
    """What is under way is awaited and written, and the next run sends the rest."""
    with running(SandboxOptions(minute_limit=None, hour_limit=None, latency=0.05)) as sandbox:
        shop = Shop(tmp_path, sandbox.base_url, write_sales(tmp_path / "ventas.csv", 300), nursery=nursery)
        process = shop.start("issue", "ventas.csv", "--json", fresh=False)
        until(lambda: len(sandbox.documents()) >= 50)
        process.signal(number)
        done = process.done()
        assert done.code == 128 + number
        assert done.json["states"]["stamped"] == len(sandbox.documents()) < 300
        assert shop.run("issue", "ventas.csv", fresh=False).code == 0
        assert_books_agree(shop, [record.as_json() for record in sandbox.documents()])
        assert {record.received for record in sandbox.documents()} == {1}
        assert sandbox.requests().violations == ()
