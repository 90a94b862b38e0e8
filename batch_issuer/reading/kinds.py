"""The problems that reading finds, by code. The codes are a public interface; `{value}` is the cell as it stands."""

from __future__ import annotations

from batch_issuer.messages import N_
from batch_issuer.model.problems import Kind, Severity

# Rows and sheets.
ROW_WITHOUT_REF = Kind(
    code="row-without-ref",
    message=N_("The row has no reference, so it belongs to no document and is not sent."),
    repair=N_(
        "Write the document's reference in the row. If rows without one belong to the document above, "
        "write continue_rows = true under [source] in the settings."
    ),
)
ROW_LEFT_OUT = Kind(
    code="row-left-out",
    message=N_("The row holds only «{value}» and was left out: it is not a sale."),
    repair=N_("Nothing to do if it is a note. If it is a sale, fill in its other columns."),
    severity=Severity.WARNS,
)
ROW_TOO_LONG = Kind(
    code="row-too-long",
    message=N_("The row has more cells than there are headings: «{value}» stands under none."),
    repair=N_(
        "A description may hold the separator: put it between quotation marks, or save the file from Excel again."
    ),
)
# Both of these block: a sale in the example would be lost, and an example that is issued is a false document.
SALE_IN_EXAMPLE = Kind(
    code="sale-in-example",
    message=N_("The sheet of examples is never issued, and somebody has written «{value}» into it."),
    repair=N_("If it is a sale, move it to the sheet «{sheet}»; if it is not, delete it."),
)
EXAMPLE_REF = Kind(
    code="example-ref",
    message=N_("«{value}» is a document of the template's examples: it is not issued."),
    repair=N_("Delete it; if it is a sale of yours, give it its own reference."),
)
NO_ROWS = Kind(
    code="no-rows",
    message=N_("The sheet has headings and no sales below them."),
    repair=N_("Nothing to do if there were no sales."),
    severity=Severity.WARNS,
)
TOTAL_ROW_DIFFERS = Kind(
    code="total-row-differs",
    message=N_(
        "The sheet's own total row says {value}, and the rows read add up to {sum}: a row may be missing or too many."
    ),
    repair=N_("Compare the sheet with the documents listed before sending; correct the total row or the rows."),
)
HIDDEN_ROW_READ = Kind(
    code="hidden-row-read",
    message=N_("The row is hidden in the workbook and was read, as the settings want it."),
    repair=N_("Nothing to do if that is right."),
    severity=Severity.WARNS,
)
HIDDEN_ROW_SKIPPED = Kind(
    code="hidden-row-skipped",
    message=N_("The row is hidden in the workbook and was left out, as the settings want it."),
    repair=N_("Nothing to do if that is right."),
    severity=Severity.WARNS,
)
REPEATED_ROW_LEFT_OUT = Kind(
    code="repeated-row-left-out",
    message=N_(
        "The row is equal in every cell to row {first} of the same document and was left out, as the settings want it."
    ),
    repair=N_(
        "Nothing to do if it was pasted twice. If the same thing was sold twice, write "
        'repeated_rows = "count" under [source] in the settings.'
    ),
    severity=Severity.WARNS,
)
REPEATED_ROWS_COUNTED = Kind(
    code="repeated-rows-counted",
    message=N_(
        "{count} rows are equal in every cell to another row of the same document, the first is row {row}, equal to "
        "row {first}. They are so many, and so scattered, that the program that made the file writes them by itself: "
        "each was counted. They come to ${amount}; documents: {documents}."
    ),
    repair=N_(
        "Nothing to do if the program writes a row for each piece that is sold. If rows were pasted twice, write "
        'repeated_rows = "once" under [source] in the settings.'
    ),
    severity=Severity.WARNS,
)
HIDDEN_COLUMN = Kind(
    code="hidden-column",
    message=N_("The column «{value}» is hidden in the workbook and was read."),
    repair=N_("Show the column and check it, or name another one under [columns] in the settings."),
    severity=Severity.WARNS,
)
SHOWN_DIFFERENTLY = Kind(
    code="shown-differently",
    message=N_(
        "The workbook shows this cell with the format «{format}»; what it stores, and what was read, is «{value}»."
    ),
    repair=N_("Check that the value read is the one that you mean; give the column the format Text to be sure."),
    severity=Severity.WARNS,
)
# What one cell holds.
TEXT_GARBLED = Kind(
    code="text-garbled",
    message=N_("The text «{value}» looks garbled: the file was saved in another encoding than it was opened with."),
    repair=N_("Save it again from the program that made it, as «CSV UTF-8», or correct the text."),
)
ERROR_VALUE = Kind(
    code="error-value",
    message=N_("The cell holds the spreadsheet error {value}."),
    repair=N_("Correct the formula or write the value."),
)
FORMULA_WITHOUT_VALUE = Kind(
    code="formula-without-value",
    message=N_("The cell holds the formula {value} and no stored result."),
    repair=N_("Open the workbook in Excel, save it and run again; or replace the formula by its value."),
)

