"""What is missing is installed by whatever installed the rest."""

import sys

from alectio_agent.core.hub_packages import hub_wish


def test_debians_environment_gets_the_hub_from_debian() -> None:
    assert hub_wish("/opt/alectio-agent/1.0.0") == "apt install alectio-agent-hub"


def test_any_other_environment_gets_it_by_pip() -> None:
    assert hub_wish("/opt/venv") == hub_wish(sys.prefix) == "pip install 'alectio-agent[hub]'"
