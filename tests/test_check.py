"""`invsync check`: each check, what it depends on, and what it says to do."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from email.utils import formatdate
from pathlib import Path
from typing import Any

import click
import pytest
import responses
from click.shell_completion import ShellComplete
from command_line import BOTH, Place
from graphql import build_schema, parse, validate

from invsync import API_VERSIONS, check, cli, preview
from invsync.admin import access
from invsync.admin.documents import load
from invsync.connect import RunClock

TOKEN = "shpat_c0ffee00c0ffee00c0ffee00c0ffee00"
SECRET = "shpss_c0ffee00c0ffee00c0ffee00c0ffee00"
#: 2026-11-22 12:00 UTC.
NOON = 1_795_348_800.0
REAL = f"shop: my-shop.myshopify.com\naccess_token: {TOKEN}\nvariants:\n  product_types: [Print]\n"


@pytest.fixture
def place(place: Place, monkeypatch: pytest.MonkeyPatch) -> Place:
    monkeypatch.setattr(RunClock, "sleep", lambda self, seconds: None)
    return place


def checked(place: Place, exit_code: int = 0) -> dict[str, dict[str, Any]]:
    """Name of a check → what came out of it (the worst, where a check has several lines)."""
    document = place.run("check", "--json", exit_code=exit_code).document
    assert document["ok"] is (exit_code == 0)
    order = ["ok", "skipped", "warning", "failed"]
    return {
        each["check"]: each
        for each in sorted(document["checks"], key=lambda each: order.index(each["result"]))
    }


def results(found: dict[str, dict[str, Any]]) -> dict[str, str]:
    # How long a version is served is a question of when the tests run.
    return {name: each["result"] for name, each in found.items() if name != "api_version"}


# -- on the sandbox --------------------------------------------------------------------------------


def test_a_line_for_each_check_where_all_is_well(place: Place) -> None:
    with place.shop() as shop:
        shop.set_available("LIGHT-M", 10)
        shop.set_available("APRON", 8, "Till")
    ran = place.run("check")
    *lines, then = ran.out.splitlines()
    assert then.startswith("next, which adopts what is in step and sends nothing: `invsync ")
    assert [line.split()[1] for line in lines[:-1]] == [
        "config",
        "state_dir",
        "endpoint",
        "credentials",
        "api_version",
        "scopes",
        "shop",
        "clock",
        "variants.location",
        "variants.pools",
        "locations.locations",
        "locations.pools",
        "deprecations",
    ]
    assert "Warehouse (1001)" in lines[8]
    assert "7 products match (type Print), 1 of them with one variant only; all in step" in lines[9]
    assert "3 variants match (type Kitchen); all in step" in lines[11]
    assert lines[-1].startswith("check: 1")
    assert ran.err == ""


def test_nothing_is_written(place: Place) -> None:
    place.configure(BOTH + f"client_id: app\nclient_secret: {SECRET}\n")
    place.run("check")
    assert place.state_files() == {}
    place.run("variants", "--init", exit_code=3)
    before = place.state_files()
    place.run("check")
    assert place.state_files() == before


def test_pools_out_of_step_are_counted_named_and_no_failure(place: Place) -> None:
    found = checked(place)
    assert found["variants.pools"]["result"] == "warning"
    assert found["variants.pools"]["counts"] == {
        "found": 7,
        "pools": 6,
        "out_of_step": 1,
        "complete": True,
    }
    assert "1 out of step: Lighthouse (counts differ)" in found["variants.pools"]["message"]
    assert (
        "left out: 2 bundle, 2 gift card, 2 not stocked, 2 untracked"
        in found["variants.pools"]["message"]
    )
    assert (
        found["variants.pools"]["mend"] == "what a run makes of them: `invsync variants --dry-run`"
    )


def test_an_order_that_waits_to_be_shipped_is_nothing_out_of_step(place: Place) -> None:
    with place.shop() as shop:
        shop.sell("APRON", 2)
        shop.set_available("APRON", shop.availables("APRON")[0], "Till")
        shop.set_available("LIGHT-M", 10)
        shop.sell("LIGHT-M", 1)
        shop.set_available("LIGHT-M", 10)
    found = checked(place)
    assert found["variants.pools"]["result"] == found["locations.pools"]["result"] == "ok"


def test_a_large_shop_is_counted_in_part(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preview, "COUNTED", 3)
    found = checked(place)["variants.pools"]
    assert found["counts"] == {"found": 3, "pools": 3, "out_of_step": 1, "complete": False}
    assert found["message"].startswith("at least 3 products match")


@pytest.mark.parametrize(
    ("lacks", "skipped"),
    [
        ("read_products", {"variants.pools", "locations.pools"}),
        (
            "read_locations",
            {"variants.location", "variants.pools", "locations.locations", "locations.pools"},
        ),
        ("write_inventory", {"variants.pools", "locations.pools"}),
    ],
)
def test_a_missing_scope_is_named_and_stops_only_what_needs_it(
    place: Place, lacks: str, skipped: set[str]
) -> None:
    with place.shop() as shop:
        shop.settings.scopes = tuple(scope for scope in shop.settings.scopes if scope != lacks)
    found = checked(place, exit_code=1)
    assert {name for name, result in results(found).items() if result == "failed"} == {"scopes"}
    assert found["scopes"]["message"].startswith(f"the app lacks {lacks} (")
    assert "have the shop accept" in found["scopes"]["mend"]
    assert {name for name, result in results(found).items() if result == "skipped"} == skipped


def test_reading_inventory_is_not_enough_to_adjust_it(place: Place) -> None:
    with place.shop() as shop:
        shop.settings.scopes = ("read_products", "read_locations", "read_inventory")
    found = checked(place, exit_code=1)
    assert "write_inventory (to read quantities and to adjust them)" in found["scopes"]["message"]
    assert found["variants.pools"]["result"] == "warning"


def test_a_scope_to_write_covers_the_one_to_read_and_what_is_not_needed_is_told(
    place: Place,
) -> None:
    with place.shop() as shop:
        shop.settings.scopes = (
            "write_products",
            "read_locations",
            "write_inventory",
            "read_inventory",
            "read_orders",
        )
    found = checked(place)
    assert found["scopes"]["result"] == "ok"
    assert found["scopes"]["message"].endswith("invsync does not need read_orders, write_products")


def test_a_refused_token_fails_the_credentials_alone(place: Place) -> None:
    place.configure(BOTH + "access_token: invalid-token-of-somebody\n")
    ran = place.run("check", exit_code=1)
    assert "invalid-token-of-somebody" not in ran.out + ran.err
    found = checked(place, exit_code=1)
    expected = dict.fromkeys(["config", "state_dir", "endpoint", "clock"], "ok") | {
        "credentials": "failed"
    }
    assert {
        name: result for name, result in results(found).items() if result != "skipped"
    } == expected
    assert "check access_token" in found["credentials"]["message"]
    assert found["scopes"]["message"] == "not checked, since credentials failed"
    assert ran.err == "invsync: 1 of 12 checks failed: credentials\n"


def test_client_credentials(place: Place) -> None:
    place.configure(BOTH + f"client_id: app\nclient_secret: {SECRET}\n")
    assert checked(place)["credentials"]["message"] == "client_id and client_secret are accepted"
    place.configure(BOTH + "client_id: app\nclient_secret: invalid-secret-of-somebody\n")
    ran = place.run("check", exit_code=1)
    assert "FAILED   credentials" in ran.out
    assert "invalid_client" in ran.out
    assert "invalid-secret" not in ran.out + ran.err


def test_an_unknown_location_stops_that_command_only(place: Place) -> None:
    place.configure(BOTH.replace("[Print]", "[Print]\n  location: Cellar"))
    found = checked(place, exit_code=1)
    assert found["variants.location"]["result"] == "failed"
    assert "Warehouse (1001), Till (1002), Pop-up (1003)" in found["variants.location"]["message"]
    assert found["variants.pools"]["message"] == "not checked: it needs variants.location"
    assert found["locations.pools"]["result"] == "warning"


def test_one_location_leaves_nothing_to_keep_in_step(place: Place) -> None:
    place.configure(BOTH + "  locations: [Till]\n")
    assert checked(place)["locations.locations"]["result"] == "warning"


def test_a_filter_that_finds_nothing_fails(place: Place) -> None:
    place.configure(BOTH.replace("Print", "Poster"))
    found = checked(place, exit_code=1)["variants.pools"]
    assert found["message"] == "nothing matches (type Poster)"
    assert "product_types" in found["mend"]


def test_without_a_section_there_is_nothing_to_do(place: Place) -> None:
    place.configure("shop: sandbox\n")
    found = checked(place, exit_code=1)
    assert found["config"]["result"] == "failed"
    assert found["scopes"]["result"] == "ok"
    assert "variants.location" not in found


def test_a_mistake_in_the_configuration_is_exit_2(place: Place) -> None:
    place.configure("shop: sandbox\nvariant: 1\n")
    assert "did you mean variants?" in place.run("check", exit_code=2).err


def test_what_is_unwise_in_the_configuration_is_told(place: Place) -> None:
    place.configure(REAL)
    place.config.chmod(0o644)
    with responses.RequestsMock() as web:
        web.post("https://my-shop.myshopify.com/admin/api/2026-10/graphql.json", status=404)
        found = checked(place, exit_code=1)
    assert found["config"]["result"] == "warning"
    assert "chmod 600" in found["config"]["message"]


@pytest.mark.parametrize("folder", ["config.yaml", "config.yaml/state"])
def test_a_state_folder_that_cannot_be_one(place: Place, folder: str) -> None:
    place.configure(REAL + f"state_dir: {folder}\n")
    with responses.RequestsMock() as web:
        web.post("https://my-shop.myshopify.com/admin/api/2026-10/graphql.json", status=404)
        found = checked(place, exit_code=1)["state_dir"]
    assert found["result"] == "failed"
    assert "set another state_dir" in found["mend"]


def test_state_of_another_user_is_found(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    place.run("variants", "--init", exit_code=3)
    monkeypatch.setattr(check.os, "access", lambda path, mode: Path(path).name != "variants.json")
    found = checked(place, exit_code=1)["state_dir"]
    assert "variants.json belongs to another user" in found["message"]


def test_quiet_shows_what_failed_only(place: Place) -> None:
    assert place.run("-q", "check").out == ""
    place.configure(BOTH.replace("Print", "Poster"))
    assert place.run("-q", "check", exit_code=1).out.startswith("FAILED   variants.pools")


@pytest.mark.parametrize(("seconds", "says"), [(-300, "behind"), (300, "ahead of")])
def test_a_clock_that_is_off_is_a_warning(
    place: Place, monkeypatch: pytest.MonkeyPatch, seconds: int, says: str
) -> None:
    real = RunClock.now
    monkeypatch.setattr(RunClock, "now", lambda self: real(self) + seconds)
    found = checked(place)["clock"]
    assert found["result"] == "warning"
    assert f"s {says} the shop's" in found["message"]
    assert "NTP" in found["mend"]


# -- on answers that a real shop gives -------------------------------------------------------------

Answer = tuple[int, dict[str, str], str]


def _answers(operation: str) -> Any:
    location = {
        "id": "gid://shopify/Location/1",
        "name": "Main",
        "isActive": True,
        "isFulfillmentService": False,
    }
    shop = {"myshopifyDomain": "my-shop.myshopify.com"}
    page = {"hasNextPage": False, "endCursor": None}
    if operation == "Access":
        return {
            "currentAppInstallation": {
                "accessScopes": [{"handle": name} for name in access.NEEDED]
            },
            "shop": shop,
        }
    if operation == "Shop":
        return {
            "shop": shop,
            "location": location,
            "locations": {"nodes": [location], "pageInfo": page},
        }
    return {"products": {"nodes": [], "pageInfo": page}}


@pytest.fixture
def web(place: Place, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """A shop that answers as told.

    Headers and status of each answer, and what differs of the data.
    """
    place.configure(REAL)
    monkeypatch.setattr(RunClock, "now", lambda self: NOON)
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:

        def answer(
            *,
            version: str = "2026-10",
            status: int = 200,
            at: float = NOON,
            domain: str = "",
            **headers: str,
        ) -> None:
            headers = {name.replace("_", "-"): value for name, value in headers.items()}

            def called(request: Any) -> Answer:
                operation = (
                    json.loads(request.body)["query"]
                    .partition("query ")[2]
                    .partition(" ")[0]
                    .partition("(")[0]
                )
                data = _answers(operation)
                if domain:
                    data["shop"] = {"myshopifyDomain": domain}
                told = {
                    "X-Shopify-API-Version": version,
                    "Date": formatdate(at, usegmt=True),
                    **headers,
                }
                body = {"data": data} if status == 200 else {"errors": "no"}
                return status, told, json.dumps(body)

            for name in API_VERSIONS:
                url = f"https://my-shop.myshopify.com/admin/api/{name}/graphql.json"
                mock.add_callback(responses.POST, url, callback=called)

        yield answer


def test_an_endpoint_that_does_not_answer(place: Place) -> None:
    place.configure(REAL)
    with responses.RequestsMock() as web:
        url = "https://my-shop.myshopify.com/admin/api/2026-10/graphql.json"
        web.post(url, body=responses.ConnectionError("connection refused"))
        found = checked(place, exit_code=1)
    assert found["endpoint"]["result"] == "failed"
    assert "my-shop.myshopify.com" in found["endpoint"]["message"]
    skipped = {"credentials", "scopes", "shop", "clock", "variants.location", "variants.pools"}
    assert {name for name, result in results(found).items() if result == "skipped"} == skipped
    assert "2027-10-16" in found["api_version"]["message"]


def test_a_version_says_until_when_it_is_served(place: Place, web: Callable[..., None]) -> None:
    web()
    assert checked(place, exit_code=1)["api_version"] == {
        "check": "api_version",
        "result": "ok",
        "message": "2026-10 is served until 2027-10-16, 328 days from now",
        "mend": None,
        "counts": None,
    }


@pytest.mark.parametrize(
    ("at", "says"),
    [
        (NOON, "2026-01 is served until 2027-01-16, 55 days from now"),
        (NOON + 6e6, "2026-01 was served until 2027-01-16"),
    ],
)
def test_a_version_near_its_end_is_a_warning(
    place: Place, web: Callable[..., None], at: float, says: str
) -> None:
    place.configure(REAL + 'api_version: "2026-01"\n')
    web(version="2026-01", at=at)
    found = checked(place, exit_code=1)["api_version"]
    assert found["result"] == "warning"
    assert found["message"].startswith(says)
    assert found["mend"].startswith('set api_version: "2026-10"')


def test_a_version_that_fell_forward_fails_and_the_credentials_are_fine(
    place: Place, web: Callable[..., None]
) -> None:
    place.configure(REAL + 'api_version: "2026-01"\n')
    web(version="2026-04")
    found = checked(place, exit_code=1)
    assert (found["endpoint"]["result"], found["credentials"]["result"]) == ("ok", "ok")
    assert found["api_version"]["result"] == "failed"
    assert "answered with API version 2026-04" in found["api_version"]["message"]
    assert found["scopes"]["result"] == "skipped"


def test_a_deprecation_is_told(place: Place, web: Callable[..., None]) -> None:
    web(X_Shopify_API_Deprecated_Reason="Location.isActive")
    found = checked(place, exit_code=1)
    assert found["deprecations"]["result"] == "warning"
    assert "Location.isActive" in found["deprecations"]["message"]


def test_the_wrong_shop_fails_and_is_not_counted(place: Place, web: Callable[..., None]) -> None:
    web(domain="your-shop.myshopify.com")
    found = checked(place, exit_code=1)
    assert (
        "is the shop your-shop.myshopify.com, but the configuration says my-shop"
        in found["shop"]["message"]
    )
    assert found["variants.location"]["message"] == "not checked: it needs the right shop"


@pytest.mark.parametrize(
    ("status", "fault"),
    [(401, "credentials"), (403, "credentials"), (404, "endpoint"), (402, "endpoint")],
)
def test_a_refusal_is_told_of_where_it_belongs(
    place: Place, web: Callable[..., None], status: int, fault: str
) -> None:
    web(status=status)
    ran = place.run("check", exit_code=1)
    assert f"FAILED   {fault}" in ran.out
    assert TOKEN not in ran.out + ran.err
    assert "ok       clock" in ran.out


# -- the command line itself -----------------------------------------------------------------------


@pytest.mark.parametrize("option", ["--version", "--help"])
def test_help_and_version_load_nothing_heavy(option: str) -> None:
    code = (
        f"import sys; from invsync.cli import main; main(['{option}'], standalone_mode=False);"
        "print('LOADED', {'requests', 'yaml', 'json', 'dataclasses', 'invsync.sandbox'} & "
        "sys.modules.keys())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "LOADED set()"


def test_the_list_of_commands_tells_of_those_loaded_later_what_they_tell_themselves() -> None:
    context = click.Context(cli.main)
    for name, told in cli._LATER.items():
        found = cli.main.get_command(context, name)
        assert found is not None
        assert found.get_short_help_str(200) == told


@pytest.mark.parametrize(
    "name", sorted(["check", "demo", "explain", "locations", "status", "variants"])
)
def test_every_help_has_an_example_and_fits_a_screen(place: Place, name: str) -> None:
    out = place.run(name, "--help", columns=80).out
    assert f"  invsync {name}" in out
    assert max(map(len, out.splitlines())) <= 80


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["sta"], ["status"]),
        (["s"], ["sandbox", "status"]),
        (["sandbox", "se"], ["sell", "serve", "set"]),
        (["variants", "--align", ""], ["lowest", "highest"]),
        (["explain", "--l"], ["--last"]),
    ],
)
def test_the_shell_completes_commands_that_are_loaded_when_needed(
    words: list[str], expected: list[str]
) -> None:
    complete = ShellComplete(cli.main, {}, "invsync", "_INVSYNC_COMPLETE")
    assert [item.value for item in complete.get_completions(words[:-1], words[-1])] == expected


# -- facts -----------------------------------------------------------------------------------------


def test_every_version_has_an_end() -> None:
    assert tuple(access.SERVED_UNTIL) == API_VERSIONS


@pytest.mark.parametrize("version", API_VERSIONS)
def test_the_document_is_valid_in_every_version(project: Path, version: str) -> None:
    text = (project / "invsync" / "sandbox" / "schema" / f"admin-{version}.graphql").read_text(
        "utf-8"
    )
    assert validate(build_schema(text), parse(load("access").text)) == []
