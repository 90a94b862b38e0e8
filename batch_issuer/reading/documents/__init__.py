"""The rows of all sheets to documents. `Sales` is the door; it is the `Batch` that the room gives.

It uses `sheets` (what each gives), `cells`, `headings` and `tables`.

- `sales`: the documents, built a block at a time, with their problems
- `grouping`: which rows make which document, and what one document says in several rows
- `sums`: the sums of all documents' lines at once
- `lines`: the lines of one document, made when they are asked for
- `prices`: whether prices include VAT, by type of document
"""
