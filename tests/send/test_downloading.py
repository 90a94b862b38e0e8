"""Files in bulk: what each document may have, whole or not at all, never twice, and what the signed one says."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
from dataclasses import asdict, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from batch_issuer.ledger.opening import open_to_read
from batch_issuer.ledger.store import utc_now
from batch_issuer.model.documents import Amounts
from batch_issuer.model.problems import StoppedMidway
from batch_issuer.model.records import Record
from batch_issuer.model.states import State
from batch_issuer.provider.client import Client
from batch_issuer.provider.files import KINDS, Flaw, Signature, find_flaw, read_signed
from batch_issuer.provider.quota import Quota
from batch_issuer.sandbox import SandboxOptions, changed, files, running
from batch_issuer.send.download import Downloaded, Downloader, End, compared, download
from batch_issuer.send.filing import Day, filed_now, safe_name
from tests.invented_sales import Silent
from tests.send.archive import COMPANY, ONE_OF_EACH, Archive
from tests.send.shop import FREE, HURRIED

OPEN = replace(FREE, ministry_checks=False)
PDF = b"%PDF-1.4\n1 0 obj\nendobj\ntrailer\n%%EOF\n"
REFERENCES = [
    "F-1",
    "f-1",
    "A/B..",
    "CON",
    "nul.txt",
    " x ",
    "ñandú",
    "n\u0303andu\u0301",
    "..",
    "a" * 100,
    "=1+1",
    "\u202eA",
]


def fetch(archive: Archive, folder: Path, *kinds: str) -> Downloaded:
    return download(
        list(archive.records().values()),
        kinds or KINDS,
        ledger_path=archive.ledger,
        company=COMPANY,
        connection=archive.connection,
        watcher=Silent(),
        folder=folder,
    )


def manifest(found: Downloaded) -> dict[tuple[str, str], dict[str, Any]]:
    entries = [one for folder in found.folders for one in json.loads((folder / "manifest.json").read_bytes())["files"]]
    return {(one["external_ref"], one["type"]): one for one in entries}


def counted(found: Downloaded) -> dict[End, int]:
    ends = [one.end for one in found.ends]
    return {end: ends.count(end) for end in End if end in ends}


@pytest.mark.parametrize("form", ["jws", "document"])
def test_each_type_has_its_files_whole_and_once(tmp_path: Path, form: str) -> None:
    """By the matrix of the provider's page; the manifest tells what lies there; a second time nothing is asked."""
    with running(changed(OPEN, {"json_file": form})) as provider:
        archive = Archive(tmp_path, provider)
        archive.issue(*ONE_OF_EACH)
        found = fetch(archive, tmp_path / "files")
        assert (counted(found), found.environments) == ({End.FETCHED: 9}, {"test"})
        assert {kind for ref, kind in manifest(found) if ref == "F-1"} == {"ticket", "invoice", "json"}
        for (reference, kind), one in manifest(found).items():
            content = (found.folders[0] / one["file"]).read_bytes()
            assert (hashlib.sha256(content).hexdigest(), len(content)) == (one["sha256"], one["size"])
            assert find_flaw(kind, content, "") is None
            assert one["control_number"] == archive.there(reference).control_number
        assert [one for one in found.ends if one.needs_person] == []
        before = provider.requests().total
        assert counted(fetch(archive, tmp_path / "files")) == {End.KEPT: 9}
        assert provider.requests().total == before


def test_what_was_changed_or_lost_is_fetched_again(tmp_path: Path) -> None:
    """A file that is not what the manifest says, one that is gone, and everything where the manifest is damaged."""
    with running(OPEN) as provider:
        archive = Archive(tmp_path, provider)
        archive.issue(("F-1", "01"))
        (folder,) = fetch(archive, tmp_path).folders
        (folder / "F-1.json").write_bytes(b"{}")
        (folder / "F-1-ticket.pdf").unlink()
        assert counted(fetch(archive, tmp_path)) == {End.FETCHED: 2, End.KEPT: 1}
        (folder / "manifest.json").write_text('{"files": [{"file": "../x"}', encoding="utf-8")
        assert counted(fetch(archive, tmp_path)) == {End.FETCHED: 3}


