"""The power is cut at every moment that matters to a disk: what was sent is in the ledger, and the ledger is sound.

A killed program (tests/kill) leaves everything that it gave to the system; a power cut does not. So what the program
and its SQLite write, sync and send is recorded in one order, and for every sync and every POST a disk is made as it may
be left just then: with what was synced, and with any part of what was not. `PRAGMA synchronous = OFF` fails here and
nowhere else.
"""

from __future__ import annotations

import os
import random
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from batch_issuer.ledger.opening import open_to_read
from batch_issuer.ledger.verify import verify
from batch_issuer.model.records import Kind
from batch_issuer.sandbox import SandboxOptions, running
from tests.conftest import ROOT, missing
from tests.promises.kill.shop import Shop, write_sales
from tests.promises.power.disk import Disk, Done, read_log

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="LD_PRELOAD is the C library's of Linux")
DOCUMENTS = 30
_SENT = re.compile(rb'\{"external_ref":"(V[^"]*)"')


@pytest.fixture(scope="module")
def recorder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The library that records, compiled for this machine."""
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None:
        missing("NO C COMPILER: nothing proves here that what is sent survives a power cut. Install gcc or clang.")
    library = tmp_path_factory.mktemp("power") / "disk.so"
    source = Path(__file__).with_name("disk.c")
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", library, source, "-ldl"], check=True)
    return library


def recorded(shop: Shop, library: Path, log: Path, *arguments: str) -> list[Done]:
    """What one run of the program did to its disk and sent, in order."""
    environment = {"LD_PRELOAD": str(library), "POWER_FOLDER": str(shop.folder), "POWER_LOG": str(log)}
    shop.environment = environment
    done = shop.run(*arguments)
    assert done.code == 0, done
    return list(read_log(log))


def moments(story: list[Done], disk: Disk) -> Iterator[tuple[Done, Counter[str]]]:
    """Just before each sync and just after each POST has left: what was sent until then, by reference.

    Between two of them a disk only comes nearer to the later one.
    """
    sent: Counter[str] = Counter()
    for done in story:
        if done.what == "S":
            yield done, sent
        disk.take(done)
        if done.what == "N" and (references := _SENT.findall(done.data)):
            sent.update(reference.decode() for reference in references)
            yield done, sent


def check(folder: Path, sent: Counter[str]) -> None:
    """After SQLite's own recovery the ledger verifies, and has an intent for every POST that left."""
    path = folder / "ledger.db"
    if not path.exists():
        assert not sent, f"no ledger is left, and these were sent: {sorted(sent)}"
        return
    ledger = open_to_read(path)
    try:
        assert verify(ledger).damages == ()
        intents = Counter(event.external_ref for event in ledger.every_event() if event.kind is Kind.SENDING)
    finally:
        ledger.close()
    assert sent <= intents, f"sent, and not in the ledger: {sorted((sent - intents).elements())}"


@pytest.mark.parametrize("beginning", ["a new ledger", "a ledger in use"])
def test_what_was_sent_survives_a_power_cut(recorder: Path, tmp_path: Path, beginning: str) -> None:
    """At every sync and every POST of a run, whatever of the unsynced is lost or torn."""
    shop_folder, left, log = tmp_path / "shop", tmp_path / "left", tmp_path / "log"
    shop_folder.mkdir()
    options = SandboxOptions(minute_limit=None, hour_limit=None, contingency_share=0.1, seed=1)
    with running(options) as sandbox:
        shop = Shop(shop_folder, sandbox.base_url, [])
        if beginning == "a ledger in use":
            write_sales(shop_folder / "gestern.csv", 10, prefix="Y")
            assert shop.run("issue", "gestern.csv").code == 0
        write_sales(shop_folder / "ventas.csv", DOCUMENTS)
        disk = Disk.of(shop_folder)
        story = recorded(shop, recorder, log, "issue", "ventas.csv", "--concurrency", "4")
        chance, cuts, sent = random.Random(1), 0, Counter[str]()
        for _, sent in moments(story, disk):
            shutil.rmtree(left, ignore_errors=True)
            left.mkdir()
            disk.cut(chance, left)
            check(left, sent)
            cuts += 1
        there = {document.ref for document in sandbox.documents() if document.ref.startswith("V")}
    syncs = sum(done.what == "S" for done in story)
    assert set(sent) == there, "every POST that arrived was seen to leave"
    assert len(there) == DOCUMENTS
    assert (syncs >= 10, cuts == syncs + sum(sent.values()), disk.lost > 100) == (True, True, True), (syncs, disk.lost)


REPLACED = """
import socket, sys
from pathlib import Path
from batch_issuer.files import write_whole
told, _ = socket.socketpair()
for number in range(1, 7):
    write_whole(Path(sys.argv[1]), b"%d" % number * 20_000, new=number == 1)
    told.send(b"%d" % number)
"""


def test_a_file_that_is_replaced_survives_a_power_cut(recorder: Path, tmp_path: Path) -> None:
    """After everything that is done to it, whatever of the unsynced is lost: it is whole, and what was said to be there."""
    folder, left, log = tmp_path / "files", tmp_path / "left", tmp_path / "log"
    folder.mkdir()
    disk, chance, told = Disk.of(folder), random.Random(1), 0
    environment = {"LD_PRELOAD": str(recorder), "POWER_FOLDER": str(folder), "POWER_LOG": str(log)}
    subprocess.run(
        [sys.executable, "-c", REPLACED, folder / "a.bin"], check=True, env=os.environ | environment, cwd=ROOT
    )
    for done in read_log(log):
        disk.take(done)
        told = int(done.data) if done.what == "N" else told
        for _ in range(20):
            shutil.rmtree(left, ignore_errors=True)
            left.mkdir()
            disk.cut(chance, left)
            path = left / "a.bin"
            found = path.read_bytes() if path.exists() else b""
            assert found in (b"", found[:1] * 20_000), "it is torn"
            assert int(found[:1] or 0) >= told, "it was said to be there"
    assert (told, disk.lost > 100) == (6, True)
