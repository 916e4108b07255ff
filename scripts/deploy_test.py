#!/usr/bin/env python3
"""Tests of deploy/ against real nodes: both proxies with their files, and a back-up that is restored.

Through scripts/test-deploy, which brings the services. The last line is "deploy: N passed, M failed".
"""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
import traceback
from contextlib import AsyncExitStack
from http.client import HTTPConnection
from pathlib import Path

from deploy_rig import (
    DEPLOY, HUBBUB, Database, Link, Node, cluster_environment, eventually, folder, haproxy, http, nginx, people,
    refused_status,
)

PASSWORD = "correct horse battery"
CROWD = 12


def test_nginx_passes_a_drain_on():
    asyncio.run(conversation_through_a_drain(nginx))


def test_haproxy_passes_a_drain_on():
    asyncio.run(conversation_through_a_drain(haproxy))


async def conversation_through_a_drain(start_proxy):
    """Clients of a node that stops come back through the proxy on the other one, and nothing is lost or doubled."""
    with folder() as logs, Database() as database:
        environment = cluster_environment(database, HUBBUB_TRUSTED_PROXIES="127.0.0.1")
        with Node(environment, logs) as stays, Node(environment, logs) as goes, \
                start_proxy([stays.address, goes.address], logs) as proxy:
            crowd = people(environment, CROWD)
            async with AsyncExitStack() as stack:
                room = await room_of(stack, proxy, crowd)
                links = [await stack.enter_async_context(Link(proxy.url, person, room)) for person in crowd]
                on = lambda node: node.metric("hubbub_connections")
                assert on(stays) >= 3 and on(goes) >= 3, "the proxy did not spread the clients"
                talking = [asyncio.create_task(talk(link, number)) for number, link in enumerate(links[:3])]
                await eventually("half the talk", lambda: len(links[-1].heard) > 60)
                goes.child.send_signal(signal.SIGTERM)
                acknowledged = [sent for talker in talking for sent in await talker]
                last = max(seq for seq, _ in acknowledged)
                for link in links:
                    await eventually("all to have heard all", lambda: link.cursors[f"room:{room}"]["seq"] >= last)
                assert goes.child.wait(30) == 0, goes.said()
                moved = [link for link in links if len(link.started) > 1]
                assert moved and all(len(link.started) == 2 for link in moved), "each comes back once"
                assert {code for link in moved for code in link.codes} == {1012}, [link.codes for link in moved]
                assert on(stays) == len(links) + 1, "all are on the node that stayed"
                check_talk(links, acknowledged)
                await people_do_not_notice(proxy, environment, logs, goes)


async def room_of(stack, proxy, crowd) -> str:
    """A group of everybody, made by the first through a connection that stays open."""
    maker = await stack.enter_async_context(Link(proxy.url, crowd[0]))
    made = await maker.ask("room.create", {
        "kind": "group", "name": "all", "key": "all", "members": [person["id"] for person in crowd[1:]],
    })
    return made["room"]["id"]


async def talk(link: Link, number: int) -> list[tuple[int, str]]:
    sent = []
    for word in range(60):
        text = f"{number}: {word}"
        sent.append(((await link.say(text))["seq"], text))
        await asyncio.sleep(0.01)
    return sent


def check_talk(links, acknowledged):
    assert len({seq for seq, _ in acknowledged}) == len(acknowledged) == 180, "a seq was given twice"
    for link in links:
        # Link itself asserts that what it hears has no holes and no repeats.
        heard = {entry["seq"]: entry["text"] for entry in link.heard if entry["kind"] == "message"}
        assert heard == dict(acknowledged), "what was heard is not what was acknowledged"


async def people_do_not_notice(proxy, environment, logs, gone):
    """One node is gone: every request is answered by the other. When it is back, the proxy uses it again."""
    for _ in range(20):
        status, _ = await asyncio.to_thread(http, f"{proxy.url}/v1/server")
        assert status == 200, status
        assert await refused_status(proxy.url) is None
    with Node(environment, logs, gone.address) as back:
        async def used():
            await refused_status(proxy.url)
            return back.metric("hubbub_connections_opened_total") > 0
        for _ in range(200):
            if await used():
                return
            await asyncio.sleep(0.05)
        raise AssertionError("the proxy does not use the node that came back")


def test_nginx_and_a_clients_address():
    address_of_a_client(nginx)


