#!/usr/bin/env python3
"""Holds the bot against a running server: test_bot.py --server http://127.0.0.1:8080

Signs up accounts of its own, runs the bot as a process behind a proxy that can be cut, and ends with
`N passed, M failed`.
"""

import argparse
import asyncio
import contextlib
import json
import os
import secrets
import sys
import tempfile
import traceback
import urllib.parse
from pathlib import Path

from websockets.asyncio.client import connect

import hubbub_bot
from hubbub_bot import Connection, Http

BOT = Path(__file__).with_name("hubbub_bot.py")
PATIENCE_S = 60  # longest wait for anything; the back-off of the bot is at most half of it
PASSWORD = "a password of the tests"


class Proxy:
    """Passes bytes on to the server, until it is cut."""

    def __init__(self, server: str):
        address = urllib.parse.urlsplit(server)
        self.host, self.port = address.hostname, address.port or 80
        self.open = True
        # After these bytes to the bot, nothing more reaches it on that connection.
        self.mute_after: bytes | None = None
        self.accepted = 0
        self.writers: set[asyncio.StreamWriter] = set()

    async def __aenter__(self):
        self.listener = await asyncio.start_server(self._pass_on, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self.listener.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_):
        self.listener.close()
        self.cut()

    def cut(self) -> None:
        """Breaks every connection without a word, and lets no other through until it is mended."""
        self.open = False
        for writer in self.writers:
            writer.transport.abort()

    def mend(self) -> None:
        self.open = True

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted += 1
        if not self.open:
            writer.transport.abort()
            return
        there_reader, there_writer = await asyncio.open_connection(self.host, self.port)
        both = {writer, there_writer}
        self.writers |= both
        try:
            await asyncio.gather(self._copy(reader, there_writer), self._copy(there_reader, writer, mutable=True))
        except OSError:
            pass
        finally:
            self.writers -= both
            for one in both:
                one.transport.abort()

    async def _copy(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, mutable: bool = False) -> None:
        muted = False
        while data := await reader.read(65536):
            if not muted:
                writer.write(data)
                await writer.drain()
            muted = muted or (mutable and self.mute_after is not None and self.mute_after in data)
        writer.write_eof()


class Person:
    """Someone with a session and a connection, who remembers every message they are shown."""

    def __init__(self, http: Http, username: str):
        self.http, self.username = http, username
        self.messages: list[dict] = []
        self.changed = asyncio.Condition()

    @classmethod
    async def sign_up(cls, http: Http, name: str) -> "Person":
        person = cls(http, f"{name}-{secrets.token_hex(6)}")
        await http.post("/v1/accounts", {"username": person.username, "password": PASSWORD})
        return person

    async def log_in(self, device: str) -> dict:
        body = {"username": self.username, "password": PASSWORD}
        return await self.http.post("/v1/sessions", body | {"device": {"id": device, "class": "bot", "name": device}})

    @contextlib.asynccontextmanager
    async def connected(self):
        token = (await self.log_in("test"))["access_token"]
        async with connect(self.http.socket_address(), subprotocols=[hubbub_bot.SUBPROTOCOL]) as socket:
            self.connection = Connection(socket)
            self.id = (await self.connection.start(token, {}))["user"]["id"]
            listening = asyncio.create_task(self._listen())
            try:
                yield self
            finally:
                listening.cancel()
                await asyncio.gather(listening, return_exceptions=True)

    async def _listen(self) -> None:
        async for method, params in self.connection.pushes():
            if method == "entry" and params["kind"] == "message":
                async with self.changed:
                    self.messages.append(params)
                    self.changed.notify_all()

    async def say(self, room: str, text: str) -> dict:
        message = {"room": room, "key": secrets.token_hex(16), "text": text}
        return await self.connection.patiently("message.send", message)

    async def hears(self, text: str) -> dict:
        """The first message of somebody else with this text."""
        async with asyncio.timeout(PATIENCE_S), self.changed:
            await self.changed.wait_for(lambda: self.from_others(text))
        return self.from_others(text)[0]

    def from_others(self, text: str) -> list[dict]:
        return [message for message in self.messages if message["text"] == text and message["sender"] != self.id]

    async def times_in_log(self, room: str, text: str) -> int:
        """How often somebody else said this, by what the server has stored."""
        count, after = 0, 0
        while True:
            page = await self.connection.patiently("room.read", {"room": room, "after": after, "limit": 200})
            said = [entry for entry in page["entries"] if entry["kind"] == "message" and entry["text"] == text]
            count += sum(entry["sender"] != self.id for entry in said)
            if not page["entries"] or page["entries"][-1]["seq"] >= page["head"]:
                return count
            after = page["entries"][-1]["seq"]


