"""What it is deployed with: units that systemd takes; manifest and image name what exists."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from docs_pages import PROJECT, RUNNING

from invsync import __version__
from invsync.cli import main
from invsync.config.settings import load as load_config

DEPLOY = PROJECT / "docs/deploy"
COMMANDS = ("variants", "locations")


def test_every_file_is_named_where_it_is_told_how_to_run_invsync() -> None:
    told = {target for _, target in RUNNING.links() if target.startswith("deploy/")}
    assert told == {f"deploy/{path.name}" for path in DEPLOY.iterdir()}


# -- systemd ---------------------------------------------------------------------------------------


def setting(unit: str, key: str) -> list[str]:
    return re.findall(rf"^{key}=(.*)$", (DEPLOY / unit).read_text(encoding="utf-8"), re.MULTILINE)


def test_the_service_runs_the_command_that_the_crontab_runs() -> None:
    (runs,) = setting("invsync@.service", "ExecStart")
    for command in COMMANDS:
        typed = runs.replace("%i", command)
        assert f"; {typed}\n" in (PROJECT / "crontab.example").read_text(encoding="utf-8")
    assert setting("invsync@.service", "SuccessExitStatus") == ["75"]


def test_the_paths_of_the_service_are_those_that_are_set_up() -> None:
    told = (PROJECT / "docs/connecting.md").read_text(encoding="utf-8")
    (environment,) = setting("invsync@.service", "EnvironmentFile")
    (state,) = setting("invsync@.service", "StateDirectory")
    assert environment in told
    assert f"state_dir: /var/lib/{state}" in told
    assert f"useradd --system --user-group --no-create-home --home-dir /var/lib/{state} " in told


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd here")
def test_systemd_takes_the_units(tmp_path: Path) -> None:
    for path in DEPLOY.glob("invsync@.*"):
        text = path.read_text(encoding="utf-8")
        # The program is not installed where the tests run; all else is taken as it stands.
        installed = text.replace("/opt/invsync/bin/invsync", sys.executable)
        (tmp_path / path.name).write_text(installed, encoding="utf-8")
    units = [f"invsync@{command}.{kind}" for command in COMMANDS for kind in ("service", "timer")]
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *units],
        env={**os.environ, "SYSTEMD_UNIT_PATH": f"{tmp_path}:"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    about_ours = [line for line in done.stderr.splitlines() if "invsync" in line]
    assert (done.returncode, about_ours) == (0, []), done.stderr


# -- Kubernetes ------------------------------------------------------------------------------------


def manifest() -> dict[str, dict[str, Any]]:
    text = (DEPLOY / "kubernetes.yaml").read_text(encoding="utf-8")
    return {one["kind"]: one for one in yaml.safe_load_all(text)}


def pod() -> dict[str, Any]:
    found: dict[str, Any] = manifest()["CronJob"]["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    return found


def test_the_manifest_mounts_and_reads_what_it_makes() -> None:
    made = manifest()
    names = {kind: one["metadata"]["name"] for kind, one in made.items()}
    assert set(made) == {"ConfigMap", "Secret", "PersistentVolumeClaim", "CronJob"}
    volumes = {volume.pop("name"): volume for volume in pod()["volumes"]}
    assert volumes["config"] == {"configMap": {"name": names["ConfigMap"]}}
    claim = {"claimName": names["PersistentVolumeClaim"]}
    assert volumes["state"] == {"persistentVolumeClaim": claim}
    (container,) = pod()["containers"]
    mounts = {mount["name"]: mount for mount in container["volumeMounts"]}
    assert mounts.keys() == volumes.keys()
    assert [one["secretRef"]["name"] for one in container["envFrom"]] == [names["Secret"]]


def test_the_manifest_runs_a_command_of_the_image_as_its_user() -> None:
    (container,) = pod()["containers"]
    assert container["args"][0] in main.commands
    assert container["image"].endswith(f":{__version__}")
    (user,) = steps("USER")
    assert pod()["securityContext"]["fsGroup"] == int(user.partition(":")[2])
    assert pod()["securityContext"]["runAsNonRoot"] is True


def test_the_configuration_of_the_manifest_is_right(tmp_path: Path) -> None:
    made = manifest()
    (name,) = made["ConfigMap"]["data"]
    (container,) = pod()["containers"]
    mounts = {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}
    (tmp_path / name).write_text(made["ConfigMap"]["data"][name], encoding="utf-8")
    settings = load_config(tmp_path / name, made["Secret"]["stringData"])
    assert settings.variants
    assert str(settings.state_dir).startswith(f"{mounts['state']}/")
    assert [f"{mounts['config']}/{name}"] == [
        word for word in shlex.split(steps("ENTRYPOINT")[0].strip("[]")) if word.startswith("/")
    ]


# -- The image -------------------------------------------------------------------------------------


def steps(instruction: str) -> list[str]:
    text = (DEPLOY / "Dockerfile").read_text(encoding="utf-8")
    return re.findall(rf"^{instruction} (.*)$", text, re.MULTILINE)


def copied(to: Path) -> Path:
    """What the COPY steps put into the image, put into a folder; the sources' folder in it."""
    for step in steps("COPY"):
        *sources, target = step.split()
        folder = to / target.lstrip("/")
        for source in sources:
            here = PROJECT / source
            assert here.exists(), f"COPY {source}"
            if here.is_dir():
                shutil.copytree(here, folder, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                folder.mkdir(parents=True, exist_ok=True)
                shutil.copy(here, folder)
    return to / "src"


def test_every_step_of_the_image_is_known() -> None:
    text = (DEPLOY / "Dockerfile").read_text(encoding="utf-8")
    told = [line.split()[0] for line in text.splitlines() if line and not line.startswith("#")]
    assert told == ["FROM", "COPY", "COPY", "COPY", "RUN", "USER", "ENTRYPOINT"]


def test_the_image_has_a_python_that_invsync_runs_on(tmp_path: Path) -> None:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    (base,) = steps("FROM")
    version = re.fullmatch(r"python:(\d+)\.(\d+)-slim", base)
    assert version
    needed = re.fullmatch(r">=(\d+)\.(\d+)", project["requires-python"])
    assert needed
    assert tuple(map(int, version.groups())) >= tuple(map(int, needed.groups()))


def test_the_image_copies_what_the_package_is_built_from(tmp_path: Path) -> None:
    sources = copied(tmp_path)
    project = tomllib.loads((sources / "pyproject.toml").read_text(encoding="utf-8"))
    assert (sources / project["project"]["readme"]).exists()
    for wanted in (*project["project"]["license-files"], *project["build-system"]["backend-path"]):
        assert (sources / wanted).exists(), wanted
    for pattern in project["tool"]["setuptools"]["package-data"]["invsync"]:
        assert list((sources / "invsync").glob(pattern)), pattern
    assert not [path for path in sources.iterdir() if path.name.startswith(".")]


def test_the_image_starts_a_program_that_the_package_brings() -> None:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    (entry,) = steps("ENTRYPOINT")
    program, *options = [word.strip(' "') for word in entry.strip("[]").split(",")]
    assert program in project["scripts"]
    assert options == ["--config", "/etc/invsync/config.yaml"]


def test_the_steps_of_the_image_make_a_program_that_runs(tmp_path: Path) -> None:
    """In a plain virtual environment in place of the image; needs a package index."""
    sources = copied(tmp_path)
    venv = [sys.executable, "-m", "venv", "--without-pip", tmp_path / "venv"]
    subprocess.run(venv, check=True, timeout=120)
    (run,) = steps("RUN")
    install, _, clear = run.partition(" && ")
    assert clear == "rm -r /src"
    words = [str(sources) if word == "/src" else word for word in shlex.split(install)]
    assert words[0] == "pip"
    pip = [sys.executable, "-m", "pip", "--python", tmp_path / "venv/bin/python"]
    done = subprocess.run(
        [*pip, *words[1:], "--quiet", "--retries", "0"],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    if re.search(r"No matching distribution|NewConnectionError|Max retries", done.stderr):
        pytest.skip("no package index can be reached")
    assert done.returncode == 0, done.stderr
    shown = subprocess.run(
        [tmp_path / "venv/bin/invsync", "--version"],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert shown.stdout.startswith(f"invsync {__version__} ")
