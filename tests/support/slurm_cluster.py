"""A Slurm cluster of two nodes on this machine, all of it below one folder.

A ``slurm.conf`` that the machine has is neither read nor written: configuration, munge key and
socket, state, logs and ports are the cluster's own, and its daemons are stopped by their numbers.
"""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import subprocess
from pathlib import Path

from cluster_sweep import kill, wait_until

from npt_plugin.system.processes import die_with

DAEMONS = ("munged", "slurmctld", "slurmd", "sbatch", "scontrol")
NODES = ("one", "two")
CONF = """\
ClusterName=npt
SlurmctldHost={host}
SlurmctldPort={controller}
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket,cred_expire=5
CredType=cred/munge
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.%n.log
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool.%n
PluginDir={plugins}
PlugStackConfig=/dev/null
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerParameters=sched_interval=2,bf_interval=2
ReturnToService=2
JobRequeue=1
PreemptMode=REQUEUE
PreemptType=preempt/partition_prio
MpiDefault=none
KillWait=20
SlurmdTimeout=15
MessageTimeout=10
MinJobAge=300
{nodes}
PartitionName=low Nodes=ALL Default=YES MaxTime=INFINITE State=UP PriorityTier=1 PreemptMode=REQUEUE
PartitionName=high Nodes=ALL MaxTime=INFINITE State=UP PriorityTier=10 PreemptMode=OFF
"""


def why_not() -> str:
    """Why no cluster can be started here; empty if one can."""
    found = [name for name in DAEMONS if shutil.which(name, path=_path()) is None]
    if found:
        return f"{', '.join(found)} not installed (Debian: slurmctld slurmd slurm-client munge)"
    return "" if os.getuid() == 0 else "slurmd needs root"


class SlurmCluster:
    """Two nodes of one core each; the partition ``high`` preempts ``low``.

    Args:
        folder: Empty; everything goes below it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder, self.running = folder, dict[str, subprocess.Popen[bytes]]()
        self.env = os.environ | {"SLURM_CONF": str(folder / "slurm.conf"), "PATH": _path()}

    def __enter__(self) -> SlurmCluster:
        host = socket.gethostname().partition(".")[0]
        controller, *ports = _free_ports(1 + len(NODES))
        nodes = "\n".join(
            f"NodeName={name} NodeHostname={host} NodeAddr=127.0.0.1 Port={port} CPUs=1 "
            "RealMemory=2000 State=UNKNOWN"
            for name, port in zip(NODES, ports, strict=True)
        )
        (self.folder / "state").mkdir(parents=True)
        (plugins,) = Path("/usr/lib").glob("*/slurm-wlm")
        text = CONF.format(
            host=f"{host}(127.0.0.1)",
            controller=controller,
            folder=self.folder,
            nodes=nodes,
            plugins=plugins,
        )
        (self.folder / "slurm.conf").write_text(text)
        key = self.folder / "munge.key"
        key.write_bytes(secrets.token_bytes(128))
        key.chmod(0o400)
        try:
            self._start_all()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.call("scancel", "--state=PENDING", "--user=root", check=False)
        self.call("scancel", "--signal=KILL", "--user=root", check=False)
        for name in reversed(list(self.running)):
            self.end(name, signal.SIGTERM)

    def end(self, name: str, number: int = signal.SIGKILL) -> None:
        """End one daemon: ``munged``, ``slurmctld``, or a node's."""
        daemon = self.running.pop(name, None)
        if daemon is None:
            return
        daemon.send_signal(number)
        try:
            daemon.wait(20)
        except subprocess.TimeoutExpired:
            daemon.kill()
            daemon.wait()

    def start_node(self, name: str) -> None:
        """Start a node's daemon."""
        self._spawn(name, "slurmd", "-D", "-N", name)

    def kill_node(self, name: str) -> None:
        """The machine is gone: its daemon, its steps and all that runs in them, at once."""
        self.end(name)
        for number in self.processes_of(name):
            kill(number)

    def processes_of(self, node: str) -> list[int]:
        """Everything that Slurm started on a node: by its environment, which children inherit."""
        found = []
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                environment = (entry / "environ").read_bytes().split(b"\0")
                step = (entry / "cmdline").read_bytes().startswith(b"slurmstepd")
            except OSError:
                continue
            ours = f"SLURM_CONF={self.folder}/slurm.conf".encode() in environment
            if ours and (f"SLURMD_NODENAME={node}".encode() in environment) and not step:
                found.append(int(entry.name))
        return found

    def call(self, *words: str, check: bool = True) -> str:
        """A command of Slurm; returns what it prints."""
        done = subprocess.run(
            words, env=self.env, capture_output=True, text=True, check=False, timeout=60
        )
        if check and done.returncode:
            raise RuntimeError(f"{' '.join(words)}: {done.stderr}")
        return done.stdout

    def states(self) -> dict[str, str]:
        """State of every job and array task, pending arrays in one piece."""
        lines = self.call("squeue", "-h", "-a", "-t", "all", "-o", "%i %T").splitlines()
        return dict(line.split() for line in lines)

    def _start_all(self) -> None:
        at = self.folder / "munge"
        at.mkdir(mode=0o700)
        words = ["--foreground", "--force", f"--key-file={self.folder}/munge.key"]
        words += [f"--socket={self.folder}/munge.socket", f"--pid-file={at}/pid"]
        words += [f"--log-file={at}/log", f"--seed-file={at}/seed"]
        self._spawn("munged", "munged", *words)
        wait_until(
            lambda: (self.folder / "munge.socket").exists(), 20, lambda: "no socket of munge"
        )
        self._spawn("slurmctld", "slurmctld", "-D", "-i")
        for name in NODES:
            self.start_node(name)
        up = ["sinfo", "-h", "-N", "-p", "low", "-o", "%T"]
        wait_until(
            lambda: self.call(*up, check=False).split() == ["idle"] * len(NODES),
            60,
            lambda: f"{self.call(*up, check=False)} (logs in {self.folder})",
        )

    def _spawn(self, name: str, *words: str) -> None:
        with open(self.folder / f"{name}.out", "ab") as out:
            parent = os.getpid()
            self.running[name] = subprocess.Popen(
                words,
                env=self.env,
                stdout=out,
                stderr=out,
                start_new_session=True,
                preexec_fn=lambda: die_with(parent),  # a killed test leaves no daemon
            )


def _free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def _path() -> str:
    return f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