def test_haproxy_and_a_clients_address():
    address_of_a_client(haproxy)


def address_of_a_client(start_proxy):
    """The node believes a trusted proxy, the proxy believes nobody, and an untrusted proxy is the client."""
    with folder() as logs, Database() as database:
        for trusted, expected in (("127.0.0.1", "127.9.9.0"), ("10.0.0.0/8", "127.0.0.0")):
            environment = cluster_environment(database, HUBBUB_TRUSTED_PROXIES=trusted)
            with Node(environment, logs) as node, start_proxy([node.address], logs) as proxy:
                name = f"ann-{trusted[:2]}"
                body = {"username": name, "password": PASSWORD, "display_name": "Ann"}
                status, _ = http(f"{proxy.url}/v1/accounts", body)
                assert status in (200, 201), status
                place = place_of_login(proxy.port, name)
                assert place == expected, f"with {trusted} trusted: {place}"


def place_of_login(port: int, name: str) -> str:
    """Where the server thinks that a login from 127.9.9.9 comes from, which claims to be somebody else."""
    connection = HTTPConnection("127.0.0.1", port, timeout=20, source_address=("127.9.9.9", 0))
    body = {"username": name, "password": PASSWORD, "device": {"id": "d", "class": "bot", "name": "d"}}
    headers = {"content-type": "application/json", "x-forwarded-for": "203.0.113.9"}
    connection.request("POST", "/v1/sessions", json.dumps(body), headers)
    return json.load(connection.getresponse())["session"]["place"]


def test_nginx_limits_an_address():
    asyncio.run(limit_of_an_address(nginx, 429, {"limit_conn addresses 4096": "limit_conn addresses 3"}))


def test_haproxy_limits_an_address():
    asyncio.run(limit_of_an_address(haproxy, 0, {"sc0_conn_cur gt 4096": "sc0_conn_cur gt 3"}))


async def limit_of_an_address(start_proxy, refusal, changes):
    with folder() as logs, Database() as database:
        environment = cluster_environment(database)
        with Node(environment, logs) as node, start_proxy([node.address], logs, **changes) as proxy:
            async with AsyncExitStack() as stack:
                links = [await stack.enter_async_context(Link(proxy.url, who)) for who in people(environment, 3)]
                assert await refused_status(proxy.url) == refusal
                assert all(len(link.started) == 1 for link in links), "who is in stays in"


def script(name: str, *arguments, environment: dict) -> subprocess.CompletedProcess:
    environment = {"PATH": os.environ["PATH"], "HUBBUB_BIN": HUBBUB, **environment}
    return subprocess.run([DEPLOY / name, *arguments], env=environment, capture_output=True, text=True, check=False)


def redis_keys(prefix: str) -> set[str]:
    command = ["redis-cli", "-u", os.environ["HUBBUB_TEST_REDIS_URL"], "--no-auth-warning", "--scan", "--pattern"]
    return set(subprocess.run([*command, f"{prefix}:*"], capture_output=True, text=True, check=True).stdout.split())


def test_a_cluster_is_backed_up_and_restored():
    with folder() as logs, Database() as database:
        environment = cluster_environment(database)
        back_up = lambda: script("backup", str(logs), environment=environment)
        restore = lambda file, *more: script("restore", file, *more, environment=environment)
        asyncio.run(round_trip(lambda: Node(environment, logs), environment, back_up, restore))
        # The life before is still in Redis, under names that nobody asks for.
        tails = {key.split(":")[1] for key in redis_keys(environment["HUBBUB_REDIS_PREFIX"]) if key.endswith(":tail")}
        assert len(tails) == 2, f"tails of two lives were expected: {tails}"
        kept = database.sql(f"SELECT datname FROM pg_database WHERE datname LIKE '{database.name}_before_%'")
        assert len(kept.split()) == 2, f"each restore keeps what was there: {kept}"


def test_a_server_alone_is_backed_up_and_restored():
    with folder() as logs:
        environment = {"PATH": os.environ["PATH"], "HUBBUB_DATA_DIR": str(logs / "data")}
        back_up = lambda: script("backup", str(logs), environment=environment)
        restore = lambda file, *more: script("restore", file, *more, environment=environment)
        asyncio.run(round_trip(lambda: Node(environment, logs), environment, back_up, restore))
        assert len(list((logs / "data").glob("before-*/hubbub.db"))) == 2, "each restore keeps what was there"
        assert not list((logs / "data").glob("restore.*"))


