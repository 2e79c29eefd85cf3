# What CI calls, and what you call before you send a change. Every recipe ends within minutes on two cores.

CARGO ?= cargo

# Format, lints, links of the documentation, and generated files
check:
	$(CARGO) fmt --check
	$(CARGO) clippy --release --locked --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings -A rustdoc::private-intra-doc-links" \
		$(CARGO) doc --release --locked --no-deps --document-private-items
	$(CARGO) test --release --locked --test integration -- generated_files

# All tests, on the mini broker alone
test:
	$(CARGO) test --release --locked

# Other people's clients against the mini broker, and kafkit against Apache Kafka
interop:
	$(CARGO) build --release --locked
	tests/interop/run

# The judges that take long: more of Apache Kafka's own tests, all that was recorded of its tools on three nodes
interop-long:
	$(CARGO) build --release --locked
	tests/interop/run more_of_apaches_own_tests every_recorded_case_on_three_nodes

# Random work on the mini broker and on a model of it in memory: `make model SEED=7 STEPS=100000`; without a seed, one
# that depends on the clock
model:
	KAFKIT_SEED=$(or $(SEED),clock) KAFKIT_STEPS=$(or $(STEPS),5000) \
		$(CARGO) test --release --locked --test integration -- broker_against_model

# Every property with inputs that no run before has drawn: `make properties ROUNDS=50`
properties:
	for round in $$(seq $(or $(ROUNDS),10)); do \
		export PROPTEST_RNG_SEED=$$(date +%s%N); echo "PROPTEST_RNG_SEED=$$PROPTEST_RNG_SEED"; \
		$(CARGO) test --release --locked --lib && \
		$(CARGO) test --release --locked --test integration -- properties || exit 1; \
	done

# Ten thousand idle connections in 100 MB
connections:
	KAFKIT_CONNECTIONS=$(or $(CONNECTIONS),10000) $(CARGO) test --release --locked --test integration -- idle_connections

# Several nodes in one thread, under random deaths, losses and delays: `make simulation SCHEDULES=100000`, and one that
# failed again with `make simulation SEED=77`
simulation:
	$(if $(SEED),KAFKIT_SEED=$(SEED)) KAFKIT_SCHEDULES=$(or $(SCHEDULES),20000) \
		$(CARGO) test --release --locked --lib -- broker::simulation

# The mini broker, one node and three, in storms of kills, full and failing disks, clock jumps and half-open
# connections, with clients that are killed as well; then under load of Java, librdkafka and franz-go:
# `make torture SECONDS=60 SEED=7 KILLS=20`
torture: simulation
	KAFKIT_SEED=$(or $(SEED),clock) KAFKIT_TORTURE_SECONDS=$(or $(SECONDS),900) \
		$(CARGO) test --release --locked --test integration -- torture --nocapture --test-threads 1
	$(CARGO) build --release --locked
	tests/interop/torture.py --kills $(or $(KILLS),200) --seconds $(or $(SECONDS),900) $(if $(SEED),--seed $(SEED))

# Every parser of bytes with inputs that nobody would write, for long: `make fuzz TARGET=batches RUNS=10000000 SEED=7`
fuzz:
	RUST_BACKTRACE=0 KAFKIT_SEED=$(or $(SEED),clock) KAFKIT_FUZZ_TARGET=$(TARGET) KAFKIT_FUZZ_RUNS=$(or $(RUNS),1000000) \
		$(CARGO) test --release --locked --test integration -- fuzz --nocapture

# Many clients for long, and what the broker holds meanwhile: `make soak MINUTES=60 CLIENTS=1000`
soak:
	KAFKIT_SOAK_SECONDS=$$(( $(or $(MINUTES),60) * 60 )) KAFKIT_SOAK_CLIENTS=$(or $(CLIENTS),1000) \
		$(CARGO) test --release --locked --test integration -- soak --nocapture

# Side by side with Apache Kafka, kcat and kfake; prints a table with ratios
bench:
	$(CARGO) build --release --locked
	benches/run

# Completions, man pages, the tables and the pictures in docs/
generate:
	$(CARGO) build --release --locked
	KAFKIT_GENERATE=1 $(CARGO) test --release --locked --test integration -- generated_files

.PHONY: check test interop interop-long model properties connections simulation torture fuzz soak bench generate
