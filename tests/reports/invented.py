"""An invented day of a shop: the runs and the documents as a ledger would give them, with every state and every trap."""

from __future__ import annotations

import datetime as dt
import random
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from batch_issuer.model.documents import Amounts, SourceRows
from batch_issuer.model.money import split_vat
from batch_issuer.model.records import Answer, Note, Record, RunRecord, SignOff, Wait
from batch_issuer.model.states import State
from batch_issuer.reconcile import (
    About,
    Background,
    Cause,
    OpenItem,
    Reconciliation,
    Scope,
    SignedOff,
    Since,
    Tally,
    reconcile,
)

OPENING = dt.datetime(2026, 11, 20, 14, 3, 11, 250_000, tzinfo=dt.UTC)
"""08:03 in El Salvador."""
SCRIPT = "</script><img src=x onerror=alert(1)>"
FORMULA = '=HYPERLINK("http://example.com/?"&A1;"ver")'
RIGHT_TO_LEFT = "Caf\u00e9 \u202etxt.exe\u202c \u05d0\u05d1 \u200f\u200f"
LONG_REF = "SUC-CENTRO-" + "2026" * 20 + "-000000042"
TEMPLATE_WORDS = "{{ 7 * 7 }} {% raw %} ${1+1} <!--"
TRAPS = (
    SCRIPT,
    FORMULA,
    RIGHT_TO_LEFT,
    TEMPLATE_WORDS,
    "+503 7000-0000",
    "@SUM(A1)",
    "-1+2",
    "\tTab",
    "_x0041_",
    "&amp;",
    "<r><t>rich</t></r>",
)
"""Texts that must stay texts, wherever they are shown."""

SHEET = ("ventas-noviembre.xlsx", "Ventas")
BRANCHES = ("Casa Matriz", "Sucursal Poniente", "Sucursal Puerto")
TYPES = ("01",) * 8 + ("03",) * 3 + ("11", "14", "05")
CUSTOMERS = (
    "Consumidor final", "Ferretería La Muestra, S.A. de C.V.", "Distribuidora Ejemplo", "Tienda La Prueba",
    "Comedor El Modelo", "Importadora Ficticia de Oriente, S.A. de C.V.", "Taller Ensayo",
)  # fmt: skip
REFUSALS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("096", ("Campo #/receptor/correo no cumple el formato requerido",)),
    ("095", ("NRC del receptor inválido o no existe",)),
    ("092", ("Campo #/receptor/tipoDocumento no es válido", "Campo #/receptor/numDocumento es requerido")),
)


def moment(seconds: float) -> str:
    """UTC, as the ledger writes it."""
    return (OPENING + dt.timedelta(seconds=seconds)).isoformat(timespec="microseconds")


def identifier(chance: random.Random) -> str:
    return str(uuid.UUID(int=chance.getrandbits(128), version=4)).upper()


def document(number: int, state: State, chance: random.Random, **changes: Any) -> Record:
    """One document; its answer has what the provider gives in that state."""
    doc_type = chance.choice(TYPES)
    gross = Decimal(chance.randrange(95, 48_000)) / 100
    seconds = number * 1.7
    numbered = state in (State.STAMPED, State.CONTINGENCY, State.REJECTED, State.CANCELLED)
    settled = state in (State.STAMPED, State.REJECTED, State.INVALID, State.CANCELLED)
    plain: dict[str, Any] = {
        "company": "ejemplo",
        "external_ref": f"F-{number:06d}",
        "doc_type": doc_type,
        "state": state,
        "fingerprint": f"{number:064x}",
        "expected_gross": gross,
        "source": SourceRows(file=SHEET[0], sheet=SHEET[1], rows=tuple(range(number * 3 + 2, number * 3 + 5))),
        "date": "2026-11-20",
        "branch": chance.choice(BRANCHES),
        "customer": chance.choice(CUSTOMERS),
        "payment_method": chance.choice(("01", "01", "03", "05")),
        "lines": 3,
        "answer": answer(number, doc_type, state, gross, chance) if numbered or state is State.INVALID else Answer(),
        "attempts": 0 if state is State.PLANNED else 1,
        "first_sent_at": "" if state is State.PLANNED else moment(seconds),
        "numbered_at": moment(seconds + 0.4) if numbered else "",
        "settled_at": moment(seconds + 0.4) if settled else "",
        "updated_at": moment(seconds + 0.4),
        "run": "run-2",
        "reason": {State.UNSURE: "read-timeout", State.PLANNED: "run-ended"}.get(state, ""),
    }
    return Record(**{**plain, **changes})


