"""Downloading, transition by transition: what each answer to one file makes of it, what is asked after it, and when."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from batch_issuer.model.records import Record
from batch_issuer.provider.files import INVOICE, JSON, TICKET, Flaw
from batch_issuer.send.crew import Crew
from batch_issuer.send.download import Downloaded, Downloader, End, FileEnd
from tests.send.literal import (
    BAD,
    BROKEN,
    ID,
    LOST,
    MISSING,
    NEVER,
    NO_KEY,
    NOON,
    PAGE,
    PATIENT,
    SLOW_DOWN,
    STAMP,
    TIMEOUT,
    Book,
    Exchange,
    Played,
    Reply,
    answer,
    play,
    stands,
)

BY_ID = f"GET /api/file/{ID}?type="
BY_REFERENCE = "GET /api/file/F-1?type="
CODE = "0A1B2C3D-0000-4000-8000-0000000000FF"
PDF = httpx.Response(200, content=b"%PDF-1.4\n1 0 obj\n%%EOF\n", headers={"content-type": "application/pdf"})
CUT_OFF = httpx.Response(200, content=b"%PDF-1.4\n1 0 obj\n", headers={"content-type": "application/pdf"})
NOT_YET = answer(404, detail="Archivo no disponible")
NO_SUCH_FILE = answer(404, detail="Ticket solo disponible para Factura (01)")
NOT_WORDED = answer(404, detail="Not Found")


def signed(code: str = CODE, stamp: str = STAMP) -> httpx.Response:
    """A signed document's JSON."""
    identification = {"tipoDte": "01", "ambiente": "00", "codigoGeneracion": code}
    return answer(identificacion=identification, selloRecibido=stamp)


def stamped() -> Book:
    return stands("stamped", generation_code=CODE)


class Fetching:
    """Downloads files of a book's documents into a folder, and keeps what became of them."""

    def __init__(self, folder: Path, *kinds: str, times: int = 1) -> None:
        self.folder = folder
        self.kinds = kinds
        self.times = times
        self.found = Downloaded()

    async def __call__(self, crew: Crew, records: list[Record]) -> None:
        downloader = Downloader(
            root=self.folder, environment="", client=crew.client, courier=crew.courier, now=crew.journal.ledger.now
        )
        for _ in range(self.times):
            await downloader.fetch([(record, kind) for record in records for kind in self.kinds])
        downloader.save()
        self.found = downloader.found

    @property
    def ends(self) -> list[End]:
        return [one.end for one in self.found.ends]

    @property
    def only(self) -> FileEnd:
        (end,) = self.found.ends
        return end

    @property
    def lying(self) -> list[str]:
        return sorted(path.name for path in self.folder.rglob("*") if path.is_file())


def script(*replies: Reply, kind: str = TICKET) -> list[Exchange]:
    """The same question again and again, by the provider's id."""
    return [(BY_ID + kind, reply) for reply in replies]


def fetched(folder: Path, *exchanges: Exchange, kind: str = TICKET, **more: Any) -> tuple[Fetching, Played]:
    fetching = Fetching(folder, kind)
    return fetching, play(fetching, *exchanges, **{"book": stamped(), **more})


def test_a_whole_file_is_filed_on_the_day_of_its_sale(tmp_path: Path) -> None:
    """One question, and a manifest that names it."""
    fetching, played = fetched(tmp_path, *script(PDF))
    assert (fetching.ends, played.at, played.stopped) == ([End.FETCHED], [0.0], "")
    assert fetching.lying == ["F-1-ticket.pdf", "manifest.json"]
    (folder,) = fetching.found.folders
    assert folder.name == NOON.date().isoformat()
    (entry,) = json.loads((folder / "manifest.json").read_bytes())["files"]
    assert (entry["external_ref"], entry["type"], entry["state"]) == ("F-1", "ticket", "stamped")


def test_what_is_there_already_is_not_asked_for(tmp_path: Path) -> None:
    """The second time there is no request."""
    fetching = Fetching(tmp_path, TICKET, times=2)
    play(fetching, *script(PDF), book=stamped())
    assert fetching.ends == [End.FETCHED, End.KEPT]


@pytest.mark.parametrize("kind", [INVOICE, JSON])
def test_before_its_stamp_a_document_has_its_ticket_only(tmp_path: Path, kind: str) -> None:
    """Nothing is asked, and nobody has to look."""
    fetching, _ = fetched(tmp_path, kind=kind, book=stands("contingency"))
    assert (fetching.only.end, fetching.only.needs_person) == (End.NOT_YET, False)


