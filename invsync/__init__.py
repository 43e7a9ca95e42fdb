"""invsync keeps Shopify inventory in step where several listings stand for one physical stock."""

__version__ = "0.1.0"

#: Admin API versions that every GraphQL document in this package is valid against, oldest first.
API_VERSIONS = ("2026-01", "2026-04", "2026-07", "2026-10")