def test_in_contingency_there_is_only_the_ticket_until_the_stamp(tmp_path: Path) -> None:
    """What is not there yet is not asked for and needs nobody; the stamped ticket takes the other's place."""
    with running(replace(OPEN, contingency_refs=("F-1",))) as provider:
        archive = Archive(tmp_path, provider)
        archive.issue(("F-1", "01"), ("R-1", "01"))
        first = fetch(archive, tmp_path / "files")
        assert counted(first) == {End.FETCHED: 4, End.NOT_YET: 2}
        assert [one for one in first.ends if one.needs_person] == []
        note = (first.folders[0] / "F-1-ticket.pdf").read_bytes()
        provider.resolve()
        archive.refresh()
        assert counted(fetch(archive, tmp_path / "files")) == {End.FETCHED: 3, End.KEPT: 3}
        assert (first.folders[0] / "F-1-ticket.pdf").read_bytes() != note


def test_names_are_taken_by_every_system(tmp_path: Path) -> None:
    """References that differ by case alone, devices of Windows, paths, points: every document has files of its own."""
    with running(OPEN) as provider:
        archive = Archive(tmp_path, provider)
        archive.issue(*((reference, "01") for reference in REFERENCES))
        found = fetch(archive, tmp_path / "files")
        assert counted(found) == {End.FETCHED: 3 * len(REFERENCES)}
        names = [one["file"] for one in manifest(found).values()]
        assert len({name.casefold() for name in names}) == len(names)
        lying = {path.name for path in found.folders[0].iterdir()}
        assert lying == {*names, "manifest.json"}
        assert [path for path in (tmp_path / "files").iterdir() if path not in found.folders] == []


@given(st.text(min_size=1, max_size=100))
def test_a_name_is_safe_whatever_the_reference(reference: str) -> None:
    """One part of a path, no forbidden letter, no device, no point or space at its end, and short enough."""
    name = f"{safe_name(reference)}-ticket.pdf"
    assert Path(name).name == name
    assert not set(name) & set('<>:"/\\|?*')
    assert name.isprintable()
    assert len(f"{name}~12345678".encode()) < 200
    stem = safe_name(reference)
    assert stem == stem.strip(" .")
    assert stem.split(".")[0].casefold() not in {"con", "prn", "aux", "nul", "com1", "lpt9"}


@given(st.lists(st.text("aAÀàé/.", min_size=1, max_size=3), unique=True, max_size=12))
def test_no_two_documents_share_a_name(references: list[str]) -> None:
    """On a system that ignores case, too; whatever the order."""
    day = Day(Path("/nowhere"))
    record = replace(RECORD, state=State.STAMPED)
    names = [day.name_for(replace(record, external_ref=one), "json", ".json") for one in references]
    assert len({name.casefold() for name in names}) == len(references)


RECORD = Record(
    company="default", external_ref="F-1", doc_type="01", state=State.STAMPED, fingerprint="", content_seq=1,
    expected_gross=Decimal("11.30"), source=None, first_sent_at="2026-11-21T18:00:00+00:00",  # type: ignore[arg-type]
)  # fmt: skip
OURS = asdict(filed_now(RECORD, "json", "F-1.json", PDF, utc_now()))


@pytest.mark.parametrize(
    "files",
    [None, 7, "x", {"a": 1}, ["x"], [None, 7], [[]], [{**OURS, "size": "9"}]]
    + [[{**OURS, "file": name}] for name in ("../F-1.json", "/etc/passwd", "a/b", "..", "", "a\0b", "Manifest.json")],
)
def test_a_manifest_that_is_none_of_ours_says_nothing(tmp_path: Path, files: object) -> None:
    """Whatever stands in it; an entry that leads out of its folder, or to the manifest, is none."""
    (tmp_path / "manifest.json").write_text(json.dumps({"files": files}), encoding="utf-8")
    day = Day(tmp_path)
    assert day.kept(RECORD, "json") is None
    assert day.name_for(RECORD, "json", ".json") == "F-1.json"
    day.put(filed_now(RECORD, "json", "F-1.json", PDF, utc_now()), PDF)
    day.save()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["F-1.json", "manifest.json"]
    assert Day(tmp_path).kept(RECORD, "json")


