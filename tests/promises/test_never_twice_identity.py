"""Each sale once, as it was sold, in the right name: shops, files and people as they are, through the command line."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from unittest import mock

from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from batch_issuer.cli import connecting
from batch_issuer.ledger.opening import open_to_read
from batch_issuer.ledger.store import Ledger
from batch_issuer.ledger.verify import verify
from batch_issuer.model.days import today
from batch_issuer.model.problems import CannotStart
from batch_issuer.model.records import Kind, Record
from batch_issuer.model.states import State
from batch_issuer.plan.doubts import Doubt
from batch_issuer.plan.prepare import Prepared, prepare
from batch_issuer.plan.recognise import recognise
from batch_issuer.reading import read
from batch_issuer.sandbox import Key, Running, SandboxOptions, Standing, running
from batch_issuer.sandbox.store import Record as Document
from batch_issuer.send.courier import WHOSE
from batch_issuer.settings import load
from tests.cli.desk import Desk
from tests.failing_ledger import failing_after
from tests.promises.kill.shop import Done
from tests.promises.test_never_twice import HURRIED
from tests.selling import DAYS, HABITS, MOST, SAME, SAVED_AGAIN, Book, File, Place, Sale, Shop

KEYS = {"norte": "odt_" + "a" * 56, "sur": "odt_" + "b" * 56}
NITS = {"norte": "06140101901010", "sur": "06140202902020"}
VOID = (Standing.REJECTED, Standing.CANCELLED)
OPEN = (State.PLANNED, State.SENDING, State.UNSURE, State.REJECTED, State.INVALID)
PRICES = [Decimal("1.00"), Decimal("2.50"), Decimal("11.30")]
FAULTS = [
    "reset-before:route=invoice,count={n}",
    "reset-after:route=invoice,count={n}",
    "error-before:route=invoice,count={n}",
    "error-after:route=invoice,count={n}",
    "truncate:route=invoice,count={n}",
    "slow:route=invoice,count={n},seconds=0.02",
    "no-stamp:route=invoice,count={n}",
    "flags:route=invoice,count={n},flags=TTTF",
    "error-before:route=*status,count={n}",
    "reset-before:route=*status,count={n}",
]
ASKS_OF_ROWS = "equal in every cell"
ASKS_OF_NUMBERS = "both number their sales from 1"
ASKS_OF_PROVIDERS = "The provider already has sales of these files"
MADE = {"places": [Place("Centro", "1"), Place("Centro", "2")], "others": [Place("Mercado", "1"), Place("Puerto", "1")]}

book_numbers, file_numbers, sale_numbers = st.integers(0, 2), st.integers(0, 5), st.integers(0, 8)
counts = st.integers(1, MOST)


class NeverTwiceIdentity(RuleBasedStateMachine):
    """Two shops, three books, two companies, one provider; somebody who answers as it is true, or not at all."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="identity-"))
        self.stack = contextlib.ExitStack()
        keys = tuple(Key(key=KEYS[name], company=name, nit=NITS[name]) for name in KEYS)
        options = SandboxOptions(minute_limit=None, hour_limit=None, keys=keys)
        self.provider: Running = self.stack.enter_context(running(options))
        self.stack.enter_context(mock.patch.object(connecting, "PATIENCE", HURRIED))
        self.shops: list[Shop] = []
        self.keys = dict(KEYS)
        self.told: dict[str, Sale] = {}
        """Sales by what they are of, where that is theirs alone."""
        self.origin: dict[tuple[str, str], tuple[Sale | None, Shop]] = {}
        """Whose a document is and which shop sent it, by company and reference."""
        self.claimed: set[Sale] = set()
        """Sales of files of which the program said that nothing is open."""
        self.put_back: set[Shop] = set()
        """Shops whose ledger may lack what was sent."""
        self.backups: list[tuple[Shop, Path]] = []
        self.violations = 0
        self.last: dict[Sale, Done] = {}

    @initialize(
        first=st.sampled_from(sorted(HABITS)),
        second=st.none() | st.sampled_from(sorted(HABITS)),
        begun=st.booleans(),
        sold=st.lists(st.tuples(book_numbers, st.sampled_from(DAYS), counts, st.booleans()), min_size=2, max_size=5),
    )
    def open_shops(
        self, first: str, second: str | None, sold: list[tuple[int, str, int, bool]], *, begun: bool
    ) -> None:
        """Two shops with habits of their own, or the same; a shop that has `begun` has issued something already."""
        one, other = HABITS[first], HABITS[second or first]
        here = MADE["places"] if one.several else [Place("Central", "1")]
        there = MADE["others"] if other.several else [Place("Mercado", "1")]
        self.shops = [
            Shop(self.folder / "uno", one, here, ("norte", "sur")),
            Shop(self.folder / "dos", other, there, ("norte",)),
        ]
        for book, day, count, alike in sold:
            self.sell_some(self.book(book), day, 0, count, PRICES[1], "one", alike=alike)
        for owner in self.shops[0].books if begun else ():
            self.sell_some(owner, DAYS[0], 0, 1, PRICES[0], "one", alike=False)
            self.issue_files(owner, 0, 0, 0)

    def teardown(self) -> None:
        try:
            if self.shops:
                self.settle_everything()
        finally:
            self.stack.close()
            shutil.rmtree(self.folder)

    # What the shops do

    def book(self, number: int) -> Book:
        books = [book for shop in self.shops for book in shop.books]
        return books[number % len(books)]

    @rule(
        book=book_numbers,
        day=st.sampled_from(DAYS),
        till=st.integers(0, 1),
        count=counts,
        price=st.sampled_from(PRICES),
        alike=st.booleans(),
        rows=st.sampled_from(["one", "one", "one", "twice", "pasted"]),
    )
    def sell(self, book: int, day: str, till: int, count: int, price: Decimal, rows: str, *, alike: bool) -> None:
        """A till sells something, perhaps just what it sold the day before under the same number."""
        self.sell_some(self.book(book), day, till, count, price, rows, alike=alike)

    def sell_some(
        self, owner: Book, day: str, till: int, count: int, price: Decimal, rows: str, *, alike: bool
    ) -> None:
        place = owner.shop.places[till % len(owner.shop.places)]
        for _ in range(min(count, MOST - len(owner.of_file(day, place)))):
            number = owner.next_number(day, place)
            description = SAME if alike else f"Café #{len(self.told) + 1}"
            sale = Sale(
                book=owner, day=day, place=place, number=number, text=owner.shop.habit.form.format(number),
                description=description, price=Decimal("0.75") if alike else price,
                rows=1 if alike or rows == "one" else 2, pasted=rows == "pasted" and not alike,
            )  # fmt: skip
            owner.sales.append(sale)
            if not alike:
                self.told[description] = sale

    def sale(self, number: int) -> Sale | None:
        sales = [sale for shop in self.shops for book in shop.books for sale in book.sales]
        return sales[number % len(sales)] if sales else None

    @rule(number=sale_numbers, price=st.sampled_from(PRICES))
    def correct(self, number: int, price: Decimal) -> None:
        """Another price in the file, whatever has become of the sale."""
        sale = self.sale(number)
        if sale and sale.is_told_apart:
            sale.price = price
            sale.said.add(sale.gross)

    @rule(number=sale_numbers)
    def take_out(self, number: int) -> None:
        """A sale that the shop believes unsent was none: it is taken out of the file, and withdrawn.

        Not the first of those that nothing but a number tells apart: only numbers from 1 on are known to begin anew.
        """
        sale = self.sale(number)
        if sale is None or sale.withdrawn or self.documents_of(sale) or sale in self.claimed:
            return
        if sale.number == 1 and not (sale.book.shop.habit.dated or sale.book.shop.adopted):
            return
        record = self.record_of(sale)
        if record is None:
            sale.withdrawn = True
            return
        said = ("note", record.external_ref, "was none", "--by", "Ana", "--withdraw")
        done = self.call(sale.book, *said)
        sale.withdrawn = done.code == 0

    @rule(number=sale_numbers)
    def put_in_again(self, number: int) -> None:
        """It was one after all."""
        sale = self.sale(number)
        if sale:
            sale.withdrawn = False

    # What the person at the desk does

    @rule(
        book=book_numbers,
        first=file_numbers,
        second=file_numbers,
        together=st.booleans(),
        variant=st.integers(0, len(SAVED_AGAIN) - 1),
    )
    def issue(self, book: int, first: int, second: int, variant: int, *, together: bool) -> None:
        self.issue_files(self.book(book), first, second if together else first, variant)

    @rule(book=book_numbers, first=file_numbers, second=file_numbers, writes=st.integers(0, 14))
    def issue_and_crash(self, book: int, first: int, second: int, writes: int) -> None:
        """The ledger stops being writable: what is then answered is lost to it."""
        owner = self.book(book)
        with failing_after(owner.shop.folder / "ledger.db", writes):
            self.issue_files(owner, first, second, 0)

    def issue_files(self, book: Book, first: int, second: int, variant: int) -> None:
        files = book.files()
        if files:
            chosen = dict.fromkeys(files[at % len(files)] for at in (first, second))
            self.issue_and_answer(book, list(chosen), variant)

    @rule(book=book_numbers)
    def retry(self, book: int) -> None:
        self.call(self.book(book), "retry")

    @rule(book=book_numbers)
    def refresh(self, book: int) -> None:
        before = self.provider.requests().posts()
        self.call(self.book(book), "refresh")
        assert self.provider.requests().posts() == before

    @rule(shop=st.integers(0, 1))
    def adopt_template(self, shop: int) -> None:
        """The shop puts more than the number into the reference, unasked."""
        if not self.shops[shop].keeps_references:
            self.shops[shop].adopt()

    @precondition(lambda self: self.knows_both_keys())
    @rule(day=st.sampled_from(DAYS))
    def exchange_keys(self, day: str) -> None:
        """Each company's key where the other's should be, or put right again; and both have something new to issue."""
        self.keys = {"norte": self.keys["sur"], "sur": self.keys["norte"]}
        for book in self.shops[0].books:
            self.sell_some(book, day, 0, 1, PRICES[0], "one", alike=False)
            self.issue_and_answer(book, [(day, self.shops[0].places[0])], 0)

    @rule(shop=st.integers(0, 1), adopts=st.booleans())
    def back_up(self, shop: int, *, adopts: bool) -> None:
        """From here on the shop keeps to its references: the provider is asked about no others."""
        owner = self.shops[shop]
        if adopts:
            self.adopt_template(shop)
        if (owner.folder / "ledger.db").exists():
            name = f"copy-{len(self.backups)}.db"
            assert self.call(owner.books[0], "ledger", "backup", name).code == 0
            self.backups.append((owner, owner.folder / name))
            owner.keeps_references = True

    @precondition(lambda self: self.backups)
    @rule(number=st.integers(0, 3), by_hand=st.booleans())
    def put_backup_in_place(self, number: int, *, by_hand: bool) -> None:
        """As the program does it, which remembers it, or as somebody does it who copies files about."""
        shop, path = self.backups[number % len(self.backups)]
        self.keys = dict(KEYS)
        self.put_back.add(shop)
        if by_hand:
            shutil.copy(path, shop.folder / "ledger.db")
        else:
            assert self.call(shop.books[0], "ledger", "restore", path.name, "--yes").code == 0

    # What happens elsewhere

    @rule(fault=st.sampled_from(FAULTS), times=st.integers(1, 3))
    def order_fault(self, fault: str, times: int) -> None:
        self.provider.order(fault.format(n=times))

    @rule()
    def end_faults(self) -> None:
        self.provider.clear_faults()

    @rule(
        contingency=st.sampled_from([(), ("*1",), ("*2*",)]),
        rejected=st.sampled_from([(), ("*1",), ("*3*",)]),
        repost=st.sampled_from(["original", "error409"]),
    )
    def change_ministry(self, contingency: tuple[str, ...], rejected: tuple[str, ...], repost: str) -> None:
        self.provider.change(contingency_refs=contingency, rejected_refs=rejected, contingency_repost=repost)

    @rule(to=st.sampled_from(["stamped", "rejected"]))
    def resolve(self, to: str) -> None:
        self.provider.resolve(to)

    # The person who answers

    def issue_and_answer(self, book: Book, chosen: Sequence[tuple[str, Place]], variant: int) -> None:
        """Issue files and answer what is asked as it is true; where no answer is true, leave them alone."""
        answers: dict[str, str] = {}
        for _ in range(4):
            files = [book.write(day, place, 0 if book.shop.keeps_references else variant) for day, place in chosen]
            more = [part for pair in answers.items() for part in pair]
            done = self.call(book, "issue", *(file.name for file in files), *more)
            for sale in {sale for file in files for sale in file.sales}:
                self.last[sale] = done
            if done.code == 0:
                self.claimed |= {sale for file in files for sale in file.sales}
            answer = self.answer(book, files, done, answers)
            if not answer or answer.items() <= answers.items():
                return
            if "adopt" in answer:
                book.shop.adopt()
                answers.pop("--alike", None)
            else:
                answers |= answer

    def answer(self, book: Book, files: Sequence[File], done: Done, answers: dict[str, str]) -> dict[str, str]:
        """What a person who knows says to a question, or does about documents that the program left to them."""
        said = done.out + done.err
        if done.code == 2 and ASKS_OF_ROWS in said:
            pasted = {sale.pasted for file in files for sale in file.sales if sale.rows > 1}
            return {"--repeated-rows": "once" if pasted.pop() else "count"} if len(pasted) == 1 else {}
        if done.code not in (1, 2) or "API key" in said:
            return {}
        if ASKS_OF_NUMBERS in said:
            return {"adopt": ""} if book.shop.may_adopt else {}
        try:
            wanted = self.truth_of_doubts(book, files, answers, looked_up=ASKS_OF_PROVIDERS in said)
        except CannotStart:  # there is no answer that lets these files be read together
            return {}
        if wanted == {"same"} and self.would_be_true(book, files, answers):
            return {"--alike": "same"}
        if wanted == {"new"}:
            return {"--alike": "new"}
        return {"adopt": ""} if "adopt" in wanted and book.shop.may_adopt else {}

    def truth_of_doubts(
        self, book: Book, files: Sequence[File], answers: dict[str, str], *, looked_up: bool
    ) -> set[str]:
        """What would be true of each sale that is in question."""
        found: set[str] = set()
        with self.seen(book, files, answers) as (prepared, ledger, whose):
            for one in recognise(prepared, ledger, book.company).doubtful if ledger else ():
                sale = whose(one.candidate.row)
                is_same = self.sale_in_ledger(book, ledger, one.record) is sale
                if one.doubt is Doubt.WITHDRAWN:
                    found.add("new" if is_same else "adopt")
                elif is_same:
                    found.add("same")
                elif self.record_of(sale):
                    found.add("it is another one of them")
                else:
                    found.add("adopt" if one.doubt in (Doubt.OTHER_DAY, Doubt.NUMBERED_ANEW) else "new")
            for candidate in prepared.candidates:
                record = ledger.record(book.company, candidate.external_ref) if ledger else None
                theirs = self.document(book.company, candidate.external_ref)
                if theirs and ((record is None and looked_up) or (record and record.reason in WHOSE)):
                    found.add("same" if self.sale_at_provider(theirs) is whose(candidate.row) else "adopt")
        return found

    def would_be_true(self, book: Book, files: Sequence[File], answers: dict[str, str]) -> bool:
        """Whether the provider has nothing of another sale under a reference of these files."""
        with self.seen(book, files, answers) as (prepared, _, whose):
            there = [(one, self.document(book.company, one.external_ref)) for one in prepared.candidates]
            return all(not document or self.sale_at_provider(document) is whose(one.row) for one, document in there)

    @contextlib.contextmanager
    def seen(
        self, book: Book, files: Sequence[File], answers: dict[str, str]
    ) -> Iterator[tuple[Prepared, Ledger | None, Callable[[int], Sale]]]:
        """The files as the program reads them, the ledger, and whose a row is."""
        folder = book.shop.folder
        settings = load(folder / "batch-issuer.toml")
        rows = answers.get("--repeated-rows", "count")
        settings = replace(settings, source=replace(settings.source, repeated_rows=rows))
        rows_of = {file.name: file.rows for file in files}
        with in_folder(folder):
            prepared = prepare(read([file.name for file in files], settings), settings, today())

        def whose(row: int) -> Sale:
            place = prepared.batch.place(row)
            assert place.row is not None
            return rows_of[Path(place.file).name][place.row - 2]

        with reading(folder / "ledger.db") as ledger:
            yield prepared, ledger, whose

    # What is true

    def call(self, book: Book, *arguments: str) -> Done:
        """A command; whatever it was, what it says is compared with how things stand."""
        keys = self.keys if book.shop is self.shops[0] else KEYS
        environment = {f"{name.upper()}_KEY": key for name, key in keys.items()}
        desk = Desk(book.shop.folder, self.provider.base_url, key="", environment=environment)
        company = ("--company", book.company) if arguments[0] != "ledger" else ()
        done = desk.call(*arguments, *company)
        assert "Traceback" not in done.err, done.err
        self.note_origins(book)
        if arguments[0] in ("issue", "retry", "refresh") and done.code == 0:
            with reading(book.shop.folder / "ledger.db") as ledger:
                left = ledger.in_states(book.company, OPEN) if ledger else []
                assert [one for one in left if not one.withdrawn_at] == []
        return done

    def note_origins(self, book: Book) -> None:
        """Whose the documents are that are new at the provider."""
        with reading(book.shop.folder / "ledger.db") as ledger:
            for document in self.provider.documents():
                key = (document.company, document.ref)
                if key not in self.origin:
                    record = ledger.record(book.company, document.ref) if ledger else None
                    sale = self.told.get(document.sale.lines[0].description)
                    if sale is None and record is not None:
                        sale = book.sale_of(record.source.file, record.external_ref)
                    self.origin[key] = sale, book.shop

    def document(self, company: str, reference: str) -> Document | None:
        found = (one for one in self.provider.documents() if (one.company, one.ref) == (company, reference))
        return next(found, None)

    def sale_at_provider(self, document: Document) -> Sale | None:
        told = self.told.get(document.sale.lines[0].description)
        return told or self.origin[document.company, document.ref][0]

    def sale_in_ledger(self, book: Book, ledger: Ledger | None, record: Record) -> Sale | None:
        """The sale of which a ledger has a document, or of which the provider has one under its reference."""
        document = self.document(book.company, record.external_ref)
        if record.reason in WHOSE and document is not None:
            return self.sale_at_provider(document)
        assert ledger is not None
        body = json.loads(ledger.bodies([record])[record.external_ref])
        told = self.told.get(body["lines"][0]["description"])
        return told or book.sale_of(record.source.file, record.external_ref)

    def record_of(self, sale: Sale) -> Record | None:
        with reading(sale.book.shop.folder / "ledger.db") as ledger:
            records = ledger.all_records(sale.book.company) if ledger else []
            return next((one for one in records if self.sale_in_ledger(sale.book, ledger, one) is sale), None)

    def documents_of(self, sale: Sale) -> list[Document]:
        valid = (one for one in self.provider.documents() if one.standing not in VOID)
        return [one for one in valid if self.sale_at_provider(one) is sale]

    def knows_both_keys(self) -> bool:
        if not self.shops:
            return False
        with reading(self.shops[0].folder / "ledger.db") as ledger:
            notes = ledger.bodies_beside((Kind.KEY_SEEN,)) if ledger else []
            return {company for _, company, _, _ in notes} == set(KEYS)

    @invariant()
    def documents_are_the_sales_that_were_made(self) -> None:
        valid: Counter[Sale] = Counter()
        there: Counter[Sale] = Counter()
        for document in self.provider.documents():
            sale = self.sale_at_provider(document)
            assert sale is not None, document
            there[sale] += 1
            if document.standing in VOID:
                continue
            valid[sale] += 1
            assert not sale.withdrawn, sale
            assert document.company == sale.book.company, (sale, document.company)
            assert {line.description for line in document.sale.lines} == {sale.description}, (sale, document)
            assert document.amounts.gross in sale.said, (sale, document.amounts)
        assert [sale for sale, count in valid.items() if count > 1] == []
        assert [one for one in self.claimed if one.is_told_apart and not there[one]] == []
        claimed = Counter((one.book.company, one.number) for one in self.claimed if not one.is_told_apart)
        found = Counter((one.book.company, one.number) for one in there.elements() if not one.is_told_apart)
        assert claimed <= found, (claimed, found)

    @invariant()
    def nothing_is_posted_again(self) -> None:
        """Only what another shop sent, or what the ledger has forgotten, can come again."""
        violations = self.provider.requests().violations
        new, self.violations = violations[self.violations :], len(violations)
        for one in new:
            if one.kind in ("post-on-contingency", "post-on-stamped"):
                _, shop = self.origin[one.company, one.ref]
                assert self.put_back or len({s for s in self.shops if "norte" in s.companies}) > 1, (one, shop)

    @invariant()
    def no_ledger_claims_what_is_another_sales(self) -> None:
        for shop in self.shops:
            with reading(shop.folder / "ledger.db") as ledger:
                if ledger is None:
                    continue
                assert verify(ledger).damages == ()
                for book in shop.books:
                    for record in ledger.all_records(book.company):
                        if record.state is State.STAMPED:
                            self.compare(book, ledger, record)

    def compare(self, book: Book, ledger: Ledger, record: Record) -> None:
        document = self.document(book.company, record.external_ref)
        assert document is not None, record
        assert document.stamp == record.answer.reception_stamp, record
        ours, theirs = self.sale_in_ledger(book, ledger, record), self.sale_at_provider(document)
        assert ours is theirs, (ours, theirs, record)
        assert document.amounts.gross == record.expected_gross, (ours, document.amounts, record)

    def settle_everything(self) -> None:
        """With a provider that works and true answers, everything is issued, or the program says what it lacks."""
        self.provider.clear_faults()
        self.provider.change(contingency_refs=(), rejected_refs=())
        self.provider.resolve("stamped")
        self.keys = dict(KEYS)
        left = [(book, file) for shop in self.shops for book in shop.books for file in book.files()]
        for _ in range(2):
            for book, file in left:
                self.issue_and_answer(book, [file], 0)
            left = [
                (book, file)
                for book, file in left
                if any(self.last[one].code for one in book.of_file(*file) if one in self.last)
            ]
            self.documents_are_the_sales_that_were_made()
            self.no_ledger_claims_what_is_another_sales()
        for sale in (sale for shop in self.shops for book in shop.books for sale in book.sales):
            if not sale.withdrawn and not self.documents_of(sale):
                self.lacks(sale)

    def lacks(self, sale: Sale) -> None:
        """A sale that is not issued although everything works: the program asks about it, or says who refused it."""
        done, record = self.last[sale], self.record_of(sale)
        if done.code == 2:
            assert "Nothing was sent" in done.err, (sale, done)
            return
        assert done.code == 1, (sale, done)
        with reading(sale.book.shop.folder / "ledger.db") as ledger:
            left = ledger.in_states(sale.book.company, (State.UNSURE,)) if ledger else []
        is_refused = record is not None and record.state in (State.REJECTED, State.INVALID)
        is_conflict = "already issued" in done.out
        assert is_refused or is_conflict or any(one.reason in WHOSE for one in left), (sale, record, done)


@contextlib.contextmanager
def reading(path: Path) -> Iterator[Ledger | None]:
    if not path.exists():
        yield None
        return
    ledger = open_to_read(path)
    try:
        yield ledger
    finally:
        ledger.close()


@contextlib.contextmanager
def in_folder(folder: Path) -> Iterator[None]:
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


NeverTwiceIdentity.TestCase.settings = hypothesis_settings(max_examples=20, stateful_step_count=16, deadline=None)
TestNeverTwiceIdentity = NeverTwiceIdentity.TestCase
