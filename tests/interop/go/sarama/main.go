// A tour of sarama's clients against one broker: sarama BOOTSTRAP STEP.
package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/IBM/sarama"
)

var (
	bootstrap []string
	patience  = time.Now().Add(60 * time.Second)
)

func main() {
	bootstrap = []string{os.Args[1]}
	steps := map[string]func(){"records": records, "groups": groups, "offsets": offsets, "admin": administration}
	steps[os.Args[2]]()
	fmt.Println("done")
}

// Every codec in an old and a new protocol, keys, headers, nulls, a large record.
func records() {
	codecs := []sarama.CompressionCodec{sarama.CompressionNone, sarama.CompressionGZIP, sarama.CompressionSnappy,
		sarama.CompressionLZ4, sarama.CompressionZSTD}
	for _, version := range []sarama.KafkaVersion{sarama.V2_1_0_0, sarama.V4_1_0_0} {
		for _, codec := range codecs {
			conf := config()
			conf.Version = version
			conf.Producer.Compression = codec
			conf.Producer.Idempotent = version != sarama.V2_1_0_0
			topic := fmt.Sprintf("sarama-%s-%s", version, codec)
			create(topic, 1)
			produceAndRead(conf, topic)
		}
	}
}

func produceAndRead(conf *sarama.Config, topic string) {
	large := bytes.Repeat([]byte("x"), 900_000)
	producer := must1(sarama.NewSyncProducer(bootstrap, conf))
	var batch []*sarama.ProducerMessage
	for i := range 100 {
		message := &sarama.ProducerMessage{Topic: topic, Key: sarama.StringEncoder(fmt.Sprint(i)),
			Headers: []sarama.RecordHeader{{Key: []byte("n"), Value: []byte(fmt.Sprint(i))}}}
		if i%7 != 0 {
			message.Value = sarama.StringEncoder(fmt.Sprintf("value %d", i))
		}
		batch = append(batch, message)
	}
	must(producer.SendMessages(batch))
	_, offset, err := producer.SendMessage(&sarama.ProducerMessage{Topic: topic, Value: sarama.ByteEncoder(large)})
	must(err)
	check(offset == 100, "the offset of the large record", offset)
	must(producer.Close())
	for i, message := range read(conf, topic, sarama.OffsetOldest, 101) {
		if i == 100 {
			check(bytes.Equal(message.Value, large), "the large record", len(message.Value))
			continue
		}
		check(message.Offset == int64(i) && string(message.Key) == fmt.Sprint(i), "keys in order", message)
		check((message.Value == nil) == (i%7 == 0), "nulls stay null", message)
		check(string(message.Headers[0].Value) == fmt.Sprint(i), "headers", message.Headers)
	}
}

// Two members share four partitions; what was committed is not read again; static members come back unnoticed.
func groups() {
	create("sarama-group", 4)
	conf := config()
	conf.Producer.Partitioner = sarama.NewManualPartitioner
	producer := must1(sarama.NewSyncProducer(bootstrap, conf))
	send := func(from, to int) {
		for i := from; i < to; i++ {
			message := &sarama.ProducerMessage{Topic: "sarama-group", Partition: int32(i % 4), Value: sarama.StringEncoder(fmt.Sprint(i))}
			must2(producer.SendMessage(message))
		}
	}
	for _, strategy := range []sarama.BalanceStrategy{sarama.NewBalanceStrategyRange(), sarama.NewBalanceStrategySticky()} {
		group := "sarama-g-" + strategy.Name()
		seen := &sightings{values: map[string]int{}}
		first, second := join(group, "one", strategy, seen), join(group, "two", strategy, seen)
		send(0, 40)
		seen.waitFor("two members with two partitions each", func() bool {
			return first.claims == 2 && second.claims == 2
		})
		seen.waitFor("the first forty", func() bool { return len(seen.values) == 40 })
		sessions := first.sessions
		second.leave()
		second = join(group, "two", strategy, seen)
		seen.waitFor("the static member is back", func() bool { return second.claims == 2 })
		check(first.sessions == sessions, "no rebalance for the other member", first.sessions-sessions)
		second.leave()
		first.leave()
		send(40, 44)
		seen.values = map[string]int{}
		third := join(group, "one", strategy, seen)
		admin := must1(sarama.NewClusterAdmin(bootstrap, config()))
		must1(admin.RemoveMemberFromConsumerGroup(group, []string{"two"}))
		seen.waitFor("the four that came meanwhile", func() bool { return len(seen.values) == 4 && third.claims == 4 })
		third.leave()
		must1(admin.RemoveMemberFromConsumerGroup(group, []string{"one"}))
		described := must1(admin.DescribeConsumerGroups([]string{group}))[0]
		check(described.State == "Empty" && len(described.Members) == 0, "an empty group", described)
		_, listed := must1(admin.ListConsumerGroups())[group]
		check(listed, "the group is listed", group)
		must(admin.DeleteConsumerGroup(group))
		must(admin.DeleteTopic("sarama-group"))
		create("sarama-group", 4)
	}
}

