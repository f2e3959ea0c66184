"""The texts of the units: for an agent, for several of them, and for a hub."""

from dataclasses import dataclass

HEAD = "# Made by alectio-agent. Changes belong into a drop-in:\n# systemctl edit {name}\n"
MARK = HEAD.partition(".")[0]
"""How every file of ours begins."""

_AGENT = """\
[Unit]
Description=alectio-agent{instance}, runs active-learning jobs beside the data
Wants=network-online.target
After=network-online.target nss-lookup.target remote-fs.target
After=nvidia-persistenced.service
# An outage may last; it is tried again for ever.
StartLimitIntervalSec=0

[Service]
Type=notify
NotifyAccess=main
ExecStart={command} run --config {config}/agent.yaml
ExecReload=/bin/kill -HUP $MAINPID
# Until the hooks are imported.
TimeoutStartSec=10min
# A stop asks for more time as long as a step runs.
TimeoutStopSec=2min
WatchdogSec=3min
Restart=on-failure
RestartSec=15s
# 77: the token; 78: the configuration. Only a person can mend these.
RestartPreventExitStatus=77 78
KillMode=mixed

User=alectio-agent
LoadCredential=token:{config}/token
StateDirectory={folder}
StateDirectoryMode=0700
CacheDirectory={folder}
CacheDirectoryMode=0700
Environment=ALECTIO_UNIT=%n
# Homes are hidden, and models that hooks download have to stay somewhere.
Environment=HOME=%C/{folder} XDG_CACHE_HOME=%C/{folder}
Environment=TORCH_HOME=%C/{folder}/torch
Environment=HF_HOME=%C/{folder}/huggingface
LimitNOFILE=65536
LimitCORE=0
# A hook that runs out of memory fails its job, and leaves the agent alone.
OOMPolicy=continue
OOMScoreAdjust=-100

# No port is opened, whatever a hook tries; the kernel refuses it.
SocketBindDeny=any
{hardening}"""

_HUB = """\
[Unit]
Description=alectio-agent hub, gives active-learning jobs to agents
Wants=network-online.target
After=network-online.target

[Service]
Type=notify
NotifyAccess=main
ExecStart={command} hub serve --data %S/alectio-hub \\
    --host 127.0.0.1 --port 8642
# Uploads that run are let end.
TimeoutStopSec=90s
Restart=on-failure
RestartSec=15s
RestartPreventExitStatus=2 78
KillMode=mixed

User=alectio-hub
StateDirectory=alectio-hub
StateDirectoryMode=0700
Environment=ALECTIO_UNIT=%n
LimitNOFILE=1048576
LimitCORE=0
OOMPolicy=continue

SocketBindAllow=tcp:8642
SocketBindDeny=any
{hardening}"""

_HARDENING = """\
NoNewPrivileges=yes
CapabilityBoundingSet=
AmbientCapabilities=
PrivateUsers=yes
PrivateMounts=yes
PrivateTmp=yes
ProtectSystem=strict
ProtectHome=tmpfs
PrivateDevices=yes
DevicePolicy=closed
ProtectClock=yes
ProtectHostname=yes
ProtectControlGroups=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectProc=invisible
LockPersonality=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
RemoveIPC=yes
KeyringMode=private
UMask=0077
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged
SystemCallErrorNumber=EPERM
# Left out on purpose. MemoryDenyWriteExecute=: torch (Conv2d, LSTM), numba and
# cffi make code while they run. ProcSubset=pid: torch reads what the processor
# and the memory are.

[Install]
WantedBy=multi-user.target
"""

NAMES = ("alectio-agent", "alectio-agent@", "alectio-hub")
DEFAULT_COMMAND = "/usr/bin/alectio-agent"
CONFIG = "/etc/alectio-agent"


@dataclass(frozen=True)
class Unit:
    """One unit.

    Attributes:
        name: Without `.service`, one of `NAMES`; with `@` it stands for several agents.
    """

    name: str = "alectio-agent"

    @property
    def file_name(self) -> str:
        """Of the unit's file."""
        return f"{self.name}.service"

    @property
    def is_hub(self) -> bool:
        """Whether a hub runs in it."""
        return self.name == "alectio-hub"

    @property
    def user(self) -> str:
        """Whom it runs as, unless a drop-in says otherwise."""
        return self.name.removesuffix("@")

    @property
    def folder(self) -> str:
        """Of its state, below /var/lib."""
        return "alectio-agents/%i" if self.name.endswith("@") else self.name

    def text(self, command: str = DEFAULT_COMMAND) -> str:
        """The unit's file.

        Args:
            command: What starts it, as a word of a unit file.
        """
        several = self.name.endswith("@")
        body = _HUB if self.is_hub else _AGENT
        filled = body.format(
            command=command,
            config=f"{CONFIG}/%i" if several else CONFIG,
            folder=self.folder,
            instance=" %i" if several else "",
            hardening=_HARDENING,
        )
        return HEAD.format(name=self.name) + filled