def answer(number: int, doc_type: str, state: State, gross: Decimal, chance: random.Random) -> Answer:
    if state is State.INVALID:
        return Answer(http_status=400, detail="El NIT del receptor no es válido")
    taxable, vat = split_vat(gross) if doc_type != "11" else (gross, Decimal("0.00"))
    retention = (taxable / 100).quantize(Decimal("0.01")) if doc_type == "03" else Decimal("0.00")
    given: dict[str, Any] = {
        "http_status": 200,
        "document_id": identifier(chance).lower(),
        "control_number": f"DTE-{doc_type}-M001P001-{number:015d}",
        "generation_code": identifier(chance),
        "amounts": Amounts(taxable=taxable, vat=vat, gross=gross, retention=retention, total=gross - retention),
    }
    if state in (State.STAMPED, State.CANCELLED):
        given["reception_stamp"] = f"2026{chance.getrandbits(144):036X}"[:40]
    if state is State.REJECTED:
        code, words = REFUSALS[number % len(REFUSALS)]
        given |= {"codigo_msg": code, "observaciones": words, "dte_state": "RECHAZADO", "amounts": Amounts()}
    return Answer(**given)


def problem(code: str, ref: str, row: int | None, column: str, value: str, en: str, es: str, fix: str, arregle: str,
            severity: str = "blocks", place: tuple[str, str] = SHEET) -> dict[str, Any]:  # fmt: skip
    """A problem as a run records it. `column` is a letter and a heading with a space between."""
    letter, _, heading = column.partition(" ")
    return {
        "code": code, "severity": severity, "external_ref": ref, "file": place[0], "sheet": place[1], "row": row,
        "column": letter, "heading": heading, "value": value,
        "message": {"en": en, "es": es}, "repair": {"en": fix, "es": arregle},
    }  # fmt: skip


def municipality(ref: str, row: int, value: str) -> dict[str, Any]:
    return problem(
        "unknown-municipality", ref, row, "K Municipio", value,
        f"The municipality «{value}» is not in the ministry's catalog (CAT-013).",
        f"El municipio «{value}» no está en el catálogo de Hacienda (CAT-013).",
        "Write its name or its code as in the catalog.", "Escriba el nombre o el código como en el catálogo.",
    )  # fmt: skip


def quantity(ref: str, row: int, value: str) -> dict[str, Any]:
    return problem(
        "quantity-not-positive", ref, row, "D Cantidad", value,
        f"The quantity is {value}; it must be more than zero.", f"La cantidad es {value}; debe ser mayor que cero.",
        "Correct it. If it is a return, take the row out and cancel the document that was issued.",
        "Corríjala. Si es una devolución, quite la fila y anule el documento que se emitió.",
    )  # fmt: skip


def held_back(
    number: int, *problems: dict[str, Any], ref: str = "", customer: str = "Tienda La Prueba"
) -> dict[str, Any]:
    return {
        "external_ref": ref or f"H-{number:06d}", "doc_type": "03", "file": SHEET[0], "sheet": SHEET[1],
        "rows": [number * 3 + 2, number * 3 + 3], "gross": f"{10 + number}.50", "branch": BRANCHES[number % 3],
        "date": "2026-11-20", "customer": customer, "payment_method": "01", "problems": list(problems),
    }  # fmt: skip


def everything_held_back() -> list[dict[str, Any]]:
    towns = ("Ahuachapan Centr", "S. Salvador", "La Libertad Este 2", "Usulután N.", "Sonsonate E")
    some = [
        held_back(900 + at, municipality(f"H-{900 + at:06d}", (900 + at) * 3 + 2, town))
        for at, town in enumerate(towns)
    ]
    some += [
        held_back(950 + at, quantity(f"H-{950 + at:06d}", (950 + at) * 3 + 3, value))
        for at, value in enumerate(("0", "-2", "-1"))
    ]
    some.append(held_back(970, municipality(LONG_REF, 2912, "Puerto"), quantity(LONG_REF, 2912, "-4"), ref=LONG_REF))
    return [*some, *hostile_held_back()]


def hostile_held_back() -> list[dict[str, Any]]:
    return [
        held_back(980 + at, municipality(f"{trap}-{at}", 2942 + at * 3, trap), ref=f"{trap}-{at}", customer=trap)
        for at, trap in enumerate(TRAPS)
    ]


