"""Who may do what: the same ACLs on Apache Kafka and on the mini broker, started with Apache Kafka's own
server.properties, and the same questions to both.

The ACLs are drawn from a seed (KAFKIT_SEED, KAFKIT_ROUNDS). Decisions are compared by the fields of authorized
operations, errors by one request of each API.
"""

import atexit
import base64
import os
import random
import re
import ssl
import time

from harness import KAFKIT, SCRATCH, ApacheKafka, Failure, Program, answers, equal, expect, free_port, wait_until
from judges.acls_and_hanging_transactions import crc32c, varint
from judges import delegation_tokens, locked_doors
from raw_protocol import NULL, RawConnection, split, struct

BROKER = ApacheKafka
BROKER_OPTIONS = {"secure": True, "authorizer": True}
SEED = int(os.environ.get("KAFKIT_SEED", "20261130"))
ROUNDS = int(os.environ.get("KAFKIT_ROUNDS", "40"))
USERS = {"alice": "alice-secret", "bob": "bob-secret"}
SOURCES = ["127.0.0.1", "127.0.0.2"]
TOPICS = ["orders", "orders-eu", "order", "payments", "missing"]
GROUPS = ["billing", "billing-eu", "other"]
IDS = ["copier", "copier-2"]
TOPIC, GROUP, CLUSTER, TRANSACTIONAL_ID, USER = 2, 3, 4, 5, 7
OPERATIONS = {TOPIC: [2, 3, 4, 5, 6, 7, 8, 10, 11], GROUP: [2, 3, 6, 8, 10, 11], CLUSTER: [2, 5, 7, 8, 9, 10, 11, 12],
              TRANSACTIONAL_ID: [2, 4, 8], USER: [2, 13, 14]}
NAMES = {TOPIC: TOPICS, GROUP: GROUPS, CLUSTER: ["kafka-cluster"], TRANSACTIONAL_ID: IDS,
         USER: [f"User:{user}" for user in USERS]}
BOTH = {}


def prepare():
    pass


class Side:
    """One of the two brokers."""

    def __init__(self, name, port, authority):
        self.name, self.port, self.authority = name, port, authority
        self.root = RawConnection(port)

    def connect(self, user, source="127.0.0.1"):
        return RawConnection(self.port + 50, user, USERS[user], source, self.authority)


def both(broker):
    """Apache Kafka, and the mini broker with the same server.properties but for ports and directories."""
    if BOTH:
        return BOTH["theirs"], BOTH["ours"]
    port = free_port()
    text = (broker.dir / "node1.properties").read_text()
    text = re.sub(r"^log\.dirs=.*$", f"log.dirs={SCRATCH / 'access-data'}", text, flags=re.M)
    for above in (0, 50, 70):
        text = text.replace(f"127.0.0.1:{broker.port + above}", f"127.0.0.1:{port + above}")
    path = SCRATCH / "access.properties"
    path.write_text(text)
    program = Program(KAFKIT, "broker", "--config", path)
    atexit.register(program.process.kill)
    wait_until(lambda: answers(port) or program.process.poll() is not None, "the mini broker starts", 20)
    expect(program.process.poll() is None, f"the mini broker takes the file: {program.stderr()}")
    authority = broker.dir / "ca.pem"
    BOTH.update(theirs=Side("Apache Kafka", broker.port, authority), ours=Side("the mini broker", port, authority),
                program=program)
    for side in (BOTH["theirs"], BOTH["ours"]):
        topics = [[name, 1, 1, [], []] for name in TOPICS if name != "missing"]
        equal([topic[1] for topic in side.root.ask(19, 4, "[s42[4[4]][ss]]41", [topics, 30_000, 0], "4[ses]")[1]],
              [0] * len(topics), "topics are created")
        for group in GROUPS:
            wait_until(lambda: side.root.ask(10, 2, "s1", [group, 0], "4em4s4")[1] == 0, "a coordinator")
            wait_until(lambda: side.root.ask(15, 4, "[s]1", [[group], 0], "4[essss[ssssbb]4]")[1][0][0] == 0, "a group")
        for name in IDS:
            wait_until(lambda: side.root.ask(10, 2, "s1", [name, 1], "4em4s4")[1] == 0, "a coordinator")
            wait_until(lambda: side.root.ask(22, 1, "s4", [name, 9000], "4e82")[1] == 0, "a producer")
    return BOTH["theirs"], BOTH["ours"]