class BotProcess:
    """The bot as a process of its own."""

    def __init__(self, server: str, username: str, channel: str, state: Path):
        self.arguments = ["--server", server, "--username", username, "--channel", channel, "--state", str(state)]
        self.process: asyncio.subprocess.Process | None = None

    async def start(self, *more: str) -> None:
        env = os.environ | {"HUBBUB_BOT_PASSWORD": PASSWORD}
        command = [sys.executable, str(BOT), *self.arguments, *more]
        self.process = await asyncio.create_subprocess_exec(*command, env=env)

    async def ended(self) -> int:
        async with asyncio.timeout(PATIENCE_S):
            return await self.process.wait()

    async def kill(self) -> None:
        if self.process is not None and self.process.returncode is None:
            self.process.kill()
            await self.process.wait()


class Scene:
    """A person and the bot in one channel."""

    def __init__(self, person: Person, account: Person, bot: BotProcess, proxy: Proxy, room: str, state: Path):
        self.person, self.account, self.bot, self.proxy = person, account, bot, proxy
        self.room, self.state = room, state

    async def echoes_once(self, word: str) -> None:
        """The bot has said this, and after whatever else it was asked since, it still has said it once."""
        await self.person.hears(word)
        marker = secrets.token_hex(8)
        await self.person.say(self.room, f"!echo {marker}")
        await self.person.hears(marker)
        assert len(self.person.from_others(word)) == 1, "it was pushed more than once"
        assert await self.person.times_in_log(self.room, word) == 1, "it was said more than once"


@contextlib.asynccontextmanager
async def scene(server: str):
    http = Http(server)
    ann, account = await Person.sign_up(http, "ann"), await Person.sign_up(http, "bot")
    channel = f"bots-{secrets.token_hex(6)}"
    with tempfile.TemporaryDirectory() as folder:
        state = Path(folder) / "state.json"
        async with ann.connected(), Proxy(server) as proxy:
            new = {"key": secrets.token_hex(16), "kind": "channel", "name": channel}
            room = (await ann.connection.patiently("room.create", new))["room"]["id"]
            bot = BotProcess(proxy.url, account.username, channel, state)
            await bot.start()
            try:
                await until_member(ann, room, account.username)
                yield Scene(ann, account, bot, proxy, room, state)
            finally:
                await bot.kill()


async def until_member(person: Person, room: str, username: str) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while True:
            members = await person.connection.patiently("room.members", {"room": room})
            if any(member["user"]["username"] == username for member in members["members"]):
                return
            await asyncio.sleep(0.1)


async def an_answer_arrives_once(s: Scene) -> None:
    sent = await s.person.say(s.room, "!echo 你好, bot")
    answer = await s.person.hears("你好, bot")
    assert answer["reply_to"] == sent["seq"]
    await s.person.say(s.room, "!ping")
    await s.person.hears("pong")
    await s.person.say(s.room, "not for the bot")
    await s.echoes_once("你好, bot")
    assert len(s.person.from_others("pong")) == 1


async def a_cut_connection_is_resumed(s: Scene) -> None:
    for turn in range(3):
        s.proxy.cut()
        words = [f"missed-{turn}-{number}" for number in range(5)]
        for word in words:
            await s.person.say(s.room, f"!echo {word}")
        s.proxy.mend()
        for word in words:
            await s.echoes_once(word)


async def a_cut_while_answering_answers_once(s: Scene) -> None:
    words = [f"torn-{number}" for number in range(40)]
    for number, word in enumerate(words):
        await s.person.say(s.room, f"!echo {word}")
        if number % 10 == 9:
            s.proxy.cut()
            s.proxy.mend()
    for word in words:
        await s.echoes_once(word)


