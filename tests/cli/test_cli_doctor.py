"""`doctor`: every line, every exit code, one request, and never the key."""

from __future__ import annotations

import datetime as dt
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from batch_issuer.doctor import Subject, diagnose, exit_code, is_on_network
from batch_issuer.ledger.lock import holding
from batch_issuer.model.problems import Stop
from batch_issuer.provider.client import Sign
from batch_issuer.settings import Company, Settings
from tests.cli.desk import Desk, Open
from tests.ledger.histories import SMALL, tamper, write
from tests.promises.kill.shop import KEY, Done

EXPECTED = '[company]\nname = "Tienda"\nexpect_environment = "test"\n'


def levels(done: Done) -> dict[str, str]:
    return {check["check"]: check["level"] for check in done.json["checks"]}


@pytest.fixture
def desk(open_desk: Open) -> Desk:
    opened, _ = open_desk(minute_limit=120, hour_limit=5000)
    (opened.folder / "batch-issuer.toml").write_text(EXPECTED, encoding="utf-8")
    return opened


def test_when_all_is_well_nothing_is_wrong(open_desk: Open) -> None:
    """Every line is there before and after the first run; each call asks the provider once and writes nothing."""
    desk, sandbox = open_desk(minute_limit=120, hour_limit=5000)
    (desk.folder / "batch-issuer.toml").write_text(EXPECTED, encoding="utf-8")
    first = desk.call("doctor", "--json")
    assert (first.code, set(levels(first).values())) == (0, {"ok"})
    assert not desk.ledger.exists()
    desk.call("issue", "ventas.csv")
    before, content = sandbox.requests().total, desk.ledger.read_bytes()
    done = desk.call("doctor", "--json")
    assert (done.code, set(levels(done).values())) == (0, {"ok"})
    assert {"key", "environment", "quota", "clock", "ledger", "lock", "documents", "disk"} <= set(levels(done))
    assert sandbox.requests().total == before + 1
    assert desk.ledger.read_bytes() == content
    said = " ".join(check["message"] for check in done.json["checks"])
    assert "test, as a signed document of this key has proven" in said
    assert "of 120 requests left this minute" in said


def test_the_key_is_never_shown(desk: Desk) -> None:
    """Not in any language or form, whatever is wrong with it."""
    for key in (KEY, KEY[:-1], "odt_" + "g" * 56, "nonsense"):
        desk.key = key
        for arguments in (["--json"], ["--lang", "es"]):
            done = desk.call("doctor", *arguments)
            assert key not in done.out + done.err
            assert KEY[4:20] not in done.out + done.err


def test_without_the_network_the_rest_is_told(desk: Desk) -> None:
    """Exit 1: a run would start, and stop."""
    desk.base_url = "http://127.0.0.1:9/api"
    done = desk.call("doctor")
    assert done.code == 1
    assert "✗ Provider  nothing answers at http://127.0.0.1:9/api" in done.out
    assert "looked at without the network" in done.out
    assert "✓ Disk" in done.out


def test_what_keeps_a_run_from_starting_is_exit_2(desk: Desk) -> None:
    """No key, a refused key, settings that cannot be read, a damaged ledger."""
    desk.key = ""
    assert desk.call("doctor").code == 2
    desk.key = KEY
    assert levels(desk.call("doctor", "--json", "--ledger", "nowhere/ledger.db"))["ledger"] == "problem"
    write(desk.ledger, SMALL)
    tamper(desk.ledger, "UPDATE events SET body = '{}' WHERE seq = 5")
    done = desk.call("doctor", "--json")
    assert (done.code, levels(done)["ledger"]) == (2, "problem")
    (desk.folder / "batch-issuer.toml").write_text("[compny]\n", encoding="utf-8")
    done = desk.call("doctor", "--json")
    assert (done.code, levels(done)["settings"], "key" in levels(done)) == (2, "problem", False)
    done = desk.call("doctor", "--base-url", "http://example.org")
    assert done.code == 2
    assert "http:// is refused for example.org" in done.out


def test_another_key_and_another_environment_are_found_out(desk: Desk) -> None:
    """The ledger remembers both."""
    desk.call("issue", "ventas.csv")
    desk.key = "odt_" + "b" * 56
    assert levels(desk.call("doctor", "--json"))["environment"] == "problem"
    desk.key = KEY
    (desk.folder / "batch-issuer.toml").write_text(EXPECTED.replace("test", "production"), encoding="utf-8")
    done = desk.call("doctor")
    assert done.code == 2
    assert "this key issues in the test environment, and production is expected" in done.out