def drawn(rng):
    """One ACL as CreateAcls has it."""
    kind = rng.choice([TOPIC, TOPIC, TOPIC, GROUP, GROUP, CLUSTER, TRANSACTIONAL_ID, USER])
    pattern, name = rng.choice([3, 3, 4]), rng.choice(NAMES[kind])
    if kind == CLUSTER:
        pattern = 3
    elif pattern == 4:
        name = name[:rng.randint(1, len(name))]
    elif rng.random() < 0.2:
        name = "*"
    principal = rng.choice(["User:alice", "User:alice", "User:bob", "User:*"])
    host = rng.choice(["*", "*", *SOURCES])
    return [kind, name, pattern, principal, host, rng.choice(OPERATIONS[kind]), rng.choice([3, 3, 3, 2])]


def listed(side):
    _, error, _, resources = side.root.ask(29, 1, "1s1ss11", [1, None, 1, None, None, 1, 1], "4es[1s1[ss11]]")
    equal(error, 0, side.name)
    return sorted([*resource[:3], *acl] for resource in resources for acl in resource[3])


def set_acls(side, acls):
    """Replaces all ACLs, and waits until the broker decides by them."""
    side.root.ask(31, 1, "[1s1ss11]", [[[1, None, 1, None, None, 1, 1]]], "4[es[es1s1ss11]]")
    wait_until(lambda: listed(side) == [], "the ACLs are gone")
    if acls:
        results = side.root.ask(30, 1, "[1s1ss11]", [acls], "4[es]")[1]
        equal(results, [[0, results[0][1]]] * len(acls), side.name)
    wanted = sorted(list(acl) for acl in {tuple(acl) for acl in acls})
    wait_until(lambda: listed(side) == wanted, lambda: f"{side.name}: {listed(side)}, not {wanted}")


def decisions(connection):
    """Every operation that the client may do with every resource."""
    seen = {}
    _, _, _, _, topics, cluster = connection.ask(
        3, 8, "[s]111", [TOPICS, 0, 1, 1], "4[4s4s]s4[es1[e444[4][4][4]]4]4")
    seen["cluster"] = cluster
    for error, name, _, _, operations in topics:
        seen["topic", name] = (error, operations)
    for error, name, *_, operations in connection.ask(15, 4, "[s]1", [GROUPS, 1], "4[essss[ssssbb]4]")[1]:
        seen["group", name] = (error, operations)
    return seen


def check_every_decision_is_the_same(broker):
    theirs, ours = both(broker)
    rng = random.Random(SEED)
    clients = [(user, source) for user in USERS for source in SOURCES]
    count = 0
    for turn in range(ROUNDS):
        acls = [drawn(rng) for _ in range(rng.randint(0, 14))]
        for side in (theirs, ours):
            set_acls(side, acls)
        for user, source in clients:
            answers = []
            for side in (theirs, ours):
                connection = side.connect(user, source)
                answers.append(decisions(connection))
                connection.close()
            equal(answers[1], answers[0], f"seed {SEED}, round {turn}, {user} from {source}, ACLs {acls}")
            count += len(TOPICS) * 8 + len(GROUPS) * 5 + 7
    print(f"    {count} decisions")


def batch(transactional):
    body = b"\0" + varint(0) + varint(0) + varint(-1) + varint(5) + b"hello" + varint(0)
    now = int(time.time() * 1000)
    producer = (7, 0, 0) if transactional else (-1, -1, -1)
    rest = struct.pack(">hiqqqhii", 0x10 if transactional else 0, 0, now, now, *producer, 1) + varint(len(body)) + body
    rest = struct.pack(">iBI", 0, 2, crc32c(rest)) + rest
    return struct.pack(">qi", 0, len(rest)) + rest