async def a_lost_answer_is_repeated_under_its_key(s: Scene) -> None:
    for turn in range(3):
        word = f"unconfirmed-{turn}-{secrets.token_hex(4)}"
        s.proxy.mute_after = word.encode()
        await s.person.say(s.room, f"!echo {word}")
        # It was said and stored, and the bot does not know.
        await s.person.hears(word)
        s.proxy.mute_after = None
        s.proxy.cut()
        s.proxy.mend()
        await s.echoes_once(word)


async def a_killed_bot_answers_what_it_missed(s: Scene) -> None:
    await s.person.say(s.room, "!echo before")
    await s.person.hears("before")
    await s.bot.kill()
    await s.person.say(s.room, "!echo while it was dead")
    # Somewhere it has never been: it learns of the room, and of what was said there, when it is back.
    found = await s.person.connection.patiently("user.find", {"query": s.account.username})
    other = {"key": secrets.token_hex(16), "kind": "group", "name": "New", "members": [found["users"][0]["id"]]}
    new_room = (await s.person.connection.patiently("room.create", other))["room"]["id"]
    await s.person.say(new_room, "!echo in the new room")
    await s.bot.start()
    await s.echoes_once("while it was dead")
    await s.person.hears("in the new room")
    await s.echoes_once("before")
    assert await s.person.times_in_log(new_room, "in the new room") == 1


async def a_displaced_bot_stops(s: Scene) -> None:
    await s.person.say(s.room, "!echo here")
    await s.person.hears("here")
    session = await s.account.log_in("another device")
    assert await s.bot.ended() == hubbub_bot.SESSION_OVER, "it should say that its session is over"
    assert "displaced" in json.loads(s.state.read_text())["over"]
    accepted = s.proxy.accepted
    await s.bot.start()
    assert await s.bot.ended() == hubbub_bot.SESSION_OVER, "started again, it should wait for a person"
    assert s.proxy.accepted == accepted, "it went to the server all the same"
    # The session that displaced it was left alone.
    assert (await s.account.http.post("/v1/sessions/refresh", {"refresh_token": session["refresh_token"]}))["user"]
    await s.person.say(s.room, "!echo back again")
    await s.bot.start("--log-in")
    await s.echoes_once("back again")


async def a_stale_token_is_refreshed(s: Scene) -> None:
    await s.bot.kill()
    state = json.loads(s.state.read_text())
    s.state.write_text(json.dumps(state | {"access": "x" * 43}))
    await s.person.say(s.room, "!echo with new tokens")
    await s.bot.start()
    await s.echoes_once("with new tokens")
    assert json.loads(s.state.read_text())["refresh"] != state["refresh"]


async def a_spent_refresh_token_ends_the_bot(s: Scene) -> None:
    await s.bot.kill()
    state = json.loads(s.state.read_text())
    await s.account.http.post("/v1/sessions/refresh", {"refresh_token": state["refresh"]})
    await s.bot.start()
    assert await s.bot.ended() == hubbub_bot.SESSION_OVER


async def the_page_says_what_close_codes_mean(_: Scene) -> None:
    page = (BOT.parents[2] / "protocol" / "golden" / "close_codes.json").read_text()
    table = json.loads(page)
    for row in table["closes"] + table["unknown"]:
        assert hubbub_bot.next_after(row["code"]) == row["next"], row


TESTS = [
    the_page_says_what_close_codes_mean,
    an_answer_arrives_once,
    a_cut_connection_is_resumed,
    a_cut_while_answering_answers_once,
    a_lost_answer_is_repeated_under_its_key,
    a_killed_bot_answers_what_it_missed,
    a_stale_token_is_refreshed,
    a_spent_refresh_token_ends_the_bot,
    a_displaced_bot_stops,
]


async def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--server", required=True, help="address of a server on which people may sign up")
    server = parser.parse_args().server
    # What is on this machine is not reached through a proxy.
    os.environ["NO_PROXY"] = os.environ["no_proxy"] = "127.0.0.1,localhost"
    passed = failed = 0
    for test in TESTS:
        try:
            async with asyncio.timeout(4 * PATIENCE_S), scene(server) as s:
                await test(s)
        except Exception:
            failed += 1
            traceback.print_exc()
            print(f"FAILED {test.__name__}", flush=True)
        else:
            passed += 1
            print(f"ok     {test.__name__}", flush=True)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
