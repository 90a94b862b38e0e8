"""The columns of the workbook to fill in: the fields that have one, from left to right."""

from __future__ import annotations

from batch_issuer.model.fields import TABLE

COLUMNS = tuple(sorted((field for field in TABLE if field.place), key=lambda field: field.place))
