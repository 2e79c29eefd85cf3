// A tour of franz-go's clients (kgo, kadm) against one broker: franz BOOTSTRAP STEP.
package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"kafkit.interop/must"
)

var (
	bootstrap string
	ctx       context.Context
	admin     *kadm.Client
)

func main() {
	bootstrap = os.Args[1]
	patience, cancel := context.WithTimeout(context.Background(), must.Patience)
	defer cancel()
	ctx = patience
	admin = kadm.NewClient(client())
	steps := map[string]func(){"records": records, "groups": groups, "static": static, "offsets": offsets, "transactions": transactions, "admin": administration}
	steps[os.Args[2]]()
	fmt.Println("done")
}

// Every codec, keys, headers, nulls, a large record; the producer is idempotent by default.
func records() {
	codecs := map[string]kgo.CompressionCodec{"none": kgo.NoCompression(), "gzip": kgo.GzipCompression(),
		"snappy": kgo.SnappyCompression(), "lz4": kgo.Lz4Compression(), "zstd": kgo.ZstdCompression()}
	for name, codec := range codecs {
		topic := "franz-" + name
		create(topic, 1)
		producer := client(kgo.ProducerBatchCompression(codec))
		for i := range 300 {
			value := []byte(fmt.Sprintf("value %d", i))
			if i%7 == 0 {
				value = nil
			}
			header := kgo.RecordHeader{Key: "n", Value: []byte(fmt.Sprint(i))}
			producer.Produce(ctx, &kgo.Record{Topic: topic, Key: []byte(fmt.Sprint(i)), Value: value,
				Headers: []kgo.RecordHeader{header, {Key: "null"}}}, func(_ *kgo.Record, err error) { must.Work(err) })
		}
		must.Work(producer.Flush(ctx))
		large := bytes.Repeat([]byte("x"), 900_000)
		must.Work(producer.ProduceSync(ctx, &kgo.Record{Topic: topic, Value: large}).FirstErr())
		producer.Close()
		for i, record := range read(topic, 301) {
			must.Hold(record.Offset == int64(i), "offsets in order", record.Offset)
			if i == 300 {
				must.Hold(bytes.Equal(record.Value, large), "the large record", len(record.Value))
				continue
			}
			must.Hold(string(record.Key) == fmt.Sprint(i), "keys in order", string(record.Key))
			must.Hold((record.Value == nil) == (i%7 == 0), "nulls stay null", i)
			must.Hold(string(record.Headers[0].Value) == fmt.Sprint(i) && record.Headers[1].Value == nil, "headers", record.Headers)
		}
	}
	refused := client(kgo.ProducerBatchMaxBytes(3_000_000), kgo.ProducerBatchCompression(kgo.NoCompression()))
	err := refused.ProduceSync(ctx, &kgo.Record{Topic: "franz-none", Value: bytes.Repeat([]byte("y"), 2_000_000)}).FirstErr()
	must.Hold(errors.Is(err, kerr.MessageTooLarge), "a record above max.message.bytes", err)
}

// Two members share four partitions, one leaves, what was committed is not read again.
func groups() {
	create("franz-group", 4)
	spread("franz-group", 4, 40)
	for _, balancer := range []kgo.GroupBalancer{kgo.RangeBalancer(), kgo.CooperativeStickyBalancer()} {
		group := "franz-g-" + balancer.ProtocolName()
		first, second := join(group, "", balancer), join(group, "", balancer)
		seen := map[string]int{}
		for len(seen) < 40 || len(assigned(group)) < 2 || assigned(group)[0] != 2 || assigned(group)[1] != 2 {
			poll(first, seen)
			poll(second, seen)
		}
		described := must.Give(admin.DescribeGroups(ctx, group))[group]
		must.Hold(described.State == "Stable" && described.Protocol == balancer.ProtocolName(), "a stable group", described)
		for must.Give(admin.Lag(ctx, group))[group].Lag.Total() != 0 {
			poll(first, seen)
			poll(second, seen)
			must.Work(first.CommitUncommittedOffsets(ctx))
			must.Work(second.CommitUncommittedOffsets(ctx))
		}
		first.Close()
		again := map[string]int{}
		for len(assigned(group)) != 1 || assigned(group)[0] != 4 {
			poll(second, again)
		}
		must.Hold(len(again) == 0, "what was committed is not read again", again)
		second.Close()
		_, listed := must.Give(admin.ListGroups(ctx))[group]
		must.Hold(listed, "the group is listed", group)
		must.Work(must.Give(admin.DeleteGroups(ctx, group))[group].Err)
		_, listed = must.Give(admin.ListGroups(ctx))[group]
		must.Hold(!listed, "the group is gone", group)
	}
}

