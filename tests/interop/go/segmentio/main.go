// A tour of segmentio's kafka-go against one broker: segmentio BOOTSTRAP STEP.
package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/segmentio/kafka-go"

	"kafkit.interop/must"
)

var (
	bootstrap string
	ctx       context.Context
	client    *kafka.Client
)

func main() {
	bootstrap = os.Args[1]
	patience, cancel := context.WithTimeout(context.Background(), must.Patience)
	defer cancel()
	ctx = patience
	client = &kafka.Client{Addr: kafka.TCP(bootstrap), Timeout: 10 * time.Second, Transport: &kafka.Transport{MetadataTTL: time.Second}}
	steps := map[string]func(){"records": records, "groups": groups, "offsets": offsets, "admin": administration}
	steps[os.Args[2]]()
	fmt.Println("done")
}

// Every codec, keys, headers, nulls, a large record.
func records() {
	large := bytes.Repeat([]byte("x"), 900_000)
	for _, codec := range []kafka.Compression{0, kafka.Gzip, kafka.Snappy, kafka.Lz4, kafka.Zstd} {
		topic := fmt.Sprintf("segmentio-%s", codec)
		create(topic, 1)
		writer := writer(topic)
		writer.Compression = codec
		var batch []kafka.Message
		for i := range 100 {
			message := kafka.Message{Key: []byte(fmt.Sprint(i)), Headers: []kafka.Header{{Key: "n", Value: []byte(fmt.Sprint(i))}}}
			if i%7 != 0 {
				message.Value = []byte(fmt.Sprintf("value %d", i))
			}
			batch = append(batch, message)
		}
		must.Work(writer.WriteMessages(ctx, batch...))
		must.Work(writer.WriteMessages(ctx, kafka.Message{Value: large}))
		must.Work(writer.Close())
		reader := kafka.NewReader(kafka.ReaderConfig{Brokers: []string{bootstrap}, Topic: topic, MaxWait: 100 * time.Millisecond})
		for i := range 100 {
			message := must.Give(reader.ReadMessage(ctx))
			must.Hold(message.Offset == int64(i) && string(message.Key) == fmt.Sprint(i), "keys in order", message)
			must.Hold((len(message.Value) == 0) == (i%7 == 0), "nulls stay null", message)
			must.Hold(string(message.Headers[0].Value) == fmt.Sprint(i), "headers", message.Headers)
		}
		must.Hold(bytes.Equal(must.Give(reader.ReadMessage(ctx)).Value, large), "the large record", nil)
		must.Work(reader.Close())
	}
}

// Two members share four partitions, one leaves, what was committed is not read again.
func groups() {
	create("segmentio-group", 4)
	spread(0, 40)
	first, second := join(), join()
	seen := map[string]bool{}
	for members := []int(nil); len(members) != 2 || members[0] != 2 || members[1] != 2 || len(seen) < 40; members = assigned() {
		poll(first, seen)
		poll(second, seen)
	}
	must.Work(first.Close())
	for members := assigned(); len(members) != 1 || members[0] != 4; members = assigned() {
		poll(second, seen)
	}
	must.Work(second.Close())
	spread(40, 44)
	third, again := join(), map[string]bool{}
	for len(again) < 4 {
		poll(third, again)
	}
	must.Hold(again["40"] && again["43"] && !again["39"], "only what is new", again)
	must.Work(third.Close())
	listed := must.Give(client.ListGroups(ctx, &kafka.ListGroupsRequest{}))
	must.Hold(slices.ContainsFunc(listed.Groups, func(group kafka.ListGroupsResponseGroup) bool { return group.GroupID == "segmentio-g" }),
		"the group is listed", listed)
	deleted := must.Give(client.DeleteGroups(ctx, &kafka.DeleteGroupsRequest{GroupIDs: []string{"segmentio-g"}}))
	must.Work(deleted.Errors["segmentio-g"])
}

// Offsets by time, at both ends, and committed without a group.
func offsets() {
	create("segmentio-offsets", 1)
	writer := writer("segmentio-offsets")
	for i := range 10 {
		must.Work(writer.WriteMessages(ctx, kafka.Message{Value: []byte(fmt.Sprint(i)), Time: time.UnixMilli(int64(1000 + i))}))
	}
	listed := must.Give(client.ListOffsets(ctx, &kafka.ListOffsetsRequest{Topics: map[string][]kafka.OffsetRequest{
		"segmentio-offsets": {kafka.FirstOffsetOf(0), kafka.LastOffsetOf(0)}}})).Topics["segmentio-offsets"][0]
	must.Hold(listed.FirstOffset == 0 && listed.LastOffset == 10, "the ends", listed)
	reader := kafka.NewReader(kafka.ReaderConfig{Brokers: []string{bootstrap}, Topic: "segmentio-offsets", MaxWait: 100 * time.Millisecond})
	must.Work(reader.SetOffsetAt(ctx, time.UnixMilli(1005)))
	must.Hold(string(must.Give(reader.ReadMessage(ctx)).Value) == "5", "read from a time on", nil)
	must.Work(reader.SetOffset(8))
	must.Hold(string(must.Give(reader.ReadMessage(ctx)).Value) == "8", "read from an offset on", nil)
	must.Work(reader.Close())
	committed := must.Give(client.OffsetCommit(ctx, &kafka.OffsetCommitRequest{GroupID: "segmentio-simple", GenerationID: -1,
		Topics: map[string][]kafka.OffsetCommit{"segmentio-offsets": {{Partition: 0, Offset: 6, Metadata: "six"}}}}))
	must.Work(committed.Topics["segmentio-offsets"][0].Error)
	fetch := func(group string) kafka.OffsetFetchPartition {
		return must.Give(client.OffsetFetch(ctx, &kafka.OffsetFetchRequest{GroupID: group,
			Topics: map[string][]int{"segmentio-offsets": {0}}})).Topics["segmentio-offsets"][0]
	}
	must.Hold(fetch("segmentio-simple").CommittedOffset == 6 && fetch("segmentio-simple").Metadata == "six", "the committed offset", nil)
	must.Hold(fetch("segmentio-nobody").CommittedOffset == -1 && fetch("segmentio-nobody").Error == nil, "no offset", nil)
}

