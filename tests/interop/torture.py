#!/usr/bin/env python3
"""Kills the mini broker at random moments under load of real clients, and judges everything that they have seen.

    tests/interop/torture.py [--kills N] [--seconds N] [--seed N]

Three clients (librdkafka, Java's, franz-go) in three roles each; a role tells what it knows in lines:

- idempotent: writes `NAME:0`, `NAME:1` … to the topic `numbers`. `ack PARTITION OFFSET NUMBER` of what is acknowledged,
  `lost NUMBER` of what the client gave up: that may be there or not.
- transactions: three records a transaction, each fourth aborted. `commit NUMBER`, `abort NUMBER`, or `unknown NUMBER`
  where the client could not find out: all or nothing.
- copy: reads `numbers` in a group and writes `copies-of-NAME`, in transactions that take the group's offsets along.

librdkafka also follows `numbers` in a group that commits without transactions (`follow GROUP PARTITION OFFSET` of each
commit), and `watch` tells the committed offsets of all groups again and again, in the same form.
"""

import argparse
import os
import random
import signal
import sys
import time

sys.dont_write_bytecode = True

import harness
from harness import CACHE, HERE, KAFKA_VERSION, SCRATCH, Failure, MiniBroker, Program, equal, expect, python_with, run, wait_until
from judges import go_clients, java_clients

CLIENTS = ["librdkafka", "java", "franz"]
PARTITIONS = range(3)
# Longer than any client waits before it tries again.
PATIENCE = 180


def prepare():
    java_clients.prepare()
    go_clients.prepare()
    python_with("confluent-kafka", "aiokafka", "cramjam")


def client(name, broker, *roles):
    """The command line of a client."""
    if name == "librdkafka":
        return [CACHE / "python" / "bin" / "python", HERE / "python" / "torture_confluent.py", broker.bootstrap, *roles]
    if name == "java":
        classpath = f"{SCRATCH / f'java-{KAFKA_VERSION}'}:{java_clients.client_jars(KAFKA_VERSION)}/*"
        return ["java", *java_clients.JVM, "-cp", classpath, "TortureTour", broker.bootstrap, *roles]
    return [CACHE / "go" / "torture", broker.bootstrap, *roles]


def start(name, broker, *roles):
    return Program(*client(name, broker, *roles))


def finish(program):
    """Closes its stdin, and waits for its end; its lines by role."""
    program.process.stdin.close()
    wait_until(lambda: program.process.poll() is not None, lambda: does_not_end(program), PATIENCE)
    program.reader.join()
    equal(program.process.returncode, 0, f"exit status of {program.argv[:2]}: {program.stderr()[-1500:]}")
    roles = {}
    for line in program.lines:
        role, *words = line.split()
        roles.setdefault(role, []).append(words)
    return roles


def does_not_end(program):
    if "torture_confluent.py" in program.argv[1]:
        program.process.send_signal(signal.SIGUSR1)
        time.sleep(1)
    return f"{program.argv[-2:]} does not end; its last lines {program.lines[-3:]}; {program.stderr()[-3000:]}"


def read(broker, topic, isolation):
    """Every record of a topic, by partition: offset and value."""
    found = {partition: [] for partition in PARTITIONS}
    for line in run(*client("librdkafka", broker, "read", topic, isolation), limit=PATIENCE).splitlines():
        partition, offset, value = line.split()
        found[int(partition)].append((int(offset), value))
    return found


def check_numbers(name, told, numbers):
    """Nothing acknowledged is lost, or stands elsewhere; nothing is there twice; the order is the sender's."""
    at = {}
    for partition, records in numbers.items():
        sent = [(offset, int(value.split(":")[1])) for offset, value in records if value.startswith(f"{name}:")]
        order = [number for _, number in sent]
        expect(len(set(order)) == len(order), f"{name}: doubled in {partition}: "
               f"{sorted(number for number in set(order) if order.count(number) > 1)[:10]}")
        equal(order, sorted(order), f"{name}: order in partition {partition}")
        at.update({(partition, offset): number for offset, number in sent})
    acknowledged = {(int(words[1]), int(words[2])): int(words[3]) for words in told if words[0] == "ack"}
    lost = {place: number for place, number in acknowledged.items() if at.get(place) != number}
    expect(not lost, f"{name}: {len(lost)} acknowledged records are not where they were: {sorted(lost.items())[:10]}")
    unfinished = [words for words in told if words[0] == "unfinished"]
    expect(not unfinished, f"{name}: unfinished {unfinished}")
    return len(acknowledged)


def check_transactions(name, told, committed):
    """What is committed is there whole, what is aborted is not; where nobody knows, all or nothing. Order as sent."""
    seen = {}
    for partition, records in committed.items():
        mine = [tuple(map(int, value.split(":")[1:])) for _, value in records if value.startswith(f"{name}:")]
        equal(mine, sorted(set(mine)), f"{name}: order of transactions in partition {partition}")
        for number, part in mine:
            seen.setdefault(number, set()).add(part)
    halves = {number: parts for number, parts in seen.items() if len(parts) != 3}
    expect(not halves, f"{name}: half a transaction is visible: {list(halves.items())[:10]}")
    outcomes = {int(number): outcome for outcome, number in told}
    wrong = [(number, outcome) for number, outcome in outcomes.items()
             if (outcome == "commit") != (number in seen) and outcome != "unknown"]
    expect(not wrong, f"{name}: {len(wrong)} transactions are not what they were said to be: {wrong[:10]}")
    return sum(outcome == "commit" for outcome in outcomes.values())