def requests():
    """Name, API, version, shape, values, shape of the answer; nothing that is allowed changes what later ones see."""
    each = lambda *more: [[name, [list(more)]] for name in TOPICS]
    yield "produce", 0, 8, "s24[s[4b]]", [None, -1, 9000, each(0, batch(False))], "[s[4e888[4s]m]]4"
    yield "produce in a transaction", 0, 8, "s24[s[4b]]", ["copier", -1, 9000, each(0, batch(True))], "[s[4e888[4s]m]]4"
    yield "fetch", 1, 11, "4444144[s[44884]][s[4]]s", [-1, 0, 0, 9999, 0, 0, -1, each(0, -1, 0, 0, 9999), [], ""], \
        "4e4[s[4e888[88]4b]]"
    yield "list offsets", 2, 5, "41[s[448]]", [-1, 0, each(0, -1, -1)], "4[s[4e884]]"
    for group in GROUPS:
        yield "commit", 8, 7, "s4ss[s[484s]]", [group, -1, "", None, each(0, 1, -1, "")], "4[s[4e]]"
        yield "committed", 9, 5, "s[s[4]]", [group, [[name, [0]] for name in TOPICS]], "4[s[484se]]e"
        yield "all committed", 9, 5, "s[s[4]]", [group, NULL], "4[s[484se]]e"
        yield "group coordinator", 10, 2, "s1", [group, 0], "4em4s4"
        yield "join", 11, 5, "s44sss[sb]", [group, 9000, 9000, "", None, "consumer", [["range", b""]]], "4e4sss[ssb]"
        yield "heartbeat", 12, 3, "s4ss", [group, 1, "nobody", None], "4e"
        yield "leave", 13, 1, "ss", [group, "nobody"], "4e"
        yield "sync", 14, 3, "s4ss[sb]", [group, 1, "nobody", None, []], "4eb"
        yield "delete group", 42, 1, "[s]", [["no-" + group, group + "-no"]], "4[se]"
        yield "delete offsets", 47, 0, "s[s[4]]", ["no-" + group, [["orders", [0]]]], "e4[s[4e]]"
    yield "groups", 16, 2, "", [], "4e[ss]"
    for name in [*TOPICS, "brand-new"]:
        yield "create topic", 19, 4, "[s42[4[4]][ss]]41", [[[name, 1, 1, [], []]], 9000, 1], "4[sem]"
    yield "delete topics", 20, 3, "[s]4", [["missing", "order-none", "x"], 9000], "4[se]"
    yield "delete records", 21, 1, "[s[48]]4", [each(0, 0), 9000], "4[s[48e]]"
    yield "idempotent producer", 22, 1, "s4", [None, 9000], "4e82"
    yield "epochs", 23, 3, "4[s[444]]", [-1, each(0, -1, 0)], "4[s[e448]]"
    for name in IDS:
        yield "transaction coordinator", 10, 2, "s1", [name, 1], "4em4s4"
        yield "transactional producer", 22, 1, "s4", [name, 9000], "4e82"
        yield "add partitions", 24, 2, "s82[s[4]]", [name, 99, 0, [[topic, [0]] for topic in TOPICS]], "4[s[4e]]"
        yield "add offsets", 25, 2, "s82s", [name, 99, 0, "billing"], "4e"
        yield "end transaction", 26, 2, "s821", [name, 99, 0, 1], "4e"
        yield "commit in a transaction", 28, 2, "ss82[s[484s]]", [name, "billing", 99, 0, each(0, 1, -1, "")], "4[s[4e]]"
    yield "acls", 29, 1, "1s1ss11", [1, None, 1, "User:nobody", None, 1, 1], "4em[1s1[ss11]]"
    yield "create acl", 30, 1, "[1s1ss11]", [[[2, "", 3, "User:x", "*", 3, 3], [4, "x", 3, "User:x", "*", 3, 3],
                                              [2, "x", 3, "x", "*", 3, 3]]], "4[em]"
    yield "delete acl", 31, 1, "[1s1ss11]", [[[2, "nothing", 3, None, None, 1, 1]]], "4[em[em1s1ss11]]"
    resources = [[2, name] for name in TOPICS] + [[4, "1"], [32, "billing"]]
    yield "configs", 32, 2, "[1s[s]]1", [[[*resource, ["nothing"]] for resource in resources], 0], \
        "4[em1s[ss111[ss1]]]"
    alterations = [[kind, name, [["retention.ms", "5"]]] for kind, name in resources if kind == 2]
    yield "replace configs", 33, 1, "[1s[ss]]1", [alterations, 1], "4[em1s]"
    alterations = [[kind, name, [["retention.ms", 0, "5"]]] for kind, name in resources if kind == 2]
    alterations += [[4, "1", [["log.cleaner.threads", 0, "1"]]], [32, "billing", [["consumer.session.timeout.ms", 0, "45000"]]]]
    yield "alter configs", 44, 0, "[1s[s1s]]1", [alterations, 1], "4[em1s]"
    yield "more partitions", 37, 1, "[s4[[4]]]41", [[[name, 2, NULL] for name in TOPICS], 9000, 1], "4[sem]"
    yield "elections", 43, 1, "1[s[4]]4", [0, [["orders", [0]]], 9000], "4e[s[4em]]"
    yield "log dirs", 35, 1, "[s[4]]", [[["missing", [0]]]], "4[es[s[4881]]]"
    # Of no one: a token is seen some time after it was made.
    yield "tokens", 41, 1, "[ss]", [[["User", "nobody"]]], "e[ss888sb[ss]]4"
    for user in USERS:
        yield "token of a user", 38, 3, "SS<SSt>8t", ["User", user, [["User", user]], 50], "eSSSS888SB4t"
    yield "metadata", 3, 8, "[s]111", [[*TOPICS, "fresh"], 0, 0, 0], "4[4s4s]s4[es1[e444[4][4][4]]4]4"
    yield "metadata of all", 3, 8, "[s]111", [NULL, 0, 0, 0], "4[4s4s]s4[es1[e444[4][4][4]]4]4"


