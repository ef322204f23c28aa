"""Settings: defaults, one file, and errors that say where to look."""

import re

import pytest
from ctmux.shared import config
from ctmux.shared.config import Config, LoggerConfig
from ctmux.shared.errors import UsageError


@pytest.fixture
def write(tmp_path):
    def write(content: str | bytes) -> str:
        path = tmp_path / "config.toml"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return str(path)

    return write


def test_an_empty_file_is_the_defaults(write):
    assert config.load(write("")) == Config()


def test_a_setting_leaves_the_others(write):
    loaded = config.load(write("[logger]\nsync = 'always'\nkeep_seconds = 60\n[keeper]\nsockets = ['/tmp/a']\n"))
    assert loaded.logger == LoggerConfig()._replace(sync="always", keep_seconds=60)
    assert loaded.keeper.sockets == ["/tmp/a"]
    assert loaded.watcher == Config().watcher


@pytest.mark.parametrize(
    ("content", "named"),
    [
        ("[loger]", "[loger]"),
        ("logger = 3", "[logger]"),
        ("[logger]\nsegment_byte = 1", "segment_byte"),
        ("[logger]\nsegment_bytes = '1'", "segment_bytes"),
        ("[logger]\nsegment_bytes = 1.5", "segment_bytes"),
        ("[logger]\nsegment_bytes = true", "segment_bytes"),
        ("[logger]\nsegment_bytes = 0", "segment_bytes"),
        ("[logger]\nkeep_seconds = -1", "keep_seconds"),
        ("[logger]\nsync = 'sometimes'", "sync"),
        ("[watcher]\nkeep_bytes = 0", "keep_bytes"),
        ("[matcher]\nquiet_seconds = nan", "quiet_seconds"),
        ("[matcher]\nquiet_seconds = inf", "quiet_seconds"),
        ("[keeper]\nsockets = '/tmp/a'", "sockets"),
        ("[keeper]\nsockets = [1]", "sockets"),
        ("[keeper]\nsockets = [['/tmp/a']]", "sockets"),
        ("[keeper]\nsockets = ['work']", "whole paths are expected"),
    ],
)
def test_an_error_names_file_and_key(write, content, named):
    path = write(content)
    with pytest.raises(UsageError, match=re.escape(named)) as raised:
        config.load(path)
    assert path in str(raised.value)


def test_a_socket_in_the_home_directory_is_meant(write, monkeypatch):
    monkeypatch.setenv("HOME", "/home/me")
    assert config.load(write("[keeper]\nsockets = ['~/tmux/x', '/tmp/a']")).keeper.sockets == ["/home/me/tmux/x", "/tmp/a"]


@pytest.mark.parametrize("content", ["[logger", "a = ", "a = 1\na = 2", b"# caf\xe9"])
def test_a_file_that_is_no_toml_is_named(write, content):
    path = write(content)
    with pytest.raises(UsageError, match=re.escape(path)):
        config.load(path)


def test_a_directory_is_no_file(tmp_path):
    with pytest.raises(UsageError, match=re.escape(str(tmp_path))):
        config.load(str(tmp_path))


def test_a_file_that_was_named_must_be_there(tmp_path):
    with pytest.raises(UsageError, match="no such configuration file"):
        config.load(f"{tmp_path}/none.toml")


@pytest.mark.parametrize(
    ("environ", "path"),
    [
        ({"XDG_CONFIG_HOME": "/c"}, "/c/ctmux/config.toml"),
        ({"XDG_CONFIG_HOME": "/c", "CTMUX_CONFIG": "/d.toml"}, "/d.toml"),
        ({"HOME": "/home/ada"}, "/home/ada/.config/ctmux/config.toml"),
    ],
)
def test_which_file(environ, path):
    assert config.path(environ) == path


def test_defaults_pass_their_own_checks(write):
    lines = []
    for name, section in zip(Config._fields, Config(), strict=True):
        lines += [f"[{name}]", *(f"{key} = {value!r}" for key, value in section._asdict().items())]
    assert config.load(write("\n".join(lines))) == Config()
