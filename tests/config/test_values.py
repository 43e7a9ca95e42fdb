"""From text to value: what each kind of key takes, and what it says to the rest."""

from __future__ import annotations

import pytest
from config_file import SANDBOX, VARIANTS, load, problems

URL_MEND = "write https:// (http only to 127.0.0.1, ::1 or localhost)"


def test_variables_fill_in_a_true_or_false_too() -> None:
    text = "shop: sandbox\nvariants: {product_types: [Print], only_active: '${ACTIVE}'}"
    variants = load(text, ACTIVE="true").variants
    assert variants is not None
    assert variants.only_active is True


def test_names_are_the_same_however_their_signs_are_typed() -> None:
    composed, apart = "Poster caf\u00e9", "Poster cafe\u0301"
    text = "shop: sandbox\nvariants:\n  product_types: [{}]\n"
    settings = load(text.format(apart))
    assert settings.variants == load(text.format(composed)).variants
    (problem,) = problems(text.format(f"{apart}, {composed}"))
    assert "listed twice" in problem


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # The shop.
        (
            "shop: my-shop\naccess_token: abc",
            'config.yaml:1: shop: "my-shop" is not a shop\'s myshopify.com domain; '
            "write my-shop.myshopify.com, or write sandbox",
        ),
        (
            "shop: https://my-shop.myshopify.com/admin",
            'config.yaml:1: shop: "https://my-shop.myshopify.com/admin" is not a shop\'s '
            "myshopify.com domain; "
            "write my-shop.myshopify.com, or write sandbox",
        ),
        (
            "shop: https://admin.shopify.com/store/my-shop",
            'config.yaml:1: shop: "https://admin.shopify.com/store/my-shop" is not a shop\'s '
            "myshopify.com domain; "
            "write my-shop.myshopify.com, or write sandbox",
        ),
        (
            "shop: prints.example",
            'config.yaml:1: shop: "prints.example" is not a shop\'s myshopify.com domain; write it '
            "like "
            "my-shop.myshopify.com (Shopify admin: Settings, Domains), or write sandbox",
        ),
        # The version.
        (
            SANDBOX + "api_version: 2026-10-01",
            'config.yaml:2: api_version: "2026-10-01" is not one of 2026-01, 2026-04, 2026-07, '
            "2026-10; "
            "did you mean 2026-10?",
        ),
        (
            SANDBOX + "api_version: unstable",
            'config.yaml:2: api_version: "unstable" is not one of 2026-01, 2026-04, 2026-07, '
            "2026-10; "
            "write 2026-01, 2026-04, 2026-07 or 2026-10",
        ),
        # Credentials.
        (
            SANDBOX + "access_token: 123456",
            "config.yaml:2: access_token: is a number to YAML; put it in quotes",
        ),
        (
            SANDBOX + "access_token: abc def",
            "config.yaml:2: access_token: holds a space, a line break or a character that is not "
            "ASCII; copy it again",
        ),
        # Variables.
        (
            SANDBOX + "access_token: ${TOKEN}",
            "config.yaml:2: access_token: the environment variable TOKEN is not set; set it (for "
            "cron: in the crontab)",
        ),
        (
            SANDBOX + "state_dir: here/${EMPTY",
            "config.yaml:2: state_dir: ${ must be followed by a variable's name and }; "
            "correct it, or write $${ for a plain ${",
        ),
        (
            SANDBOX + "ping_url: ${EMPTY}",
            "config.yaml:2: ping_url: is empty, since its environment variable is; set that, or "
            "delete the line",
        ),
        (
            SANDBOX + "max_run_time: ${NUMBER}",
            'config.yaml:2: max_run_time: "${NUMBER}" is not a length of time above 0; '
            "write a whole number and s, m, h or d, like 9m",
        ),
        # Addresses.
        (
            SANDBOX + "api_url: http://shop.example",
            f'config.yaml:2: api_url: "http://shop.example" is not encrypted; {URL_MEND}',
        ),
        (
            SANDBOX + "api_url: http://127.300.1.1",
            f'config.yaml:2: api_url: "http://127.300.1.1" is not encrypted; {URL_MEND}',
        ),
        (
            SANDBOX + 'api_url: "https://shop;example"',
            'config.yaml:2: api_url: "https://shop;example" is not an address; write one like '
            "http://127.0.0.1:8787",
        ),
        (
            SANDBOX + "api_url: http://127.0.0.1.example",
            f'config.yaml:2: api_url: "http://127.0.0.1.example" is not encrypted; {URL_MEND}',
        ),
        (
            SANDBOX + "api_url: http://127.0.0.1:8787@shop.example",
            "config.yaml:2: api_url: holds a user name or password; take out everything up to the "
            "@",
        ),
        (
            SANDBOX + 'api_url: "http://shop.example\\\\@127.0.0.1"',
            "config.yaml:2: api_url: holds a space, a backslash or a control character; take it "
            "out",
        ),
        (
            SANDBOX + "api_url: 127.0.0.1:8787",
            'config.yaml:2: api_url: "127.0.0.1:8787" is not an http(s) address; write one like '
            "http://127.0.0.1:8787",
        ),
        (
            SANDBOX + "api_url: http://127.0.0.1:99999",
            'config.yaml:2: api_url: "http://127.0.0.1:99999" is not an address; write one like '
            "http://127.0.0.1:8787",
        ),
        (
            SANDBOX + "api_url: http://localhost/admin/api",
            'config.yaml:2: api_url: "http://localhost/admin/api" holds a path of the Admin API; '
            "take out everything from /admin on",
        ),
        (
            SANDBOX + "ping_url: https://ping.example/uuid?a=b",
            "config.yaml:2: ping_url: the value goes on after its path; take out everything from "
            "the ? or # on",
        ),
        # Units.
        (
            VARIANTS + "  reserve: -1",
            'config.yaml:4: variants.reserve: "-1" is not a number of units; write a whole number '
            "from 0 to 999999, like 0",
        ),
        (
            VARIANTS + "  reserve: 1.5",
            'config.yaml:4: variants.reserve: "1.5" is not a number of units; write a whole number '
            "from 0 to 999999, like 0",
        ),
        (
            VARIANTS + "  low_stock: 010",
            'config.yaml:4: variants.low_stock: "010" is not a number of units; write a whole '
            "number from 0 to 999999, like 10",
        ),
        (
            VARIANTS + "  low_stock: 1000000",
            'config.yaml:4: variants.low_stock: "1000000" is not a number of units; write a whole '
            "number from 0 to 999999, like 10",
        ),
        (
            VARIANTS + '  reserve: "2"',
            'config.yaml:4: variants.reserve: "2" is text; write 2, without quotes',
        ),
        (
            VARIANTS + "  reserve: [2]",
            "config.yaml:4: variants.reserve: must be one value, not a list; write one",
        ),
        # What is left out.
        (
            VARIANTS + "  exclude: [one-off]",
            "config.yaml:4: variants.exclude: must be a section; indent its keys below it, as "
            "`invsync config example` shows it",
        ),
        (
            VARIANTS + "  exclude: {sku: [S-1]}",
            "config.yaml:4: variants.exclude.sku: is not a key of invsync; did you mean skus?",
        ),
        (
            VARIANTS + "  exclude: {skus: S-1}",
            'config.yaml:4: variants.exclude.skus: must be a list; write ["S-1"]',
        ),
        (
            VARIANTS + '  exclude: {skus: ["*"]}',
            'config.yaml:4: variants.exclude.skus: "*" is every SKU; write how those begin that '
            "are meant, like TEST-*",
        ),
        (
            VARIANTS + "  exclude:\n    skus: [S-1]\n    ids: [Sunset]",
            'config.yaml:6: variants.exclude.ids: "Sunset" is not the id of a product or variant; '
            "write its number, which ends its address in the Shopify admin",
        ),
        (
            VARIANTS + "  exclude: {ids: [gid://shopify/InventoryItem/7]}",
            'config.yaml:4: variants.exclude.ids: "gid://shopify/InventoryItem/7" is not the id of '
            "a product or variant; write its number, which ends its address in the Shopify admin",
        ),
        (
            VARIANTS + "  exclude: {ids: [7, 7]}",
            'config.yaml:4: variants.exclude.ids: "7" is listed twice; delete one of them',
        ),
        # Lengths of time, percentages, choices, true or false.
        (
            SANDBOX + "max_run_time: 540",
            "config.yaml:2: max_run_time: 540 has no unit; write 540s, 540m, 540h or 540d",
        ),
        (
            SANDBOX + "max_run_time: 0m",
            'config.yaml:2: max_run_time: "0m" is not a length of time above 0; '
            "write a whole number and s, m, h or d, like 9m",
        ),
        (
            VARIANTS + "  reconcile_every: 1:30",
            'config.yaml:4: variants.reconcile_every: "1:30" is not a length of time above 0; '
            "write a whole number and s, m, h or d, like 6h",
        ),
        (
            VARIANTS + "  max_rising: 50",
            "config.yaml:4: variants.max_rising: 50 has no percent sign; write 50%",
        ),
        (
            VARIANTS + "  max_rising: 0.5",
            "config.yaml:4: variants.max_rising: 0.5 has no percent sign; write 50%",
        ),
        (
            VARIANTS + "  max_rising: 101%",
            'config.yaml:4: variants.max_rising: "101%" is not a percentage from 0% to 100%; write '
            "one like 50%",
        ),
        (
            VARIANTS + "  scan: change",
            'config.yaml:4: variants.scan: "change" is not one of auto, complete, changes; did you '
            "mean changes?",
        ),
        (
            VARIANTS + "  several_rises: max",
            'config.yaml:4: variants.several_rises: "max" is not one of smallest, freed, sum, '
            "hold; write smallest, freed, sum or hold",
        ),
        (
            VARIANTS + '  only_active: "no"',
            'config.yaml:4: variants.only_active: "no" is text; write false, without quotes',
        ),
        (
            VARIANTS + "  only_active: 1",
            'config.yaml:4: variants.only_active: "1" is neither true nor false; write true or '
            "false",
        ),
        (
            VARIANTS + "  location: 012",
            'config.yaml:4: variants.location: 012 is a number to YAML; write "012"',
        ),
        (
            SANDBOX + r'state_dir: "a\0b"',
            r'config.yaml:2: state_dir: "a\x00b" holds a line break or control character; write it '
            r"on one line",
        ),
        # Names.
        (
            VARIANTS.replace("[Print]", "\n    - Print\n    - on"),
            'config.yaml:5: variants.product_types: on is true or false to YAML; write "on"',
        ),
        (
            VARIANTS.replace("Print", "2024"),
            'config.yaml:3: variants.product_types: 2024 is a number to YAML; write "2024"',
        ),
        (
            VARIANTS.replace("Print", "2024-05-01"),
            "config.yaml:3: variants.product_types: 2024-05-01 is a date to YAML; write "
            '"2024-05-01"',
        ),
    ],
)
def test_a_mistaken_value_gets_one_line_with_file_key_and_mend(text: str, expected: str) -> None:
    assert problems(text, EMPTY="", NUMBER="540") == (expected,)
