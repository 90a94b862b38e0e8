"""What may be chosen in the workbook to fill in: the lists, as they are shown, and the formulas that follow a choice.

Every value is understood as it stands: `05 Transferencia` is read as 05. A test reads all of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from batch_issuer.messages import N_
from batch_issuer.model.documents import DOC_TYPES
from batch_issuer.rules import catalogs
from batch_issuer.rules.catalogs import Catalog

TYPE_NAMES: Mapping[str, str] = {
    "01": "Factura",
    "03": "Crédito fiscal",
    "05": "Nota de crédito",
    "11": "Exportación",
    "14": "Sujeto excluido",
}
_SHORT_NAMES: Mapping[str, str] = {"01": "Efectivo", "05": "Transferencia", "99": "Otros"}
"""Payment methods, as people call them."""
YES_NO: Mapping[str, tuple[str, str]] = {"es": ("Sí", "No"), "en": ("Yes", "No")}


@dataclass(frozen=True, slots=True, kw_only=True)
class ListTable:
    """Columns of the sheet of lists that stand together; `names` name those that cells are chosen from."""

    title: str
    names: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    widths: tuple[int, ...]


def list_tables(language: str) -> list[ListTable]:
    """Return all lists, in the order of the sheet. Places follow each other: department, municipality, district."""
    payments = {code: _SHORT_NAMES.get(code, name) for code, name in catalogs.payment_methods().names.items()}
    departments, territory = catalogs.departments().names, catalogs.territory()
    municipalities = sorted(territory.municipalities.values(), key=lambda one: (one.department, one.name))
    districts = sorted(
        (one.department, territory.municipality_of(one).name, one.name) for one in territory.districts.values()
    )
    return [
        _single(N_("Document types"), "types", _with_codes({code: TYPE_NAMES[code] for code in DOC_TYPES}), 22),
        _single(N_("Payment methods"), "payments", _with_codes(payments), 34),
        _single(N_("Conditions"), "conditions", _of(catalogs.conditions()), 14),
        _single(N_("Term units"), "terms", _of(catalogs.term_units()), 12),
        _single(N_("Identification"), "identities", _of(catalogs.identity_documents()), 26),
        _single(N_("Contributor types"), "contributors", _of(catalogs.contributors()), 18),
        _single(N_("Yes or no"), "yes_no", YES_NO[language], 10),
        _single(N_("Departments"), "departments", departments.values(), 24),
        ListTable(
            title=N_("Municipalities of each department"),
            names=("mun_dep", "municipalities"),
            rows=tuple((departments[one.department], one.name) for one in municipalities),
            widths=(24, 28),
        ),
        ListTable(
            title=N_("Districts of each municipality"),
            names=("dis_dep", "dis_mun", "districts"),
            rows=tuple((departments[department], *names) for department, *names in districts),
            widths=(24, 28, 30),
        ),
        _single(N_("Economic activities (CAT-019)"), "activities", _of(catalogs.activities()), 90),
    ]


def chosen_from(values: str, cells: Mapping[str, str]) -> str:
    """Return the formula for a cell that is chosen from a list; `cells` are the row's cells, by field.

    Municipalities are those of the department beside them, districts those of the municipality, or else of the
    department; as long as neither is chosen, all. Longer lists are cut out of the sheet by place and count.
    """
    # Without a function that filters: Excel before 2021 and LibreOffice before 24.8 have none.
    department, municipality = cells["department"], cells["municipality"]
    formula = values
    if values == "municipalities":
        formula = _part(values, "mun_dep", department, values)
    elif values == "districts":
        formula = _part(values, "dis_dep", department, values)
        formula = _part(values, "dis_mun", municipality, formula)
    return f"={formula}"


def _part(values: str, key: str, cell: str, otherwise: str) -> str:
    """Return the formula for the rows of a list beside a key: one run of them, since the lists are sorted."""
    count = f"COUNTIF({key},{cell})"
    return f"IF({count},OFFSET({values},MATCH({cell},{key},0)-1,0,{count}),{otherwise})"


def _single(title: str, name: str, values: Iterable[str], width: int) -> ListTable:
    return ListTable(title=title, names=(name,), rows=tuple((value,) for value in values), widths=(width,))


def _with_codes(names: Mapping[str, str]) -> list[str]:
    return [f"{code} {name}" for code, name in names.items()]


def _of(catalog: Catalog) -> list[str]:
    return _with_codes(catalog.names)
