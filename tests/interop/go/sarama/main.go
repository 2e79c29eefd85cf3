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

	"kafkit.interop/must"
)

var (
	bootstrap []string
	patience  = time.Now().Add(must.Patience)
)

func main() {
	bootstrap = []string{os.Args[1]}
	steps := map[string]func(){"records": records, "groups": groups, "offsets": offsets, "transactions": transactions, "admin": administration}
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
	producer := must.Give(sarama.NewSyncProducer(bootstrap, conf))
	var batch []*sarama.ProducerMessage
	for i := range 100 {
		message := &sarama.ProducerMessage{Topic: topic, Key: sarama.StringEncoder(fmt.Sprint(i)),
			Headers: []sarama.RecordHeader{{Key: []byte("n"), Value: []byte(fmt.Sprint(i))}}}
		if i%7 != 0 {
			message.Value = sarama.StringEncoder(fmt.Sprintf("value %d", i))
		}
		batch = append(batch, message)
	}
	must.Work(producer.SendMessages(batch))
	_, offset, err := producer.SendMessage(&sarama.ProducerMessage{Topic: topic, Value: sarama.ByteEncoder(large)})
	must.Work(err)
	must.Hold(offset == 100, "the offset of the large record", offset)
	must.Work(producer.Close())
	for i, message := range read(conf, topic, sarama.OffsetOldest, 101) {
		if i == 100 {
			must.Hold(bytes.Equal(message.Value, large), "the large record", len(message.Value))
			continue
		}
		must.Hold(message.Offset == int64(i) && string(message.Key) == fmt.Sprint(i), "keys in order", message)
		must.Hold((message.Value == nil) == (i%7 == 0), "nulls stay null", message)
		must.Hold(string(message.Headers[0].Value) == fmt.Sprint(i), "headers", message.Headers)
	}
}

// One transaction is committed, one aborted, one committed, each with a place in the input; then a second producer of the
// id keeps the first out.
func transactions() {
	create("sarama-eos", 1)
	begin := func() sarama.SyncProducer {
		conf := config()
		conf.Producer.Idempotent = true
		conf.Producer.RequiredAcks = sarama.WaitForAll
		conf.Net.MaxOpenRequests = 1
		conf.Producer.Transaction.ID = "sarama-eos"
		return must.Give(sarama.NewSyncProducer(bootstrap, conf))
	}
	producer := begin()
	for i, value := range []string{"one", "two", "three"} {
		must.Work(producer.BeginTxn())
		sent(producer.SendMessage(&sarama.ProducerMessage{Topic: "sarama-eos", Value: sarama.StringEncoder(value)}))
		place := &sarama.PartitionOffsetMetadata{Partition: 0, Offset: int64(i + 1)}
		must.Work(producer.AddOffsetsToTxn(map[string][]*sarama.PartitionOffsetMetadata{"sarama-eos": {place}}, "sarama-eos-g"))
		if value == "two" {
			must.Work(producer.AbortTxn())
		} else {
			must.Work(producer.CommitTxn())
		}
	}
	second := begin()
	must.Work(producer.BeginTxn())
	_, _, err := producer.SendMessage(&sarama.ProducerMessage{Topic: "sarama-eos", Value: sarama.StringEncoder("late")})
	must.Hold(err != nil || producer.CommitTxn() != nil, "a producer that was replaced commits", err)
	must.Work(second.Close())
	conf := config()
	conf.Consumer.IsolationLevel = sarama.ReadCommitted
	seen := read(conf, "sarama-eos", sarama.OffsetOldest, 2)
	must.Hold(string(seen[0].Value) == "one" && string(seen[1].Value) == "three", "what is committed", seen)
	admin := must.Give(sarama.NewClusterAdmin(bootstrap, config()))
	committed := must.Give(admin.ListConsumerGroupOffsets("sarama-eos-g", map[string][]int32{"sarama-eos": {0}}))
	must.Hold(committed.GetBlock("sarama-eos", 0).Offset == 3, "the place in the input", committed)
}

