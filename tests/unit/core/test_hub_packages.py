"""What is missing is installed by whatever installed the rest."""

import sys

import pytest

from alectio_agent.core import hub_packages
from alectio_agent.core.errors import ConfigError
from alectio_agent.core.hub_packages import hub_wish, need_hub_packages


def test_debians_environment_gets_the_hub_from_debian() -> None:
    assert hub_wish("/opt/alectio-agent/1.0.0") == "apt install alectio-agent-hub"


def test_any_other_environment_gets_it_by_pip() -> None:
    assert hub_wish("/opt/venv") == hub_wish(sys.prefix) == "pip install 'alectio-agent[hub]'"


def test_what_is_missing_is_named_with_its_mend(monkeypatch: pytest.MonkeyPatch) -> None:
    need_hub_packages()
    monkeypatch.setattr(hub_packages, "PACKAGES", ("fastapi", "no_such_package"))
    with pytest.raises(ConfigError, match="not installed: no_such_package") as raised:
        need_hub_packages()
    assert (raised.value.code, raised.value.exit_code) == ("E-HUB-02", 78)
    assert "alectio-agent[hub]" in raised.value.hint
