"""`hub.json`."""

import json
import os
from pathlib import Path

from alectio_agent.hub.server.hub_file import HUB_FILE, remove_hub_file, write_hub_file


def test_the_file_says_where_the_hub_is_to_its_owner_only(tmp_path: Path) -> None:
    write_hub_file(tmp_path, "http://127.0.0.1:1", "secret")
    found = json.loads((tmp_path / HUB_FILE).read_text())
    assert found == {"url": "http://127.0.0.1:1", "operator_token": "secret", "pid": os.getpid()}
    assert (tmp_path / HUB_FILE).stat().st_mode & 0o777 == 0o600


def test_a_file_of_a_killed_hub_is_replaced_and_its_rights_are_not_kept(tmp_path: Path) -> None:
    (tmp_path / HUB_FILE).write_text("{}")
    (tmp_path / f".{HUB_FILE}.new").write_text("")
    (tmp_path / f".{HUB_FILE}.new").chmod(0o644)
    write_hub_file(tmp_path, "http://127.0.0.1:2", "secret")
    assert json.loads((tmp_path / HUB_FILE).read_text())["url"] == "http://127.0.0.1:2"
    assert (tmp_path / HUB_FILE).stat().st_mode & 0o777 == 0o600


def test_removing_it_twice_is_no_error(tmp_path: Path) -> None:
    write_hub_file(tmp_path, "http://127.0.0.1:1", "secret")
    remove_hub_file(tmp_path)
    remove_hub_file(tmp_path)
    assert list(tmp_path.iterdir()) == []