def verdicts(shape, fields):
    """What of an answer is compared: names, error codes and their messages; the rest is each broker's own."""
    kept, place = [], 0
    while shape:
        if shape[0] == "t":
            shape = shape[1:]
            continue
        if shape[0] in "[<":
            inside, shape = split(shape)
            items = [verdicts(inside, item) for item in fields[place]]
            kept.append(sorted((item for item in items if item), key=str))
        else:
            letter, shape = shape[0], shape[1:]
            value = fields[place]
            # Apache Kafka shows its own object here.
            if letter == "m" and value and ("Request(processor" in value or value == "Cluster authorization failed."):
                value = "…"
            if letter in "em" or (letter == "s" and value in EVERY_NAME):
                kept.append(str(value))
        place += 1
    return kept


# In the place of a request: a wait of so many seconds.
PAUSE = object()


def login_talks():
    """What clients say on a listener with SASL; each a list of requests on one connection."""
    handshake = lambda mechanism, version=1: (17, version, "s", [mechanism], "e[s]")
    token = lambda words, version=0: (36, version, "b", [words if isinstance(words, bytes) else words.encode()],
                                      "esb" if version == 0 else "esb8")
    plain = handshake("PLAIN")
    metadata = (3, 1, "[s]", [["orders"]], "[4s4s]4[es1[e44[4][4]]]")
    versions = (18, 0, "", [], "e[222]")
    unsecured = lambda claims: "n,,\1auth=Bearer " + ".".join(
        base64.urlsafe_b64encode(part.encode()).decode().rstrip("=") for part in ['{"alg":"none"}', claims]) + ".\1\1"
    soon = int(time.time()) + 600
    yield "right", [plain, token("\0alice\0alice-secret"), metadata]
    yield "right, with a session", [plain, token("\0alice\0alice-secret", 1), metadata]
    yield "with its own name as identity", [plain, token("alice\0alice\0alice-secret")]
    yield "wrong password", [plain, token("\0alice\0wrong")]
    yield "unknown user", [plain, token("\0nobody\0x")]
    yield "no user", [plain, token("\0\0x")]
    yield "no password", [plain, token("\0alice\0")]
    yield "another identity", [plain, token("bob\0alice\0alice-secret")]
    yield "two parts", [plain, token("alice\0alice-secret")]
    yield "four parts", [plain, token("\0alice\0alice-secret\0x")]
    yield "nothing", [plain, token("")]
    yield "no UTF-8", [plain, token(b"\0\xff\xfe\0x")]
    yield "unknown mechanism", [handshake("GSSAPI"), plain]
    yield "mechanism in small letters", [handshake("plain")]
    yield "token before a mechanism", [token("\0alice\0alice-secret")]
    yield "two mechanisms", [plain, plain]
    yield "request before the login", [metadata]
    yield "versions before and in the login", [versions, plain]
    yield "token after the login", [plain, token("\0alice\0alice-secret"), token("\0alice\0alice-secret")]
    yield "mechanism at once after the login", [plain, token("\0alice\0alice-secret"), plain]
    again = [plain, token("\0alice\0alice-secret", 1), (PAUSE, 1.2)]
    yield "the same again", [*again, plain, token("\0alice\0alice-secret", 1), metadata]
    yield "someone else", [*again, plain, token("\0bob\0bob-secret", 1), metadata]
    yield "again with a wrong password", [*again, plain, token("\0alice\0wrong", 1), metadata]
    yield "another mechanism", [*again, handshake("SCRAM-SHA-512"), plain]
    yield "a request in the middle of another login", [*again, plain, metadata]
    yield "a request after the session", [*again, (PAUSE, 1.5), metadata]
    yield "a login after the session", [*again, (PAUSE, 1.5), plain, token("\0alice\0alice-secret", 1), metadata]
    yield "a message that is too large", [plain, token("x" * 600_000)]
    scram = handshake("SCRAM-SHA-512")
    for name, words in [("unknown user", "n,,n=nobody,r=abc"), ("garbage", "garbage"), ("no nonce", "n,,n=alice"),
                        ("channel binding", "p=tls-unique,,n=alice,r=abc"), ("asks for one", "y,,n=alice,r=abc"),
                        ("identity", "n,a=bob,n=nobody,r=abc"), ("reserved", "n,,m=x,n=nobody,r=abc"),
                        ("a token's", "n,,n=nobody,r=abc,tokenauth=true")]:
        yield f"SCRAM, {name}", [scram, token(words)]
    bearer = handshake("OAUTHBEARER")
    for name, words in [("good", unsecured(f'{{"sub":"alice","exp":{soon}}}')), ("expired", unsecured('{"sub":"alice","exp":5}')),
                        ("no subject", unsecured(f'{{"exp":{soon}}}')), ("no end", unsecured('{"sub":"alice"}')),
                        ("another identity", unsecured(f'{{"sub":"alice","exp":{soon}}}').replace("n,,", "n,a=bob,")),
                        ("no token", "n,,\1auth=Bearer x\1\1"), ("garbage", "garbage")]:
        yield f"OAUTHBEARER, {name}", [bearer, token(words), token("\1")]


