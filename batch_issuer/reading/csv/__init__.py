"""CSV to a table of texts. It hides encodings, separators and quotation marks; `rows.read_csv` is the door.

It uses `tables`, and asks its caller which cells are headings.

- `encoding`: the bytes of the file, read twice: how its text is encoded, then that text
- `rows`: separators, and the rows into columns, by pandas or by the standard library
"""
