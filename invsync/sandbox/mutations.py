"""Which function answers each mutation, and the payload fields that are more than a dict's key."""

from __future__ import annotations

from invsync.sandbox import bulk_work, inventory
from invsync.sandbox.fields import Field

MUTATION_FIELDS: dict[str, Field] = {
    "bulkOperationCancel": bulk_work.cancel,
    "bulkOperationRunQuery": bulk_work.run_query,
    "inventoryActivate": inventory.activate,
    "inventoryAdjustQuantities": inventory.adjust,
    "inventorySetQuantities": inventory.set_quantities,
}

PAYLOAD_FIELDS: dict[str, dict[str, Field]] = {
    "InventoryAdjustmentGroup": {"changes": inventory.changes},
}