def asked(
    tmp_path: Path, *answers: httpx.Response, kind: str = "ticket", record: Record = RECORD
) -> tuple[Downloaded, list[str]]:
    """What comes of one file when the provider answers like this, the last answer for ever; the paths asked for."""
    left, paths = list(answers), list[str]()

    def answer(request: httpx.Request) -> httpx.Response:
        paths.append(request.url.raw_path.decode())
        assert "odt_xxx" not in str(request.url)
        found = left.pop(0) if len(left) > 1 else left[0]
        return httpx.Response(found.status_code, headers=found.headers, content=found.content)

    async def run() -> Downloaded:
        client = Client("https://provider.invalid", "odt_xxx", quota=Quota(), transport=httpx.MockTransport(answer))
        downloader = Downloader(
            root=tmp_path / "files", environment="", client=client, ledger=Now(), concurrency=2,
            patience=replace(HURRIED, asks=2),
        )  # fmt: skip
        await downloader.fetch([(record, kind)])
        downloader.save()
        downloader.found.stopped = downloader.stopped
        return downloader.found

    return asyncio.run(run()), paths


class Now:
    """All that a download wants of a ledger."""

    now = staticmethod(utc_now)


def reply(status: int = 200, content: bytes = PDF, media_type: str = "application/pdf") -> httpx.Response:
    return httpx.Response(status, headers={"content-type": media_type} if media_type else {}, content=content)


def detail(status: int, text: str) -> httpx.Response:
    return reply(status, json.dumps({"detail": text}).encode(), "application/json")


@pytest.mark.parametrize("content", [b"%PDF-1.4", b"%PDF-1.4\n% ticket F-1\n"])
def test_a_pdf_without_objects_has_no_end_to_miss(content: bytes) -> None:
    """The provider's test files may be a first line and nothing else; they are kept as they are."""
    assert find_flaw("ticket", content, "application/pdf") is None


LIES = {
    "empty": (reply(content=b""), Flaw.EMPTY),
    "blank": (reply(content=b" \n"), Flaw.EMPTY),
    "page": (reply(content=b"<html>", media_type="text/html"), Flaw.WRONG_TYPE),
    "page called PDF": (reply(content=b"<!DOCTYPE html><html>%%EOF"), Flaw.NO_PDF),
    "PDF called page": (reply(media_type="text/html; charset=utf-8"), Flaw.WRONG_TYPE),
    "error as 200": (detail(200, "Archivo no disponible"), Flaw.WRONG_TYPE),
    "cut off": (reply(content=PDF[:30]), Flaw.CUT_OFF),
    "cut off, no type": (reply(content=PDF[:30], media_type=""), Flaw.CUT_OFF),
}


@pytest.mark.parametrize(("lie", "flaw"), LIES.values(), ids=LIES)
def test_a_provider_that_lies_leaves_nothing_behind(tmp_path: Path, lie: httpx.Response, flaw: Flaw) -> None:
    """Asked again a few times, and then told; neither file nor half of one nor manifest lies there."""
    found, paths = asked(tmp_path, lie)
    assert [(one.end, one.flaw, one.needs_person) for one in found.ends] == [(End.FLAWED, flaw, True)]
    assert len(paths) == 3
    assert not (tmp_path / "files").exists()


def test_a_file_that_comes_whole_at_last_is_kept(tmp_path: Path) -> None:
    """After a page, a failure and half a file."""
    found, _ = asked(tmp_path, LIES["page"][0], reply(503, b""), LIES["cut off"][0], reply())
    assert [one.end for one in found.ends] == [End.FETCHED]
    lying = sorted(path.name for path in (tmp_path / "files" / "2026-11-21").iterdir())
    assert lying == ["F-1-ticket.pdf", "manifest.json"]


def test_a_file_of_more_than_16_mb_is_refused(tmp_path: Path) -> None:
    """It is no file of one document, and nothing of it stays."""
    found, _ = asked(tmp_path, reply(content=b"%PDF-" + bytes(17 << 20)))
    assert [one.end for one in found.ends] == [End.FAILED]
    assert not (tmp_path / "files").exists()


