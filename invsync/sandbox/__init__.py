"""A shop in a box: a fake Shopify Admin API that keeps Shopify's rules.

It executes GraphQL against Shopify's published schema, so that anyone can run the real thing
without a shop, and tests can run the whole program. Same code behind two doors: a `requests`
transport adapter in the process (`transport.py`) and real HTTP on loopback (`server.py`). It knows
nothing of the rest of invsync; the two meet in HTTP and GraphQL only.

    shop.py        the shop's state: a catalogue in which units move (sell, ship, restock, close)
    catalogue.py   what a shop holds, edited like a normal object; holdings.py: how it is found;
                   things.py: what it is; trail.py: what changed
    account.py     how the shop behaves to its callers, and what it remembers of them
    gids.py        global ids and times, in Shopify's spelling
    starting.py    the starting shop, and generated shops of any size
    state.py       the state on disk, shared by several processes, and its ledger; columns.py: the
                   state as text

    search.py      a search made ready; grammar.py: its text; matchers.py: its values; indexes.py:
                   what can be searched, and how late
    fields.py      what each field answers; lists.py: each connection's list; connections.py: its
                   pages; byid.py: one object by its id; mutations.py: which function is a mutation
    inventory.py   the inventory mutations; refusals.py: what of them is refused; idempotency.py:
                   the memory of their keys
    bulk.py        how bulk operations stand; bulk_work.py: started, cancelled, carried out;
                   walker.py: their lean reader; results.py: where their results lie
    published.py   the published schemas (schema/)
    execution.py   one operation, from text to answer: executor.py runs it, variables.py,
                   literals.py, invalid.py and failures.py say what is wrong with it, selection.py
                   which fields it asks for, cost.py what it costs, context.py what its fields know

    access.py      tokens, grants and scopes
    faults.py      misbehaviour on demand
    api.py         one HTTP request to one answer (exchange.py), behind both doors
    transport.py   the door in the process; server.py: the door over HTTP
    clerk.py       what a person does by hand; commands.py: the same from the command line
"""