// What the members of a group have seen, under one lock.
type sightings struct {
	sync.Mutex
	values map[string]int
}

func (seen *sightings) waitFor(what string, held func() bool) {
	for {
		seen.Lock()
		done := held()
		seen.Unlock()
		if done {
			return
		}
		check(time.Now().Before(patience), what, seen.values)
		time.Sleep(20 * time.Millisecond)
	}
}

type member struct {
	seen             *sightings
	claims, sessions int
	leave            func()
}

func join(group, instance string, strategy sarama.BalanceStrategy, seen *sightings) *member {
	conf := config()
	conf.Consumer.Group.InstanceId = instance
	conf.Consumer.Group.Rebalance.GroupStrategies = []sarama.BalanceStrategy{strategy}
	conf.Consumer.Group.Heartbeat.Interval = 200 * time.Millisecond
	conf.Consumer.Offsets.AutoCommit.Interval = 100 * time.Millisecond
	consumer := must1(sarama.NewConsumerGroup(bootstrap, group, conf))
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	joined := &member{seen: seen}
	joined.leave = func() {
		cancel()
		<-done
		must(consumer.Close())
	}
	go func() {
		defer close(done)
		for ctx.Err() == nil {
			err := consumer.Consume(ctx, []string{"sarama-group"}, joined)
			check(err == nil || ctx.Err() != nil, "consume", err)
		}
	}()
	return joined
}

func (m *member) Setup(session sarama.ConsumerGroupSession) error {
	m.seen.Lock()
	defer m.seen.Unlock()
	m.claims = len(session.Claims()["sarama-group"])
	m.sessions++
	return nil
}

func (m *member) Cleanup(sarama.ConsumerGroupSession) error {
	m.seen.Lock()
	defer m.seen.Unlock()
	m.claims = 0
	return nil
}

func (m *member) ConsumeClaim(session sarama.ConsumerGroupSession, claim sarama.ConsumerGroupClaim) error {
	for message := range claim.Messages() {
		m.seen.Lock()
		m.seen.values[string(message.Value)]++
		m.seen.Unlock()
		session.MarkMessage(message, "seen")
	}
	return nil
}

// Offsets by time, at both ends, after records were deleted, and committed without a group.
func offsets() {
	create("sarama-offsets", 1)
	client := must1(sarama.NewClient(bootstrap, config()))
	producer := must1(sarama.NewSyncProducerFromClient(client))
	for i := range 10 {
		must2(producer.SendMessage(&sarama.ProducerMessage{Topic: "sarama-offsets", Value: sarama.StringEncoder(fmt.Sprint(i)),
			Timestamp: time.UnixMilli(int64(1000 + i))}))
	}
	at := func(time int64) int64 { return must1(client.GetOffset("sarama-offsets", 0, time)) }
	check(at(1005) == 5 && at(5000) == -1, "offsets by time", at(1005))
	admin := must1(sarama.NewClusterAdmin(bootstrap, config()))
	must(admin.DeleteRecords("sarama-offsets", map[int32]int64{0: 4}))
	check(at(sarama.OffsetOldest) == 4 && at(sarama.OffsetNewest) == 10, "the ends", at(sarama.OffsetOldest))
	check(string(read(config(), "sarama-offsets", 7, 1)[0].Value) == "7", "read from an offset on", nil)
	consumer := must1(sarama.NewConsumer(bootstrap, config()))
	_, err := consumer.ConsumePartition("sarama-offsets", 0, 2)
	check(errors.Is(err, sarama.ErrOffsetOutOfRange), "an offset that is gone", err)
	manager := must1(sarama.NewOffsetManagerFromClient("sarama-simple", client))
	partition := must1(manager.ManagePartition("sarama-offsets", 0))
	partition.MarkOffset(6, "six")
	must(partition.Close())
	must(manager.Close())
	partition = must1(must1(sarama.NewOffsetManagerFromClient("sarama-simple", client)).ManagePartition("sarama-offsets", 0))
	offset, metadata := partition.NextOffset()
	check(offset == 6 && metadata == "six", "the committed offset", offset)
	unknown := must1(admin.ListConsumerGroupOffsets("sarama-nobody", map[string][]int32{"sarama-offsets": {0}}))
	check(unknown.GetBlock("sarama-offsets", 0).Offset == -1, "no offset", unknown)
}

