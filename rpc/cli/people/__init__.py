"""Output of `musig-cli` for people: tables, refusals, reviews of requests, the awaited signers."""
