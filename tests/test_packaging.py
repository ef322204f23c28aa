"""What is shipped: packages, programs, and imports that stay small."""

import configparser
import importlib
import json
import subprocess
import sys
import tomllib
from pathlib import Path

import ctmux
import pytest

ROOT = Path(ctmux.__file__).parent
# Beside the tests, also when these run on an installed wheel: then ROOT is what the wheel really has.
PROJECT = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text())
TOP = ("cli", "client", "services", "shared")
PACKAGES = sorted(
    ["ctmux", *(".".join(["ctmux", *found.parent.relative_to(ROOT).parts]) for top in TOP
                for found in (ROOT / top).rglob("__init__.py"))]
)  # fmt: skip


@pytest.fixture(scope="module")
def supervisord():
    parsed = configparser.RawConfigParser(strict=True)
    parsed.read_string((ROOT / "supervisord.conf").read_text())
    return parsed


def modules_after(code):
    """The modules that a new interpreter has after some code."""
    code = f"{code}\nimport sys, json; print(json.dumps(sorted(sys.modules)))"
    return set(json.loads(subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout))


# ---- packages ------------------------------------------------------------------------------------------------------


def test_every_package_is_listed():
    assert sorted(PROJECT["tool"]["setuptools"]["packages"]) == PACKAGES


def test_every_folder_with_code_is_a_package():
    folders = {found.parent for top in TOP for found in (ROOT / top).rglob("*.py")}
    assert {folder for folder in folders if not (folder / "__init__.py").exists()} == set()


def test_no_stray_module_ships_with_the_root():
    assert [found.name for found in ROOT.glob("*.py")] == ["__init__.py"]


def test_package_data_is_there():
    for package, names in PROJECT["tool"]["setuptools"]["package-data"].items():
        assert package == "ctmux"
        assert [name for name in names if not (ROOT / name).is_file()] == []


def test_every_command_can_be_imported():
    for target in PROJECT["project"]["scripts"].values():
        module, _, name = target.partition(":")
        assert callable(getattr(importlib.import_module(module), name))


# ---- supervisord.conf ----------------------------------------------------------------------------------------------


def programs(supervisord):
    return {name.removeprefix("program:") for name in supervisord.sections() if name.startswith("program:")}


def test_each_program_is_a_service_and_each_service_a_program(supervisord):
    services = {found.parent.name for found in (ROOT / "services").glob("*/__main__.py")}
    assert programs(supervisord) == services - {"watcher"}  # one for each session, generated


def test_each_program_is_run_and_restarted_in_the_same_way(supervisord):
    for name in programs(supervisord):
        section = supervisord[f"program:{name}"]
        assert section["command"] == f"""/bin/sh -c 'exec "$CTMUX_PYTHON" -P -m ctmux.services.{name}'"""
        assert section["autorestart"] == "true"
        assert int(section["startretries"]) >= 1_000_000  # it never gives up
        assert section["umask"] == "077"
        assert section["stdout_logfile"] == f"%(here)s/var/log/{name}.log"


def test_what_others_depend_on_starts_first(supervisord):
    order = sorted(programs(supervisord), key=lambda name: int(supervisord[f"program:{name}"]["priority"]))
    assert order[:2] == ["broker", "logger"]


def test_the_plugin_is_where_the_configuration_says(supervisord):
    factory = supervisord["rpcinterface:ctmux"]["supervisor.rpcinterface_factory"]
    module, _, name = factory.partition(":")
    assert name == "make_interface"
    assert (ROOT / Path(*module.split(".")[1:])).with_suffix(".py").is_file()


@pytest.mark.skipif(not (ROOT / "pyproject.toml").exists(), reason="an installed wheel is no checkout")
def test_the_folders_of_a_checkout_are_there(supervisord):
    assert supervisord["include"]["files"] == "var/services/*.conf"
    assert (ROOT / "var" / "services").is_dir() and (ROOT / "var" / "log").is_dir()


# ---- imports -------------------------------------------------------------------------------------------------------


def test_a_watcher_stays_small():
    loaded = modules_after("import ctmux.services.watcher.watcher, ctmux.services.watcher.__main__")
    assert loaded & {"asyncio", "dataclasses", "libtmux", "re2", "subprocess", "typer"} == set()


def test_importing_ctmux_imports_nothing_else():
    loaded = modules_after("import ctmux")
    assert {name for name in loaded if name.startswith("ctmux.")} == set()
    assert "zmq" not in loaded


def test_the_public_names_are_there():
    for name in ctmux.__all__:
        assert getattr(ctmux, name).__name__ == name
    with pytest.raises(AttributeError, match="no attribute 'Klient'"):
        _ = ctmux.Klient


def test_the_command_line_starts_without_the_services():
    loaded = modules_after("import ctmux.cli.main")
    assert {name for name in loaded if name.startswith(("ctmux.services", "libtmux", "re2", "supervisor"))} == set()
