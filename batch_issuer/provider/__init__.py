"""The provider, Ocote API Connect: how it is asked, and what its answers mean.

Whoever uses this room sees requests and outcomes; JSON, HTTP, headers and the quota's windows stay in here. Nothing is
tried twice here: that is `send`'s affair, which knows the ledger. The room may use `model`, `messages` and of `rules`
the catalogs and identifiers, and knows neither ledger nor plan. What the provider's documentation leaves open is taken
for unknown: nothing is `stamped` that an answer has not proven.

- `routes`: the addresses of the API.
- `wire`: documents to JSON, answers from JSON, and keys kept out of every text.
- `classify`: what an answer proves; the flag table.
- `contents`: the provider's document against ours: whether the two are one sale.
- `client`: one request and what came of it; the kinds of replies.
- `transport`: connections, and whether a request can have left this machine.
- `quota`, `limits`: how many requests fit, as the answers say; how long many will take.
- `files`: whether a downloaded file is one, and what a signed document says.
- `catalogs`: the provider's live lists.
"""
