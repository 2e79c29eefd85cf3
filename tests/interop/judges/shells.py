"""bash, zsh and fish: does the tab key complete in each of them, and is the prompt back, whatever the cluster does?

The shells run on a pseudo terminal; the tab key is pressed, and the shell itself prints the words that the line has then.
"""

import os
import pty
import re
import select
import signal
import socket
import time

from harness import KAFKIT, SCRATCH, Failure, equal, program, run

SHELLS = {
    "bash": (["bash", "--noprofile", "--norc", "-i"], "source <(kafkit completions bash)"),
    "zsh": (["zsh", "-f", "-i"], "autoload -U compinit; compinit -u -D; source <(kafkit completions zsh)"),
    "fish": (["fish", "--no-config", "-i"], "kafkit completions fish | source"),
}
TOPICS = 5000
# What a shell may take to show its prompt again, on a machine that does much else.
PATIENCE = 60


def prepare():
    for shell in SHELLS:
        program(shell, shell)
    (SCRATCH / "bin").mkdir(exist_ok=True)
    (SCRATCH / "bin" / "kafkit").symlink_to(KAFKIT.resolve())


class Prompt:
    """A shell with kafkit's completions, in a home of its own."""

    def __init__(self, shell, home):
        argv, complete = SHELLS[shell]
        home.mkdir(parents=True, exist_ok=True)
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("KAFK", "XDG_"))}
        environment = {**kept, "HOME": str(home), "TERM": "xterm", "PATH": f"{SCRATCH / 'bin'}:{os.environ['PATH']}"}
        self.shell, self.count = shell, 0
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            os.execvpe("sh", ["sh", "-c", f"stty rows 50 cols 400; exec {' '.join(argv)}"], environment)
        self.type(f"{complete}\n")

    def type(self, text):
        os.write(self.terminal, text.encode())

    def read_until(self, mark):
        seen, end = "", time.monotonic() + PATIENCE
        while mark not in seen:
            if not select.select([self.terminal], [], [], max(0, end - time.monotonic()))[0]:
                raise Failure(f"{self.shell}: no {mark!r} in {seen[-1500:]!r}")
            seen += os.read(self.terminal, 65536).decode(errors="replace")
        return seen

    def completed(self, line):
        """The words of the line after one press of the tab key behind it."""
        self.count += 1
        begin, end = f"begin{self.count}", f"end{self.count}"
        self.type(f"\x15{line}\t {end}\x01printf '<%s>\\n' {begin} \n")
        words = self.read_until(f"<{end}>\r\n").rpartition(f"<{begin}>")[2].partition(f"<{end}>")[0]
        return re.findall(r"<(.*?)>\r", words)

    def completes(self, line, to):
        """Presses it until the last word is this one: a broker that was late is asked again behind the prompt."""
        for _ in range(60):
            words = self.completed(line)
            if words[-1:] == [to]:
                return
        raise Failure(f"{self.shell}: {line}⇥ became {words}, not … {to}")

    def leaves(self, line):
        equal(self.completed(line), line.split(), f"{self.shell}: {line}⇥")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self.terminal)


def prompts(situation):
    for shell in SHELLS:
        with Prompt(shell, SCRATCH / situation / shell) as prompt:
            yield prompt


def check_a_live_broker_with_5000_topics(broker):
    names = "".join(f'[[topics]]\nname = "topic-{number:04}"\npartitions = 1\n' for number in range(TOPICS))
    (SCRATCH / "topics.toml").write_text(names + '[[topics]]\nname = "orders"\npartitions = 2\n')
    run(KAFKIT, "topics", "apply", "-f", SCRATCH / "topics.toml", "-q", "--timeout", "5m", "-b", broker.bootstrap,
        limit=300)
    run(KAFKIT, "produce", "orders", "-q", "-b", broker.bootstrap, stdin="1\n")
    run(KAFKIT, "consume", "orders", "-e", "-q", "-g", "my group", "-b", broker.bootstrap)
    b = f"-b {broker.bootstrap}"
    for prompt in prompts("live"):
        prompt.completes(f"kafkit consume {b} or", "orders")
        prompt.completes(f"kafkit consume {b} topic-432", "topic-432")
        prompt.completes(f"kafkit describe group {b} my", "my group")
        prompt.completes(f"kafkit offsets {b} orders:1,", "orders:1,0")
        prompt.completes(f"kafkit topics alter orders {b} -c cleanup.policy=com", "cleanup.policy=compact")
        prompt.completes(f"kafkit copy {b} or", "orders")
        prompt.completes(f"kafkit copy -b 127.0.0.1:1 orders --to {broker.bootstrap} or", "orders")
        prompt.completes("kafkit topi", "topics")


def check_a_port_that_refuses(_broker):
    for prompt in prompts("dead"):
        prompt.leaves("kafkit consume -b 127.0.0.1:1 or")


def check_a_socket_that_is_silent(_broker):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        for prompt in prompts("silent"):
            prompt.leaves(f"kafkit consume -b 127.0.0.1:{silent.getsockname()[1]} or")


def check_a_mini_broker_that_sleeps(_broker):
    for shell in SHELLS:
        home = SCRATCH / "asleep" / shell
        for number in range(TOPICS):
            (home / ".local/share/kafkit" / f"topic-{number:04}-0").mkdir(parents=True)
        (home / ".local/share/kafkit/unique-0").mkdir()
    for prompt in prompts("asleep"):
        prompt.completes("kafkit consume un", "unique")
        prompt.completes("kafkit consume topic-432", "topic-432")


def check_no_broker_at_all_and_no_topics(_broker):
    for prompt in prompts("nothing"):
        prompt.leaves("kafkit consume or")
