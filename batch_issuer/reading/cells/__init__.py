"""What the text of one cell means. It hides how people write numbers, dates and yes; `values.read_values` is the door.

It knows no sheet and no heading; it uses `tables`, `kinds`, the model's fields, and of `rules` the check digits.

- `values`: a column's texts as values of a field, or faults
- `numbers`, `dates`: strict reading under one notation, and the evidence of a whole column for it
- `letters`: texts as they are compared: by their letters, or only without regard to spaces and capitals
- `currencies`: other currencies than the dollar
- `garbling`: text that was decoded with the wrong table
"""
