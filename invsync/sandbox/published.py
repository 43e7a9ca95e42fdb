"""Shopify's published schemas, as far as they are served: one a version, built when needed."""

from __future__ import annotations

from functools import cache
from importlib import resources

from graphql import GraphQLSchema, build_schema


@cache
def published(version: str) -> GraphQLSchema:
    """The schema of a served version."""
    place = resources.files("invsync.sandbox").joinpath("schema", f"admin-{version}.graphql")
    return build_schema(place.read_text("utf-8"))
