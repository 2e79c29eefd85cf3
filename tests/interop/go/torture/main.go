// Load of franz-go on a broker that is killed: torture BOOTSTRAP ROLE…; torture.py describes the roles.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

const (
	name       = "franz"
	partitions = 3
)

var (
	ctx     = context.Background()
	stop    = make(chan struct{})
	telling sync.Mutex
)

func main() {
	roles := map[string]func(){"idempotent": idempotent, "transactions": transactions, "copy": duplicate}
	var running sync.WaitGroup
	for _, role := range os.Args[2:] {
		running.Add(1)
		go func() { defer running.Done(); roles[role]() }()
	}
	io.Copy(io.Discard, os.Stdin)
	close(stop)
	running.Wait()
}

func stopping() bool {
	select {
	case <-stop:
		return true
	default:
		return false
	}
}

func tell(words ...any) {
	telling.Lock()
	defer telling.Unlock()
	fmt.Println(words...)
}

func options(more ...kgo.Opt) []kgo.Opt {
	return append([]kgo.Opt{kgo.SeedBrokers(strings.Split(os.Args[1], ",")...), kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.RetryBackoffFn(func(int) time.Duration { return 100 * time.Millisecond }), kgo.RecordRetries(1 << 30),
		kgo.RequestRetries(1 << 20), kgo.MaxBufferedRecords(500)}, more...)
}

func client(more ...kgo.Opt) *kgo.Client {
	made, err := kgo.NewClient(options(more...)...)
	if err != nil {
		panic(err)
	}
	return made
}

func record(topic string, partition int, value string) *kgo.Record {
	return &kgo.Record{Topic: topic, Partition: int32(partition), Value: []byte(value)}
}

// Numbers, one after the other, each told when it is acknowledged.
func idempotent() {
	producer := client()
	for number := 0; !stopping(); number++ {
		producer.Produce(ctx, record("numbers", number%partitions, fmt.Sprintf("%s:%d", name, number)), func(sent *kgo.Record, err error) {
			if err != nil {
				tell("idempotent", "lost", number, strings.ReplaceAll(err.Error(), " ", "_"))
			} else {
				tell("idempotent", "ack", sent.Partition, sent.Offset, number)
			}
		})
		time.Sleep(3 * time.Millisecond)
	}
	producer.Flush(ctx)
	producer.Close()
}

// Transactions of three records over the partitions; each fourth is aborted.
func transactions() {
	begin := func() *kgo.Client { return client(kgo.TransactionalID(name + "-transactions")) }
	producer := begin()
	for number := 0; !stopping(); number++ {
		outcome := "unknown"
		if producer.BeginTransaction() == nil {
			var failed error
			for part := range 3 {
				value := fmt.Sprintf("%s:%d:%d", name, number, part)
				producer.Produce(ctx, record("transactions", (number+part)%partitions, value), func(_ *kgo.Record, err error) {
					if err != nil {
						failed = err
					}
				})
			}
			flushed := producer.Flush(ctx)
			commits := number%4 != 3 && flushed == nil && failed == nil
			if producer.EndTransaction(ctx, kgo.TransactionEndTry(commits)) == nil {
				outcome = map[bool]string{true: "commit", false: "abort"}[commits]
			}
		}
		tell("transactions", outcome, number)
		if outcome == "unknown" {
			producer.Close()
			producer = begin()
		}
		time.Sleep(5 * time.Millisecond)
	}
	producer.Close()
}

// Copies the numbers, exactly once.
func duplicate() {
	for !stopping() {
		session, err := kgo.NewGroupTransactSession(options(kgo.TransactionalID(name+"-copy"), kgo.ConsumerGroup(name+"-copy"),
			kgo.ConsumeTopics("numbers"), kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.RequireStableFetchOffsets(),
			kgo.SessionTimeout(10*time.Second), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))...)
		if err != nil {
			panic(err)
		}
		for !stopping() {
			patience, cancel := context.WithTimeout(ctx, 300*time.Millisecond)
			fetches := session.PollRecords(patience, 200)
			cancel()
			if fetches.Empty() {
				continue
			}
			if session.Begin() != nil {
				break
			}
			fetches.EachRecord(func(read *kgo.Record) {
				session.Produce(ctx, record("copies-of-"+name, int(read.Partition), string(read.Value)), nil)
			})
			// What did not commit is read again: the session goes back to where the group is.
			if _, err := session.End(ctx, kgo.TryCommit); err != nil {
				break
			}
		}
		session.Close()
	}
}