@pytest.mark.parametrize(
    ("answer", "end", "needs_person"),
    [
        (detail(404, "Archivo no disponible"), End.NOT_YET, True),
        (detail(404, "File not available"), End.NOT_YET, True),
        (detail(404, "Documento no encontrado"), End.NOT_FOUND, True),
        (detail(404, "Ticket solo disponible para Factura (01)"), End.NO_SUCH_FILE, False),
        (detail(404, "SUEX no genera ticket PDF"), End.NO_SUCH_FILE, False),
        (detail(404, "Not Found"), End.NOT_YET, True),
        (detail(400, "type debe ser uno de: ticket, invoice, json"), End.FAILED, True),
        (reply(302, b"", ""), End.FAILED, True),
        (detail(403, "no"), End.FAILED, True),
    ],
)
def test_every_refusal_has_its_meaning(tmp_path: Path, answer: httpx.Response, end: End, needs_person: bool) -> None:
    """«Not yet» is not «never»; a type without tickets is nobody's fault."""
    found, _ = asked(tmp_path, answer)
    assert [(one.end, one.needs_person) for one in found.ends] == [(end, needs_person)]
    assert not (tmp_path / "files").exists()


def test_an_id_that_is_not_found_is_tried_by_our_reference(tmp_path: Path) -> None:
    """And the other way about nothing is lost."""
    answer = replace(RECORD.answer, document_id="0a1b2c3d-0000-4000-8000-000000000001")
    found, paths = asked(
        tmp_path, detail(404, "Documento no encontrado"), reply(), record=replace(RECORD, answer=answer)
    )
    assert [one.end for one in found.ends] == [End.FETCHED]
    assert paths == [f"/file/{answer.document_id}?type=ticket", "/file/F-1?type=ticket"]


def test_a_refused_key_stops_at_once(tmp_path: Path) -> None:
    """One question is enough."""
    found, paths = asked(tmp_path, detail(401, "API key invalida"))
    assert isinstance(found.stopped, StoppedMidway)
    assert ([one.end for one in found.ends], len(paths)) == ([End.WITHHELD], 1)


def test_the_signed_document_is_compared_with_the_ledger(tmp_path: Path) -> None:
    """Each amount, the stamp and the environment; what one side does not say is no difference."""
    with running(OPEN) as provider:
        archive = Archive(tmp_path, provider)
        archive.issue(*ONE_OF_EACH)
        for reference, record in archive.records().items():
            document = archive.there(reference)
            signed = read_signed(files.json_file(document, SandboxOptions()))
            assert signed is not None
            assert compared(record, signed, "test") == ()
            assert [one.what for one in compared(record, signed, "production")] == ["environment"]
            wrong = replace(signed, amounts=Amounts(gross=Decimal("11.31"), total=Decimal("11.29")), stamp="OTHER")
            assert [one.what for one in compared(record, wrong, "")] == [
                "reception_stamp",
                "amount_gross",
                "amount_total",
            ]
            assert compared(record, replace(signed, stamp="", amounts=Amounts()), "") == ()


def test_another_document_is_never_filed_under_our_reference(tmp_path: Path) -> None:
    """Its type, number or code is not the ledger's: shown, and not kept."""
    with running(OPEN) as provider:
        archive = Archive(tmp_path, provider)
        archive.issue(("F-1", "01"), ("F-2", "01"))
        other = files.json_file(archive.there("F-2"), SandboxOptions())
        found, _ = asked(
            tmp_path, reply(content=other, media_type="application/json"), kind="json", record=archive.record("F-1")
        )
        assert [(one.end, one.flaw) for one in found.ends] == [(End.FLAWED, Flaw.OTHER_DOCUMENT)]
        assert {one.what for one in found.ends[0].differences} >= {"control_number", "generation_code"}
        assert not (tmp_path / "files").exists()


def test_a_signed_document_that_is_cut_off_anywhere_is_none(tmp_path: Path) -> None:
    """Bare or wrapped: no beginning of it is taken for the whole."""
    with running(OPEN) as provider:
        archive = Archive(tmp_path, provider)
        archive.issue(("F-1", "01"))
        document = archive.there("F-1")
    for form in ("jws", "document"):
        content = files.json_file(document, changed(SandboxOptions(), {"json_file": form}))
        assert read_signed(content) is not None
        whole = content.rindex(b".") + 2 if form == "jws" else len(content)  # a signature may have any length
        cuts = {*range(0, whole, 37), *range(whole - 8, whole)}
        assert [cut for cut in sorted(cuts) if read_signed(content[:cut]) is not None] == []


