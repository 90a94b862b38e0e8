from __future__ import annotations

import time
from contextlib import closing
from pathlib import Path

import pytest

from batch_issuer.ledger.opening import open_to_read
from batch_issuer.model.records import Kind
from batch_issuer.sandbox import Key, Running, SandboxOptions, running
from tests.cli.desk import Desk, Open
from tests.promises.kill.shop import KEY, Done, Nursery, Shop, until, write_sales

SUR_KEY = "odt_" + "a" * 56
NEW_KEY = "odt_" + "b" * 56
NORTE, SUR = "06140101901010", "06140202902020"
TWO = """
[companies.norte]
key_env = "NORTE_KEY"
[companies.sur]
key_env = "SUR_KEY"
"""
BOTH = f"{KEY}=norte:00:{NORTE},{SUR_KEY}=sur:00:{SUR}"
ISSUE = ("issue", "ventas.csv", "--json", "--company")


def two_companies(desk: Desk, *, settings: str = TWO, norte: str = KEY, sur: str = SUR_KEY) -> None:
    (desk.folder / "batch-issuer.toml").write_text(settings)
    desk.environment = {"NORTE_KEY": norte, "SUR_KEY": sur}


def in_the_name_of(sandbox: Running) -> list[tuple[str, str]]:
    return [(record.company, record.ref) for record in sandbox.documents()]


def test_another_companys_key_is_refused_at_the_first_run_too(open_desk: Open) -> None:
    """The ledger knows whose it is, although this company has never used any; --new-key changes nothing about it."""
    desk, sandbox = open_desk(documents=3, keys=BOTH)
    two_companies(desk)
    assert desk.call(*ISSUE, "norte").code == 0
    two_companies(desk, sur=KEY)
    total = sandbox.requests().total
    said = "This API key is the one that this ledger knows for «norte», not for «sur»."
    for more in ((), ("--new-key",)):
        done = desk.call(*ISSUE, "sur", *more)
        assert (done.code, done.json["error"]) == (2, said)
    assert sandbox.requests().total == total
    doctor = desk.call("doctor", "--company", "sur", "--json")
    assert doctor.code == 2
    assert said in [check["message"] for check in doctor.json["checks"]]
    assert desk.call("download", "--company", "sur", "A-1").code == 2
    two_companies(desk)
    assert desk.call(*ISSUE, "sur").code == 0
    assert {name for name, _ in in_the_name_of(sandbox)} == {"norte", "sur"}


def test_exchanged_keys_are_both_refused(open_desk: Open) -> None:
    """Norte's in sur's variable and the reverse."""
    desk, sandbox = open_desk(documents=2, keys=BOTH)
    two_companies(desk)
    assert [desk.call(*ISSUE, name).code for name in ("norte", "sur")] == [0, 0]
    two_companies(desk, norte=SUR_KEY, sur=KEY)
    desk.fill(5)
    done = [desk.call(*ISSUE, name, *more) for name in ("norte", "sur") for more in ((), ("--new-key",))]
    assert [one.code for one in done] == [2, 2, 2, 2]
    assert len(sandbox.documents()) == 4


def _killed_in_the_middle(tmp_path: Path, nursery: Nursery, sandbox: Running) -> Shop:
    """A first run whose documents are on their way, unanswered, when it is killed."""
    shop = Shop(tmp_path, sandbox.base_url, write_sales(tmp_path / "ventas.csv", 4), nursery=nursery)
    first = shop.start("issue", "ventas.csv")
    until(lambda: len(sandbox.documents()) == 1)
    first.kill()
    sandbox.clear_faults()
    sandbox.release()
    return shop


