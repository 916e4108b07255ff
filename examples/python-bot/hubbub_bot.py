#!/usr/bin/env python3
"""A small bot for Hubbub, written from PROTOCOL.md alone: it answers !echo, !ping and !help.

It keeps its tokens, its cursors and what it has not sent yet in one file, so that nothing is missed and nothing is
said twice, whatever is cut, killed or restarted. It needs Python 3.11 and the package `websockets`.
"""

import argparse
import asyncio
import itertools
import json
import logging
import os
import random
import signal
import sys
import urllib.error
import urllib.request
import uuid
from pathlib import Path

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

SUBPROTOCOL = "hubbub.v1.json"
ANSWER_LIMIT_S = 10  # the server answers every command within 5 s
LARGEST_FRAME_BYTES = 16 * 1024 * 1024
LONGEST_WAIT_S = 30
PAGE = 200
TRIES = 5  # of a message that the server fails over
SESSION_OVER = 3  # the exit code that says: somebody has to log in again

log = logging.getLogger("bot")


class Refused(Exception):
    """An error of the catalogue."""

    def __init__(self, error: dict):
        data = error.get("data") or error  # an error object has `data`, problem+json has its members itself
        self.reason = data.get("reason", "unknown")
        self.retry_after_s = data["retry_after_ms"] / 1000 if "retry_after_ms" in data else None
        super().__init__(f"{self.reason}: {error.get('message') or error.get('detail')}")

    def raise_if_over(self) -> None:
        """Lets a refusal pass that is not about the command, but about the session."""
        if self.reason in ("session_ended", "unauthenticated"):
            raise self


class SessionOver(Exception):
    """The session has ended, and only a person may begin another one."""


class Unanswered(Exception):
    """No answer in time: the connection is not worth keeping."""


def next_after(code: int | None) -> str:
    """What to do after a close with this code: resume, back_off, refresh or stop."""
    if code is None or code in (1000, 1001, 1005, 1006, 1011, 1012) or 4000 <= code <= 4099:
        return "resume"
    if 4200 <= code <= 4299:
        return "refresh"
    if 4400 <= code <= 4499:
        return "stop"
    return "back_off"


class State:
    """What outlives the process: written whole, so that a cursor never runs ahead of what was made of its entry."""

    def __init__(self, file: Path):
        self.file = file
        kept = json.loads(file.read_text()) if file.exists() else {}
        self.device: str = kept.get("device") or str(uuid.uuid4())
        self.access: str | None = kept.get("access")
        self.refresh: str | None = kept.get("refresh")
        self.epoch: str | None = kept.get("epoch")
        self.cursors: dict[str, int] = kept.get("cursors", {})
        # Answers on their way, each with the key it is sent under until it is acknowledged.
        self.unsent: list[dict] = kept.get("unsent", [])
        # Stretches of rooms still to be read: after this seq, up to that one.
        self.missed: dict[str, list[int]] = kept.get("missed", {})
        # Why the session ended; such a bot waits for a person.
        self.over: str | None = kept.get("over")

    def save(self) -> None:
        kept = {name: value for name, value in vars(self).items() if name != "file"}
        beside = self.file.with_suffix(".new")
        # It holds tokens.
        with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
            json.dump(kept, out)
        beside.replace(self.file)

    def forget(self, stream: str) -> None:
        self.cursors.pop(stream, None)
        self.missed.pop(stream, None)
        self.unsent = [message for message in self.unsent if f"room:{message['room']}" != stream]


class Http:
    """The HTTP API of one server."""

    def __init__(self, server: str):
        self.server = server.rstrip("/")

    async def post(self, path: str, body: dict) -> dict:
        """The answer, or Refused; OSError when there is none."""
        return await asyncio.to_thread(self._post, path, body)

    def _post(self, path: str, body: dict) -> dict:
        headers = {"content-type": "application/json"}
        request = urllib.request.Request(self.server + path, json.dumps(body).encode(), headers)
        try:
            with urllib.request.urlopen(request, timeout=ANSWER_LIMIT_S) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            try:
                problem = json.load(error)
            except ValueError:
                raise OSError(f"{path}: HTTP {error.code} without a reason") from error
            raise Refused(problem) from error

    def socket_address(self) -> str:
        return "ws" + self.server.removeprefix("http") + "/v1/ws"


