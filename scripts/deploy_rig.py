"""What scripts/deploy_test.py stands on: nodes, proxies with the files of deploy/, and people who talk through them.

Everything listens on free ports of 127.0.0.1 and ends with its `with` block, by its own process id.
"""

import asyncio
import contextlib
import itertools
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid
from collections.abc import Callable
from pathlib import Path

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus

DEPLOY = Path(__file__).parent.parent / "deploy"
HUBBUB = os.environ["HUBBUB_BIN"]
PATIENCE_S = 30
ANNOUNCED = re.compile(r"Hubbub is running at http://([\d.:]+)")
METRICS = re.compile(r"Metrics are at http://([\d.:]+)")


def until(what: str, look: Callable, patience_s: float = PATIENCE_S):
    """Asks again and again until `look` gives something; the test fails when it never does."""
    deadline = time.monotonic() + patience_s
    while not (found := look()):
        assert time.monotonic() < deadline, f"waited {patience_s} s for {what}"
        time.sleep(0.05)
    return found


async def eventually(what: str, look: Callable, patience_s: float = PATIENCE_S):
    """As `until`, beside the people who talk meanwhile."""
    deadline = time.monotonic() + patience_s
    while not (found := look()):
        assert time.monotonic() < deadline, f"waited {patience_s} s for {what}"
        await asyncio.sleep(0.05)
    return found


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


def answers(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


class Process:
    """A program that ends with its `with` block at the latest, or with this one however that ends."""

    def __init__(self, arguments: list[str], environment: dict[str, str], log: Path):
        self.log = log
        # It replaces itself with the program: the process id stays.
        mortal = ["setpriv", "--pdeathsig", "TERM"] if shutil.which("setpriv") else []
        # Appending: nginx opens its output once more, and one would write over the other.
        with log.open("ab") as out:
            self.child = subprocess.Popen([*mortal, *arguments], env=environment, stdin=subprocess.DEVNULL, stdout=out,
                                          stderr=out, start_new_session=True)

    def said(self) -> str:
        return self.log.read_text(errors="replace")

    def stop(self, sign: int = signal.SIGTERM) -> int:
        """Asks it to end; its exit code."""
        self.child.send_signal(sign)
        return self.child.wait(PATIENCE_S)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        # Asked first: a proxy that is killed leaves its workers behind.
        with contextlib.suppress(subprocess.TimeoutExpired):
            if self.child.poll() is None:
                self.child.terminate()
                self.child.wait(10)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.child.pid, signal.SIGKILL)
        self.child.wait(PATIENCE_S)


class Database:
    """A Postgres database of this test alone, and its owner: no superuser, and a password that has to be escaped."""

    def __init__(self):
        self.server, _, _ = os.environ["HUBBUB_TEST_DATABASE_URL"].rpartition("/")
        self.name = f"hubbub_{uuid.uuid4().hex[:12]}"
        password = "p@ss:/w%rd"
        host = self.server.rpartition("@")[2]
        self.url = f"postgres://{self.name}:{urllib.parse.quote(password, safe='')}@{host}/{self.name}"
        self.sql(f"CREATE ROLE {self.name} LOGIN CREATEDB PASSWORD '{password}'")
        self.sql(f"CREATE DATABASE {self.name} OWNER {self.name}")

    def sql(self, statement: str) -> str:
        command = ["psql", "--no-psqlrc", "-qtA", "-v", "ON_ERROR_STOP=1", "-c", statement, f"{self.server}/postgres"]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        # Also what deploy/restore left beside it.
        for name in self.sql(f"SELECT datname FROM pg_database WHERE datname LIKE '{self.name}%'").split():
            self.sql(f"DROP DATABASE {name} WITH (FORCE)")
        self.sql(f"DROP ROLE {self.name}")


def cluster_environment(database: Database, **settings: str) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "DATABASE_URL": database.url,
        "REDIS_URL": os.environ["HUBBUB_TEST_REDIS_URL"],
        "HUBBUB_REDIS_PREFIX": f"d{uuid.uuid4().hex[:8]}",
        "HUBBUB_DATABASE_POOL_SIZE": "8",
        # Slow enough to be seen.
        "HUBBUB_DRAIN_WAVE_MS": "150",
        **settings,
    }


