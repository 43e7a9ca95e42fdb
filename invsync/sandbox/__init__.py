"""A shop in a box: a fake Shopify Admin API that keeps Shopify's rules.

It executes GraphQL against Shopify's published schema, so that anyone can run the real thing without a
shop, and tests can run the whole program. Same code behind two doors: a `requests` transport adapter in
the process (`transport.py`) and real HTTP on loopback (`server.py`). It knows nothing of the rest of
invsync; the two meet in HTTP and GraphQL only.

    shop.py        the shop's state, edited like a normal object: sell, restock, archive, delete
    gids.py        global ids and times, in Shopify's spelling
    starting.py    the starting shop, and generated shops of any size
    state.py       the state on disk, shared by several processes
    search.py      Shopify's search grammar; indexes.py: what can be searched, and how late the index is
    versions.py    the published schemas; fields.py: what each field answers; connections.py: paging
    execution.py   one operation, from text to answer; cost.py: what it costs
    inventory.py   the inventory mutations; idempotency.py: the memory of their keys
    bulk.py        bulk operations; walker.py: their lean reader
    access.py      tokens, grants and scopes
    api.py         one HTTP request to one answer, behind both doors
    faults.py      misbehaviour on demand
    clerk.py       what a person does by hand; commands.py: the same from the command line
"""
