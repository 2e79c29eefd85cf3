"""The same story of delegation tokens (KIP-48, KIP-373) on two brokers: what each answers to each step of it.

No judge of its own: access_decisions has both brokers.
"""

import re
import subprocess
import time

from harness import HERE, KAFKIT, SCRATCH, equal, expect, wait_until
from raw_protocol import NULL, RawConnection

CREATE, RENEW, EXPIRE, DESCRIBE = 38, 39, 40, 41
HOUR = 3_600_000
DAY = 24 * HOUR


class Teller:
    """One of the brokers, with the tokens that were made on it."""

    def __init__(self, side):
        self.side, self.hmacs, self.ids = side, {}, {}
        self.users = {user: side.connect(user) for user in ("alice", "bob")}

    def create(self, user, name, owner=None, renewers=(), life=-1):
        """A token in the newest version; errors, principals, and lengths of its life."""
        values = ["User" if owner else None, owner, [["User", renewer] for renewer in renewers], life]
        error, *who, issued, expires, end, token, hmac, _ = self.users[user].ask(
            CREATE, 3, "SS<SSt>8t", values, "eSSSS888SB4t")
        self.hmacs[name], self.ids[name] = hmac, token
        times = [expires - issued, end - issued] if not error else [issued, expires, end]
        if not error:
            # Not every node knows at once.
            wait_until(lambda: self.knows(name), f"{self.side.name} knows token {name}")
        return [error, *who, *times, len(token or ""), len(hmac)]

    def knows(self, name):
        _, tokens, _ = self.users["alice"].ask(DESCRIBE, 1, "[ss]", [NULL], "e[ss888sb[ss]]4")
        _, others, _ = self.users["bob"].ask(DESCRIBE, 1, "[ss]", [NULL], "e[ss888sb[ss]]4")
        return self.ids[name] in [token[5] for token in tokens + others]

    def has_expired(self, name):
        _, tokens, _ = self.users["bob"].ask(DESCRIBE, 1, "[ss]", [NULL], "e[ss888sb[ss]]4")
        return any(token[5] == self.ids[name] and token[3] < time.time() * 1000 for token in tokens)

    def create_old(self, user, version):
        shape, answer = ("[ss]8", "ess888sb4") if version == 1 else ("<SSt>8t", "eSS888SB4t")
        error, kind, owner, *_ = self.users[user].ask(CREATE, version, shape, [[["Group", "x"]], -1], answer)
        return [error, kind, owner]

    def change(self, api, user, name, period):
        hmac = self.hmacs.get(name, b"nonsense")
        before = int(time.time() * 1000)
        error, expires, _ = self.users[user].ask(api, 1, "b8", [hmac, period], "e84")
        # Times are the broker's own: to the minute.
        return [error, expires if expires <= 0 else round((expires - before) / 60_000)]

    def describe(self, user, owners=NULL):
        wanted = owners if owners is NULL else [["User", owner] for owner in owners]
        error, tokens, _ = self.users[user].ask(DESCRIBE, 3, "<SSt>t", [wanted], "e<SSSS888SB<SSt>t>4t")
        known = {token: name for name, token in self.ids.items()}
        return [error, sorted([known.get(token[7], "?"), *token[:4], len(token[8]), token[9]] for token in tokens)]

    def plain(self, api, shape, values, answer):
        return self.side.root.ask(api, 1, shape, values, answer)[0]


def story(teller):
    """Names and answers of every step."""
    yield "on a plain listener", [
        teller.plain(CREATE, "[ss]8", [[], -1], "ess888sb4"), teller.plain(RENEW, "b8", [b"x", -1], "e84"),
        teller.plain(EXPIRE, "b8", [b"x", -1], "e84"), teller.plain(DESCRIBE, "[ss]", [NULL], "e[ss888sb[ss]]4")]
    yield "a token", teller.create("alice", "first")
    yield "a short one", teller.create("alice", "short", life=1000 * 60)
    yield "with a renewer", teller.create("alice", "shared", renewers=["bob"], life=2 * DAY)
    yield "for someone else", teller.create("bob", "other", owner="alice")
    yield "for oneself by name", teller.create("bob", "own", owner="bob")
    yield "older versions", [teller.create_old("alice", version) for version in (1, 2)]
    for user in ("alice", "bob"):
        yield f"all of {user}", teller.describe(user)
        yield f"none of {user}", teller.describe(user, [])
        yield f"alice's for {user}", teller.describe(user, ["alice"])
        yield f"of both for {user}", teller.describe(user, ["alice", "bob", "nobody"])
    for api, what in ((RENEW, "renew"), (EXPIRE, "expire later")):
        for user, name, period in (("alice", "first", HOUR), ("bob", "first", HOUR), ("bob", "shared", HOUR),
                                   ("alice", "shared", 9 * DAY), ("bob", "nothing", HOUR), ("alice", "first", 0)):
            if api == EXPIRE and period == 0:
                continue
            yield f"{what} {name} by {user} for {period}", teller.change(api, user, name, period)
    yield "expire by a stranger", teller.change(EXPIRE, "bob", "first", -1)
    for name in ("first", "short", "shared"):
        yield f"expire {name}", teller.change(EXPIRE, "alice", name, -1)
        wait_until(lambda name=name: not teller.knows(name), f"{teller.side.name} forgets token {name}")
        yield f"expire {name} again", teller.change(EXPIRE, "alice", name, -1)
    yield "what is left", teller.describe("bob")
    yield "expire at this moment", teller.change(EXPIRE, "bob", "own", 0)
    # Not every node knows at once.
    wait_until(lambda: teller.has_expired("own"), f"{teller.side.name} knows that the token has expired")
    yield "renew what has expired", teller.change(RENEW, "bob", "own", -1)
    yield "expire what has expired", teller.change(EXPIRE, "bob", "own", -1)
    wait_until(lambda: not teller.knows("own"), f"{teller.side.name} forgets the token that has expired")