class Node(Process):
    """A running node."""

    def __init__(self, environment: dict[str, str], folder: Path, listen: str = "127.0.0.1:0"):
        environment = {"HUBBUB_LISTEN": listen, "HUBBUB_OPS_LISTEN": "127.0.0.1:0", **environment}
        super().__init__([HUBBUB, "serve"], environment, folder / f"node-{uuid.uuid4().hex[:8]}.log")
        until("a node", lambda: self.child.poll() is not None or METRICS.search(self.said()))
        assert self.child.poll() is None, self.said()
        self.address = ANNOUNCED.search(self.said())[1]
        self.ops = METRICS.search(self.said())[1]

    def metric(self, name: str) -> float:
        text = urllib.request.urlopen(f"http://{self.ops}/metrics", timeout=5).read().decode()
        values = re.findall(rf"^{name}(?:{{[^}}]*}})? (\S+)$", text, re.MULTILINE)
        return sum(float(value) for value in values)


def nginx(nodes: list[str], folder: Path, **changes: str) -> "Proxy":
    """nginx with deploy/nginx.conf, but for its addresses and folders."""
    return Proxy(
        "nginx.conf", {"listen 8080": "listen 127.0.0.1:{port}", " /tmp/": f" {folder}/", **changes}, nodes, folder,
        lambda file: ["nginx", "-p", str(folder), "-c", file, "-g", "daemon off;"],
    )


def haproxy(nodes: list[str], folder: Path, **changes: str) -> "Proxy":
    """HAProxy with deploy/haproxy.cfg, but for its addresses."""
    return Proxy(
        # So many connections need more files than a machine of tests allows.
        "haproxy.cfg", {"bind :8080": "bind 127.0.0.1:{port}", "maxconn 65536": "maxconn 1000", **changes}, nodes, folder,
        lambda file: ["haproxy", "-db", "-f", file],
    )


class Proxy(Process):
    """A proxy with a file of deploy/ in which the addresses are replaced, and nothing else."""

    def __init__(self, name: str, changes: dict[str, str], nodes: list[str], folder: Path, command: Callable):
        self.port = free_port()
        text = (DEPLOY / name).read_text()
        for old, new in changes.items():
            assert old in text, f"{name} has no {old!r}"
            text = text.replace(old, new.format(port=self.port))
        for number, node in enumerate(nodes, 1):
            text = text.replace(f"172.30.77.1{number}:8080", node)
        # A test with one node: the other one's line goes.
        text = re.sub(r"^.*172\.30\.77\.\d+:8080.*\n", "", text, flags=re.MULTILINE)
        file = folder / f"{uuid.uuid4().hex[:8]}-{name}"
        file.write_text(text)
        super().__init__(command(str(file)), dict(os.environ), folder / f"{file.name}.log")
        until(f"{name} that listens", lambda: self.child.poll() is not None or answers(self.port))
        assert self.child.poll() is None, self.said()
        self.url = f"http://127.0.0.1:{self.port}"


def http(url: str, body: dict | None = None, headers: dict | None = None) -> tuple[int, dict]:
    """Status and JSON of an answer."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"content-type": "application/json", **(headers or {})})
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, {}


def people(environment: dict[str, str], count: int) -> list[dict]:
    """Accounts with sessions, made by the operator's command."""
    command = [HUBBUB, "user", "create", "--tokens", "--count", str(count), "--prefix", f"p{uuid.uuid4().hex[:8]}-"]
    made = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    return [json.loads(line) for line in made.stdout.splitlines()]


