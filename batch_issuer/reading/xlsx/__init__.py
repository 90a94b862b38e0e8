"""Workbooks to tables of texts. It hides zip, XML, styles and stored numbers; `workbook.Workbook` is the door.

It uses `tables`. Nothing of a workbook is trusted: sizes, entities and damage are refused with what to do.

- `workbook`: the parts of the archive, which sheets there are, bombs and damage
- `xml`: a strict parser, number formats, shared texts
- `rows`: the cells of one sheet
- `cells`: what a stored value and its number format show
"""
