from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from batch_issuer.sandbox import Running
from tests.cli.desk import Desk, Open
from tests.promises.kill.shop import KEY, Done, Shop

GUARDED = '[company]\nexpect_environment = "production"\n'
FILE = "batch-issuer.toml"


def stick(desk: Desk, settings: str, name: str = "stick") -> Path:
    """Another folder with sales and settings."""
    folder = desk.folder / name
    folder.mkdir(exist_ok=True)
    desk.write("B-1,Café,2,2.50", "B-2,Café,2,2.50", name=f"{name}/ventas.csv")
    (folder / FILE).write_text(settings, encoding="utf-8")
    return folder / FILE


def issued(sandbox: Running) -> int:
    return len(sandbox.documents())


@pytest.mark.parametrize("command", ["issue", "check", "reconcile"])
def test_settings_beside_the_sales_do_not_replace_the_owners_unasked(open_desk: Open, command: str) -> None:
    """The guard against the wrong environment would be gone, and nobody would have said so."""
    desk, sandbox = open_desk()
    assert desk.call("issue", "ventas.csv").code == 0
    (desk.folder / FILE).write_text(GUARDED)
    beside = stick(desk, '[source]\nprices = { "01" = "without_vat" }\n')
    done = desk.call(command, "stick/ventas.csv", "--json")
    assert (done.code, issued(sandbox), done.json["settings_file"]) == (2, 3, None)
    owners = desk.folder / FILE
    assert done.json["error"] == (
        f"Beside the sales lie other settings, {beside}, than yours, {owners}: "
        "company.expect_environment: «production» here, nothing beside the sales; "
        "source.prices.01: «with_vat» here, «without_vat» beside the sales."
    )
    assert f"--config {owners}, or --config {beside}" in done.json["repair"]


def test_what_was_accepted_once_is_not_asked_again(open_desk: Open) -> None:
    """With --config, by a run; as long as what is guarded in the file stays the same."""
    desk, sandbox = open_desk()
    (desk.folder / FILE).write_text(GUARDED)
    beside = stick(desk, '[issue]\ntolerance = "0.05"\n')
    assert desk.call("check", "stick/ventas.csv", "--config", str(beside)).code == 0
    assert desk.call("issue", "stick/ventas.csv", "--config", str(beside), "--dry-run").code == 0
    assert desk.call("issue", "stick/ventas.csv").code == 2
    done = desk.call("issue", "stick/ventas.csv", "--config", "stick/" + FILE, "--json")
    assert (done.code, done.json["settings_file"], issued(sandbox)) == (0, str(beside), 2)
    again = desk.call("issue", "stick/ventas.csv", "--json")
    assert (again.code, again.json["settings_file"]) == (0, str(beside))
    assert f"The settings beside the sales count, and differ from {desk.folder / FILE}: " in again.err
    beside.write_text('[issue]\ntolerance = "0.05"\n[source]\ndecimal = "point"\n')
    assert desk.call("check", "stick/ventas.csv").code == 0
    beside.write_text('[issue]\ntolerance = "9.00"\n')
    assert desk.call("check", "stick/ventas.csv").code == 2
    assert desk.call("ledger", "verify").code == 0


def test_the_owners_can_be_said_to_count(open_desk: Open) -> None:
    """Each time, as the others lie there still."""
    desk, sandbox = open_desk()
    (desk.folder / FILE).write_text('[company]\nexpect_environment = "test"\n')
    stick(desk, "")
    done = desk.call("issue", "stick/ventas.csv", "--config", FILE, "--json")
    assert (done.code, done.json["settings_file"], issued(sandbox)) == (0, str(desk.folder / FILE), 2)
    assert desk.call("issue", "stick/ventas.csv").code == 2


def test_what_is_not_guarded_counts_as_ever_and_is_told(open_desk: Open) -> None:
    """How a file is read shows in the plan; it changes neither who issues nor for how much."""
    desk, _ = open_desk()
    (desk.folder / FILE).write_text('[company]\nname = "Norte"\n[source]\ndates = "mdy"\n')
    beside = stick(desk, '[company]\nname = "Norte"\n[source]\ndates = "dmy"\n')
    done = desk.call("check", "stick/ventas.csv")
    assert done.code == 0, done.err
    owners = desk.folder / FILE
    assert (
        f"The settings beside the sales count, and differ from {owners}: "
        "source.dates: «mdy» here, «dmy» beside the sales."
    ) in done.out
    assert f"Settings: {beside}\n" in done.out


@pytest.mark.parametrize(
    ("owners", "beside", "value"),
    [
        ('[company]\nkey_env = "A"\n', "", "company.key_env: «A» here, «OCOTE_API_KEY» beside the sales"),
        ("", '[company]\nnit = "0614-010190-101-0"\n', "company.nit: nothing here, «06140101901010» beside the sales"),
        ("", "[company]\nkeyring = true\n", "company.keyring: nothing here, «true» beside the sales"),
        ("", '[source]\ndoc_type = "03"\n', "source.doc_type: «01» here, «03» beside the sales"),
        ("", '[source]\nexternal_ref = "{N}"\n', "source.external_ref: nothing here, «{N}» beside the sales"),
        ("", '[issue]\ntolerance = "5"\n', "issue.tolerance: «0.01» here, «5» beside the sales"),
        ("", '[columns]\nunit_price = "P"\n', "columns.unit_price: nothing here, «P» beside the sales"),
        ("", "[companies.sur]\n", "companies: «default» here, «sur» beside the sales"),
    ],
)  # fmt: skip
def test_what_is_guarded(open_desk: Open, owners: str, beside: str, value: str) -> None:
    """Everything that decides what is issued, as whom, for how much and with what guard."""
    desk, _ = open_desk()
    (desk.folder / FILE).write_text(owners)
    stick(desk, beside)
    done = desk.call("check", "stick/ventas.csv", "--json")
    assert done.code == 2
    assert value in done.json["error"]


