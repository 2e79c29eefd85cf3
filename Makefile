# What CI calls, and what you call before you send a change. Every recipe ends within minutes on two cores.

CARGO ?= cargo

# Format, lints, and generated files
check:
	$(CARGO) fmt --check
	$(CARGO) clippy --release --locked --all-targets -- -D warnings
	$(CARGO) test --release --locked --test integration -- generated_files

# All tests, on the mini broker alone
test:
	$(CARGO) test --release --locked

# Other people's clients against the mini broker, and kafkit against Apache Kafka
interop:
	$(CARGO) build --release --locked
	tests/interop/run

# Side by side with Apache Kafka, kcat and kfake; prints a table with ratios
bench:
	$(CARGO) build --release --locked
	benches/run

# Completions, man pages, and the tables that README.md takes from the code
generate:
	$(CARGO) build --release --locked
	KAFKIT_GENERATE=1 $(CARGO) test --release --locked --test integration -- generated_files

.PHONY: check test interop bench generate