// Topics, partitions, configs, the cluster.
func administration() {
	admin := must1(sarama.NewClusterAdmin(bootstrap, config()))
	create("sarama-admin", 2)
	err := admin.CreateTopic("sarama-admin", &sarama.TopicDetail{NumPartitions: 2, ReplicationFactor: 1}, false)
	check(errors.Is(err, sarama.ErrTopicAlreadyExists), "a topic made twice", err)
	err = admin.CreateTopic("sarama-many", &sarama.TopicDetail{NumPartitions: 1, ReplicationFactor: 7}, false)
	check(errors.Is(err, sarama.ErrInvalidReplicationFactor), "too many replicas", err)
	must(admin.CreatePartitions("sarama-admin", 5, nil, false))
	eventually(func() bool {
		return len(must1(admin.DescribeTopics([]string{"sarama-admin"}))[0].Partitions) == 5
	})
	minute := "60000"
	must(admin.AlterConfig(sarama.TopicResource, "sarama-admin", map[string]*string{"retention.ms": &minute}, false))
	must(admin.IncrementalAlterConfig(sarama.TopicResource, "sarama-admin", map[string]sarama.IncrementalAlterConfigsEntry{
		"max.message.bytes": {Operation: sarama.IncrementalAlterConfigsOperationSet, Value: &minute}}, false))
	eventually(func() bool {
		changed := 0
		for _, entry := range must1(admin.DescribeConfig(sarama.ConfigResource{Type: sarama.TopicResource, Name: "sarama-admin"})) {
			if (entry.Name == "retention.ms" || entry.Name == "max.message.bytes") && entry.Value == minute && !entry.Default {
				changed++
			}
		}
		return changed == 2
	})
	brokers, controller, err := admin.DescribeCluster()
	must(err)
	check(len(brokers) == 1 && brokers[0].ID() == controller, "one broker", brokers)
	must1(admin.DescribeLogDirs([]int32{controller}))
	must(admin.DeleteTopic("sarama-admin"))
	eventually(func() bool {
		_, there := must1(admin.ListTopics())["sarama-admin"]
		return !there
	})
}

func config() *sarama.Config {
	conf := sarama.NewConfig()
	conf.Version = sarama.V4_1_0_0
	conf.Producer.Return.Successes = true
	conf.Producer.RequiredAcks = sarama.WaitForAll
	conf.Net.MaxOpenRequests = 1
	conf.Consumer.Offsets.Initial = sarama.OffsetOldest
	return conf
}

func read(conf *sarama.Config, topic string, offset int64, count int) []*sarama.ConsumerMessage {
	consumer := must1(sarama.NewConsumer(bootstrap, conf))
	partition := must1(consumer.ConsumePartition(topic, 0, offset))
	var messages []*sarama.ConsumerMessage
	for len(messages) < count {
		select {
		case message := <-partition.Messages():
			messages = append(messages, message)
		case <-time.After(time.Until(patience)):
			check(false, "messages", len(messages))
		}
	}
	must(partition.Close())
	must(consumer.Close())
	return messages
}

func create(topic string, partitions int32) {
	admin := must1(sarama.NewClusterAdmin(bootstrap, config()))
	must(admin.CreateTopic(topic, &sarama.TopicDetail{NumPartitions: partitions, ReplicationFactor: 1}, false))
	must(admin.Close())
}

// Apache Kafka answers a change before each of its parts has heard of it; the panic's trace names the line.
func eventually(held func() bool) {
	for !held() {
		check(time.Now().Before(patience), "it does not come", nil)
		time.Sleep(20 * time.Millisecond)
	}
}

func check(held bool, what string, seen any) {
	if !held {
		must(fmt.Errorf("%s: %v", what, seen))
	}
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func must1[T any](value T, err error) T {
	must(err)
	return value
}

func must2[T, U any](_ T, _ U, err error) {
	must(err)
}
