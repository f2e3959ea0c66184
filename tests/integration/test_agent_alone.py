"""The agent installs and starts without what only the hub and the analysis need."""

import subprocess
import sys

SCRIPT = """
import pkgutil, sys
from importlib import import_module

class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {"numpy", "sklearn", "scipy", "fastapi", "starlette", "uvicorn",
                                  "sqlalchemy", "threadpoolctl"}:
            raise ModuleNotFoundError(f"{name} is not installed", name=name)

sys.meta_path.insert(0, Missing())
import alectio_agent.agent, alectio_agent.config, alectio_agent.core, alectio_agent.wire
count = 0
for package in (alectio_agent.agent, alectio_agent.config, alectio_agent.core, alectio_agent.wire):
    for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        if not module.name.endswith("child.start"):
            import_module(module.name)
            count += 1
import alectio_agent.cli.run_agent
print(count)
"""


def test_every_module_of_the_agent_half_imports_without_the_hubs_packages() -> None:
    found = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True)
    assert found.returncode == 0, found.stderr
    assert int(found.stdout) > 50