async def round_trip(start, environment, back_up, restore):
    """Messages, a back-up, more messages, the back-up restored: the clients reload, and see what it held."""
    with start() as node:
        ann, bea = people(environment, 2)
        url = f"http://{node.address}"
        async with AsyncExitStack() as stack:
            maker = await stack.enter_async_context(Link(url, ann))
            made = await maker.ask("room.create", {"kind": "group", "name": "g", "key": "g", "members": [bea["id"]]})
            maker.room = made["room"]["id"]
            reader = await stack.enter_async_context(Link(url, bea, maker.room))
            kept = [f"kept {number}" for number in range(30)]
            for text in kept:
                await maker.say(text)
            made = await asyncio.to_thread(back_up)
            assert made.returncode == 0, made.stderr
            file = made.stdout.strip()
            assert Path(file).stat().st_mode & 0o077 == 0, "a back-up is nobody else's"
            for number in range(20):
                lost = await maker.say(f"lost {number}")
            await eventually("bea to hear all", lambda: reader.heard and reader.heard[-1]["seq"] == lost["seq"])
            # Read, so that the caches hold what will be lost.
            assert (await reader.texts())[-1] == "lost 19"
            refused = await asyncio.to_thread(restore, file)
            assert refused.returncode == 1 and "first" in refused.stderr, refused.stderr
        assert node.stop() == 0, node.said()
    restored = restore(file)
    assert restored.returncode == 0, restored.stderr

    with start() as node:
        url, room = f"http://{node.address}", maker.room
        async with AsyncExitStack() as stack:
            reader = await stack.enter_async_context(Link(url, bea, room, reader.cursors))
            maker = await stack.enter_async_context(Link(url, ann, room, maker.cursors))
            resumed = reader.started[0]["resumed"][f"room:{room}"]
            assert (resumed["outcome"], resumed["why"]) == ("reload", "epoch"), resumed
            assert resumed["head"] < lost["seq"], "it is the older state"
            assert await reader.texts() == kept, "history is what was backed up, and nothing of the life before"
            said = await maker.say("in the new life")
            assert said["seq"] == resumed["head"] + 1
            await eventually("bea to hear it", lambda: reader.heard and reader.heard[-1]["text"] == "in the new life")
            assert await maker.texts() == [*kept, "in the new life"]
        assert node.stop() == 0, node.said()
    everybody_logs_in_again(file, restore, start, ann)


def everybody_logs_in_again(file, restore, start, ann):
    again = restore(file, "--end-sessions")
    assert again.returncode == 0, again.stderr
    with start() as node:
        status, _ = http(f"http://{node.address}/v1/sessions", headers={"authorization": f"Bearer {ann['access_token']}"})
        assert status == 401, status


def test_what_is_no_backup_is_refused():
    with folder() as logs, Database() as database:
        environment = cluster_environment(database)
        with Node(environment, logs):
            pass
        damaged = logs / "damaged.dump"
        damaged.write_text("not a dump")
        refused = script("restore", str(damaged), environment=environment)
        assert refused.returncode == 1 and "nothing has changed" in refused.stderr, refused.stderr
        left = database.sql(f"SELECT count(*) FROM pg_database WHERE datname LIKE '{database.name}_%'")
        assert left == "0", "the half restored copy is gone"
        alone = {"HUBBUB_DATA_DIR": str(logs / "data")}
        assert script("restore", str(damaged), environment=alone).returncode == 1
        assert script("backup", str(logs), environment=alone).returncode == 1, "there is nothing to back up"
        assert not list(logs.glob("hubbub-*")), "nothing half done is left"


def main() -> int:
    word = sys.argv[1] if len(sys.argv) > 1 else ""
    tests = [test for name, test in globals().items() if name.startswith("test_") and word in name]
    failed = 0
    for test in tests:
        began = time.monotonic()
        try:
            test()
            print(f"ok    {test.__name__} ({time.monotonic() - began:.1f} s)", flush=True)
        except Exception:
            failed += 1
            traceback.print_exc()
            print(f"FAIL  {test.__name__} ({time.monotonic() - began:.1f} s)", flush=True)
    print(f"deploy: {len(tests) - failed} passed, {failed} failed")
    return 1 if failed or not tests else 0


if __name__ == "__main__":
    sys.exit(main())