def check_copies(name, copies, numbers):
    for partition in PARTITIONS:
        source = [value for _, value in numbers[partition]]
        copied = [value for _, value in copies[partition]]
        if source != copied:
            at = next((i for i, (one, other) in enumerate(zip(source, copied)) if one != other), min(len(source), len(copied)))
            raise Failure(f"{name}: the copy of partition {partition} differs at {at} of {len(source)}/{len(copied)}: "
                          f"{source[at:at + 5]} {copied[at:at + 5]}")


def check_committed(watched, followed):
    """A committed offset never goes back, and none that was acknowledged is lost."""
    latest = {}
    for group, partition, offset in watched:
        place, offset = (group, partition), int(offset)
        expect(offset >= latest.get(place, -1), f"committed offset of {place} went from {latest.get(place)} to {offset}")
        latest[place] = offset
    for group, partition, offset in followed:
        seen = latest[group, partition]
        expect(int(offset) <= seen, f"{group} was told that {offset} of partition {partition} is committed; it is {seen}")


def kill(broker, choice, kills, end):
    done = 0
    while done < kills and time.monotonic() < end:
        # Sometimes in the middle of the start, when logs and coordinators are read back.
        time.sleep(choice.choice([choice.uniform(0.0, 0.1), choice.uniform(0.2, 2.0), choice.uniform(0.5, 1.5)]))
        broker.restart(signal.SIGKILL)
        done += 1
        for program in running_programs:
            expect(program.process.poll() is None, f"{program.argv} ended: {program.stderr()[-1500:]}")
    return done


running_programs = []


def torture(broker, kills, seconds, seed):
    choice = random.Random(seed)
    for topic in ["numbers", "transactions", *(f"copies-of-{name}" for name in CLIENTS)]:
        run(harness.KAFKIT, "topics", "create", topic, "--partitions", len(PARTITIONS), "-b", broker.bootstrap)
    writers = {name: start(name, broker, "idempotent", "transactions") for name in CLIENTS}
    copiers = {name: start(name, broker, "copy") for name in CLIENTS}
    follower = start("librdkafka", broker, "follow")
    watcher = start("librdkafka", broker, "watch")
    running_programs[:] = [*writers.values(), *copiers.values(), follower, watcher]
    try:
        for program in writers.values():
            program.wait_for(lambda lines: len(lines) > 20, "no records")
        done = kill(broker, choice, kills, time.monotonic() + seconds)
        told = {name: finish(program) for name, program in writers.items()}
        numbers = read(broker, "numbers", "read_committed")
        ends = {partition: records[-1][0] + 1 for partition, records in numbers.items()}
        caught_up = lambda: all(int(offset) == ends[int(partition)]
                                for _, partition, offset in (line.split()[1:] for line in watcher.lines[-12:]))
        wait_until(caught_up, lambda: f"the groups do not arrive at {ends}: {watcher.lines[-12:]}", PATIENCE)
        for program in copiers.values():
            finish(program)
        followed = finish(follower)["follow"]
        check_committed(finish(watcher)["watch"], followed)
    finally:
        for program in running_programs:
            program.stop(signal.SIGKILL)
    committed = read(broker, "transactions", "read_committed")
    records = sum(check_numbers(name, told[name]["idempotent"], numbers) for name in CLIENTS)
    transactions = sum(check_transactions(name, told[name]["transactions"], committed) for name in CLIENTS)
    for name in CLIENTS:
        check_copies(name, read(broker, f"copies-of-{name}", "read_committed"), numbers)
    unknown = sum(words[0] == "unknown" for name in CLIENTS for words in told[name]["transactions"])
    lost = sum(words[0] == "lost" for name in CLIENTS for words in told[name]["idempotent"])
    return (f"{done} kills: {records} records acknowledged ({lost} given up by their client), {transactions} transactions "
            f"committed ({unknown} of unknown outcome)")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seconds", type=int, default=1800, help="no kill after these")
    parser.add_argument("--seed", type=int, default=time.time_ns() % 1_000_000)
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)
    prepare()
    broker = MiniBroker("torture", port=harness.free_cluster_port(1))
    broker.start()
    try:
        print(torture(broker, options.kills, options.seconds, options.seed))
    except Failure as failure:
        kept = f"{SCRATCH}-kept"
        broker.stop(signal.SIGKILL)
        os.rename(SCRATCH, kept)
        sys.exit(f"FAILED with --seed {options.seed}: {failure}\nits directory is {kept}")
    finally:
        broker.stop(signal.SIGKILL)


if __name__ == "__main__":
    main()
