"""YAML, line by line: the file as a whole, its keys and lists."""

from __future__ import annotations

from pathlib import Path

import pytest
from config_file import EXAMPLE, SANDBOX, VARIANTS, load, problems
from hypothesis import given, settings
from hypothesis import strategies as st

from invsync import API_VERSIONS
from invsync.config.settings import ExcludeSettings, LocationsSettings
from invsync.config.settings import load as load_config
from invsync.errors import ConfigError

ALL_KEYS = (
    "shop, api_version, access_token, access_token_file, client_id, client_secret, "
    "client_secret_file, "
)
ALL_KEYS += "api_url, environment_file, state_dir, report, remind_every, ping_url, max_run_time, "
ALL_KEYS += "variants, locations"


def test_a_key_without_a_value_counts_as_left_out() -> None:
    result = load(
        "shop: sandbox\napi_version:\naccess_token: null\nvariants: {product_types: ~, "
        "product_tags: [a]}"
    )
    assert (result.api_version, result.access_token) == (API_VERSIONS[-1], "sandbox")


def test_sections_may_share_settings_by_anchor_and_merge() -> None:
    result = load(
        "shop: sandbox\n"
        "variants: &v {product_types: [Print], scan: complete, max_rising: 10%}\n"
        "locations: {<<: *v, scan: changes}\n"
    )
    assert result.locations == LocationsSettings(
        ("Print",),
        (),
        ExcludeSettings(),
        "invsync-pause",
        0,
        "smallest",
        0.1,
        10,
        "changes",
        21600.0,
    )


def test_a_byte_order_mark_and_windows_line_ends_do_no_harm() -> None:
    assert load("\ufeffshop: sandbox\r\nstate_dir: here\r\n").state_dir == Path("here")


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
        # Credentials.
        (
            SANDBOX + "access_token: ''",
            "config.yaml:2: access_token: is empty; give it a value, or delete it",
        ),
        (
            SANDBOX + "access_token: !env TOKEN",
            "config.yaml:2: access_token: has a YAML tag (!…) that invsync does not know; take it "
            "out",
        ),
        # Lengths of time, percentages, choices, true or false.
        (
            VARIANTS + "  scan: [auto]",
            "config.yaml:4: variants.scan: must be one value, not a list; write one",
        ),
        (
            SANDBOX + r'state_dir: "\ud800"',
            "config.yaml:2: state_dir: holds something that is not Unicode text; write it again in "
            "UTF-8",
        ),
        # Which products.
        (
            SANDBOX + "locations: {product_types: Print}",
            "config.yaml:2: locations.product_types: must be a list; write [Print]",
        ),
        (
            SANDBOX + "locations: {product_types: {Print: 1}}",
            "config.yaml:2: locations.product_types: must be a list; write [Print]",
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
def test_a_mistake_gets_one_line_with_file_key_and_mend(text: str, expected: str) -> None:
    assert problems(text) == (expected,)


def test_a_file_that_is_not_utf_8_says_in_which_line() -> None:
    path = Path("config.yaml")
    path.write_bytes("shop: sandbox\n# Café\n".encode("latin-1"))
    with pytest.raises(ConfigError, match=r"^config.yaml:2: is not UTF-8 text; save it as UTF-8$"):
        load_config(path, {})


def test_a_missing_file_a_folder_and_a_path_through_a_file_get_one_line_each(folder: Path) -> None:
    Path("file").touch()
    for name, expected in {
        "nowhere.yaml": "nowhere.yaml: there is no such file; name another with --config",
        ".": ".: is a folder; name the file in it",
        "file/config.yaml": "file/config.yaml: can't be read: Not a directory; correct its "
        "permissions",
    }.items():
        with pytest.raises(ConfigError) as caught:
            load_config(Path(name), {})
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
        load_config(path, {})
    except ConfigError as error:
        for line in error.problems:
            assert line.startswith(str(path))
            assert "; " in line
            assert len(line.splitlines()) == 1


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
