"""One file a judge: what another program must see on the broker. `check_…` functions are run in order."""
