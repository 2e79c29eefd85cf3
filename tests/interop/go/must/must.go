// Package must panics where a tour finds something else than it should: the panic's trace names the line.
package must

import (
	"fmt"
	"time"
)

// Patience is how long a tour waits for what has to come.
const Patience = 60 * time.Second

// Hold panics unless it does, with what was seen instead.
func Hold(held bool, what string, seen any) {
	if !held {
		panic(fmt.Errorf("%s: %v", what, seen))
	}
}

// Work panics with an error.
func Work(err error) {
	if err != nil {
		panic(err)
	}
}

// Give unwraps a value that came with an error.
func Give[T any](value T, err error) T {
	Work(err)
	return value
}

// Come waits: Apache Kafka answers a change before each of its parts has heard of it.
func Come(held func() bool) {
	for patience := time.Now().Add(Patience); !held(); time.Sleep(20 * time.Millisecond) {
		Hold(time.Now().Before(patience), "it does not come", nil)
	}
}