QUANTITY_MISSING = Kind(
    code="quantity-missing", message=N_("The quantity is empty."), repair=N_("Write the quantity sold.")
)
UNIT_PRICE_MISSING = Kind(
    code="unit-price-missing", message=N_("The unit price is empty."), repair=N_("Write the price of one unit.")
)
_WRITE_A_NUMBER = N_("Write only a number, with the same decimal mark as the rest of the column.")
QUANTITY_NOT_A_NUMBER = Kind(
    code="quantity-not-a-number", message=N_("The quantity «{value}» is not a number."), repair=_WRITE_A_NUMBER
)
UNIT_PRICE_NOT_A_NUMBER = Kind(
    code="unit-price-not-a-number", message=N_("The unit price «{value}» is not a number."), repair=_WRITE_A_NUMBER
)
DISCOUNT_NOT_A_NUMBER = Kind(
    code="discount-not-a-number",
    message=N_("The discount «{value}» is not a number."),
    repair=N_("Write the percentage as a number: 10 or 10% is ten percent."),
)
# A spreadsheet shows a stored 0.1 as 10 %, and a person may mean a tenth of one: it is told, never multiplied.
DISCOUNT_A_FRACTION = Kind(
    code="discount-a-fraction",
    message=N_("The discount «{value}» is {value} % or {hundredfold} %."),
    repair=N_("Write it with the per cent sign, for example {hundredfold}%."),
)
TOTAL_NOT_A_NUMBER = Kind(
    code="total-not-a-number", message=N_("The total «{value}» is not a number."), repair=_WRITE_A_NUMBER
)
OTHER_DECIMAL_MARK = Kind(
    code="other-decimal-mark",
    message=N_("«{value}» is not a number where the decimal mark is «{mark}»."),
    repair=N_("Write it like the rest of the column, or change decimal under [source] in the settings."),
)
OTHER_CURRENCY = Kind(
    code="other-currency",
    message=N_("«{value}» is not in US dollars, the only currency of documents."),
    repair=N_("Write the amounts in dollars, or take the sale out of the file."),
)
MARKED_AS_NO_SALE = Kind(
    code="marked-as-no-sale",
    message=N_("The sheet marks the row «{value}» under «{heading}»: it may be no sale, or no longer one."),
    repair=N_(
        "Take its rows out if it was cancelled, returned or never completed. If it is a sale, correct the cell; "
        'if the column says nothing about that, write ignore = ["{heading}"] under [source] in the settings.'
    ),
)
PAID_OR_CALLED_OFF = Kind(
    code="paid-or-called-off",
    message=N_("The sheet says «{value}» under «{heading}»: that may mean paid, or called off."),
    repair=N_(
        "Take the rows out if the sale was called off. If the word means paid, write "
        'ignore = ["{heading}"] under [source] in the settings.'
    ),
)
LINE_AMOUNT_DIFFERS = Kind(
    code="line-amount-differs",
    message=N_("«{heading}» says {value} and quantity × price comes to {computed}: they must agree to the cent."),
    repair=N_(
        "Correct the row. If the column is no amount of the line, write "
        'ignore = ["{heading}"] under [source] in the settings.'
    ),
)
MAY_GO_ON_BELOW = Kind(
    code="may-go-on-below",
    message=N_("Below the document stand rows without a reference, from row {row} on: they may belong to it."),
    repair=N_(
        "If they do, write continue_rows = true under [source] in the settings. If not, write their own reference "
        "in them. Until then the document waits, because it may lack lines."
    ),
)
SCIENTIFIC_NOTATION = Kind(
    code="scientific-notation",
    message=N_("«{value}» is in scientific notation: the spreadsheet program has cut off digits."),
    repair=N_("Give the column the format Text, write the whole value again, and save."),
)
TOO_MANY_DIGITS = Kind(
    code="too-many-digits",
    message=N_("«{value}» has more than 15 digits and was stored as a number: the last digits are lost."),
    repair=N_("Give the column the format Text, write the whole value again, and save."),
)
ZEROS_RESTORED = Kind(
    code="zeros-restored",
    message=N_("«{value}» had lost its leading zero and was read as {read}; the check digit confirms it."),
    repair=N_("Nothing to do if it is right; give the column the format Text to keep the zero."),
    severity=Severity.WARNS,
)
DATE_NOT_A_DATE = Kind(
    code="date-not-a-date",
    message=N_("«{value}» is not a date."),
    repair=N_(
        "Write the date as year-month-day, for example 2026-01-31, or in the same order as the rest of the column."
    ),
)
DATE_IS_A_NUMBER = Kind(
    code="date-is-a-number",
    message=N_("The date «{value}» is a bare number, as a spreadsheet stores a date that lost its format."),
    repair=N_("Give the column the format Date in Excel and save, or write the date as year-month-day."),
)
DATE_IS_A_TIME = Kind(
    code="date-is-a-time",
    message=N_("«{value}» is only a time: the day is missing."),
    repair=N_("Write the day, or the day and the time; if the sheet has the day elsewhere, name that column as date."),
)
NEITHER_YES_NOR_NO = Kind(
    code="neither-yes-nor-no",
    message=N_("«{value}» is neither yes nor no."),
    repair=N_("Write sí or no."),
)
DOC_TYPE_UNKNOWN = Kind(
    code="doc-type-unknown",
    message=N_("«{value}» is not a type of document that can be issued."),
    repair=N_(
        "Write 01 (factura), 03 (crédito fiscal), 05 (nota de crédito), 11 (exportación) or 14 (sujeto excluido)."
    ),
)
HEADER_DISAGREES = Kind(
    code="header-disagrees",
    message=N_(
        "The document has two values for «{heading}»: «{first}» in row {first_row}{first_file} and «{value}» "
        "in row {row}."
    ),
    repair=N_("Write the same value in all rows of the document; if they are two sales, give each its own reference."),
)
# References: they tell a sale that was issued from one that was not, so whatever blurs them may issue one twice.
REF_TOO_LONG = Kind(
    code="ref-too-long",
    message=N_("The reference «{value}» has {length} characters; at most 100 are possible."),
    repair=N_("Shorten it, or choose other columns with external_ref under [source] in the settings."),
)
REF_WITH_DECIMALS = Kind(
    code="ref-with-decimals",
    message=N_("The reference «{value}» looks like a number that another program gave a decimal."),
    repair=N_(
        "Export it as text. «{value}» and «{whole}» are two references: the same sale under both would be issued twice."
    ),
    severity=Severity.WARNS,
)
REF_UNPRINTABLE = Kind(
    code="ref-unprintable",
    message=N_("The reference «{value}» holds a line break or another character that cannot be printed."),
    repair=N_("Write the reference again by hand."),
)
REF_IS_A_DATE = Kind(
    code="ref-is-a-date",
    message=N_("The reference is stored as the date {value}: the spreadsheet program has changed what was written."),
    repair=N_("Give the column the format Text and write the reference again."),
)
REF_PART_MISSING = Kind(
    code="ref-part-missing",
    message=N_("The reference is made of several columns, and «{heading}» is empty in this row."),
    repair=N_("Fill in the column in every row of the document."),
)
REFS_LOOK_ALIKE = Kind(
    code="refs-look-alike",
    message=N_(
        "The references «{value}» and «{other}» (row {other_row}{other_file}) differ only in spaces, capital letters "
        "or leading zeros."
    ),
    repair=N_("If they are one sale, write both the same; if they are two, make the references clearly different."),
    severity=Severity.WARNS,
)
REF_FROM_OTHER_PARTS = Kind(
    code="ref-from-other-parts",
    message=N_(
        "Two different sales have the reference «{value}»: it is made of {parts} here, and of {other_parts} "
        "in row {other_row}{other_file}."
    ),
    repair=N_(
        "Separate the parts with a character that they do not hold, in external_ref under [source] in the settings."
    ),
)
NUMBERS_MAY_RESTART = Kind(
    code="numbers-may-restart",
    message=N_(
        "The references are numbers counted from 1 to {last}. If they begin anew each day, in each branch or at each "
        "till, two different sales will have the same reference."
    ),
    repair=N_(
        "If they do, write {line} under [source] in the settings, before anything is issued under the number alone: "
        "what was issued under it would be issued again under the other reference. If no number ever comes again, "
        "there is nothing to do."
    ),
    severity=Severity.WARNS,
)
NUMBERS_RESTART_IN_FILE = Kind(
    code="numbers-restart-in-file",
    message=N_(
        "{count} documents are held back because rows of the same reference differ in {headings}: the numbers seem to "
        "begin anew there."
    ),
    repair=N_(
        "If they do, write {line} under [source] in the settings, and each is a sale of its own. Leave out of the "
        "file what was already issued under the number alone: it would be issued again under the other reference."
    ),
    severity=Severity.WARNS,
)
# One document in several files.
SAME_LINES_IN_TWO_FILES = Kind(
    code="same-lines-in-two-files",
    message=N_(
        "The lines of the document stand in «{file}» and again in «{other_file}»: it would be issued with "
        "each line twice."
    ),
    repair=N_("Leave out one of the files, or delete the document from one of them."),
)
SOME_LINES_IN_TWO_FILES = Kind(
    code="some-lines-in-two-files",
    message=N_(
        "Lines of the document stand in «{file}» and again in «{other_file}», which has others too: the same lines "
        "would be issued twice."
    ),
    repair=N_(
        "Delete the document from one of the files, or write its lines once. If the same was sold twice, write "
        'repeated_rows = "count" under [source] in the settings.'
    ),
)
DOCUMENT_IN_TWO_FILES = Kind(
    code="document-in-two-files",
    message=N_("The lines of the document stand in «{file}» and in «{other_file}»; they are issued together."),
    repair=N_("Nothing to do if the document goes on in the second file; otherwise delete it from one of them."),
    severity=Severity.WARNS,
)

KINDS: tuple[Kind, ...] = tuple(kind for kind in list(globals().values()) if isinstance(kind, Kind))
"""Every problem of this room, for the documentation and for the completeness test."""