// Two members share four partitions; what was committed is not read again; static members come back unnoticed.
func groups() {
	create("sarama-group", 4)
	conf := config()
	conf.Producer.Partitioner = sarama.NewManualPartitioner
	producer := must.Give(sarama.NewSyncProducer(bootstrap, conf))
	send := func(from, to int) {
		for i := from; i < to; i++ {
			message := &sarama.ProducerMessage{Topic: "sarama-group", Partition: int32(i % 4), Value: sarama.StringEncoder(fmt.Sprint(i))}
			sent(producer.SendMessage(message))
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
		must.Hold(first.sessions == sessions, "no rebalance for the other member", first.sessions-sessions)
		second.leave()
		first.leave()
		send(40, 44)
		seen.values = map[string]int{}
		third := join(group, "one", strategy, seen)
		admin := must.Give(sarama.NewClusterAdmin(bootstrap, config()))
		must.Give(admin.RemoveMemberFromConsumerGroup(group, []string{"two"}))
		seen.waitFor("the four that came meanwhile", func() bool { return len(seen.values) == 4 && third.claims == 4 })
		third.leave()
		must.Give(admin.RemoveMemberFromConsumerGroup(group, []string{"one"}))
		described := must.Give(admin.DescribeConsumerGroups([]string{group}))[0]
		must.Hold(described.State == "Empty" && len(described.Members) == 0, "an empty group", described)
		_, listed := must.Give(admin.ListConsumerGroups())[group]
		must.Hold(listed, "the group is listed", group)
		must.Work(admin.DeleteConsumerGroup(group))
		must.Work(admin.DeleteTopic("sarama-group"))
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
		must.Hold(time.Now().Before(patience), what, seen.values)
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
	consumer := must.Give(sarama.NewConsumerGroup(bootstrap, group, conf))
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	joined := &member{seen: seen}
	joined.leave = func() {
		cancel()
		<-done
		must.Work(consumer.Close())
	}
	go func() {
		defer close(done)
		for ctx.Err() == nil {
			err := consumer.Consume(ctx, []string{"sarama-group"}, joined)
			must.Hold(err == nil || ctx.Err() != nil, "consume", err)
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
	client := must.Give(sarama.NewClient(bootstrap, config()))
	producer := must.Give(sarama.NewSyncProducerFromClient(client))
	for i := range 10 {
		sent(producer.SendMessage(&sarama.ProducerMessage{Topic: "sarama-offsets", Value: sarama.StringEncoder(fmt.Sprint(i)),
			Timestamp: time.UnixMilli(int64(1000 + i))}))
	}
	at := func(time int64) int64 { return must.Give(client.GetOffset("sarama-offsets", 0, time)) }
	must.Hold(at(1005) == 5 && at(5000) == -1, "offsets by time", at(1005))
	admin := must.Give(sarama.NewClusterAdmin(bootstrap, config()))
	must.Work(admin.DeleteRecords("sarama-offsets", map[int32]int64{0: 4}))
	must.Hold(at(sarama.OffsetOldest) == 4 && at(sarama.OffsetNewest) == 10, "the ends", at(sarama.OffsetOldest))
	must.Hold(string(read(config(), "sarama-offsets", 7, 1)[0].Value) == "7", "read from an offset on", nil)
	consumer := must.Give(sarama.NewConsumer(bootstrap, config()))
	_, err := consumer.ConsumePartition("sarama-offsets", 0, 2)
	must.Hold(errors.Is(err, sarama.ErrOffsetOutOfRange), "an offset that is gone", err)
	manager := must.Give(sarama.NewOffsetManagerFromClient("sarama-simple", client))
	partition := must.Give(manager.ManagePartition("sarama-offsets", 0))
	partition.MarkOffset(6, "six")
	must.Work(partition.Close())
	must.Work(manager.Close())
	partition = must.Give(must.Give(sarama.NewOffsetManagerFromClient("sarama-simple", client)).ManagePartition("sarama-offsets", 0))
	offset, metadata := partition.NextOffset()
	must.Hold(offset == 6 && metadata == "six", "the committed offset", offset)
	unknown := must.Give(admin.ListConsumerGroupOffsets("sarama-nobody", map[string][]int32{"sarama-offsets": {0}}))
	must.Hold(unknown.GetBlock("sarama-offsets", 0).Offset == -1, "no offset", unknown)
}

// Topics, partitions, configs, the cluster.
func administration() {
	admin := must.Give(sarama.NewClusterAdmin(bootstrap, config()))
	create("sarama-admin", 2)
	err := admin.CreateTopic("sarama-admin", &sarama.TopicDetail{NumPartitions: 2, ReplicationFactor: 1}, false)
	must.Hold(errors.Is(err, sarama.ErrTopicAlreadyExists), "a topic made twice", err)
	err = admin.CreateTopic("sarama-many", &sarama.TopicDetail{NumPartitions: 1, ReplicationFactor: 7}, false)
	must.Hold(errors.Is(err, sarama.ErrInvalidReplicationFactor), "too many replicas", err)
	must.Work(admin.CreatePartitions("sarama-admin", 5, nil, false))
	must.Come(func() bool {
		return len(must.Give(admin.DescribeTopics([]string{"sarama-admin"}))[0].Partitions) == 5
	})
	minute := "60000"
	must.Work(admin.AlterConfig(sarama.TopicResource, "sarama-admin", map[string]*string{"retention.ms": &minute}, false))
	must.Work(admin.IncrementalAlterConfig(sarama.TopicResource, "sarama-admin", map[string]sarama.IncrementalAlterConfigsEntry{
		"max.message.bytes": {Operation: sarama.IncrementalAlterConfigsOperationSet, Value: &minute}}, false))
	must.Come(func() bool {
		changed := 0
		for _, entry := range must.Give(admin.DescribeConfig(sarama.ConfigResource{Type: sarama.TopicResource, Name: "sarama-admin"})) {
			if (entry.Name == "retention.ms" || entry.Name == "max.message.bytes") && entry.Value == minute && !entry.Default {
				changed++
			}
		}
		return changed == 2
	})
	brokers, controller, err := admin.DescribeCluster()
	must.Work(err)
	must.Hold(len(brokers) == 1 && brokers[0].ID() == controller, "one broker", brokers)
	must.Give(admin.DescribeLogDirs([]int32{controller}))
	must.Work(admin.DeleteTopic("sarama-admin"))
	must.Come(func() bool {
		_, there := must.Give(admin.ListTopics())["sarama-admin"]
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
	consumer := must.Give(sarama.NewConsumer(bootstrap, conf))
	partition := must.Give(consumer.ConsumePartition(topic, 0, offset))
	var messages []*sarama.ConsumerMessage
	for len(messages) < count {
		select {
		case message := <-partition.Messages():
			messages = append(messages, message)
		case <-time.After(time.Until(patience)):
			must.Hold(false, "messages", len(messages))
		}
	}
	must.Work(partition.Close())
	must.Work(consumer.Close())
	return messages
}

func create(topic string, partitions int32) {
	admin := must.Give(sarama.NewClusterAdmin(bootstrap, config()))
	must.Work(admin.CreateTopic(topic, &sarama.TopicDetail{NumPartitions: partitions, ReplicationFactor: 1}, false))
	must.Work(admin.Close())
}

func sent(_ int32, _ int64, err error) {
	must.Work(err)
}