class Connection:
    """A WebSocket with a session: commands out, their answers and pushes in."""

    def __init__(self, socket: ClientConnection):
        self.socket = socket
        self.ids = itertools.count(1)
        self.waiting: dict[int, asyncio.Future] = {}

    async def start(self, token: str, cursors: dict) -> dict:
        """Starts the session. Its answer comes before all pushes, so it is read before anyone else reads."""
        number = await self._send("session.start", {"token": token, "cursors": cursors})
        async with asyncio.timeout(ANSWER_LIMIT_S):
            while True:
                frame = json.loads(await self.socket.recv())
                if frame.get("id") == number:
                    return _result(frame)

    async def pushes(self):
        """Every push; on the way, answers go to whoever asked. Ends with ConnectionClosed."""
        while True:
            frame = json.loads(await self.socket.recv())
            if "method" in frame:
                yield frame["method"], frame["params"]
            elif (waits := self.waiting.pop(frame.get("id"), None)) is not None:
                if not waits.done():
                    waits.set_result(frame)
            else:
                log.warning("an answer to nothing: %s", frame.get("error"))

    async def ask(self, method: str, params: dict) -> dict:
        """The result of a command, or Refused. Somebody must be reading `pushes` meanwhile."""
        number = await self._send(method, params)
        answer = self.waiting[number] = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(ANSWER_LIMIT_S):
                return _result(await answer)
        except TimeoutError:
            raise Unanswered(method) from None
        finally:
            self.waiting.pop(number, None)

    async def patiently(self, method: str, params: dict) -> dict:
        """Like ask, but waits and repeats where the server says that this helps."""
        while True:
            try:
                return await self.ask(method, params)
            except Refused as refused:
                if refused.retry_after_s is None:
                    raise
                await asyncio.sleep(refused.retry_after_s)

    async def _send(self, method: str, params: dict) -> int:
        number = next(self.ids)
        frame = {"jsonrpc": "2.0", "id": number, "method": method, "params": params}
        await self.socket.send(json.dumps(frame))
        return number


def _result(frame: dict) -> dict:
    if "error" in frame:
        raise Refused(frame["error"])
    return frame["result"]


def answer_to(text: str) -> str | None:
    """What the bot says to a message; None for nothing."""
    command, _, rest = text.strip().partition(" ")
    if command == "!echo":
        return rest.strip() or "Say something after !echo."
    return {"!ping": "pong", "!help": "I know !echo, !ping and !help."}.get(command)