def talk(side, requests):
    """The answers, up to the end of the connection; what is random in them is left out."""
    connection = RawConnection(side.port + 50, authority=side.authority)
    seen = []
    for request in requests:
        if request[0] is PAUSE:
            time.sleep(request[1])
            continue
        api, version, shape, values, answer = request
        try:
            fields = connection.ask(api, version, shape, values, answer)
        except (EOFError, ConnectionError, ssl.SSLError):
            seen.append("closed")
            break
        except (struct.error, AssertionError) as odd:
            seen.append(f"odd: {odd}")
            break
        if api == 36:
            seen.append([*fields[:2], bytes(fields[2])[:40], *[time > 0 for time in fields[3:]]])
        else:
            seen.append(fields if api == 17 else fields[0] if api == 18 else "answered")
    connection.close()
    return seen


def check_logins_are_answered_alike(broker):
    theirs, ours = both(broker)
    differences, count = [], 0
    for name, requests in login_talks():
        wanted, seen = (talk(side, requests) for side in (theirs, ours))
        count += 1
        if wanted != seen:
            differences.append(f"    {name}\n      wanted {wanted}\n      saw    {seen}")
    expect(not differences, "\n" + "\n".join(differences))
    print(f"    {count} talks")


EVERY_NAME = {*TOPICS, *GROUPS, *IDS}


def check_doors_are_locked_alike(broker):
    locked_doors.compare(*both(broker))


def check_delegation_tokens_are_alike(broker):
    delegation_tokens.compare(*both(broker))
    delegation_tokens.compare_tools(*both(broker))


def check_every_api_answers_the_same(broker):
    theirs, ours = both(broker)
    rng = random.Random(SEED + 1)
    count = 0
    told = set()
    for turn in range(ROUNDS):
        acls = [drawn(rng) for _ in range(rng.randint(0, 20))] if turn else []
        for side in (theirs, ours):
            set_acls(side, acls)
        for user in USERS:
            connections = [side.connect(user) for side in (theirs, ours)]
            for name, api, version, shape, values, answer in requests():
                wanted, seen = (
                    verdicts(answer, connection.ask(api, version, shape, values, answer)) for connection in connections)
                count += 1
                if wanted != seen and (name, str(wanted), str(seen)) not in told:
                    told.add((name, str(wanted), str(seen)))
                    print(f"    {name}, {user}, round {turn} of {len(acls)} ACLs\n      wanted {wanted}\n      saw    {seen}")
            for connection in connections:
                connection.close()
    expect(not told, f"seed {SEED}: {len(told)} differences in {count} answers")
    print(f"    {count} answers")