def encoded(plain: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(plain).encode()).decode().rstrip("=")


DTE = {"identificacion": {"tipoDte": "01", "ambiente": "01"}, "resumen": {"montoTotalOperacion": 11.3}}
BARE = f"{encoded({'alg': 'RS512'})}.{encoded(DTE)}.{'A' * 80}"


@pytest.mark.parametrize(
    ("content", "signature"),
    [
        (BARE, Signature.UNUSUAL),
        (f'"{BARE}"', Signature.UNUSUAL),
        (BARE.rpartition(".")[0] + ".firma-digital/+", Signature.UNUSUAL),
        (BARE.rpartition(".")[0] + "." + "A" * 342, Signature.USUAL),
        (f"{encoded({})}.{encoded({'documento': {'dte': DTE}})}.x", Signature.UNUSUAL),
        (json.dumps({"documento": BARE}), Signature.UNUSUAL),
        (json.dumps({"dte": DTE, "firma": "x"}), Signature.NONE),
        (json.dumps({"dteJson": DTE, "firmaElectronica": BARE}), Signature.UNUSUAL),
        (json.dumps([DTE]), Signature.NONE),
        (json.dumps(DTE), Signature.NONE),
        (BARE.rpartition(".")[0], None),
        (BARE.rpartition(".")[0] + ".", None),
        (f"{encoded({})}.{encoded({'resumen': {}})}.{'A' * 80}", None),
        (f"{encoded({})}.{encoded(DTE)[:-9]}.{'A' * 80}", None),
        (json.dumps({"detail": "Archivo no disponible"}), None),
    ],
)
def test_a_signed_document_comes_in_many_forms(content: str, signature: Signature | None) -> None:
    """The payload must be whole and identify itself; what can be said of the signature is said, and refuses nothing."""
    signed = read_signed(content.encode())
    assert (signed.signature if signed else None) == signature
    if signed is not None:
        assert (signed.doc_type, signed.environment, signed.amounts.gross) == ("01", "01", Decimal("11.3"))


@given(st.binary(max_size=300))
def test_any_bytes_are_a_file_or_a_flaw(content: bytes) -> None:
    """Whatever comes, nothing raises."""
    for kind in KINDS:
        assert find_flaw(kind, content, "application/octet-stream") in {None, *Flaw}


def test_two_programs_may_file_into_one_day(tmp_path: Path) -> None:
    """What the other has filed meanwhile stays in the manifest."""
    first, second = Day(tmp_path), Day(tmp_path)
    for day, reference in ((first, "A"), (second, "B")):
        record = replace(RECORD, external_ref=reference)
        name = day.name_for(record, "ticket", ".pdf")
        day.put(filed_now(record, "ticket", name, PDF, utc_now()), PDF)
    first.save()
    second.save()
    again = Day(tmp_path)
    assert all(again.kept(replace(RECORD, external_ref=one), "ticket") for one in "AB")


def test_a_folder_that_cannot_be_written_stops_it(tmp_path: Path) -> None:
    """A sentence, and the ledger is as it was."""
    (tmp_path / "files").write_text("a file", encoding="utf-8")
    found, _ = asked(tmp_path, reply())
    assert isinstance(found.stopped, StoppedMidway)
    assert "cannot be written" in str(found.stopped)


def test_the_key_of_another_company_fetches_nothing(tmp_path: Path) -> None:
    """References are one company's own: with another's key they would name other documents."""
    with running(OPEN) as provider:
        archive = Archive(tmp_path, provider)
        archive.issue(("F-1", "01"))
        archive.connection = replace(archive.connection, key="odt_" + "f" * 56)
        with pytest.raises(Exception, match="is not the one that this ledger knows"):
            fetch(archive, tmp_path / "files")
        ledger = open_to_read(archive.ledger)
        ledger.close()
