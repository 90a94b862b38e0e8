"""How things look on a terminal, and what stands in `--json`. Nothing is computed here: values come in, words go out.

- `output`: prose on stdout, or one JSON object there and the prose on stderr.
- `plan`: what was read, what a run would do, and every problem by its cause.
- `progress`: how far a run is, and when it will be done.
- `verdict`: the bridge from the files to the provider, and what needs a person.
- `findings`: amounts that differ, contingency, control numbers, and what an earlier report left open.
- `comparison`: the files against the ledger, and what the provider answered.
- `signatures`: notes, and who signed which days.
- `cancellations`, `downloads`: what those commands show of each document and file.
- `document`: one document, and its story in the ledger.
- `tables`: lists as JSON, CSV or XLSX.
- `durations`, `days`: seconds, and spans of days, as people write them.
"""
