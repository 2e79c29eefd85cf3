"""kafkit against Apache Kafka over TLS and SASL, whose sessions last two seconds, and beside transactions."""

import time

from harness import KAFKIT, SCRATCH, Program, equal, expect, run, wait_until
from judges.kafkit_on_apache_kafka import BROKER, environment, face, kafkit, prepare  # noqa: F401

BROKER_OPTIONS = {"secure": True}
MODULES = "org.apache.kafka.common.security"
LOGINS = {
    "PLAIN": f'{MODULES}.plain.PlainLoginModule required username="alice" password="alice-secret";',
    "SCRAM-SHA-512": f'{MODULES}.scram.ScramLoginModule required username="alice" password="alice-secret";',
    "OAUTHBEARER": f'{MODULES}.oauthbearer.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub="alice";',
}


def secured(broker, mechanism, more=""):
    """The environment of a run over the secure listener."""
    properties = SCRATCH / f"{mechanism}.properties"
    properties.write_text(
        f"security.protocol=SASL_SSL\nsasl.mechanism={mechanism}\nsasl.jaas.config={LOGINS[mechanism]}\n"
        f"ssl.truststore.type=PEM\nssl.truststore.location={broker.dir}/ca.pem\n{more}"
    )
    home = {**environment(broker), "KAFKIT_BOOTSTRAP_SERVERS": f"127.0.0.1:{broker.port + 50}"}
    return home, ["--command-config", properties]


def check_records_there_and_back_with_every_mechanism(broker):
    for mechanism in LOGINS:
        env, config = secured(broker, mechanism)
        topic = f"secure-{mechanism.lower()}"
        face(broker, "kafka-topics", "--create", "--topic", topic)
        lines = [f"line {i}" for i in range(3000)]
        run(KAFKIT, "produce", topic, "-q", *config, env=env, stdin="".join(line + "\n" for line in lines))
        equal(run(KAFKIT, "consume", topic, "-e", "-q", *config, env=env).splitlines(), lines, f"alone, {mechanism}")
        group = ["--group", f"g-{mechanism}"]
        equal(run(KAFKIT, "consume", topic, "-e", "-q", *group, *config, env=env).splitlines(), lines,
              f"in a group, {mechanism}")
        run(KAFKIT, "produce", topic, "-q", "-X", f"transactional.id={topic}", *config, env=env, stdin="last\n")
        committed = ["-X", "isolation.level=read_committed"]
        equal(run(KAFKIT, "consume", topic, "-e", "-q", *committed, *config, env=env).splitlines(), [*lines, "last"],
              f"after a transaction, {mechanism}")


def check_a_wrong_password_ends_every_command_at_once(broker):
    env, config = secured(broker, "SCRAM-SHA-512")
    config[1].write_text(config[1].read_text().replace("alice-secret", "wrong"))
    for words in [["produce", "t"], ["consume", "t", "-e"], ["consume", "t", "-e", "--group", "g"],
                  ["produce", "t", "-X", "transactional.id=x"]]:
        begun = time.monotonic()
        run(KAFKIT, *words, *config, env=env, stdin="x\n", status=4)
        expect(time.monotonic() - begun < 10, f"{words}: at once")


def check_a_session_is_prolonged_under_load(broker):
    for mechanism in LOGINS:
        env, config = secured(broker, mechanism)
        topic = f"long-{mechanism.lower()}"
        face(broker, "kafka-topics", "--create", "--topic", topic)
        lines = [f"{i} {'x' * 100}" for i in range(40_000)]
        with Program(KAFKIT, "consume", topic, "-n", len(lines), "-q", *config, env=env) as reader, \
                Program(KAFKIT, "produce", topic, "-q", *config, env=env) as producer:
            # Three sessions long.
            for start in range(0, len(lines), 500):
                producer.write("".join(line + "\n" for line in lines[start:start + 500]))
                time.sleep(0.08)
            producer.process.stdin.close()
            equal(producer.process.wait(60), 0, f"the producer's exit status; {producer.stderr()}")
            wait_until(lambda reader=reader: len(reader.lines) == len(lines),
                       lambda reader=reader: f"{len(reader.lines)} lines; {reader.stderr()}")
            equal(reader.lines, lines, f"the records, {mechanism}")


def check_records_of_a_transaction_are_seen_when_it_is_committed(broker):
    face(broker, "kafka-topics", "--create", "--topic", "live")
    env = environment(broker)
    committed = ["-X", "isolation.level=read_committed"]

    def transaction():
        return Program(KAFKIT, "produce", "live", "-q", "-X", "transactional.id=live", env=env)

    with Program(KAFKIT, "consume", "live", "-q", *committed, env=env) as strict, \
            Program(KAFKIT, "consume", "live", "-q", env=env) as loose:
        with transaction() as producer:
            producer.write("one\ntwo\n")
            loose.wait_for(lambda lines: lines == ["one", "two"], "records of an open transaction")
            equal(strict.lines, [], "nothing is committed yet")
            producer.process.stdin.close()
            equal(producer.process.wait(60), 0, producer.stderr())
        strict.wait_for(lambda lines: lines == ["one", "two"], "records of a committed transaction")
        with transaction() as producer:
            producer.write("lost\n")
            loose.wait_for(lambda lines: lines[-1] == "lost", "a record of an open transaction")
            producer.stop()
        kafkit(broker, "produce", "live", "-q", stdin="after\n")
        strict.wait_for(lambda lines: lines == ["one", "two", "after"], "what was aborted is left out")


def check_a_delegation_token_is_a_login_until_it_expires(broker):
    env, config = secured(broker, "PLAIN")
    file, topic = SCRATCH / "token.properties", "with-a-token"
    face(broker, "kafka-topics", "--create", "--topic", topic)
    words = ["tokens", "create", "--renewer", "bob", "--mechanism", "scram-sha-512", "--write", file]
    run(KAFKIT, *words, *config, env=env)
    name = run(KAFKIT, "tokens", "list", "-o", "name", *config, env=env).strip()
    login = ["--command-config", file]
    run(KAFKIT, "produce", topic, "-q", *login, env=env, stdin="a\nb\n")
    equal(run(KAFKIT, "consume", topic, "-e", "-q", *login, env=env), "a\nb\n", "records")
    run(KAFKIT, "tokens", "list", *login, env=env, status=4)
    run(KAFKIT, "tokens", "renew", name, "--by", "1h", *config, env=env)
    run(KAFKIT, "tokens", "expire", name, "--yes", *config, env=env)
    equal(run(KAFKIT, "tokens", "list", "-o", "name", *config, env=env), "", "the token is gone")
    run(KAFKIT, "topics", "list", *login, env=env, status=4)