// A static member that comes back has its partitions without a new generation.
func static() {
	create("franz-group", 4)
	one, two := join("franz-static", "one", kgo.RangeBalancer()), join("franz-static", "two", kgo.RangeBalancer())
	for len(assigned("franz-static")) < 2 || assigned("franz-static")[0] != 2 || assigned("franz-static")[1] != 2 {
		poll(one, map[string]int{})
		poll(two, map[string]int{})
	}
	_, generation := one.GroupMetadata()
	two.Close()
	two = join("franz-static", "two", kgo.RangeBalancer())
	for member := ""; member == ""; member, _ = two.GroupMetadata() {
		poll(one, map[string]int{})
		poll(two, map[string]int{})
	}
	_, after := one.GroupMetadata()
	must.Hold(after == generation, "no rebalance", fmt.Sprint(generation, after))
	one.Close()
	two.Close()
	left := must.Give(admin.LeaveGroup(ctx, kadm.LeaveGroup("franz-static").InstanceIDs("one", "two")))
	must.Work(left.Error())
	must.Hold(len(assigned("franz-static")) == 0, "both have left", assigned("franz-static"))
}

// Offsets by time, at both ends, after records were deleted, and committed by an admin.
func offsets() {
	create("franz-offsets", 1)
	producer := client()
	for i := range 10 {
		record := &kgo.Record{Topic: "franz-offsets", Value: []byte(fmt.Sprint(i)), Timestamp: time.UnixMilli(int64(1000 + i))}
		must.Work(producer.ProduceSync(ctx, record).FirstErr())
	}
	producer.Close()
	at := func(listed kadm.ListedOffsets, err error) int64 {
		must.Work(err)
		offset, _ := listed.Lookup("franz-offsets", 0)
		must.Work(offset.Err)
		return offset.Offset
	}
	must.Hold(at(admin.ListOffsetsAfterMilli(ctx, 1005, "franz-offsets")) == 5, "the first record after 1005", nil)
	must.Hold(at(admin.ListOffsetsAfterMilli(ctx, 5000, "franz-offsets")) == 10, "the end after the last record", nil)
	must.Hold(at(admin.ListMaxTimestampOffsets(ctx, "franz-offsets")) == 9, "the newest record", nil)
	deleted := must.Give(admin.DeleteRecords(ctx, kadm.Offsets{"franz-offsets": {0: {Topic: "franz-offsets", At: 4}}}))
	must.Hold(deleted["franz-offsets"][0].LowWatermark == 4, "the low watermark", deleted)
	must.Hold(at(admin.ListStartOffsets(ctx, "franz-offsets")) == 4, "the start", nil)
	must.Hold(at(admin.ListEndOffsets(ctx, "franz-offsets")) == 10, "the end", nil)
	must.Hold(string(read("franz-offsets", 6)[0].Value) == "4", "the first record left", nil)
	late := client(kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{"franz-offsets": {0: kgo.NewOffset().AfterMilli(1007)}}))
	must.Hold(string(late.PollFetches(ctx).Records()[0].Value) == "7", "read from a time on", nil)
	var commits kadm.Offsets
	commits.AddOffset("franz-offsets", 0, 6, -1)
	must.Work(admin.CommitAllOffsets(ctx, "franz-simple", commits))
	committed, _ := must.Give(admin.FetchOffsets(ctx, "franz-simple")).Lookup("franz-offsets", 0)
	must.Hold(committed.At == 6, "the committed offset", committed)
	nobody := must.Give(admin.FetchOffsets(ctx, "franz-nobody"))
	must.Hold(len(nobody) == 0, "nothing for a group that is not there", nobody)
}

// Records are copied in transactions that take the place in the input along; what is aborted is copied again, once.
func transactions() {
	create("franz-eos-in", 2)
	create("franz-eos-out", 2)
	spread("franz-eos-in", 2, 60)
	session := must.Give(kgo.NewGroupTransactSession(kgo.SeedBrokers(bootstrap), kgo.TransactionalID("franz-eos"),
		kgo.ConsumerGroup("franz-eos"), kgo.ConsumeTopics("franz-eos-in"), kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.RequireStableFetchOffsets(), kgo.FetchMaxWait(time.Second/10)))
	copied, aborted := 0, false
	for copied < 60 {
		records := session.PollRecords(ctx, 20).Records()
		must.Work(ctx.Err())
		must.Work(session.Begin())
		for _, record := range records {
			session.Produce(ctx, &kgo.Record{Topic: "franz-eos-out", Value: record.Value}, nil)
		}
		must.Work(session.Client().Flush(ctx))
		commits := kgo.TransactionEndTry(aborted || copied == 0)
		committed := must.Give(session.End(ctx, commits))
		must.Hold(committed == bool(commits), "what was asked for", committed)
		if committed {
			copied += len(records)
		} else {
			aborted = true
		}
	}
	session.Close()
	reader := client(kgo.ConsumeTopics("franz-eos-out"), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()))
	defer reader.Close()
	seen := map[string]int{}
	for len(seen) < 60 {
		reader.PollFetches(ctx).EachRecord(func(record *kgo.Record) { seen[string(record.Value)]++ })
		must.Work(ctx.Err())
	}
	for value, times := range seen {
		must.Hold(times == 1, "each record once", fmt.Sprint(value, times))
	}
	described := must.Give(admin.DescribeTransactions(ctx, "franz-eos"))["franz-eos"]
	must.Hold(described.Err == nil && described.State == "CompleteCommit", "the transaction", described)
	_, listed := must.Give(admin.ListTransactions(ctx, nil, []string{"CompleteCommit"}))["franz-eos"]
	must.Hold(listed, "the transaction is listed", nil)
}