def test_what_left_with_a_key_that_nobody_answered_is_asked_with_that_key(tmp_path: Path, nursery: Nursery) -> None:
    """Another company's key would find nothing, and all would be issued again in its name."""
    options = SandboxOptions(minute_limit=None, hour_limit=None)
    with running(options, faults=["hang-after:route=invoice"]) as sandbox:
        shop = _killed_in_the_middle(tmp_path, nursery, sandbox)
        desk = Desk(tmp_path, sandbox.base_url, key=SUR_KEY)
        posts = sandbox.requests().posts()
        for command in (("issue", "ventas.csv"), ("retry",), ("refresh",)):
            done = desk.call(*command, "--json")
            assert done.code == 2
            assert "may have been sent with another API key, and was never answered." in done.json["error"]
        assert sandbox.requests().posts() == posts
        desk.key = shop.key
        assert desk.call("issue", "ventas.csv").code == 0
        assert set(desk.states().values()) == {"stamped"}
        assert len({record.company for record in sandbox.documents()}) == 1
        assert len(sandbox.documents()) == 4


def test_a_new_key_may_be_said_where_the_old_one_was_never_answered(tmp_path: Path, nursery: Nursery) -> None:
    """The company changed it after the run was killed; both are of one company."""
    keys = (Key(key=KEY, company="tienda"), Key(key=NEW_KEY, company="tienda"))
    options = SandboxOptions(minute_limit=None, hour_limit=None, keys=keys)
    with running(options, faults=["hang-after:route=invoice"]) as sandbox:
        _killed_in_the_middle(tmp_path, nursery, sandbox)
        desk = Desk(tmp_path, sandbox.base_url, key=NEW_KEY)
        assert desk.call("issue", "ventas.csv", "--new-key").code == 0
        assert (set(desk.states().values()), len(sandbox.documents())) == ({"stamped"}, 4)


def test_a_key_that_was_refused_does_not_block_the_right_one(open_desk: Open) -> None:
    """Nothing left with it."""
    desk, sandbox = open_desk(disabled_keys=SUR_KEY)
    desk.key = SUR_KEY
    assert desk.call("issue", "ventas.csv").code == 3
    desk.key = KEY
    assert desk.call("issue", "ventas.csv").code == 0
    assert len(sandbox.documents()) == 3


@pytest.mark.parametrize("refusing", ["disabled_keys", "keys"])
def test_a_new_key_that_is_refused_does_not_block_the_old_one(open_desk: Open, refusing: str) -> None:
    """What is in doubt left with the old one: with it, it is asked about."""
    said = SUR_KEY if refusing == "disabled_keys" else f"{KEY}=norte,{SUR_KEY}=sur"
    desk, sandbox = open_desk("flags:ref=A-2,flags=TTTF", **{refusing: said})
    assert desk.call("issue", "ventas.csv").code == 1
    assert desk.states()["A-2"] == "unsure"
    sandbox.clear_faults()
    desk.fill(5)
    desk.key = SUR_KEY
    assert desk.call("issue", "ventas.csv", "--new-key").code == 3
    desk.key = KEY
    assert desk.call("issue", "ventas.csv").code == 0
    assert set(desk.states().values()) == {"stamped"}


def wrong_name(desk: Desk, name: str, *more: str) -> Done:
    done = desk.call(*ISSUE, name, *more)
    assert done.code == 3, done.err
    return done