// Topics, partitions, configs, the cluster.
func administration() {
	create("segmentio-admin", 2)
	again := must.Give(client.CreateTopics(ctx, &kafka.CreateTopicsRequest{Topics: []kafka.TopicConfig{
		{Topic: "segmentio-admin", NumPartitions: 2, ReplicationFactor: 1}}}))
	must.Hold(errors.Is(again.Errors["segmentio-admin"], kafka.TopicAlreadyExists), "a topic made twice", again.Errors)
	more := must.Give(client.CreatePartitions(ctx, &kafka.CreatePartitionsRequest{Topics: []kafka.TopicPartitionsConfig{
		{Name: "segmentio-admin", Count: 5}}}))
	must.Work(more.Errors["segmentio-admin"])
	set := must.Give(client.IncrementalAlterConfigs(ctx, &kafka.IncrementalAlterConfigsRequest{
		Resources: []kafka.IncrementalAlterConfigsRequestResource{{ResourceType: kafka.ResourceTypeTopic, ResourceName: "segmentio-admin",
			Configs: []kafka.IncrementalAlterConfigsRequestConfig{{Name: "retention.ms", Value: "60000", ConfigOperation: kafka.ConfigOperationSet}}}}}))
	must.Work(set.Resources[0].Error)
	must.Come(func() bool {
		described := must.Give(client.DescribeConfigs(ctx, &kafka.DescribeConfigsRequest{Resources: []kafka.DescribeConfigRequestResource{
			{ResourceType: kafka.ResourceTypeTopic, ResourceName: "segmentio-admin", ConfigNames: []string{"retention.ms"}}}}))
		return described.Resources[0].ConfigEntries[0].ConfigValue == "60000"
	})
	conn := must.Give(kafka.Dial("tcp", bootstrap))
	must.Come(func() bool { return len(must.Give(conn.ReadPartitions("segmentio-admin"))) == 5 })
	controller := must.Give(conn.Controller())
	must.Hold(fmt.Sprintf("%s:%d", controller.Host, controller.Port) == bootstrap, "the controller", controller)
	deleted := must.Give(client.DeleteTopics(ctx, &kafka.DeleteTopicsRequest{Topics: []string{"segmentio-admin"}}))
	must.Work(deleted.Errors["segmentio-admin"])
	// The question itself makes the topic anew, but after its answer.
	_, err := conn.ReadPartitions("segmentio-admin")
	must.Hold(errors.Is(err, kafka.UnknownTopicOrPartition), "the topic is gone", err)
}

func join() *kafka.Reader {
	return kafka.NewReader(kafka.ReaderConfig{Brokers: []string{bootstrap}, GroupID: "segmentio-g", Topic: "segmentio-group",
		StartOffset: kafka.FirstOffset, MaxWait: 100 * time.Millisecond, HeartbeatInterval: 200 * time.Millisecond, JoinGroupBackoff: 200 * time.Millisecond})
}

// Reads and commits what comes within a moment.
func poll(member *kafka.Reader, seen map[string]bool) {
	must.Work(ctx.Err())
	soon, cancel := context.WithTimeout(ctx, 50*time.Millisecond)
	defer cancel()
	for message, err := member.FetchMessage(soon); err == nil; message, err = member.FetchMessage(soon) {
		seen[string(message.Value)] = true
		must.Work(member.CommitMessages(ctx, message))
	}
}

// How many partitions each member has.
func assigned() []int {
	described := must.Give(client.DescribeGroups(ctx, &kafka.DescribeGroupsRequest{GroupIDs: []string{"segmentio-g"}}))
	var counts []int
	for _, member := range described.Groups[0].Members {
		partitions := 0
		for _, topic := range member.MemberAssignments.Topics {
			partitions += len(topic.Partitions)
		}
		counts = append(counts, partitions)
	}
	return counts
}

func spread(from, to int) {
	writer := writer("segmentio-group")
	writer.Balancer = &kafka.RoundRobin{}
	var batch []kafka.Message
	for i := from; i < to; i++ {
		batch = append(batch, kafka.Message{Value: []byte(fmt.Sprint(i))})
	}
	must.Work(writer.WriteMessages(ctx, batch...))
	must.Work(writer.Close())
}

func writer(topic string) *kafka.Writer {
	// A transport of its own: the common one remembers which topics there were.
	return &kafka.Writer{Addr: kafka.TCP(bootstrap), Topic: topic, RequiredAcks: kafka.RequireAll, BatchTimeout: time.Millisecond,
		Transport: &kafka.Transport{}}
}

func create(topic string, partitions int) {
	created := must.Give(client.CreateTopics(ctx, &kafka.CreateTopicsRequest{Topics: []kafka.TopicConfig{
		{Topic: topic, NumPartitions: partitions, ReplicationFactor: 1}}}))
	must.Work(created.Errors[topic])
}