class Bot:
    def __init__(self, server: str, username: str, password: str, channel: str | None, state: State):
        self.http = Http(server)
        self.username, self.password, self.channel = username, password, channel
        self.state = state
        self.me = ""
        self.end: dict | None = None
        self.failures = 0
        self.work = asyncio.Event()  # something to send or to read

    async def log_in(self) -> None:
        device = {"id": self.state.device, "class": "bot", "name": "Python example bot"}
        login = {"username": self.username, "password": self.password, "device": device}
        self._keep_tokens(await self.http.post("/v1/sessions", login))
        self.state.over = None
        self.state.save()

    async def refresh(self) -> None:
        """Exchanges the refresh token; the new pair is kept before it is used."""
        try:
            self._keep_tokens(await self.http.post("/v1/sessions/refresh", {"refresh_token": self.state.refresh}))
        except Refused as refused:
            if refused.reason in ("unauthenticated", "session_ended"):
                raise SessionOver(str(refused)) from refused
            raise

    def _keep_tokens(self, login: dict) -> None:
        self.state.access, self.state.refresh = login["access_token"], login["refresh_token"]
        self.state.save()

    async def run(self) -> None:
        """Connects and comes back, until the session is over."""
        while True:
            step = await self.connect_once()
            if step == "stop":
                raise SessionOver(self._how_it_ended())
            if step == "refresh":
                step = await self._refreshed()
            if step == "back_off":
                self.failures = max(self.failures, 1)
            wait_s = random.random() * min(LONGEST_WAIT_S, 2**self.failures)
            self.failures += 1
            log.info("not connected; next try in %.1f s", wait_s)
            await asyncio.sleep(wait_s)

    async def _refreshed(self) -> str:
        try:
            await self.refresh()
        except (Refused, OSError) as error:
            log.warning("the token was not refreshed: %s", error)
            return "back_off"
        return "resume"

    def _how_it_ended(self) -> str:
        end = self.end or {}
        device = end.get("device", {}).get("name")
        return end.get("reason", "ended") + (f", by {device} at {end.get('place')}" if device else "")

    async def connect_once(self) -> str:
        """One connection from beginning to end; gives what comes next."""
        options = {"subprotocols": [SUBPROTOCOL], "compression": None, "max_size": LARGEST_FRAME_BYTES}
        try:
            async with connect(self.http.socket_address(), open_timeout=ANSWER_LIMIT_S, **options) as socket:
                return await self._serve(Connection(socket))
        except ConnectionClosed as closed:
            code = closed.rcvd.code if closed.rcvd else None
            log.info("closed with %s", code)
            return next_after(code)
        except Unanswered as unanswered:
            log.warning("no answer to %s", unanswered)
            return "resume"
        except Refused as refused:
            log.warning("refused: %s", refused)
            if refused.reason == "session_ended":
                return "stop"
            return "refresh" if refused.reason == "unauthenticated" else "back_off"
        except (OSError, InvalidHandshake) as error:  # TimeoutError is an OSError
            log.warning("cannot connect: %s", error)
            return "back_off"

    async def _serve(self, connection: Connection) -> str:
        cursors = {stream: {"epoch": self.state.epoch, "seq": seq} for stream, seq in self.state.cursors.items()}
        started = await connection.start(self.state.access, cursors)
        self._begin(started)
        jobs = [
            self._listen(connection),
            self._heartbeat(connection, started["heartbeat_ms"] / 1000),
            self._send(connection),
            self._read_missed(connection),
            self._join(connection, started["rooms"]),
        ]
        tasks = [asyncio.create_task(job) for job in jobs]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
            for task in done:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        return "resume"

    def _begin(self, started: dict) -> None:
        """Takes in what became of the cursors, and begins new ones."""
        log.info("session started as %s", started["user"]["username"])
        self.failures = 0
        self.me = started["user"]["id"]
        heads = {f"room:{room['id']}": room["head"] for room in started["rooms"]}
        heads[f"user:{self.me}"] = started["head"]
        for stream, resumed in started["resumed"].items():
            if resumed["outcome"] == "gone":
                self.state.forget(stream)
            elif resumed["outcome"] == "reload":
                self._reload(stream, resumed)
        for stream, head in heads.items():
            self.state.cursors.setdefault(stream, head)
        self.state.epoch = started["epoch"]
        self.state.save()
        self.work.set()

    def _reload(self, stream: str, resumed: dict) -> None:
        """Too much was missed to be pushed: it is read. After a restored backup nobody knows what was missed."""
        if resumed["why"] == "too_far" and stream.startswith("room:"):
            self._miss(stream, self.state.cursors[stream], resumed["head"])
        self.state.cursors[stream] = resumed["head"]

    def _miss(self, stream: str, after: int, up_to: int) -> None:
        if after < up_to:
            self.state.missed[stream] = [min(after, self.state.missed.get(stream, [after])[0]), up_to]

    async def _listen(self, connection: Connection) -> None:
        async for method, params in connection.pushes():
            if method == "entry":
                self._take(params)
            elif method == "session.ended":
                self.end = params
            # Signals, and what later versions push, are passed over.

    def _take(self, entry: dict) -> None:
        stream, seq = entry["stream"], entry["seq"]
        if seq <= self.state.cursors.get(stream, 0):
            return
        self._handle(entry)
        self.state.cursors[stream] = seq
        self.state.save()
        self.work.set()

    def _handle(self, entry: dict) -> None:
        """What an entry means to the bot. Of kinds it does not know, only the seq counts."""
        if entry["kind"] == "message" and entry["sender"] != self.me:
            if (text := answer_to(entry["text"])) is not None:
                room = entry["stream"].removeprefix("room:")
                # The key follows from what is answered: however often that is taken in, it is one answer.
                key = f"answer-{entry['id']}"
                if all(message["key"] != key for message in self.state.unsent):
                    answer = {"room": room, "key": key, "text": text, "reply_to": entry["seq"]}
                    self.state.unsent.append(answer)
        elif entry["kind"] == "room_joined":
            # Joined while away: the room started at its head for us, what lies between is still to be read.
            stream, joined = f"room:{entry['room']['id']}", entry["room"]["head"]
            known = self.state.cursors.setdefault(stream, joined - 1)
            self._miss(stream, joined, known)
        elif entry["kind"] == "room_left":
            self.state.forget(f"room:{entry['room']}")

    async def _heartbeat(self, connection: Connection, every_s: float) -> None:
        while True:
            await asyncio.sleep(every_s)
            await connection.patiently("ping", {})

    async def _send(self, connection: Connection) -> None:
        """Sends what is unsent, in order, each under its key until it is acknowledged or refused for good."""
        tries = 0
        while True:
            while self.state.unsent:
                message = self.state.unsent[0]
                tries += 1
                try:
                    await connection.patiently("message.send", message)
                except Refused as refused:
                    refused.raise_if_over()
                    if refused.reason == "internal" and tries < TRIES:
                        await asyncio.sleep(tries)
                        continue
                    log.warning("an answer was refused: %s", refused)
                tries = 0
                # Meanwhile the room may have been forgotten, and its messages with it.
                if message in self.state.unsent:
                    self.state.unsent.remove(message)
                self.state.save()
            await self._more_work()

    async def _read_missed(self, connection: Connection) -> None:
        while True:
            while self.state.missed:
                stream, (after, up_to) = next(iter(self.state.missed.items()))
                await self._read_stretch(connection, stream, after, up_to)
            await self._more_work()

    async def _read_stretch(self, connection: Connection, stream: str, after: int, up_to: int) -> None:
        room = stream.removeprefix("room:")
        while stream in self.state.missed:
            try:
                page = await connection.patiently("room.read", {"room": room, "after": after, "limit": PAGE})
            except Refused as refused:
                refused.raise_if_over()
                log.warning("a room cannot be read: %s", refused)
                page = {"entries": []}
            for entry in page["entries"]:
                if entry["seq"] <= up_to and entry["kind"] == "message":
                    self._handle(entry)
                after = entry["seq"]
            if after >= up_to or not page["entries"]:
                self.state.missed.pop(stream, None)
            elif stream in self.state.missed:
                self.state.missed[stream] = [after, up_to]
            self.state.save()
            self.work.set()

    async def _more_work(self) -> None:
        self.work.clear()
        await self.work.wait()

    async def _join(self, connection: Connection, rooms: list[dict]) -> None:
        """Joins the channel of this name, or makes it."""
        if self.channel is None or any(room["name"] == self.channel for room in rooms):
            return
        try:
            await self._join_or_make(connection, self.channel)
        except Refused as refused:
            refused.raise_if_over()
            log.warning("cannot join %s: %s", self.channel, refused)

    @staticmethod
    async def _join_or_make(connection: Connection, name: str) -> None:
        found = await connection.patiently("room.list", {"query": name, "limit": PAGE})
        rooms = [room["id"] for room in found["rooms"] if room["name"] == name]
        if rooms:
            await connection.patiently("room.join", {"room": rooms[0]})
        else:
            # The same key whenever this bot makes it: a lost answer does not make a second channel.
            key = f"channel-{uuid.uuid5(uuid.NAMESPACE_DNS, name)}"
            await connection.patiently("room.create", {"key": key, "kind": "channel", "name": name})
        log.info("joined %s", name)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--server", default="http://127.0.0.1:8080", help="address of the server")
    parser.add_argument("--username", required=True, help="account of the bot; the password is in HUBBUB_BOT_PASSWORD")
    parser.add_argument("--channel", help="a public channel to be in; made if there is none of this name")
    parser.add_argument("--state", type=Path, default=Path("bot-state.json"), help="file for tokens and cursors")
    parser.add_argument("--log-in", action="store_true", help="log in anew; this ends the session elsewhere")
    return parser.parse_args()


async def main() -> int:
    wish = arguments()
    state = State(wish.state)
    password = os.environ.get("HUBBUB_BOT_PASSWORD", "")
    bot = Bot(wish.server, wish.username, password, wish.channel, state)
    if state.over and not wish.log_in:
        # Starting again by itself would displace whoever displaced it.
        log.error("the session is over (%s); start with --log-in to begin another", state.over)
        return SESSION_OVER
    if wish.log_in or state.access is None:
        await bot.log_in()
    running = asyncio.create_task(bot.run())
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, running.cancel)
    try:
        await running
    except asyncio.CancelledError:
        log.info("stopped")
        return 0
    except SessionOver as over:
        state.over = str(over)
        state.save()
        log.error("the session is over: %s", over)
        return SESSION_OVER


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stderr)
    try:
        sys.exit(asyncio.run(main()))
    except (Refused, OSError) as error:
        sys.exit(f"cannot log in: {error}")
