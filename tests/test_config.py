"""The configuration.

What a file may say, what it gets when it says something else, and where it is looked for.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from invsync import API_VERSIONS, config
from invsync.config import LocationsSettings, Settings, VariantsSettings
from invsync.errors import ConfigError

ROOT = Path(__file__).parent.parent
EXAMPLE = ROOT / "config.example.yaml"
SECRET = "shpat_0123456789abcdef"
ALL_KEYS = (
    "shop, api_version, access_token, access_token_file, client_id, client_secret, "
    "client_secret_file, "
)
ALL_KEYS += "api_url, state_dir, ping_url, max_run_time, variants, locations"
CREDENTIALS = (
    "access_token, access_token_file, or client_id with client_secret or client_secret_file"
)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def load(text: str, **environ: str) -> Settings:
    """What the text says, as ./config.yaml."""
    path = Path("config.yaml")
    path.write_text(text, encoding="utf-8")
    path.chmod(0o600)
    return config.load(path, environ)


def problems(text: str, **environ: str) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as caught:
        load(text, **environ)
    assert caught.value.exit_code == 2
    return caught.value.problems


# --- What a file may say --------------------------------------------------------------------------


def test_the_example_works_as_it_stands_without_any_environment_variable() -> None:
    assert config.load(EXAMPLE, {}) == Settings(
        file=EXAMPLE,
        shop="sandbox.myshopify.com",
        sandbox=True,
        endpoint="https://sandbox.myshopify.com",
        api_version=API_VERSIONS[-1],
        access_token="sandbox",
        client_id=None,
        client_secret=None,
        state_dir=ROOT / "invsync-state",
        ping_url=None,
        max_run_time=540.0,
        variants=VariantsSettings(
            ("Print",), (), False, "default", "smallest", 0.5, "auto", 21600.0
        ),
        locations=LocationsSettings((), (), "smallest", 0.5, "auto", 21600.0),
    )


@pytest.mark.parametrize("section", ["", "variants", "locations"])
def test_the_example_shows_every_key_of_every_section(section: str) -> None:
    text = EXAMPLE.read_text(encoding="utf-8")
    if section:
        text = (
            re.split(r"(?m)^locations:$", text)[section == "locations"].partition("variants:\n")[2]
            or text
        )
    keys = config.SECTIONS[section][1] if section else config.TOP
    indent = "  " if section else ""
    for key in keys:
        assert re.search(rf"(?m)^{indent}(# )?{key.name}: ", text), key.name


def test_the_defaults_are_those_that_the_example_shows(folder: Path) -> None:
    shown = config.load(EXAMPLE, {})
    left_out = load("shop: sandbox\nvariants: {product_types: [Print]}\nlocations: {}")
    for name in ("api_version", "max_run_time", "variants", "locations"):
        assert getattr(left_out, name) == getattr(shown, name)
    assert left_out.state_dir == Path("invsync-state")


def test_the_schema_for_editors_is_up_to_date() -> None:
    written = json.loads((ROOT / "config.schema.json").read_text(encoding="utf-8"))
    assert written == config.json_schema(), "run: python -m invsync.config > config.schema.json"


def test_the_schema_knows_every_key_and_its_default() -> None:
    schema = config.json_schema()
    assert set(schema["properties"]) == {key.name for key in config.TOP} | set(config.SECTIONS)
    variants = schema["properties"]["variants"]["properties"]
    assert {key.name for key in config.VARIANTS} == set(variants)
    assert variants["scan"]["default"] == "auto"
    assert variants["scan"]["anyOf"][0] == {"enum": ["auto", "complete", "changes"]}


def test_a_whole_file_for_a_real_shop(folder: Path) -> None:
    result = load(
        """
        shop: My-Shop.myshopify.com
        api_version: 2026-04
        client_id: ${ID}
        client_secret: ${SECRET}
        state_dir: ~/state
        ping_url: https://ping.example/uuid/
        max_run_time: 30s
        variants:
          product_tags: ['a "b" \\ c:d', 共有, "on", "2024", "a $${x}"]
          only_active: yes
          location: 123456
          several_rises: hold
          max_rising: 12.5%
          scan: changes
          reconcile_every: 1d
        locations:
          product_types: ["${KIND} prints"]
          locations: [Main Street 1, 42, gid://shopify/Location/7]
          several_rises: sum
          max_rising: 100%
          scan: complete
          reconcile_every: 90m
        """,
        ID="abc",
        SECRET="s3cret\n",
        KIND="Large",
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
        ping_url="https://ping.example/uuid",
        max_run_time=30.0,
        variants=VariantsSettings(
            product_types=(),
            product_tags=('a "b" \\ c:d', "共有", "on", "2024", "a ${x}"),
            only_active=True,
            location="123456",
            several_rises="hold",
            max_rising=0.125,
            scan="changes",
            reconcile_every=86400.0,
        ),
        locations=LocationsSettings(
            product_types=("Large prints",),
            locations=("Main Street 1", "42", "gid://shopify/Location/7"),
            several_rises="sum",
            max_rising=1.0,
            scan="complete",
            reconcile_every=5400.0,
        ),
    )


def test_a_section_that_is_not_there_is_none(folder: Path) -> None:
    result = load("shop: sandbox\nvariants:\n")
    assert result.variants is None
    assert result.locations is None
    assert str(config.section_missing(result, "variants")) == (
        "config.yaml: variants: the section is missing; add variants: with product_types: [Print] "
        "under it"
    )


def test_a_key_without_a_value_counts_as_left_out(folder: Path) -> None:
    result = load(
        "shop: sandbox\napi_version:\naccess_token: null\nvariants: {product_types: ~, "
        "product_tags: [a]}"
    )
    assert (result.api_version, result.access_token) == (API_VERSIONS[-1], "sandbox")


def test_sections_may_share_settings_by_anchor_and_merge(folder: Path) -> None:
    result = load(
        "shop: sandbox\n"
        "variants: &v {product_types: [Print], scan: complete, max_rising: 10%}\n"
        "locations: {<<: *v, scan: changes}\n"
    )
    assert result.locations == LocationsSettings(
        ("Print",), (), "smallest", 0.1, "changes", 21600.0
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
def test_the_sandbox_on_this_machine_needs_no_credentials(
    folder: Path, api_url: str, endpoint: str
) -> None:
    result = load(f"shop: sandbox\napi_url: {api_url}")
    assert (result.endpoint, result.sandbox, result.access_token) == (endpoint, False, "sandbox")


def test_a_sandbox_somewhere_else_needs_credentials(folder: Path) -> None:
    text = "shop: sandbox\napi_url: https://sandbox.example"
    assert problems(text) == (f"config.yaml: access_token: is missing; give {CREDENTIALS}",)
    assert load(f"{text}\naccess_token: abc").access_token == "abc"


def test_variables_fill_in_a_true_or_false_too(folder: Path) -> None:
    text = "shop: sandbox\nvariants: {product_types: [Print], only_active: '${ACTIVE}'}"
    variants = load(text, ACTIVE="true").variants
    assert variants is not None
    assert variants.only_active is True


def test_a_byte_order_mark_and_windows_line_ends_do_no_harm(folder: Path) -> None:
    assert load("\ufeffshop: sandbox\r\nstate_dir: here\r\n").state_dir == Path("here")


# --- What a file gets that says something else ----------------------------------------------------

REAL = "shop: my-shop.myshopify.com\naccess_token: abc\n"
SANDBOX = "shop: sandbox\n"
VARIANTS = SANDBOX + "variants:\n  product_types: [Print]\n"
URL_MEND = "write https:// (http only to 127.0.0.1, ::1 or localhost)"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # The file as a whole.
        ("", "config.yaml: is empty; start from `invsync config example`"),
        ("# shop: sandbox\n", "config.yaml: is empty; start from `invsync config example`"),
        (
            "- shop\n",
            "config.yaml:1: is a list, not keys with values; start from `invsync config example`",
        ),
        (
            "shop\n",
            "config.yaml:1: is one text, not keys with values; start from `invsync config example`",
        ),
        (
            "shop: sandbox\n  api_version: x\n",
            "config.yaml:2:14: is not valid YAML: mapping values are not allowed here; "
            "look at the indentation, colons and quotes there",
        ),
        (
            "shop: *sandbox\n",
            "config.yaml:1:7: is not valid YAML: found undefined alias; "
            "look at the indentation, colons and quotes there",
        ),
        (
            "shop: sandbox\nlocations: {product_types: [a, {x}\n",
            "config.yaml:3:1: is not valid YAML: expected ',' or ']', but got '<stream end>'; "
            "look at the indentation, colons and quotes there",
        ),
        ("shop: sandbox\nx: \0\n", "config.yaml:2: holds a control character; delete it"),
        (
            "[" * 5000,
            "config.yaml: is nested far too deeply; start again from `invsync config example`",
        ),
        (
            "#" * (1 << 21),
            "config.yaml: is larger than 1 MiB and so no configuration; name another file with "
            "--config",
        ),
        # Keys.
        ("{}", "config.yaml: shop: is missing; add shop: my-shop.myshopify.com"),
        (
            SANDBOX + "api_versoin: x\n",
            "config.yaml:2: api_versoin: is not a key of invsync; did you mean api_version?",
        ),
        (
            SANDBOX + "Ping-URL: x\n",
            "config.yaml:2: Ping-URL: is not a key of invsync; did you mean ping_url?",
        ),
        (
            SANDBOX + "on: x\n",
            f"config.yaml:2: on: is not a key of invsync; delete it; the keys here are {ALL_KEYS}",
        ),
        (
            SANDBOX + "product_types: [Print]\n",
            "config.yaml:2: product_types: is not a key of invsync; move it under variants or "
            "locations",
        ),
        (
            VARIANTS + "  shop: sandbox\n",
            "config.yaml:4: variants.shop: is not a key of invsync; move it to the top level, "
            "without indentation",
        ),
        (
            SANDBOX + "locations: {only_active: true}\n",
            "config.yaml:2: locations.only_active: is not a key of invsync; move it under variants",
        ),
        (
            SANDBOX + "shop: sandbox\n",
            "config.yaml:2: shop: is given already, on line 1; keep one of them",
        ),
        (
            VARIANTS + "  product_types: [Card]\n",
            "config.yaml:4: variants.product_types: is given already, on line 3; keep one of them",
        ),
        (
            SANDBOX + "variants: [Print]\n",
            "config.yaml:2: variants: must be a section; indent its keys below it, as "
            "`invsync config example` shows it",
        ),
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
            SANDBOX + "access_token: 123456",
            "config.yaml:2: access_token: is a number to YAML; put it in quotes",
        ),
        (
            SANDBOX + "access_token: abc def",
            "config.yaml:2: access_token: holds a space, a line break or a character that is not "
            "ASCII; copy it again",
        ),
        (
            SANDBOX + "access_token: ''",
            "config.yaml:2: access_token: is empty; give it a value, or delete it",
        ),
        (
            SANDBOX + "access_token: !env TOKEN",
            "config.yaml:2: access_token: has a YAML tag (!…) that invsync does not know; take it "
            "out",
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
            'config.yaml:4: variants.several_rises: "max" is not one of smallest, sum, hold; '
            "write smallest, sum or hold",
        ),
        (
            VARIANTS + "  scan: [auto]",
            "config.yaml:4: variants.scan: must be one value, not a list; write one",
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
        (
            SANDBOX + r'state_dir: "\ud800"',
            "config.yaml:2: state_dir: holds something that is not Unicode text; write it again in "
            "UTF-8",
        ),
        # Which products.
        (
            SANDBOX + "variants: {product_types: [], product_tags: []}",
            "config.yaml:2: variants: neither product_types nor product_tags says which products; "
            "add product_types: [Print], say",
        ),
        (
            VARIANTS + "  product_tags: [shared]",
            "config.yaml:4: variants.product_tags: product_types is given too; keep one of the two "
            "and empty the other",
        ),
        (
            SANDBOX + "locations: {product_types: Print}",
            "config.yaml:2: locations.product_types: must be a list; write [Print]",
        ),
        (
            SANDBOX + "locations: {product_types: {Print: 1}}",
            "config.yaml:2: locations.product_types: must be a list; write [Print]",
        ),
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
        (
            VARIANTS.replace("Print", "Print, ' '"),
            "config.yaml:3: variants.product_types: is empty; give it a value, or delete it",
        ),
        (
            VARIANTS.replace("Print", "Print, Card, Print"),
            'config.yaml:3: variants.product_types: "Print" is listed twice; delete one of them',
        ),
    ],
)
def test_a_mistake_gets_one_line_with_file_key_and_mend(
    folder: Path, text: str, expected: str
) -> None:
    assert problems(text, EMPTY="", NUMBER="540") == (expected,)


def test_all_mistakes_of_a_file_are_reported_at_once_in_its_order(folder: Path) -> None:
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


def test_a_file_that_is_not_utf_8_says_in_which_line(folder: Path) -> None:
    path = Path("config.yaml")
    path.write_bytes("shop: sandbox\n# Café\n".encode("latin-1"))
    with pytest.raises(ConfigError, match=r"^config.yaml:2: is not UTF-8 text; save it as UTF-8$"):
        config.load(path, {})


def test_a_missing_file_a_folder_and_a_path_through_a_file_get_one_line_each(folder: Path) -> None:
    Path("file").touch()
    for name, expected in {
        "nowhere.yaml": "nowhere.yaml: there is no such file; name another with --config",
        ".": ".: is a folder; name the file in it",
        "file/config.yaml": "file/config.yaml: can't be read: Not a directory; correct its "
        "permissions",
    }.items():
        with pytest.raises(ConfigError) as caught:
            config.load(Path(name), {})
        assert caught.value.problems == (expected,)


@settings(max_examples=60, deadline=None)
@given(
    st.one_of(
        st.binary(max_size=30),
        st.tuples(
            st.integers(0, 4000),
            st.integers(0, 4),
            st.sampled_from(["", "\n", ":", "[", "'", "\0", "*a", "!x"]),
        ),
    )
)
def test_no_file_whatsoever_ends_in_anything_but_settings_or_single_lines(
    tmp_path_factory: pytest.TempPathFactory, content: bytes | tuple[int, int, str]
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.yaml"
    if isinstance(content, tuple):
        start, length, inserted = content
        example = EXAMPLE.read_text(encoding="utf-8")
        content = (example[:start] + inserted + example[start + length :]).encode()
    path.write_bytes(content)
    try:
        config.load(path, {})
    except ConfigError as error:
        for line in error.problems:
            assert line.startswith(str(path))
            assert "; " in line
            assert len(line.splitlines()) == 1


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
def test_no_mistake_makes_a_message_show_a_secret(folder: Path, text: str) -> None:
    Path("secret").write_text(f"{SECRET} {SECRET}")
    assert SECRET not in "\n".join(problems(text, TOKEN=SECRET))


def test_the_settings_do_not_show_their_secrets(folder: Path) -> None:
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
def test_a_secret_file_that_holds_no_secret_is_refused(
    folder: Path, content: bytes, what: str
) -> None:
    Path("token").write_bytes(content)
    assert problems("shop: sandbox\naccess_token_file: token") == (
        f"config.yaml:2: access_token_file: {what}; put the secret in it, and nothing else",
    )


def test_a_secret_that_others_can_read_draws_a_warning(folder: Path) -> None:
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
        assert config.load(path, {"TOKEN": SECRET}).warnings == expected


def test_the_sandbox_has_no_secret_to_warn_of(folder: Path) -> None:
    path = Path("config.yaml")
    path.write_text("shop: sandbox\naccess_token: abc\n")
    path.chmod(0o644)
    assert config.load(path, {}).warnings == ()


# --- Where the file is looked for -----------------------------------------------------------------


def test_the_file_is_the_named_one_else_the_first_of_the_search_path(folder: Path) -> None:
    home, xdg = folder / "home", folder / "xdg"
    places = [
        "named.yaml",
        "variable.yaml",
        "config.yaml",
        "xdg/invsync/config.yaml",
        "home/.config/invsync/config.yaml",
    ]
    for place in places:
        (folder / place).parent.mkdir(parents=True, exist_ok=True)
        (folder / place).touch()
    environ = {"INVSYNC_CONFIG": "variable.yaml", "HOME": str(home), "XDG_CONFIG_HOME": str(xdg)}

    assert config.find("named.yaml", environ, Path()) == Path("named.yaml")
    assert config.find(None, environ, Path()) == Path("variable.yaml")
    assert config.find("~/.config/invsync/config.yaml", environ, Path()) == folder / places[4]
    environ["INVSYNC_CONFIG"] = ""
    assert config.find(None, environ, Path()) == Path("config.yaml")
    Path("config.yaml").unlink()
    assert config.find(None, environ, Path()) == folder / places[3]
    environ["XDG_CONFIG_HOME"] = "relative"
    assert config.find(None, environ, Path()) == folder / places[4]


def test_no_file_anywhere_says_where_it_was_looked_for(folder: Path) -> None:
    if Path("/etc/invsync/config.yaml").exists():
        pytest.skip("this machine has a configuration for everyone")
    with pytest.raises(ConfigError) as caught:
        config.find(None, {"HOME": "/nowhere"}, Path())
    assert caught.value.problems == (
        "no configuration: looked for config.yaml, /nowhere/.config/invsync/config.yaml and "
        "/etc/invsync/config.yaml; run `invsync config example > config.yaml`, or name a file "
        "with --config",
    )


@pytest.mark.parametrize(
    ("explicit", "environ", "source"),
    [("gone.yaml", {}, "--config"), (None, {"INVSYNC_CONFIG": "gone.yaml"}, "INVSYNC_CONFIG")],
)
def test_a_named_file_that_is_not_there_is_not_replaced_by_another(
    folder: Path, explicit: str | None, environ: dict[str, str], source: str
) -> None:
    Path("config.yaml").touch()
    with pytest.raises(ConfigError) as caught:
        config.find(explicit, environ, Path())
    assert caught.value.problems == (f"gone.yaml: there is no such file; correct {source}",)


def test_importing_it_brings_in_neither_yaml_nor_requests() -> None:
    code = (
        "import sys, invsync.config; print(sorted({'yaml', 'requests', 'json', 'difflib'} & "
        "set(sys.modules)))"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True
    )
    assert ran.stdout == "[]\n"


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("shop: sandbox\nvariants:\n\tproduct_types: [Print]\n", "3:1"),
        ("shop: sandbox\nvariants:\n  \tproduct_types: [Print]\n", "3:3"),
        ("shop: sandbox\nvariants:\n  product_types:\n\t- Print\n", "4:1"),
        ("\tshop: sandbox\n", "1:1"),
        ("shop: sandbox\n\tapi_version: x\n", "2:1"),
    ],
)
def test_a_tab_is_called_a_tab(text: str, at: str) -> None:
    (problem,) = problems(text)
    assert problem == (
        f"config.yaml:{at}: a tab stands there, and YAML takes none; put blanks in its place"
    )


def test_a_mistake_in_a_line_without_a_tab_is_not_one() -> None:
    (problem,) = problems("shop: sandbox\nvariants: a: b\nlocations:\t{}\n")
    assert "tab" not in problem


def test_names_are_the_same_however_their_signs_are_typed() -> None:
    composed, apart = "Poster caf\u00e9", "Poster cafe\u0301"
    text = "shop: sandbox\nvariants:\n  product_types: [{}]\n"
    settings = load(text.format(apart))
    assert settings.variants == load(text.format(composed)).variants
    (problem,) = problems(text.format(f"{apart}, {composed}"))
    assert "listed twice" in problem