@pytest.mark.parametrize("documents", [1, 12])
def test_the_issuer_is_compared_with_the_settings(open_desk: Open, documents: int) -> None:
    """At most one document leaves in another name, the answer is recorded, and the next run remembers."""
    desk, sandbox = open_desk(documents=documents, keys=BOTH)
    settings = TWO.replace("[companies.sur]", f'nit = "0614-010190-101-0"\n[companies.sur]\nnit = "{SUR}"')
    two_companies(desk, settings=settings, norte=SUR_KEY, sur=KEY)
    said = f"This key issues in the name of NIT {SUR}, as A-1 shows; «norte» is {NORTE}."
    assert wrong_name(desk, "norte").json["error"] == said
    assert in_the_name_of(sandbox) == [("sur", "A-1")]
    assert desk.states()["A-1"] == "unsure", "issued, and not as a sale of this company"
    assert desk.records()["A-1"].answer.issuer_nit == SUR
    total = sandbox.requests().total
    assert wrong_name(desk, "norte").json["error"] == said
    assert wrong_name(desk, "norte", "--new-key").json["error"] == said
    doctor = desk.call("doctor", "--company", "norte", "--json")
    assert (doctor.code, said in [check["message"] for check in doctor.json["checks"]]) == (2, True)
    assert sandbox.requests().posts() == 1
    assert sandbox.requests().total == total + 1  # the doctor's question
    two_companies(desk, settings=settings)
    done = desk.call(*ISSUE, "norte")
    assert (done.code, done.json["sent"]) == (1, documents - 1)
    assert desk.states()["A-1"] == "unsure", "somebody has to invalidate it in the other's name"
    assert set(desk.states().values()) == {"unsure", "stamped"} or documents == 1
    assert desk.call(*ISSUE, "sur").code == 2, "its ledger never sent what went out in its name"
    assert desk.call(*ISSUE, "sur", "--alike", "same").code == 0  # its key is not norte's, whoever tried it


def test_a_mistyped_nit_is_corrected_in_the_settings(open_desk: Open) -> None:
    """The key was right all the time."""
    desk, sandbox = open_desk(documents=3, keys=f"{KEY}=norte:00:{NORTE}")
    (desk.folder / "batch-issuer.toml").write_text(f'[company]\nnit = "{SUR}"\n')
    assert desk.call("issue", "ventas.csv").code == 3
    (desk.folder / "batch-issuer.toml").write_text(f'[company]\nnit = "{NORTE}"\n')
    assert desk.call("issue", "ventas.csv").code == 0
    assert desk.call("issue", "ventas.csv").code == 0
    assert len(sandbox.documents()) == 3


def test_the_issuer_is_compared_with_what_the_ledger_knows(open_desk: Open) -> None:
    """Without a nit in the settings: what a company's answers have named, and what another company's have."""
    desk, sandbox = open_desk(documents=2, keys=f"{BOTH},{NEW_KEY}=norte:00:{NORTE}")
    two_companies(desk)
    assert desk.call(*ISSUE, "norte").code == 0
    two_companies(desk, sur=NEW_KEY)
    said = f"This key issues in the name of NIT {NORTE}, as A-9 shows, which is «norte» here."
    desk.write("A-9,Café,2,2.50", "A-10,Café,2,2.50")
    assert wrong_name(desk, "sur").json["error"] == said
    assert wrong_name(desk, "sur").json["error"] == said
    assert len(sandbox.documents()) == 3
    both = TWO + f'nit = "{NORTE}"\n'
    two_companies(desk, settings=both, sur=NEW_KEY)
    assert desk.call(*ISSUE, "sur").code == 0  # one business with two names in the settings


def test_an_answer_without_the_document_is_waited_for_once(open_desk: Open) -> None:
    """Nothing is known then; the rest goes, and later runs know that there is nothing to wait for."""
    desk, sandbox = open_desk(documents=4, keys=BOTH, document_in_answer=False)
    two_companies(desk, settings=TWO.replace("[companies.sur]", f'nit = "{SUR}"\n[companies.sur]'))
    assert desk.call(*ISSUE, "norte").code == 0
    assert len(sandbox.documents()) == 4
    desk.fill(6)
    assert desk.call(*ISSUE, "norte").code == 0
    with closing(open_to_read(desk.ledger)) as ledger:
        notes = ledger.bodies_beside((Kind.KEY_TRIED, Kind.KEY_SEEN))
    assert [(kind, bool(body.get("silent"))) for _, _, kind, body in notes] == [
        (Kind.KEY_TRIED, False),
        (Kind.KEY_SEEN, False),
        (Kind.KEY_SEEN, True),
    ]