def conflicts() -> list[dict[str, Any]]:
    return [
        {
            "external_ref": "F-000007", "state": "stamped", "file": SHEET[0], "sheet": SHEET[1], "rows": [23, 24],
            "issued_gross": "118.65", "file_gross": "135.60", "control_number": "DTE-01-M001P001-000000000000007",
            "changes": [
                {"what": "line 2: quantity", "issued": "7", "file": "8"},
                {"what": "customer_name", "issued": "Taller Ensayo", "file": "Taller Ensayo, S.A. de C.V."},
            ],
        },
        {
            "external_ref": "F-000031", "state": "contingency", "file": SHEET[0], "sheet": SHEET[1], "rows": [95],
            "issued_gross": "12.00", "file_gross": "12.00", "control_number": "DTE-03-M001P001-000000000000031",
            "changes": [{"what": "payment_method", "issued": "01", "file": SCRIPT}],
        },
    ]  # fmt: skip


def notes() -> list[dict[str, Any]]:
    zero = [
        problem(
            "zeros-restored", f"F-{at:06d}", at * 3 + 2, "H NIT", f"{6_140_101_901_010 + at}",
            f"«{6_140_101_901_010 + at}» had lost its leading zero and was read as 0{6_140_101_901_010 + at}.",
            f"«{6_140_101_901_010 + at}» había perdido su cero inicial y se leyó como 0{6_140_101_901_010 + at}.",
            "Give the column the format Text.", "Dé a la columna el formato Texto.", severity="warns",
        )
        for at in range(40, 46)
    ]  # fmt: skip
    loose = problem(
        "row-without-ref", "", 3_071, "A Número", "",
        "The row has no reference, so it belongs to no document and is not sent.",
        "La fila no tiene referencia, así que no pertenece a ningún documento y no se envía.",
        "Write the document's reference in the row.", "Escriba la referencia del documento en la fila.",
    )  # fmt: skip
    return [*zero, loose]


def some_documents(count: int, chance: random.Random) -> Iterator[Record]:
    """Mostly stamped, and each other state a few times."""
    rare = {
        40: State.CONTINGENCY, 41: State.CONTINGENCY, 57: State.REJECTED, 71: State.INVALID, 83: State.UNSURE,
    }  # fmt: skip
    for number in range(1, count + 1):
        yield document(number, rare.get(number % 97, State.STAMPED), chance)


def special_documents(first: int, chance: random.Random) -> list[Record]:
    """What happens seldom: old contingency, differences, duplicates, observations, cancelled, never sent, hostile words."""
    old = [
        document(first + at, State.CONTINGENCY, chance, numbered_at=moment(-3600 * hours), date="2026-11-17")
        for at, hours in enumerate((5, 30, 50, 80, 200))
    ]
    dearer = document(first + 10, State.STAMPED, chance)
    dearer = changed_amount(dearer, Decimal("1.13"))
    rounded = changed_amount(document(first + 11, State.STAMPED, chance), Decimal("-0.01"))
    observed = document(first + 12, State.STAMPED, chance, unexpected_duplicate=True)
    rest = [
        document(first + 13, State.CANCELLED, chance),
        document(first + 14, State.SENDING, chance),
        document(first + 15, State.PLANNED, chance),
        document(first + 16, State.PLANNED, chance),
    ]
    hostile = [
        document(first + 20 + at, State.STAMPED, chance, external_ref=f"{trap}#{at}", customer=trap, branch=trap)
        for at, trap in enumerate(TRAPS)
    ]
    wordy = document(first + 40, State.REJECTED, chance)
    return [*old, dearer, rounded, observed, *rest, *hostile, with_words(wordy, SCRIPT), with_words(
        document(first + 41, State.UNSURE, chance, reason="server-error"), FORMULA)]  # fmt: skip


def changed_amount(record: Record, by: Decimal) -> Record:
    amounts = replace(record.answer.amounts, gross=record.expected_gross + by)
    return replace(record, answer=replace(record.answer, amounts=amounts))


def with_words(record: Record, words: str) -> Record:
    return replace(record, answer=replace(record.answer, detail=words, observaciones=(), dte_message=words))