def test_a_copied_settings_file_with_its_own_key_file_is_another(open_desk: Open) -> None:
    """The same words name another file there."""
    desk, _ = open_desk()
    desk.key = ""
    text = '[company]\nkey_file = "key.txt"\n'
    (desk.folder / FILE).write_text(text)
    (desk.folder / "key.txt").write_text(KEY)
    beside = stick(desk, text)
    done = desk.call("issue", "stick/ventas.csv", "--json")
    assert done.code == 2
    assert f"company.key_file: «{desk.folder / 'key.txt'}» here, «{beside.parent / 'key.txt'}»" in done.json["error"]
    (desk.folder / FILE).write_text("")
    beside.write_text("")
    assert desk.call("check", "stick/ventas.csv").code == 0


def test_without_settings_here_those_beside_the_sales_count(open_desk: Open) -> None:
    """And are named."""
    desk, _ = open_desk()
    beside = stick(desk, GUARDED)
    done = desk.call("check", "stick/ventas.csv")
    assert (done.code, f"Settings: {beside}\n" in done.out) == (0, True)


def test_folders_with_different_settings_are_refused(open_desk: Open) -> None:
    """The first would count for the sales of the others, silently."""
    desk, sandbox = open_desk()
    first, second = stick(desk, GUARDED, "enero"), stick(desk, "", "febrero")
    files = ("enero/ventas.csv", "febrero/ventas.csv")
    done = desk.call("issue", *files, "--json")
    assert (done.code, issued(sandbox)) == (2, 0)
    said = "The sales lie beside different settings: enero/batch-issuer.toml and febrero/batch-issuer.toml."
    assert done.json["error"] == said
    assert "--config" in done.json["repair"]
    first.write_text("")
    desk.write("C-1,Café,2,2.50", name="febrero/ventas.csv")
    assert desk.call("check", *files).code == 0
    second.write_text(GUARDED)
    assert desk.call("check", *files, "--config", str(second)).code == 0


COMMANDS = (
    ("check", "ventas.csv"), ("issue", "ventas.csv"), ("issue", "ventas.csv"), ("issue", "ventas.csv", "--dry-run"),
    ("retry",), ("refresh",), ("reconcile", "ventas.csv"), ("report",), ("download",), ("cancel", "A-1", "--plan"),
    ("note", "A-1", "why", "--by", "Ana"), ("sign-off", "--period", "2026-11", "--by", "Ana"),
    ("ledger", "show", "A-1"),
)  # fmt: skip


@pytest.mark.parametrize("has_settings", [True, False])
def test_every_command_says_which_settings_count(open_desk: Open, *, has_settings: bool) -> None:
    """On the screen and in the object."""
    desk, _ = open_desk()
    path = desk.folder / FILE
    if has_settings:
        path.write_text('[company]\nname = "Norte"\n')
    said = f"Settings: {path}\n" if has_settings else "Settings: none; everything goes by default.\n"
    for command in COMMANDS:
        shown, told = desk.call(*command), desk.call(*command, "--json")
        assert said in shown.out, (command, shown.out, shown.err)
        assert (said in told.err, told.json["settings_file"]) == (True, str(path) if has_settings else None), command
    for command in (("doctor",), ("ledger", "verify"), ("template", "x.xlsx")):
        assert "settings_file" in desk.call(*command, "--json").json


@pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals are POSIX")
@pytest.mark.parametrize(("answer", "code", "documents"), [("2", 0, 2), ("1", 3, 1), ("", 2, 0)])
def test_at_a_terminal_it_is_asked(open_desk: Open, answer: str, code: int, documents: int) -> None:
    """Which of the two counts; an empty answer sends nothing."""
    desk, sandbox = open_desk(keys=f"{KEY}=tienda:00")
    (desk.folder / FILE).write_text(GUARDED)
    stick(desk, "")
    said = at_a_terminal(desk, answer, "issue", "stick/ventas.csv", "--base-url", desk.base_url)
    assert (said.code, issued(sandbox)) == (code, documents), said.out
    assert "Which one (1 / 2)?" in said.out
    assert "company.expect_environment: «production» here, nothing beside the sales" in said.out
    again = desk.call("issue", "stick/ventas.csv", "--json")
    assert again.code == (0 if answer == "2" else 2)


def at_a_terminal(desk: Desk, answer: str, *arguments: str) -> Done:
    """The program in a process of its own, with somebody who types one line at its terminal."""
    import pty  # noqa: PLC0415 - not on every system

    shop = Shop(desk.folder, desk.base_url, [])
    pid, terminal = pty.fork()
    if not pid:
        os.chdir(desk.folder)
        os.environ.update(
            {"OCOTE_API_KEY": shop.key, "BATCH_ISSUER_LANG": "en", "PYTHONPATH": os.pathsep.join(sys.path)}
        )
        os.execv(sys.executable, [sys.executable, "-m", "batch_issuer", *arguments])  # noqa: S606 - ourselves
    os.write(terminal, f"{answer}\n".encode())
    said = bytearray()
    while True:
        try:
            said += (part := os.read(terminal, 4096))
        except OSError:
            break
        if not part:
            break
    _, status = os.waitpid(pid, 0)
    return Done(os.waitstatus_to_exitcode(status), said.decode(errors="replace").replace("\r\n", "\n"), "")
