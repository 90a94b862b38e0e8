"""The provider, Ocote API Connect: how it is asked, and what its answers mean.

Whoever uses this room sees requests and outcomes; JSON, HTTP, headers and retries of the provider stay in here. It may
use the model and the settings' limits, and knows neither ledger nor plan. What its documentation leaves open is taken
for unknown: nothing is `stamped` that an answer has not proven.

- `routes`: the addresses of the API.
- `wire`: documents to JSON, answers from JSON, and keys kept out of every text.
- `classify`: what an answer proves; the flag table.
- `contents`: what an answer says of a document's content, to be compared with ours.
- `client`: one request and what came of it.
- `transport`: connections, and whether a request can have left this machine.
- `quota`, `limits`: how many requests fit, as the answers say; how long many will take.
- `files`: whether a downloaded file is one, and what a signed document says.
- `catalogs`: the provider's live lists.
"""