def runs(documents: int, summary: Mapping[str, Any], *, stopped: str = "") -> list[RunRecord]:
    return [
        RunRecord(
            run="run-2", company="ejemplo", command="issue", version="0.1.0", started_at=moment(0), pid=4242,
            ended_at=moment(documents * 1.7 + 60), exit_code=3 if stopped else 1, host="caja-1", summary=summary,
            ending={"exit_code": 3 if stopped else 1, "posts": documents, "seconds": documents * 1.7, "stopped": stopped},
        )
    ]  # fmt: skip


def summary_of(records: list[Record], held: list[dict[str, Any]], **changes: Any) -> dict[str, Any]:
    rows = sum(record.lines for record in records) + sum(len(one["rows"]) for one in held)
    total = sum((record.expected_gross for record in records), sum((Decimal(one["gross"]) for one in held), Decimal(0)))
    plain = {
        "sources": [
            {"file": SHEET[0], "sheet": SHEET[1], "sha256": "9f86d081" * 8, "rows": rows - 40, "documents": len(records),
             "control_total": str(total), "read_total": str(total), "notes": ""},
            {"file": "puerto.csv", "sheet": "", "sha256": "5e884898" * 8, "rows": 40, "documents": len(held),
             "control_total": None, "read_total": None, "notes": "cp1252 · ;"},
        ],
        "rows": rows, "documents": len(records) + len(held), "refs": [record.external_ref for record in records],
        "amounts": [str(record.expected_gross) for record in records],
        "held_back": held, "notes": notes(), "conflicts": conflicts(),
    }  # fmt: skip
    return plain | changes


def a_day(count: int = 600, *, stopped: str = "") -> Reconciliation:
    """A day on which everything that can happen does."""
    chance = random.Random(20)
    records = [*some_documents(count, chance), *special_documents(count + 100, chance)]
    return of(records, runs(len(records), summary_of(records, everything_held_back()), stopped=stopped))


def a_comparison(count: int = 120) -> Reconciliation:
    """Files against ledger against provider, with everything that can be found, written and signed about them."""
    chance = random.Random(29)
    records = [*some_documents(count, chance), *special_documents(count + 100, chance)]
    records.append(document(count + 150, State.STAMPED, chance, date="2026-10-31"))
    records.append(document(count + 151, State.STAMPED, chance, answer=replace(records[-1].answer)))
    only = [document(count + 200 + at, State.STAMPED, chance, external_ref=f"L-{at:04d}") for at in range(3)]
    carried = [
        document(count + 210 + at, state, chance, numbered_at=moment(-3600 * 90), settled_at=moment(-3600 * 90),
                 updated_at=moment(-3600 * 90), date="2026-11-16")
        for at, state in enumerate((State.CONTINGENCY, State.REJECTED, State.UNSURE))
    ]  # fmt: skip
    summary = summary_of(
        records, everything_held_back(), comparison=compared(records, [one.external_ref for one in only])
    )
    run = replace(runs(len(records), summary)[0], command="reconcile")
    run = replace(run, ending={**(run.ending or {}), "answered": 40, "state_changes": state_changes()})
    signed = SignOff(
        seq=900, at=moment(9000), by="Ana Preparadora", role="preparer", first="2026-11-20", last="2026-11-20",
        content="c" * 64, documents=700, gross=Decimal("98765.43"), needs_person=41, after=899, hash="0123" * 16,
    )  # fmt: skip
    made = of(
        records,
        [run],
        scope=Scope(about=About.FILES, first="2026-11-20", last="2026-11-20", chosen_by="dates"),
        background=Background(
            as_of=moment(20_000), since=moment(-3600 * 8), until=moment(3600 * 16), waits=list(waits(records)),
            carried=carried, only_in_ledger=only,
            noted=(
                Note(seq=901, at=moment(9100), external_ref="F-000040", by="Ana Preparadora", reason="El proveedor avisó de una falla."),
                Note(seq=902, at=moment(9200), external_ref="F-000057", by="Luis Revisor", reason=FORMULA),
            ),
            sign_offs=(
                SignedOff(sign_off=signed, unchanged=True, now=Tally(documents=700, gross=Decimal("98765.43"))),
                SignedOff(
                    sign_off=replace(signed, role="reviewer", by="Luis Revisor", at=moment(9300)), unchanged=False,
                    changed=("F-000040", "F-000057"), now=Tally(documents=701, gross=Decimal("98775.43")),
                ),
            ),
        ),
    )  # fmt: skip
    return replace(made, since=since(made))