def test_a_run_at_work_and_documents_in_doubt_are_warnings(desk: Desk) -> None:
    """They need no person at once; who writes is named."""
    write(desk.ledger, SMALL)
    with holding(desk.ledger, "default"):
        done = desk.call("doctor", "--json")
    assert (levels(done)["lock"], levels(done)["documents"]) == ("warning", "warning")
    assert f"process {os.getpid()}" in " ".join(check["message"] for check in done.json["checks"])
    assert levels(desk.call("doctor", "--json"))["lock"] == "ok"


def checked(
    tmp_path: Path, sign: Sign | Stop | None, monkeypatch: pytest.MonkeyPatch, **company: Any
) -> dict[str, str]:
    """Levels by check, for an answer of the provider."""
    monkeypatch.setenv("OCOTE_API_KEY", KEY)
    subject = Subject(
        settings=Settings(), company=Company(**company), ledger=tmp_path / "ledger.db", base_url="https://provider.invalid",
        base_url_from="default",
    )  # fmt: skip
    found = diagnose(subject, lambda _url, _key: sign)
    assert exit_code(found) == (2 if any(one.stops for one in found) else "problem" in {one.level for one in found})
    return {check.name: check.level.value for check in found}


@pytest.mark.parametrize(
    ("sign", "wrong"),
    [
        (lambda: Sign(status=404, moment=dt.datetime.now(dt.UTC), left_minute=1, per_minute=2), {}),
        (Sign(status=404, moment=dt.datetime(2020, 1, 1, tzinfo=dt.UTC), left_hour=9), {"clock": "problem"}),
        (Sign(status=404, left_minute=1, left_hour=3, per_hour=5000), {"quota": "warning"}),
        (Sign(status=404), {"quota": "warning"}),
        (Sign(status=401, left_minute=1), {"provider": "problem"}),
        (Sign(status=429, left_minute=0), {"provider": "warning"}),
        (Sign(status=503, left_minute=1), {"provider": "problem"}),
        (Sign(status=302, left_minute=1), {"provider": "problem"}),
        (Stop("nothing answers"), {"provider": "problem"}),
    ],
)
def test_every_answer_has_its_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sign: Sign | Stop | Callable[[], Sign], wrong: dict[str, str]
) -> None:
    """And whatever is not wrong is in order."""
    found = checked(tmp_path, sign() if callable(sign) else sign, monkeypatch, expect_environment="test")
    assert {name: level for name, level in found.items() if level != "ok"} == wrong


@pytest.mark.skipif(os.name != "posix", reason="file modes are POSIX")
def test_a_key_file_that_others_may_read_is_a_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment wins over it, and is told."""
    path = tmp_path / "key"
    path.write_text(KEY, encoding="utf-8")
    path.chmod(0o644)
    sign = Sign(status=404, left_minute=1)
    assert checked(tmp_path, sign, monkeypatch, key_file=str(path))["key"] == "ok"
    monkeypatch.delenv("OCOTE_API_KEY")
    subject = Subject(
        settings=Settings(), company=Company(key_file=str(path)), ledger=tmp_path / "ledger.db",
        base_url="https://provider.invalid", base_url_from="default",
    )  # fmt: skip
    key = next(check for check in diagnose(subject, lambda _url, _key: sign) if check.name == "key")
    assert (key.level.value, "chmod 600" in key.repair) == ("warning", True)


@pytest.mark.skipif(sys.platform == "win32", reason="mounts are POSIX")
@pytest.mark.parametrize(
    ("folder", "remote"), [("/home/x", False), ("/mnt/nas/ventas", True), ("/mnt/my share/a", True), ("/mnt", False)]
)
def test_a_share_is_recognised_by_its_mount(folder: str, remote: bool) -> None:
    """The nearest mount above decides."""
    mounts = "/dev/sda1 / ext4 rw 0 0\n//nas/x /mnt/nas cifs rw 0 0\nnas:/y /mnt/my\\040share nfs4 rw 0 0\nbroken\n"
    assert is_on_network(Path(folder), mounts) is remote
