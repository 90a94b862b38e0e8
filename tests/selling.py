"""Shops that sell, and the spreadsheets that they make of it: what is really true, for machines to compare with.

Nothing in here knows the program: a sale is a thing that happened, whatever number a till has given it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

DAYS = ("2026-11-23", "2026-11-24", "2026-11-25")
SAME = "Pan dulce"
"""What many sales are of, so that nothing but their numbers and days tells them apart."""
MOST = 3
"""Sales in a file: so many the program looks up one by one before it sends any."""


class Place(NamedTuple):
    """Where a sale was made."""

    branch: str
    till: str


class Habit(NamedTuple):
    """How a till numbers its sales, and what its program writes beside them."""

    dated: bool
    restarts: bool
    """Its numbers begin at 1 again each day."""
    form: str
    several: bool = False
    """There are several branches and tills, each with numbers of its own, and the file says which."""


HABITS: Mapping[str, Habit] = {
    "dated": Habit(dated=True, restarts=True, form="{}"),
    "undated": Habit(dated=False, restarts=True, form="{}"),
    "zeros": Habit(dated=True, restarts=True, form="{:03}"),
    "places": Habit(dated=True, restarts=False, form="{}", several=True),
    "places-undated": Habit(dated=False, restarts=True, form="{:02}", several=True),
    "letters": Habit(dated=False, restarts=False, form="V-{:02}"),
    "accents": Habit(dated=True, restarts=False, form="Ñ-{:02}é"),
}

SAVED_AGAIN: Sequence[Callable[[str], str]] = (
    str,
    lambda text: re.sub(r"(?<!\d)0+(?=\d)", "", text),
    str.lower,
    lambda text: unicodedata.normalize("NFD", text),
    lambda text: text.replace("-", "\u2013"),
    lambda text: text.replace("-", "- "),
)
"""What spreadsheet programs and people make of a reference."""


@dataclass(eq=False)
class Sale:
    """Something that a shop has sold once, and what it sold it for; `said` is all that its files ever said."""

    book: Book
    day: str
    place: Place
    number: int
    text: str
    """The number, as the till wrote it."""
    description: str
    price: Decimal
    rows: int = 1
    pasted: bool = False
    """Its rows are one row that somebody pasted again."""
    withdrawn: bool = False
    said: set[Decimal] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.said.add(self.gross)

    @property
    def gross(self) -> Decimal:
        return self.price * (1 if self.pasted else self.rows)

    @property
    def is_told_apart(self) -> bool:
        """Whether what was sold says which sale it is."""
        return self.description != SAME

    def __repr__(self) -> str:
        return f"<{self.description} {self.book.name}/{self.day}/{'/'.join(self.place)}/{self.text} {self.gross}>"


@dataclass(eq=False)
class Shop:
    """A folder with the files of one or two companies, their ledger and settings."""

    folder: Path
    habit: Habit
    places: Sequence[Place]
    companies: Sequence[str]
    adopted: bool = False
    """Whether more than the number is in the reference, as the program proposes."""
    keeps_references: bool = False
    """Whether its files are never saved again, nor its references made otherwise."""
    books: list[Book] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.folder.mkdir()
        self.books = [Book(self, company) for company in self.companies]
        self.write_settings()

    @property
    def template(self) -> str:
        parts = ["Sucursal", *(["No. caja"] if self.habit.several else []), *(["Fecha"] if self.habit.restarts else [])]
        return "-".join(f"{{{name}}}" for name in (*parts, "Número"))

    @property
    def headings(self) -> list[str]:
        dated = self.habit.dated or (self.adopted and self.habit.restarts)
        placed = self.habit.several or self.adopted
        asked = (("Fecha", dated), ("Sucursal", placed), ("No. caja", self.habit.several))
        return ["Número", *(name for name, wanted in asked if wanted), "Descripción", "Cantidad", "Precio"]

    @property
    def may_adopt(self) -> bool:
        return not self.adopted and not self.keeps_references

    def adopt(self) -> None:
        self.adopted = True
        self.write_settings()

    def write_settings(self) -> None:
        own = (
            f"[source]\nexternal_ref = '{self.template}'\n" if self.adopted else '[columns]\nexternal_ref = "Número"\n'
        )
        companies = "".join(f'[companies.{name}]\nkey_env = "{name.upper()}_KEY"\n' for name in self.companies)
        (self.folder / "batch-issuer.toml").write_text(own + companies, encoding="utf-8")


@dataclass(eq=False)
class Book:
    """The sales of one company in one shop."""

    shop: Shop
    company: str
    sales: list[Sale] = field(default_factory=list)

    @property
    def name(self) -> str:
        return f"{self.shop.folder.name}/{self.company}"

    def files(self) -> list[tuple[str, Place]]:
        """The days and tills of which there is a file."""
        return list(dict.fromkeys((one.day, one.place) for one in self.sales))

    def of_file(self, day: str, place: Place) -> list[Sale]:
        return [one for one in self.sales if (one.day, one.place) == (day, place)]

    def next_number(self, day: str, place: Place) -> int:
        restarts = self.shop.habit.restarts
        return 1 + sum(one.place == place and (one.day == day or not restarts) for one in self.sales)

    def file_name(self, day: str, place: Place) -> str:
        return f"{self.company}-{day}-{self.shop.places.index(place)}.csv"

    def write(self, day: str, place: Place, variant: int) -> File:
        """Write the file, as if it had been saved again by some program."""
        sales = [one for one in self.of_file(day, place) if not one.withdrawn]
        texts = [SAVED_AGAIN[variant](one.text) for one in sales]
        if len(set(texts)) < len(texts):
            texts = [one.text for one in sales]
        lines, whose = [",".join(self.shop.headings)], list[Sale]()
        for sale, text in zip(sales, texts, strict=True):
            cells = {
                "Número": text, "Fecha": day, "Sucursal": place.branch, "No. caja": place.till,
                "Descripción": sale.description, "Cantidad": "1", "Precio": str(sale.price),
            }  # fmt: skip
            lines += [",".join(cells[heading] for heading in self.shop.headings)] * sale.rows
            whose += [sale] * sale.rows
        name = self.file_name(day, place)
        (self.shop.folder / name).write_text("\n".join(lines) + "\n", encoding="utf-8")
        return File(name, whose)

    def sale_of(self, file: str, reference: str) -> Sale | None:
        """The sale of a file that has this number, by the file's name."""
        found = re.search(r"(\d+)\D*$", reference)
        for day, place in self.files():
            if found and Path(file).name == self.file_name(day, place):
                return next((one for one in self.of_file(day, place) if one.number == int(found[1])), None)
        return None


class File(NamedTuple):
    """A file that was written, and whose each of its rows is."""

    name: str
    rows: list[Sale]

    @property
    def sales(self) -> list[Sale]:
        return list(dict.fromkeys(self.rows))