def compared(records: list[Record], only_in_ledger: list[str]) -> dict[str, Any]:
    """What `reconcile` writes into its run about files and ledger."""
    lost = [
        {"external_ref": f"N-{at:04d}", "doc_type": "01", "file": SHEET[0], "sheet": SHEET[1], "rows": [5000 + at],
         "gross": f"{at + 3}.25", "branch": BRANCHES[0], "date": "2026-11-20", "customer": CUSTOMERS[at], "payment_method": "01",
         "looks_like": "F-000003" if at == 1 else ""}
        for at in range(3)
    ]  # fmt: skip
    return {
        "changed": [records[0].external_ref, records[1].external_ref],
        "missing": lost, "only_in_ledger": only_in_ledger,
        "lookalikes": [
            {"external_ref": "F-000011", "other_ref": "F-000012", "in_files": True, "gross": "20.00", "customer": CUSTOMERS[1]}
        ],
    }  # fmt: skip


def state_changes() -> list[dict[str, Any]]:
    return [
        {"external_ref": "F-000041", "before": "contingency", "now": "stamped", "recorded": True, "gross": "10.00", "reason": ""},
        {"external_ref": "N-0002", "before": "", "now": "stamped", "recorded": False, "gross": "5.25", "reason": ""},
        {"external_ref": "F-000042", "before": "stamped", "now": "not-found", "recorded": False, "gross": "11.00", "reason": "not-found"},
    ]  # fmt: skip


def waits(records: list[Record]) -> Iterator[Wait]:
    for one in records:
        if one.state is State.CONTINGENCY:
            yield Wait(external_ref=one.external_ref, gross=one.expected_gross, entered_at=one.numbered_at)
    for at, state in enumerate((State.STAMPED, State.STAMPED, State.REJECTED)):
        yield Wait(
            external_ref=f"W-{at}",
            gross=Decimal("7.50"),
            entered_at=moment(-3600 * 30),
            left_at=moment(600),
            left_to=state,
        )


def since(made: Reconciliation) -> Since:
    """An earlier report, of whose open items some are done and some are not."""
    old, new = made.open_items[:5], made.open_items[5:9]
    done = OpenItem(cause=Cause.REJECTED, external_ref="F-000999", gross=Decimal("45.60"), detail="096")
    return Since(
        report="fedcba9876543210",
        as_of=moment(-3600 * 24),
        resolved=(done,),
        gone=(replace(done, external_ref="F-000998"),),
        still_open=old,
        new=new,
    )


def a_quiet_day(count: int = 120) -> Reconciliation:
    """A day on which everything is stamped."""
    chance = random.Random(7)
    records = [document(number, State.STAMPED, chance) for number in range(1, count + 1)]
    return of(records, runs(count, summary_of(records, [], notes=[], conflicts=[])))


def a_month(count: int) -> Reconciliation:
    """Very many documents, nearly all stamped."""
    chance = random.Random(11)
    records = list(some_documents(count, chance))
    return of(records, runs(count, summary_of(records, everything_held_back())))


def a_bad_day(count: int) -> Reconciliation:
    """A day on which every document is refused for one and the same reason."""
    chance = random.Random(13)
    records = [document(number * 3, State.REJECTED, chance) for number in range(1, count + 1)]
    return of(records, runs(count, summary_of(records, [], notes=[], conflicts=[])))


def a_small_day() -> Reconciliation:
    """Six documents and one held back: what golden files are made of."""
    chance = random.Random(3)
    states = (State.STAMPED, State.STAMPED, State.CONTINGENCY, State.REJECTED, State.UNSURE, State.STAMPED)
    records = [document(number, state, chance) for number, state in enumerate(states, 1)]
    records[1] = changed_amount(records[1], Decimal("0.02"))
    records[5] = changed_amount(records[5], Decimal("5.00"))
    held = [held_back(9, municipality("H-000009", 29, "Ahuachapan Centr"))]
    return of(records, runs(6, summary_of(records, held, notes=notes()[:1], conflicts=conflicts()[:1])))


def nothing() -> Reconciliation:
    """A ledger in which nothing was ever done."""
    return of([], [])


def of(records: list[Record], executed: list[RunRecord], **beside: Any) -> Reconciliation:
    return reconcile(
        company="ejemplo",
        company_name="Comercial El Ejemplo, S.A. de C.V.",
        runs=executed,
        records=records,
        tolerance=Decimal("0.01"),
        **beside,
    )