def test_the_ticket_of_contingency_gives_way_to_the_stamped_one(tmp_path: Path) -> None:
    """What was printed before the stamp is another paper."""
    fetching, _ = fetched(tmp_path, *script(PDF), book=stands("contingency"))
    assert fetching.ends == [End.FETCHED]
    fetching, _ = fetched(tmp_path, *script(PDF))
    assert fetching.ends == [End.FETCHED]


@pytest.mark.parametrize("flawed", [CUT_OFF, PAGE, httpx.Response(200)])
def test_what_is_no_file_is_asked_for_again(tmp_path: Path, flawed: httpx.Response) -> None:
    """With pauses that grow; the whole one is kept."""
    fetching, played = fetched(tmp_path, *script(flawed, flawed, PDF))
    assert (fetching.ends, played.at) == ([End.FETCHED], [0.0, 0.5, 1.5])
    assert played.crew.progress.retries == 2


def test_three_times_no_file_is_the_end(tmp_path: Path) -> None:
    """Nothing of it is kept, and somebody has to look."""
    fetching, played = fetched(tmp_path, *script(CUT_OFF, CUT_OFF, CUT_OFF))
    assert (fetching.only.end, fetching.only.flaw, fetching.only.needs_person) == (End.FLAWED, Flaw.CUT_OFF, True)
    assert (played.at, fetching.lying, played.stopped) == ([0.0, 0.5, 1.5], [], "")


@pytest.mark.parametrize(("reply", "end"), [(NOT_YET, End.NOT_YET), (NO_SUCH_FILE, End.NO_SUCH_FILE)])
def test_a_404_that_says_why_is_believed_at_once(tmp_path: Path, reply: httpx.Response, end: End) -> None:
    """The document is known by the id that was asked for; our reference would find the same."""
    fetching, _ = fetched(tmp_path, *script(reply))
    assert fetching.ends == [end]


@pytest.mark.parametrize(
    ("first", "second", "end"),
    [
        (MISSING, PDF, End.FETCHED),
        (MISSING, MISSING, End.NOT_FOUND),
        (NOT_WORDED, PDF, End.FETCHED),
        (NOT_WORDED, NOT_WORDED, End.NOT_YET),
        (MISSING, NOT_YET, End.NOT_YET),
    ],
)
def test_an_id_that_finds_nothing_is_followed_by_our_reference(
    tmp_path: Path, first: httpx.Response, second: httpx.Response, end: End
) -> None:
    """Of the two answers the second counts."""
    fetching, played = fetched(tmp_path, (BY_ID, first), (BY_REFERENCE, second))
    assert (fetching.ends, played.at) == ([end], [0.0, 0.0])


def test_without_an_id_our_reference_is_asked_for_once(tmp_path: Path) -> None:
    """There is no other name to try."""
    fetching, _ = fetched(tmp_path, (BY_REFERENCE, MISSING), book=stands("stamped", document_id=""))
    assert fetching.ends == [End.NOT_FOUND]


@pytest.mark.parametrize("lost", [LOST, TIMEOUT, BROKEN, answer(302)])
def test_what_brought_no_answer_is_asked_again(tmp_path: Path, lost: Reply) -> None:
    """A question does nothing, so it may be asked as often as patience lasts."""
    fetching, played = fetched(tmp_path, *script(lost, lost, PDF))
    assert (fetching.ends, played.at) == ([End.FETCHED], [0.0, 0.5, 1.5])


@pytest.mark.parametrize(
    ("lost", "reason"),
    [
        (LOST, "lost-answer"),
        (TIMEOUT, "read-timeout"),
        (BROKEN, "server-error"),
        (answer(302), "unexpected-status"),
        (answer(409, detail="en proceso"), "http-409"),
    ],
)
def test_the_end_of_patience_has_the_reason_of_the_last_answer(tmp_path: Path, lost: Reply, reason: str) -> None:
    """The run goes on with the other files."""
    fetching, played = fetched(tmp_path, *script(lost, lost, lost))
    assert (fetching.only.end, fetching.only.reason, played.stopped) == (End.FAILED, reason, "")
    assert fetching.lying == []


def test_a_refused_question_is_not_repeated(tmp_path: Path) -> None:
    """400: the next one would be refused as well; its words are shown."""
    fetching, _ = fetched(tmp_path, *script(BAD))
    assert (fetching.only.end, fetching.only.reason, fetching.only.detail) == (
        End.FAILED,
        "http-400",
        "precio negativo",
    )


def test_a_used_up_quota_is_waited_for(tmp_path: Path) -> None:
    """As long as the answer says; that is no failure."""
    fetching, played = fetched(tmp_path, *script(SLOW_DOWN, PDF))
    assert (fetching.ends, played.at, played.crew.progress.retries) == ([End.FETCHED], [0.0, 7.0], 0)


