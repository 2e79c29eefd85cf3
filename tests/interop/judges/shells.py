"""bash, zsh and fish: does the tab key complete in each of them? The questions are those of `cargo test completions`,
which asks the shells that are there; here all three have to be.
"""

import os

from harness import ROOT, expect, program, run

SHELLS = ["bash", "zsh", "fish"]


def prepare():
    for shell in SHELLS:
        program(shell, shell)


def check_the_tab_key_completes_in_every_shell(_broker):
    done = run("cargo", "test", "--release", "--locked", "--test", "integration", "--", "cli::completions", cwd=ROOT,
               limit=900, env={**os.environ, "KAFKIT_SHELLS": ",".join(SHELLS)})
    expect("test result: ok." in done, done)