def compare(theirs, ours):
    for side in (theirs, ours):
        side.root.ask(31, 1, "[1s1ss11]", [[[1, None, 1, None, None, 1, 1]]], "4[es[es1s1ss11]]")
    count = 0
    for (name, wanted), (_, seen) in zip(story(Teller(theirs)), story(Teller(ours)), strict=True):
        equal(seen, wanted, name)
        count += 1
    print(f"    {count} steps")


TOOLS = {"Apache Kafka's": [HERE / "apache-kafka", "run", "kafka-delegation-tokens"],
         "ours": [KAFKIT, "kafka-delegation-tokens"]}


def told(side, tool, words):
    """What a tool prints, and how it ends; with the ids, secrets and dates that differ from run to run as letters."""
    login = SCRATCH / f"{side.port}.properties"
    login.write_text(
        "security.protocol=SASL_SSL\nsasl.mechanism=PLAIN\n"
        "sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required username=\"bob\" "
        f"password=\"bob-secret\";\nssl.truststore.type=PEM\nssl.truststore.location={side.authority}\n")
    argv = [*TOOLS[tool], "--bootstrap-server", f"127.0.0.1:{side.port + 50}", "--command-config", login, *words]
    done = subprocess.run([str(word) for word in argv], capture_output=True, text=True, timeout=90, check=False)
    found = re.search(r"(\S{22}) +(\S{88}) ", done.stdout)
    text = done.stdout
    for word, letter in zip(found.groups() if found else [], "TH"):
        text = text.replace(word, letter)
    text = re.sub(r"(?!19)\d{4}-\d\d-\d\dT\d\d:\d\d", "DATE", text)
    error = done.stderr.splitlines()[0] if done.stderr else ""
    return [done.returncode, text.replace(found.group(2), "H") if found else text, error], found


def tokens_of_bob(side):
    """The secrets of the tokens that bob sees, by their ids."""
    connection = side.connect("bob")
    _, tokens, _ = connection.ask(DESCRIBE, 1, "[ss]", [NULL], "e[ss888sb[ss]]4")
    connection.close()
    return {token[5]: token[6] for token in tokens}


def forget_all(side):
    """What other checks left over: Apache Kafka goes on showing what has expired, for up to an hour."""
    connection = side.connect("bob")
    for token, hmac in tokens_of_bob(side).items():
        equal(connection.ask(EXPIRE, 1, "b8", [hmac, -1], "e84")[0], 0, f"{side.name} expires token {token}")
    connection.close()
    wait_until(lambda: not tokens_of_bob(side), f"{side.name} forgets bob's tokens")


def tool_story(side, tool):
    """What a tool says to each step of one token's life. Before a step that depends on it, the broker that is asked
    knows what the one before did: the controller has changed it, and not every node knows at once."""
    forget_all(side)
    said, found = told(side, tool, ["--create", "--max-life-time-period", "-1", "--renewer-principal", "User:alice",
                                    "--renewer-principal", "User:carol"])
    expect(found, f"{tool} tool on {side.name} makes no token: {said}")
    yield said
    token, hmac = found.groups()
    wait_until(lambda: token in tokens_of_bob(side), f"{side.name} knows the token")
    def say(*words):
        return [part.replace(hmac, "H") if isinstance(part, str) else part for part in told(side, tool, words)[0]]

    yield say("--describe", "--owner-principal", "User:carol")
    yield say("--renew", "--hmac", hmac, "--renew-time-period", "-1")
    yield say("--expire", "--hmac", hmac, "--expiry-time-period", str(HOUR))
    yield say("--describe")
    yield say("--expire", "--hmac", hmac, "--expiry-time-period", "-1")
    wait_until(lambda: token not in tokens_of_bob(side), f"{side.name} forgets the token")
    yield say("--describe")
    yield say("--renew", "--hmac", hmac, "--renew-time-period", "-1")
    yield say("--create", "--max-life-time-period", "1", "--owner-principal", "User:alice")
    yield say("--create", "--max-life-time-period", "1", "--renewer-principal", "Group:x")


def compare_tools(theirs, ours):
    seen = {(side.name, tool): list(tool_story(side, tool)) for side in (theirs, ours) for tool in TOOLS}
    wanted = seen[theirs.name, "Apache Kafka's"]
    for who, lines in seen.items():
        for place, (line, right) in enumerate(zip(lines, wanted, strict=True)):
            equal(line, right, f"line {place} of {who}")
    print(f"    {len(wanted)} lines of two tools on two brokers")