def test_a_quota_that_stays_used_up_leaves_the_file(tmp_path: Path) -> None:
    """For another run."""
    fetching, played = fetched(tmp_path, *script(SLOW_DOWN, SLOW_DOWN, SLOW_DOWN))
    assert (fetching.only.end, fetching.only.reason, played.at) == (End.FAILED, "quota", [0.0, 7.0, 14.0])


def test_a_refused_key_ends_the_run_and_spares_the_rest(tmp_path: Path) -> None:
    """One question for all files."""
    fetching = Fetching(tmp_path, TICKET, INVOICE, JSON)
    played = play(fetching, *script(NO_KEY), book=stamped())
    assert fetching.ends == [End.WITHHELD] * 3
    assert "API key" in played.stopped


def test_a_provider_that_was_never_reached_ends_the_run(tmp_path: Path) -> None:
    """Before patience with one file is over, as nothing has answered yet."""
    fetching = Fetching(tmp_path, TICKET, INVOICE)
    played = play(fetching, *script(NEVER, NEVER), book=stamped())
    assert (fetching.ends, played.at) == ([End.FAILED, End.WITHHELD], [0.0, 0.5])
    assert played.stopped.startswith("Nothing answers")


def test_a_provider_that_answered_before_is_tried_as_long_as_any(tmp_path: Path) -> None:
    """A connection that cannot be made now costs one file, not the run."""
    fetching = Fetching(tmp_path, TICKET, INVOICE)
    played = play(fetching, *script(PDF), *script(NEVER, NEVER, NEVER, kind=INVOICE), book=stamped())
    assert (fetching.ends, played.stopped) == ([End.FETCHED, End.FAILED], "")
    assert fetching.found.ends[1].reason == "never-left"


def test_one_cause_for_all_ends_the_run(tmp_path: Path) -> None:
    """The same refusal again and again spares the rest."""
    fetching = Fetching(tmp_path, TICKET, INVOICE, JSON)
    exchanges = [*script(BAD), *script(BAD, kind=INVOICE)]
    played = play(fetching, *exchanges, book=stamped(), patience=replace(PATIENT, stop_after=2))
    assert fetching.ends == [End.FAILED, End.FAILED, End.WITHHELD]
    assert "2 times in a row" in played.stopped


def test_too_many_repetitions_end_the_run(tmp_path: Path) -> None:
    """The budget is that of the run, not of one file; the one that goes beyond it is not asked for again."""
    fetching = Fetching(tmp_path, TICKET, INVOICE, JSON)
    exchanges = [*script(CUT_OFF, PDF), *script(CUT_OFF, kind=INVOICE)]
    played = play(fetching, *exchanges, book=stamped(), patience=replace(PATIENT, budget_least=1))
    assert fetching.ends == [End.FETCHED, End.WITHHELD, End.WITHHELD]
    assert "had to be repeated" in played.stopped


@pytest.mark.parametrize(
    ("stamp", "differing"), [(STAMP, []), ("OTRO-SELLO", ["reception_stamp"]), ("", [])], ids=["same", "other", "none"]
)
def test_a_signed_document_is_kept_with_its_differences(tmp_path: Path, stamp: str, differing: Sequence[str]) -> None:
    """It is this sale's; what it says otherwise is shown, and what it leaves out is no difference."""
    fetching, _ = fetched(tmp_path, *script(signed(stamp=stamp), kind=JSON), kind=JSON)
    assert (fetching.only.end, [one.what for one in fetching.only.differences]) == (End.FETCHED, differing)
    assert fetching.only.needs_person is bool(differing)
    assert fetching.found.environments == {"test"}


def test_another_documents_file_is_not_kept(tmp_path: Path) -> None:
    """Nor asked for again: the provider would give the same."""
    fetching, _ = fetched(tmp_path, *script(signed(CODE.replace("FF", "00")), kind=JSON), kind=JSON)
    assert (fetching.only.end, fetching.only.flaw) == (End.FLAWED, Flaw.OTHER_DOCUMENT)
    assert fetching.lying == []


def test_a_kept_file_that_the_ledger_knows_to_be_anothers_is_fetched_again(tmp_path: Path) -> None:
    """It was filed before the ledger had the code of its document."""
    other = signed(CODE.replace("FF", "00"))
    before, _ = fetched(tmp_path, *script(other, kind=JSON), kind=JSON, book=stands("stamped"))
    assert before.ends == [End.FETCHED]
    fetching, _ = fetched(tmp_path, *script(signed(), kind=JSON), kind=JSON)
    assert fetching.ends == [End.FETCHED]
    assert fetching.lying == ["F-1.json", "manifest.json"]
    assert fetching.only.path is not None
    assert CODE.encode() in fetching.only.path.read_bytes()
