"""`python -m alectio_agent`."""

from alectio_agent.cli.main import main

if __name__ == "__main__":
    main(prog_name="alectio-agent")