def test_the_first_document_of_a_key_goes_alone(tmp_path: Path, nursery: Nursery) -> None:
    """Nothing else leaves while its answer is waited for; once its issuer is known, nothing waits any more."""
    with running(SandboxOptions(minute_limit=None, hour_limit=None), faults=["hang-after:route=invoice"]) as sandbox:
        shop = Shop(tmp_path, sandbox.base_url, write_sales(tmp_path / "ventas.csv", 12), nursery=nursery)
        process = shop.start("issue", "ventas.csv")
        until(sandbox.documents)
        time.sleep(0.3)
        assert len(sandbox.documents()) == 1
        sandbox.clear_faults()
        sandbox.release()
        assert (process.done().code, len(sandbox.documents())) == (0, 12)


@pytest.mark.parametrize("nit", ['"12"', '"0614-010190-101-A"', '""', "14"])
def test_a_nit_that_is_none_cannot_start(open_desk: Open, nit: str) -> None:
    """As every other wrong value of the settings."""
    desk, sandbox = open_desk()
    (desk.folder / "batch-issuer.toml").write_text(f"[company]\nnit = {nit}\n")
    done = desk.call("issue", "ventas.csv", "--json")
    assert (done.code, sandbox.requests().total) == (2, 0)
    assert "company.nit" in done.json["error"]


TEST, PRODUCTION = f"{KEY}=pruebas:00:{NORTE}", f"{NEW_KEY}=tienda:01:{NORTE}"


def test_a_key_of_the_other_environment_is_no_new_key(open_desk: Open) -> None:
    """What was tried in the test environment is not settled in production: nothing is called so, and nothing sent."""
    desk, sandbox = open_desk(documents=3, keys=f"{TEST},{PRODUCTION}")
    assert desk.call("issue", "ventas.csv").code == 0
    desk.key = NEW_KEY
    posts = sandbox.requests().posts()
    for count in (3, 5):
        desk.fill(count)
        done = desk.call("issue", "ventas.csv", "--new-key", "--json")
        assert (done.code, done.json["sent"], done.json["asked"] <= 2) == (3, 0, True)
        assert done.json["error"] == (
            "The new key does not find A-3, which this ledger has as issued for «default»: it is of another company, "
            "or of another environment. Nothing was sent."
        )
    assert sandbox.requests().posts() == posts
    assert desk.call("issue", "ventas.csv", "--json").code == 2
    done = desk.call("issue", "ventas.csv", "--ledger", "produccion.db", "--json")
    assert (done.code, done.json["sent"]) == (0, 5)


def test_the_same_reference_of_another_company_is_not_its_document(open_desk: Open) -> None:
    """The new key finds an A-3, and it is not the one that was stamped."""
    desk, _ = open_desk(documents=3, keys=f"{TEST},{PRODUCTION}")
    desk.key = NEW_KEY
    assert desk.call("issue", "ventas.csv", "--ledger", "other.db").code == 0
    desk.key = KEY
    assert desk.call("issue", "ventas.csv").code == 0
    desk.key = NEW_KEY
    done = desk.call("issue", "ventas.csv", "--new-key", "--json")
    assert (done.code, done.json["error"].startswith("The new key does not find A-3")) == (3, True)


def test_a_new_key_of_the_same_company_goes_on(open_desk: Open) -> None:
    """After one question about what the old one has issued, also where nothing is to be sent."""
    desk, _ = open_desk(documents=3, keys=f"{KEY}=tienda,{NEW_KEY}=tienda")
    assert desk.call("issue", "ventas.csv").code == 0
    desk.key = NEW_KEY
    done = desk.call("issue", "ventas.csv", "--new-key", "--json")
    assert (done.code, done.json["sent"], done.json["asked"]) == (0, 0, 1)
    assert desk.call("issue", "ventas.csv").code == 0


def test_where_nobody_says_whose_the_new_key_is_nothing_is_sent(open_desk: Open) -> None:
    """A key that is refused proves nothing, and does not take the old one's place."""
    desk, _ = open_desk(documents=1, disabled_keys=SUR_KEY)
    assert desk.call("issue", "ventas.csv").code == 0
    desk.fill(2)
    desk.key = SUR_KEY
    done = desk.call("issue", "ventas.csv", "--new-key", "--json")
    assert (done.code, done.json["sent"], desk.states()["A-2"]) == (3, 0, "planned")
    desk.key = KEY
    assert desk.call("issue", "ventas.csv").code == 0


