"""The settings: what a whole file says, what keys say together, and secrets."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from config_file import EXAMPLE, REAL, ROOT, SANDBOX, SECRET, VARIANTS, load, problems

from invsync import API_VERSIONS
from invsync.config import reading
from invsync.config.settings import (
    ExcludeSettings,
    LocationsSettings,
    Settings,
    VariantsSettings,
    section_missing,
)
from invsync.config.settings import load as load_config
from invsync.errors import ConfigError

CREDENTIALS = (
    "access_token, access_token_file, or client_id with client_secret or client_secret_file"
)

# --- What a file may say --------------------------------------------------------------------------


def test_the_example_works_as_it_stands_without_any_environment_variable() -> None:
    assert load_config(EXAMPLE, {}) == Settings(
        file=EXAMPLE,
        shop="sandbox.myshopify.com",
        sandbox=True,
        endpoint="https://sandbox.myshopify.com",
        api_version=API_VERSIONS[-1],
        access_token="sandbox",
        client_id=None,
        client_secret=None,
        state_dir=ROOT / "invsync-state",
        report="problems",
        remind_every=86400.0,
        ping_url=None,
        max_run_time=540.0,
        variants=VariantsSettings(
            ("Print",),
            (),
            False,
            "default",
            ExcludeSettings(),
            "invsync-pause",
            0,
            "smallest",
            0.5,
            10,
            "auto",
            21600.0,
        ),
        locations=LocationsSettings(
            (), (), ExcludeSettings(), "invsync-pause", 0, "smallest", 0.5, 10, "auto", 21600.0
        ),
    )


def test_the_defaults_are_those_that_the_example_shows() -> None:
    shown = load_config(EXAMPLE, {})
    left_out = load("shop: sandbox\nvariants: {product_types: [Print]}\nlocations: {}")
    for name in ("api_version", "max_run_time", "variants", "locations"):
        assert getattr(left_out, name) == getattr(shown, name)
    assert left_out.state_dir == Path("invsync-state")


def test_a_whole_file_for_a_real_shop() -> None:
    result = load(
        """
        shop: My-Shop.myshopify.com
        api_version: 2026-04
        client_id: ${ID}
        client_secret: ${SECRET}
        state_dir: ~/state
        ping_url: https://ping.example/uuid/
        report: changes
        remind_every: 12h
        max_run_time: 30s
        variants:
          product_tags: ['a "b" \\ c:d', 共有, "on", "2024", "a $${x}"]
          only_active: yes
          location: 123456
          exclude:
            product_tags: [One-off]
            product_types: [Gift]
            skus: ["TEST-*", " S-1 "]
            ids: [1004, gid://shopify/ProductVariant/7]
          pause_tag: Counting now
          reserve: 2
          several_rises: hold
          max_rising: 12.5%
          low_stock: 0
          scan: changes
          reconcile_every: 1d
        locations:
          product_types: ["${KIND} prints"]
          locations: [Main Street 1, 42, gid://shopify/Location/7]
          exclude: {skus: ["${KIND}*"]}
          reserve: ${KEPT}
          several_rises: sum
          max_rising: 100%
          low_stock: 999999
          scan: complete
          reconcile_every: 90m
        """,
        ID="abc",
        SECRET="s3cret\n",
        KIND="Large",
        KEPT="0",
        HOME="/home/me",
    )
    assert result == Settings(
        file=Path("config.yaml"),
        shop="my-shop.myshopify.com",
        sandbox=False,
        endpoint="https://my-shop.myshopify.com",
        api_version="2026-04",
        access_token=None,
        client_id="abc",
        client_secret="s3cret",
        state_dir=Path("/home/me/state"),
        report="changes",
        remind_every=43200.0,
        ping_url="https://ping.example/uuid",
        max_run_time=30.0,
        variants=VariantsSettings(
            product_types=(),
            product_tags=('a "b" \\ c:d', "共有", "on", "2024", "a ${x}"),
            only_active=True,
            location="123456",
            exclude=ExcludeSettings(
                ("One-off",),
                ("Gift",),
                ("TEST-*", "S-1"),
                ("1004", "gid://shopify/ProductVariant/7"),
            ),
            pause_tag="Counting now",
            reserve=2,
            several_rises="hold",
            max_rising=0.125,
            low_stock=0,
            scan="changes",
            reconcile_every=86400.0,
        ),
        locations=LocationsSettings(
            product_types=("Large prints",),
            locations=("Main Street 1", "42", "gid://shopify/Location/7"),
            exclude=ExcludeSettings(skus=("Large*",)),
            pause_tag="invsync-pause",
            reserve=0,
            several_rises="sum",
            max_rising=1.0,
            low_stock=999_999,
            scan="complete",
            reconcile_every=5400.0,
        ),
    )


def test_the_environment_file_fills_in_variables(tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_text(
        "shop: my-shop.myshopify.com\nenvironment_file: secret.env\naccess_token: ${TOKEN}\n"
        "ping_url: ${PING}\nstate_dir: ${STATE}\nvariants: {product_types: [Print]}\n"
    )
    secrets = tmp_path / "secret.env"
    secrets.write_text("# made by hand\n\nTOKEN='abc=d'\nexport PING=\"https://ping.example/a\"\n")
    secrets.chmod(0o600)
    result = load_config(file, {"STATE": "/state", "TOKEN": "of another shop"})
    assert result.access_token == "abc=d"
    assert result.state_dir == Path("/state")
    assert result.warnings == ()
    secrets.chmod(0o644)
    (warning,) = load_config(file, {"STATE": "/state"}).warnings
    assert warning == (
        f"{secrets}: environment_file: others on this machine can read this secret; run chmod 600 "
        f"{secrets}"
    )


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"TOKEN=a\nshpat_secret\n", "line 2 of {file} is not NAME=value; correct it, or begin"),
        (b"1A=secret\n", "line 1 of {file} is not NAME=value"),
        (b"\xff\xfe", "{file} is not UTF-8 text; save it as UTF-8"),
        (None, "{file} can't be read: No such file or directory; correct the path or permissions"),
    ],
)
def test_an_environment_file_that_is_none_is_refused_and_never_shown(
    tmp_path: Path, content: bytes | None, says: str
) -> None:
    file, secrets = tmp_path / "config.yaml", tmp_path / "secret.env"
    file.write_text("shop: sandbox\nenvironment_file: secret.env\nvariants: {product_types: [a]}\n")
    if content is not None:
        secrets.write_bytes(content)
    with pytest.raises(ConfigError) as raised:
        load_config(file, {})
    assert f"config.yaml:2: environment_file: {says.format(file=secrets)}" in str(raised.value)
    assert "secret\n" not in str(raised.value)
    assert "shpat_secret" not in str(raised.value)


def test_a_section_that_is_not_there_is_none() -> None:
    result = load("shop: sandbox\nvariants:\n")
    assert result.variants is None
    assert result.locations is None
    assert str(section_missing(result, "variants")) == (
        "config.yaml: variants: the section is missing; add variants: with product_types: [Print] "
        "under it"
    )


@pytest.mark.parametrize(
    ("api_url", "endpoint"),
    [
        ("http://127.0.0.1:8787/", "http://127.0.0.1:8787"),
        ("http://[::1]:8787", "http://[::1]:8787"),
        ("http://localhost:8787", "http://localhost:8787"),
        ("https://127.0.0.1/shops/one/", "https://127.0.0.1/shops/one"),
    ],
)
def test_the_sandbox_on_this_machine_needs_no_credentials(api_url: str, endpoint: str) -> None:
    result = load(f"shop: sandbox\napi_url: {api_url}")
    assert (result.endpoint, result.sandbox, result.access_token) == (endpoint, False, "sandbox")


def test_a_sandbox_somewhere_else_needs_credentials() -> None:
    text = "shop: sandbox\napi_url: https://sandbox.example"
    assert problems(text) == (f"config.yaml: access_token: is missing; give {CREDENTIALS}",)
    assert load(f"{text}\naccess_token: abc").access_token == "abc"


# --- What keys say together -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # Credentials.
        (
            "shop: my-shop.myshopify.com",
            f"config.yaml: access_token: is missing; give {CREDENTIALS}",
        ),
        (
            REAL + "client_id: abc",
            f"config.yaml:3: client_id: access_token is given too; keep one of: {CREDENTIALS}",
        ),
        (
            SANDBOX + "client_id: abc",
            "config.yaml:2: client_id: does not work alone; add client_secret or "
            "client_secret_file",
        ),
        (
            SANDBOX + "client_secret: abc",
            "config.yaml:2: client_secret: does not work alone; add client_id",
        ),
        (
            SANDBOX
            + "{access_token: a, client_id: b, client_secret: c}".strip("{}").replace(", ", "\n"),
            "config.yaml:4: client_secret: access_token and client_id are given too; keep one of: "
            f"{CREDENTIALS}",
        ),
        (
            SANDBOX + "access_token_file: token",
            "config.yaml:2: access_token_file: token can't be read: No such file or directory; "
            "correct the path or permissions",
        ),
        (
            SANDBOX + "access_token_file: .",
            "config.yaml:2: access_token_file: . can't be read: Is a directory; correct the path "
            "or permissions",
        ),
        # Which products.
        (
            SANDBOX + "variants: {product_types: [], product_tags: []}",
            "config.yaml:2: variants: none of product_types, product_tags, skus and pools says "
            "which listings; add product_types: [Print], say",
        ),
        (
            VARIANTS + "  product_tags: [shared]",
            "config.yaml:4: variants.product_tags: product_types is given too; keep one of the two "
            "and empty the other",
        ),
        (
            VARIANTS + "  skus: [A]",
            "config.yaml:4: variants.skus: product_types is given too; keep one of the two and "
            "empty the other",
        ),
        (
            SANDBOX + "variants: {skus: all, pool_by: product}",
            "config.yaml:2: variants.pool_by: skus makes the listings of one SKU one stock; write "
            "sku, or delete it",
        ),
        (
            SANDBOX + "variants: {skus: [A, ' A']}",
            'config.yaml:2: variants.skus: " A" is listed twice; delete one of them',
        ),
        (
            SANDBOX + "variants: {skus: some}",
            "config.yaml:2: variants.skus: must be a list; write [some]",
        ),
    ],
)
def test_keys_that_do_not_go_together_get_one_line_with_the_mend(text: str, expected: str) -> None:
    assert problems(text) == (expected,)


def test_all_mistakes_of_a_file_are_reported_at_once_in_its_order() -> None:
    text = """\
shop: my-shop
max_run_time: 9
variants:
  scan: fast
  colour: red
  product_tags: [a, a]
access_token: ${TOKEN}
"""
    lines = [line.split(";")[0] for line in problems(text)]
    assert lines == [
        'config.yaml:1: shop: "my-shop" is not a shop\'s myshopify.com domain',
        "config.yaml:2: max_run_time: 9 has no unit",
        'config.yaml:4: variants.scan: "fast" is not one of auto, complete, changes',
        "config.yaml:5: variants.colour: is not a key of invsync",
        'config.yaml:6: variants.product_tags: "a" is listed twice',
        "config.yaml:7: access_token: the environment variable TOKEN is not set",
    ]


# --- Secrets --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        f"shop: {SECRET}",
        f"shop: https://key:{SECRET}@my-shop.myshopify.com",
        f"shop: sandbox\n{SECRET}: 1",
        f"shop: sandbox\naccess_token: {SECRET} x",
        f"shop: sandbox\naccess_token: [{SECRET}]",
        f"shop: sandbox\naccess_token: *{SECRET}",
        f"shop: sandbox\naccess_token: !{SECRET} x",
        f"shop: sandbox\naccess_token: ${{{SECRET}}}",
        f"shop: sandbox\naccess_token:{SECRET}\nscan: auto",
        f"shop: sandbox\naccess_token: {{{SECRET}: 1, {SECRET}: 2}}",
        f"shop: sandbox\naccess_token: {SECRET}\n  client_id: x",
        "shop: ${TOKEN}",
        "shop: sandbox\nmax_run_time: ${TOKEN}\napi_url: ${TOKEN}\nping_url: "
        "${TOKEN}\napi_version: ${TOKEN}",
        "shop: sandbox\nlocations: {locations: ['${TOKEN}', '${TOKEN}'], scan: '${TOKEN}', "
        "max_rising: '${TOKEN}'}",
        "shop: sandbox\nlocations: "
        f"{{locations: {SECRET}, product_types: [{SECRET}, {SECRET}], scan: {SECRET}}}",
        f"shop: sandbox\napi_url: https://{SECRET}@shop.example\nping_url: ftp://{SECRET}",
        "shop: sandbox\naccess_token_file: secret",
    ],
)
def test_no_mistake_makes_a_message_show_a_secret(text: str) -> None:
    Path("secret").write_text(f"{SECRET} {SECRET}")
    assert SECRET not in "\n".join(problems(text, TOKEN=SECRET))


def test_the_settings_do_not_show_their_secrets() -> None:
    with_token = load(
        f"shop: sandbox\naccess_token: {SECRET}\nping_url: https://ping.example/{SECRET}"
    )
    with_client = load(f"shop: sandbox\nclient_id: public\nclient_secret: {SECRET}")
    assert with_token.access_token == with_client.client_secret == SECRET
    assert SECRET not in repr(with_token) + repr(with_client)


@pytest.mark.parametrize(
    ("keys", "field"),
    [
        ("access_token_file: run/secret", "access_token"),
        ("client_id: abc\nclient_secret_file: ${FOLDER}/secret", "client_secret"),
    ],
)
def test_a_secret_may_come_from_a_file_beside_the_configuration(
    folder: Path, keys: str, field: str
) -> None:
    Path("run").mkdir()
    Path("run/secret").write_text(f"\n{SECRET}\n")
    Path("run/secret").chmod(0o600)
    result = load(f"shop: my-shop.myshopify.com\n{keys}", FOLDER=str(folder / "run"))
    assert getattr(result, field) == SECRET
    assert result.warnings == ()


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"\n", "token is empty"),
        (b"one two", "token holds more than one word"),
        (b"\xff\xfe", "token is not text"),
        (b"x\0", "token holds more than one word"),
    ],
)
def test_a_secret_file_that_holds_no_secret_is_refused(content: bytes, what: str) -> None:
    Path("token").write_bytes(content)
    assert problems("shop: sandbox\naccess_token_file: token") == (
        f"config.yaml:2: access_token_file: {what}; put the secret in it, and nothing else",
    )


def test_a_secret_file_that_holds_a_book_is_refused() -> None:
    Path("token").write_bytes(b"x" * 2_000_000)
    assert problems("shop: sandbox\naccess_token_file: token") == (
        "config.yaml:2: access_token_file: token holds far too much; put the secret in it, alone",
    )


@pytest.mark.parametrize("secret", [SECRET, "c0ffee" * 6])
@pytest.mark.parametrize("key", ["access_token", "client_secret"])
def test_a_secret_in_the_place_of_a_file_is_not_shown(secret: str, key: str) -> None:
    (line,) = problems(f"shop: sandbox\nclient_id: a\n{key}_file: {secret}")[-1:]
    assert line == (
        f"config.yaml:3: {key}_file: looks like the secret itself; write the path of a file that "
        f"holds it, or write it under {key}"
    )


def test_a_pipe_is_listened_to_but_not_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "PIPE_SECONDS", 0.05)
    os.mkfifo("token")
    assert problems("shop: sandbox\naccess_token_file: token") == (
        "config.yaml:2: access_token_file: token can't be read: it is a pipe that nobody writes "
        "to; correct the path or permissions",
    )
    os.mkfifo("pipe.yaml")
    with pytest.raises(ConfigError, match=r"pipe\.yaml: can't be read: it is a pipe that nobody"):
        load_config(Path("pipe.yaml"), {})


def test_a_secret_may_come_through_a_pipe() -> None:
    out, into = os.pipe()
    os.write(into, f"{SECRET}\n".encode())
    os.close(into)
    try:
        result = load(f"shop: sandbox\naccess_token_file: /dev/fd/{out}")
    finally:
        os.close(out)
    assert result.access_token == SECRET


def test_a_secret_that_others_can_read_draws_a_warning() -> None:
    path, token = Path("my config.yaml"), Path("token")
    token.write_text(SECRET)
    told = "others on this machine can read this secret; run chmod 600"
    for keys, mode, expected in [
        (
            f"access_token: {SECRET}",
            0o644,
            (f"my config.yaml: access_token: {told} 'my config.yaml'",),
        ),
        (
            f"access_token: {SECRET}",
            0o640,
            (f"my config.yaml: access_token: {told} 'my config.yaml'",),
        ),
        (f"access_token: {SECRET}", 0o600, ()),
        ("access_token: ${TOKEN}", 0o644, ()),
        ("access_token_file: token", 0o644, (f"token: access_token_file: {told} token",)),
    ]:
        path.write_text(f"shop: my-shop.myshopify.com\n{keys}\n")
        path.chmod(mode)
        token.chmod(mode)
        assert load_config(path, {"TOKEN": SECRET}).warnings == expected


def test_the_sandbox_has_no_secret_to_warn_of() -> None:
    path = Path("config.yaml")
    path.write_text("shop: sandbox\naccess_token: abc\n")
    path.chmod(0o644)
    assert load_config(path, {}).warnings == ()


def test_importing_it_brings_in_neither_yaml_nor_requests() -> None:
    code = (
        "import sys, invsync.config.settings; "
        "print(sorted({'yaml', 'requests', 'json', 'difflib'} & set(sys.modules)))"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True
    )
    assert ran.stdout == "[]\n"


def test_a_reserve_of_both_commands_draws_a_warning() -> None:
    both = REAL + "variants: {product_types: [Print], reserve: 2}\nlocations: {reserve: %d}\n"
    assert load(both % 0).warnings == ()
    assert load(both % 1).warnings == (
        "config.yaml: locations.reserve: variants.reserve is given too; where both commands keep "
        "the same products in step, set one of the two to 0",
    )


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ("location: A, locations: [B]", "location: locations is given too; keep one of the two"),
        (
            "across_locations: true",
            "across_locations: works with locations only; add locations: [], say",
        ),
        ("pool_metafield: a.b", "pool_metafield: works with pool_by: metafield only"),
        ("pool_by: metafield", "pool_by: needs to know which metafield"),
        (
            "pool_by: metafield, pool_metafield: stock",
            'pool_metafield: "stock" is not a metafield\'s namespace and key; write them',
        ),
        (
            "pack_size: {option: Size, metafield: a.b}",
            "pack_size: option and metafield are both given; keep one",
        ),
        ("pack_size: {}", "pack_size: needs an option or a metafield"),
        ("pack_size: six", "pack_size: must be a section"),
        (
            "pack_size: {option: Size, sizes: {Box: 1.5}}",
            'pack_size.sizes.Box: "1.5" is not a whole number of units from 1 to 999999',
        ),
    ],
)
def test_what_of_a_grouping_does_not_fit_gets_one_line(keys: str, expected: str) -> None:
    (told,) = problems(f"{SANDBOX}variants: {{product_types: [Print], {keys}}}")
    assert told.startswith(f"config.yaml:2: variants.{expected}")


@pytest.mark.parametrize(
    ("pools", "expected"),
    [
        ("[A, B]", "pools: must give each stock a name"),
        ("{Birch: A}", "pools.Birch: must be a list"),
        ("{Birch: [A]}", "pools.Birch: has one listing only, which is no pool; add another"),
        ("{Birch: []}", "pools.Birch: has one listing only"),
        ("{Birch: [A, A]}", 'pools.Birch: "A" is listed twice; keep it in one place'),
        ("{Birch: [A, B], Oak: [C, A]}", 'pools.Oak: "A" is in Birch already; keep it in one'),
        (
            "{Birch: [A, {sku: B, size: 0}]}",
            'pools.Birch.size: "0" is not a whole number of units from 1',
        ),
        ("{Birch: [A, {sku: B, size: 1.5}]}", 'pools.Birch.size: "1.5" is not a whole number'),
        ("{Birch: [A, {size: 6}]}", "pools.Birch: needs a sku or an id; add one"),
        (
            "{Birch: [A, 'gid://shopify/Location/1']}",
            'pools.Birch: "gid://shopify/Location/1" is not the id of a product or variant',
        ),
    ],
)
def test_what_is_wrong_with_a_list_by_hand_gets_one_line(pools: str, expected: str) -> None:
    told = problems(f"{SANDBOX}variants: {{pools: {pools}}}")
    assert told[0].startswith(f"config.yaml:2: variants.{expected}")