class Link:
    """Someone who keeps connected: comes back with cursors, repeats what was not answered, and remembers all it heard."""

    def __init__(self, url: str, person: dict, room: str | None = None, cursors: dict | None = None):
        self.address = "ws" + url.removeprefix("http") + "/v1/ws"
        self.person, self.room = person, room
        self.cursors: dict[str, dict] = dict(cursors or {})
        self.heard: list[dict] = []
        self.started: list[dict] = []
        self.codes: list[int] = []
        self.numbers = itertools.count(1)
        self.waiting: dict[int, asyncio.Future] = {}
        self.socket = None

    async def __aenter__(self):
        self.running = asyncio.create_task(self._run())
        await eventually("a session", lambda: self.started or self.running.done())
        if self.running.done():
            self.running.result()
        return self

    async def __aexit__(self, *_):
        self.running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self.running

    async def _run(self):
        while True:
            try:
                async with connect(self.address, subprotocols=["hubbub.v1.json"], compression=None,
                                   max_size=2**24, open_timeout=5) as socket:
                    await self._start(socket)
                    await self._listen(socket)
            except ConnectionClosed as closed:
                self.codes.append(closed.rcvd.code if closed.rcvd else 1006)
                assert not 4400 <= self.codes[-1] < 4500, f"closed for good: {self.codes}"
            except (OSError, InvalidHandshake, TimeoutError):
                pass
            self.socket = None
            for waits in self.waiting.values():
                waits.done() or waits.set_exception(ConnectionResetError())
            self.waiting.clear()
            await asyncio.sleep(0.05)

    async def _start(self, socket):
        number = next(self.numbers)
        params = {"token": self.person["access_token"], "cursors": self.cursors}
        await socket.send(json.dumps({"jsonrpc": "2.0", "id": number, "method": "session.start", "params": params}))
        answer = json.loads(await asyncio.wait_for(socket.recv(), 10))
        assert "result" in answer, answer
        started = answer["result"]
        heads = {f"room:{room['id']}": room["head"] for room in started["rooms"]}
        heads[f"user:{started['user']['id']}"] = started["head"]
        following = {stream for stream, resumed in started["resumed"].items() if resumed["outcome"] == "following"}
        for stream, head in heads.items():
            if stream not in following:
                self.cursors[stream] = {"epoch": started["epoch"], "seq": head}
        self.started.append(started)
        self.socket = socket

    async def _listen(self, socket):
        while True:
            frame = json.loads(await socket.recv())
            if frame.get("method") == "entry":
                entry = frame["params"]
                cursor = self.cursors.setdefault(entry["stream"], {"epoch": self.started[-1]["epoch"], "seq": 0})
                if entry["stream"] == f"room:{self.room}":
                    self.heard.append(entry)
                    assert entry["seq"] == cursor["seq"] + 1, f"after {cursor['seq']} came {entry['seq']}"
                cursor["seq"] = entry["seq"]
            elif waits := self.waiting.pop(frame.get("id"), None):
                waits.done() or waits.set_result(frame)

    async def ask(self, method: str, params: dict) -> dict:
        """The result of a command, asked again until there is one; so only what may be repeated."""
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            if self.socket is None:
                if self.running.done():
                    self.running.result()
                await asyncio.sleep(0.02)
                continue
            number, socket = next(self.numbers), self.socket
            answer = self.waiting[number] = asyncio.get_running_loop().create_future()
            frame = {"jsonrpc": "2.0", "id": number, "method": method, "params": params}
            try:
                await socket.send(json.dumps(frame))
                got = await asyncio.wait_for(answer, 6)
            except (ConnectionClosed, ConnectionResetError, TimeoutError):
                if self.running.done():
                    self.running.result()
                # A socket that closes refuses at once: without a pause nobody else would come to do anything.
                await asyncio.sleep(0.02)
                continue
            finally:
                self.waiting.pop(number, None)
                # Looked at, or a warning comes when sending failed before the answer was waited for.
                answer.done() and not answer.cancelled() and answer.exception()
            if "result" in got:
                return got["result"]
            assert got["error"]["data"]["reason"] in ("unavailable", "too_frequent"), got
            await asyncio.sleep(got["error"]["data"]["retry_after_ms"] / 1000)
        raise AssertionError(f"{method} was not answered within {PATIENCE_S} s")

    async def say(self, text: str) -> dict:
        return await self.ask("message.send", {"room": self.room, "key": uuid.uuid4().hex, "text": text})

    async def texts(self) -> list[str]:
        """The messages of the room, as its newest page shows them."""
        page = await self.ask("room.history", {"room": self.room, "limit": 200})
        return [item["text"] for item in page["items"] if item["kind"] == "message"]


async def refused_status(url: str) -> int | None:
    """The status of a refused handshake, 0 for a cut connection; None when it is accepted (and closed again)."""
    try:
        async with connect("ws" + url.removeprefix("http") + "/v1/ws", subprotocols=["hubbub.v1.json"]):
            return None
    except InvalidStatus as refused:
        return refused.response.status_code
    except (OSError, InvalidHandshake, ConnectionClosed):
        return 0


@contextlib.contextmanager
def folder():
    """A folder for the logs and files of one test; kept when it fails."""
    path = Path(tempfile.mkdtemp(prefix="hubbub-deploy-"))
    try:
        yield path
    except BaseException:
        print(f"logs are in {path}")
        raise
    shutil.rmtree(path, ignore_errors=True)