def test_what_was_cancelled_was_of_the_other_environment_too(open_desk: Open) -> None:
    """Cancelled in the test environment, a sale would count as cancelled in production."""
    desk, _ = open_desk(documents=1, keys=f"{TEST},{PRODUCTION}")
    assert desk.call("issue", "ventas.csv").code == 0
    assert desk.call("cancel", "A-1", "--yes").code == 0
    desk.key = NEW_KEY
    done = desk.call("issue", "ventas.csv", "--new-key", "--json")
    assert (done.code, done.json["error"].startswith("The new key does not find A-1")) == (3, True)


def test_one_ledger_has_one_environment(open_desk: Open) -> None:
    """Where only one more document can show that a key is of the other one, it does, and the next run remembers."""
    desk, sandbox = open_desk(documents=1, keys=TEST)
    assert desk.call("issue", "ventas.csv").code == 0
    sandbox.change(keys=f"{NEW_KEY}=pruebas:01:{NORTE}")
    desk.key = NEW_KEY
    desk.fill(12)
    done = desk.call("issue", "ventas.csv", "--new-key", "--json")
    assert (done.code, done.json["sent"]) == (3, 1)
    assert done.json["error"] == (
        "This key issues in the production environment, as A-2 shows; this ledger has «default» in the test "
        "environment. Nothing more is sent."
    )
    total = sandbox.requests().total
    again = desk.call("issue", "ventas.csv", "--new-key", "--json")
    assert (again.code, again.json["error"]) == (3, done.json["error"])
    assert sandbox.requests().total == total
    assert len(sandbox.documents()) == 2


def test_a_nit_names_no_document(open_desk: Open) -> None:
    """Answers hold the issuer's number; it is no name of the one document that the ledger has."""
    desk, _ = open_desk(documents=1, keys=BOTH)
    assert desk.call("issue", "ventas.csv").code == 0
    assert desk.records()["A-1"].answer.issuer_nit == NORTE
    assert desk.call("cancel", NORTE, "--yes").code == 2


def test_an_issuer_that_changes_stops_the_run(open_desk: Open) -> None:
    """The same key names another issuer than before; the next run remembers."""
    desk, sandbox = open_desk(documents=1, keys=f"{KEY}=norte:00:{NORTE}")
    assert desk.call("issue", "ventas.csv").code == 0
    sandbox.change(keys=f"{KEY}=norte:00:{SUR}")
    desk.fill(2)
    for _ in range(2):
        done = desk.call("issue", "ventas.csv", "--json")
        said = f"This key issues in the name of NIT {SUR}, as A-2 shows; «default» is {NORTE}."
        assert (done.code, done.json["error"]) == (3, said)
    assert desk.states()["A-2"] == "unsure"


def test_a_person_s_dui_may_take_the_place_of_the_nit(open_desk: Open) -> None:
    """Where the settings say so: it is the same person, by the other number."""
    desk, sandbox = open_desk(documents=1, keys=f"{KEY}=norte:00:{NORTE}")
    assert desk.call("issue", "ventas.csv").code == 0
    sandbox.change(keys=f"{KEY}=norte:00:000162975")
    desk.fill(3)
    assert (desk.call("issue", "ventas.csv").code, len(sandbox.documents())) == (3, 2)  # nobody said so
    (desk.folder / "batch-issuer.toml").write_text('[company]\nnit = "00016297-6"\n')
    assert (desk.call("issue", "ventas.csv").code, len(sandbox.documents())) == (3, 2)
    (desk.folder / "batch-issuer.toml").write_text('[company]\nnit = "00016297-5"\n')
    done = desk.call("issue", "ventas.csv", "--json")
    assert (done.code, done.json["states"]["stamped"], len(sandbox.documents())) == (0, 3, 3)
