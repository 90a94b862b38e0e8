"""Where a customer lives: department, municipality and district as people write them, to the codes that travel.

The provider names districts by its own UUIDs, which are not known here: a district by name becomes its department and
municipality. Codes of municipalities from before the reform of 2024 are refused, never translated silently.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from batch_issuer.messages import N_
from batch_issuer.model.problems import Kind, Problem
from batch_issuer.rules.catalogs import Municipality, departments, fold, remembered, territory
from batch_issuer.rules.identifiers import is_all_digits, is_uuid

DEPARTMENT_UNKNOWN = Kind(
    code="department-unknown",
    message=N_("There is no department «{value}»."),
    repair=N_("Write one of: {known}."),
)
DEPARTMENT_MISSING = Kind(
    code="department-missing",
    message=N_("The municipality «{value}» has no department beside it, and its code is not unique in the country."),
    repair=N_("Fill in the department, or write the municipality by its name."),
)
MUNICIPALITY_MISSING = Kind(
    code="municipality-missing",
    message=N_("The department {department} has no municipality beside it; the provider needs both or neither."),
    repair=N_("Fill in the municipality, one of: {known}. Or leave the department empty too."),
)
MUNICIPALITY_UNKNOWN = Kind(
    code="municipality-unknown",
    message=N_("There is no municipality or district «{value}» in {department}."),
    repair=N_("Write one of: {known}."),
)
MUNICIPALITY_ELSEWHERE = Kind(
    code="municipality-elsewhere",
    message=N_("«{value}» is in {actual}, and the department says {department}."),
    repair=N_("Correct the department or the municipality."),
)
MUNICIPALITY_OLD_CODE = Kind(
    code="municipality-old-code",
    message=N_("«{value}» is the code that {district} had as a municipality until May 2024."),
    repair=N_("Write {code} ({name}), if it is that place."),
)
PLACE_AMBIGUOUS = Kind(
    code="place-ambiguous",
    message=N_("«{value}» stands for several places: {places}."),
    repair=N_("Fill in the department, so that it is clear which one."),
)
DISTRICT_UNKNOWN = Kind(
    code="district-unknown",
    message=N_("There is no district «{value}» in the ministry's catalog (CAT-008)."),
    repair=N_("Write the district's name, for example Santa Tecla; or leave it empty and fill in the municipality."),
)
DISTRICT_ELSEWHERE = Kind(
    code="district-elsewhere",
    message=N_("The district «{value}» is in {actual}, and the sheet says {written}."),
    repair=N_("Correct the district, or the department and municipality beside it."),
)
PLACE_KINDS = (
    DEPARTMENT_UNKNOWN, DEPARTMENT_MISSING, MUNICIPALITY_MISSING, MUNICIPALITY_UNKNOWN, MUNICIPALITY_ELSEWHERE,
    MUNICIPALITY_OLD_CODE, PLACE_AMBIGUOUS, DISTRICT_UNKNOWN, DISTRICT_ELSEWHERE,
)  # fmt: skip

_LONGEST_SHORT_CODE = 2


@dataclass(frozen=True, slots=True)
class Placing:
    """Codes to send, and the first fault on the way with the field in which it stands."""

    department: str = ""
    municipality: str = ""
    district: str = ""
    fault: Problem | None = None
    field: str = ""


@remembered(16384)
def place(department: str, municipality: str, district: str) -> Placing:
    """Department and municipality exist and belong together, the district too (CAT-012, CAT-013, CAT-008; July 2026).

    Each may be a code (short "24" or long "1124") or a name, with its zeros lost or not; a town's name in the
    municipality's column is taken as the district that it is. A district given as UUID is kept as it is.
    """
    try:
        code = departments().code_of(department)
        if department and not code:
            known = ", ".join(departments().names.values())
            raise _Misplaced("department", Problem(DEPARTMENT_UNKNOWN, department, {"known": known}))
        written = _municipality(code, municipality) if municipality else None
        # The provider names its districts by UUID, which only it can check.
        if district and not is_uuid(district):
            return _sent(_of_district(code, written, district))
        if written:
            return _sent(written, district)
        if code and not district:
            raise _Misplaced("municipality", Problem(MUNICIPALITY_MISSING, "", _within(code)))
        return Placing(district=district)
    except _Misplaced as wrong:
        return Placing(department, municipality, district, wrong.fault, wrong.field)


class _Misplaced(Exception):  # noqa: N818 - it never leaves this module
    def __init__(self, field: str, fault: Problem) -> None:
        super().__init__(field)
        self.field = field
        self.fault = fault


def _sent(municipality: Municipality, district: str = "") -> Placing:
    return Placing(municipality.department, municipality.code, district)


def _municipality(department: str, text: str) -> Municipality:
    """Return the municipality that a text of its column means, in the department where one is written."""
    if is_all_digits(text.strip()):
        return _municipality_of_code(department, text.strip())
    key = fold(text)
    named = territory().municipalities_named.get(key, ())
    towns = tuple(territory().municipality_of(found) for found in territory().districts_named.get(key, ()))
    # Since May 2024 the towns of before are districts; sheets still write them as municipalities.
    here = _within_department(department, named) or _within_department(department, towns)
    elsewhere = named or towns
    if not here and elsewhere:
        parameters = {"department": _name(department), "actual": _places(elsewhere)}
        raise _Misplaced("municipality", Problem(MUNICIPALITY_ELSEWHERE, text, parameters))
    return _only("municipality", text, here, department)


def _within_department(department: str, places: Sequence[Municipality]) -> tuple[Municipality, ...]:
    return tuple(dict.fromkeys(found for found in places if department in ("", found.department)))


def _only(field: str, text: str, places: Sequence[Municipality], department: str) -> Municipality:
    if not places:
        raise _Misplaced(field, Problem(MUNICIPALITY_UNKNOWN, text, _within(department)))
    if len(places) > 1:
        raise _Misplaced(field, Problem(PLACE_AMBIGUOUS, text, {"places": _places(places)}))
    return places[0]


def _municipality_of_code(department: str, digits: str) -> Municipality:
    """Return the municipality of a code, which may state its department (`1124`) or not (`24`)."""
    stated, code = _split(digits)
    if stated and department and stated != department:
        parameters = {"department": _name(department), "actual": _name(stated)}
        raise _Misplaced("municipality", Problem(MUNICIPALITY_ELSEWHERE, digits, parameters))
    key = (stated or department, code)
    if not key[0]:
        raise _Misplaced("municipality", Problem(DEPARTMENT_MISSING, digits))
    if found := territory().municipalities.get(key):
        return found
    if former := territory().districts.get(key):
        today = territory().municipality_of(former)
        parameters = {"district": former.name, "code": today.code, "name": today.name}
        raise _Misplaced("municipality", Problem(MUNICIPALITY_OLD_CODE, digits, parameters))
    raise _Misplaced("municipality", Problem(MUNICIPALITY_UNKNOWN, digits, _within(key[0])))


def _split(digits: str) -> tuple[str, str]:
    """Divide a code into department and own code; a short one (`24`, not `1124`) states no department."""
    if len(digits) <= _LONGEST_SHORT_CODE:
        return "", digits.zfill(2)
    long = digits.zfill(4)
    return long[:-2], long[-2:]


def _of_district(department: str, written: Municipality | None, text: str) -> Municipality:
    """Return the municipality of a district, which must be in the department and municipality that are written."""
    if not is_all_digits(text.strip()):
        districts = territory().districts_named.get(fold(text), ())
    else:
        stated, code = _split(text.strip())
        districts = tuple(filter(None, [territory().districts.get((stated or department, code))]))
    if not districts:
        raise _Misplaced("district", Problem(DISTRICT_UNKNOWN, text))
    places = tuple(territory().municipality_of(found) for found in districts)
    here = [place for place in places if department in ("", place.department) and written in (None, place)]
    if not here:
        said = written.name if written else _name(department)
        raise _Misplaced("district", Problem(DISTRICT_ELSEWHERE, text, {"actual": _places(places), "written": said}))
    return _only("district", text, here, department)


def _name(department: str) -> str:
    return departments().names.get(department, department)


def _places(places: Sequence[Municipality]) -> str:
    return "; ".join(dict.fromkeys(f"{found.name} ({_name(found.department)})" for found in places))


def _within(department: str) -> dict[str, str]:
    if not department:
        return {"department": "El Salvador", "known": "San Salvador Centro, Soyapango, Santa Tecla…"}
    known = ", ".join(f"{found.code} {found.name}" for found in territory().of_department(department))
    return {"department": _name(department), "known": known}
