"""Shopify's Admin API: GraphQL over HTTP, credentials, reading levels, pushing adjustments.

Knows nothing of pools or caches; raises what `invsync.errors` holds.
"""
