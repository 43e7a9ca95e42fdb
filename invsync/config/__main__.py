"""`python -m invsync.config`: print the configuration's JSON Schema."""

from __future__ import annotations

import json
import sys

from invsync.config.schema import json_schema

if __name__ == "__main__":
    sys.stdout.write(json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n")