// Topics, partitions, configs, the cluster.
func administration() {
	create("franz-admin", 2)
	_, err := admin.CreateTopic(ctx, 2, 1, nil, "franz-admin")
	must.Hold(errors.Is(err, kerr.TopicAlreadyExists), "a topic made twice", err)
	_, err = admin.CreateTopic(ctx, 1, 1, map[string]*string{"retention.ms": kadm.StringPtr("soon")}, "franz-wrong")
	must.Hold(errors.Is(err, kerr.InvalidConfig), "a config that is no number", err)
	must.Work(must.Give(admin.UpdatePartitions(ctx, 5, "franz-admin")).Error())
	must.Come(func() bool {
		return len(must.Give(kadm.NewClient(client()).ListTopics(ctx, "franz-admin"))["franz-admin"].Partitions) == 5
	})
	set := []kadm.AlterConfig{{Op: kadm.SetConfig, Name: "retention.ms", Value: kadm.StringPtr("60000")},
		{Op: kadm.AppendConfig, Name: "cleanup.policy", Value: kadm.StringPtr("compact")}}
	must.Work(must.Give(admin.AlterTopicConfigs(ctx, set, "franz-admin"))[0].Err)
	must.Come(func() bool {
		configs := map[string]string{}
		for _, config := range must.Give(admin.DescribeTopicConfigs(ctx, "franz-admin"))[0].Configs {
			configs[config.Key] = config.MaybeValue()
		}
		return configs["retention.ms"] == "60000" && configs["cleanup.policy"] == "delete,compact"
	})
	metadata := must.Give(admin.Metadata(ctx))
	must.Hold(len(metadata.Brokers) == 1 && metadata.Cluster != "", "one broker", metadata.Brokers)
	broker := must.Give(admin.DescribeBrokerConfigs(ctx, metadata.Brokers[0].NodeID))[0]
	must.Hold(broker.Err == nil && len(broker.Configs) > 50, "the broker's configs", broker)
	must.Hold(len(must.Give(admin.DescribeAllLogDirs(ctx, nil))) == 1, "its log directories", nil)
	must.Work(must.Give(admin.DeleteTopics(ctx, "franz-admin")).Error())
	// A client of its own: the first still remembers the topic.
	must.Come(func() bool { return !must.Give(kadm.NewClient(client()).ListTopics(ctx)).Has("franz-admin") })
}

func client(options ...kgo.Opt) *kgo.Client {
	return must.Give(kgo.NewClient(append(options, kgo.SeedBrokers(bootstrap))...))
}

func join(group, instance string, balancer kgo.GroupBalancer) *kgo.Client {
	options := []kgo.Opt{kgo.ConsumerGroup(group), kgo.ConsumeTopics("franz-group"), kgo.Balancers(balancer),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.DisableAutoCommit(),
		kgo.HeartbeatInterval(200 * time.Millisecond), kgo.SessionTimeout(10 * time.Second)}
	if instance != "" {
		options = append(options, kgo.InstanceID(instance))
	}
	return client(options...)
}

func poll(member *kgo.Client, seen map[string]int) {
	soon, cancel := context.WithTimeout(ctx, 50*time.Millisecond)
	defer cancel()
	member.PollFetches(soon).EachRecord(func(record *kgo.Record) { seen[string(record.Value)]++ })
	must.Work(ctx.Err())
}

// How many partitions each member has.
func assigned(group string) []int {
	var counts []int
	for _, member := range must.Give(admin.DescribeGroups(ctx, group))[group].Members {
		partitions := 0
		if assignment, ok := member.Assigned.AsConsumer(); ok {
			for _, topic := range assignment.Topics {
				partitions += len(topic.Partitions)
			}
		}
		counts = append(counts, partitions)
	}
	return counts
}

func spread(topic string, partitions, count int) {
	producer := client(kgo.RecordPartitioner(kgo.ManualPartitioner()))
	defer producer.Close()
	for i := range count {
		record := &kgo.Record{Topic: topic, Partition: int32(i % partitions), Value: []byte(fmt.Sprint(i))}
		must.Work(producer.ProduceSync(ctx, record).FirstErr())
	}
}

func read(topic string, count int) []*kgo.Record {
	consumer := client(kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	defer consumer.Close()
	var records []*kgo.Record
	for len(records) < count {
		fetches := consumer.PollFetches(ctx)
		must.Work(fetches.Err())
		records = append(records, fetches.Records()...)
	}
	return records
}

func create(topic string, partitions int32) {
	_, err := admin.CreateTopic(ctx, partitions, 1, nil, topic)
	if !errors.Is(err, kerr.TopicAlreadyExists) || !strings.HasSuffix(topic, "group") {
		must.Work(err)
	}
}
