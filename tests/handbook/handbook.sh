#!/bin/sh
# A script as operations handbooks have them: it uses all five tools and knows only their names.
#
#   handbook.sh HOST:PORT DATA-DIR NODES      DATA-DIR: where the brokers keep their logs; NODES: 1, or 3 and more
#
# PATIENCE: how many milliseconds without a record are the end of a topic (5000).
# Runs in an empty folder and removes its topics at the end. Its output is the same with kafkit's links on PATH and
# with Apache Kafka's own bin/: what is random (ids, times, directories, proposals) is left out here.
set -eu
servers=$1 data=$2 nodes=$3
topics() { kafka-topics.sh --bootstrap-server "$servers" "$@"; }
reassign() { kafka-reassign-partitions.sh --bootstrap-server "$servers" "$@"; }
# Apache Kafka's tools mention deprecated options among the records, which is no record.
consume() {
  kafka-console-consumer.sh --bootstrap-server "$servers" --timeout-ms "${PATIENCE:-5000}" "$@" 2>> notices |
    grep -v '^Option --property is deprecated' || true
}
describe() { topics --describe "$@" | sed -E 's/TopicId: [^[:space:]]+/TopicId: ID/'; }
plain() { sed -E -e "s#[^ ,\"]*/shop#DIR/shop#g" -e 's#"/[^"]*"#"DIR"#g' -e 's/(Time|producerId|crc): ?[0-9]+/\1: N/g'; }

echo '== topics from a list: name, partitions, replicas on, settings'
if [ "$nodes" = 1 ]; then users=1 more=1,1 spread=1,1,1 keep=1; else users=2:3 more=2:3,3:2 spread=1:2,2:1,1:2 keep=1,3; fi
cat > topics.list <<LIST
shop.orders   $spread  retention.ms=604800000
shop.users    $users   cleanup.policy=compact
shop.audit    1        min.insync.replicas=2
LIST
while read -r name places setting; do
  topics --create --if-not-exists --topic "$name" --replica-assignment "$places" --config "$setting" < /dev/null
done < topics.list
topics --create --if-not-exists --topic shop.orders --partitions 3 && echo 'again: nothing to do'
topics --list --topic 'shop\..*'
topics --create --topic shop.orders 2> refused || echo "refused, exit $?"
topics --alter --topic shop.users --partitions 2 --replica-assignment "$more"
for name in shop.orders shop.users shop.audit; do describe --topic "$name"; done
topics --describe --under-replicated-partitions --topic 'shop.*'
topics --describe --under-min-isr-partitions --topic 'shop.*'

echo '== a file with keys'
awk 'BEGIN { for (i = 1; i <= 500; i++) printf "customer-%d|order %d of 한글\n", i % 7, i }' > orders.txt
kafka-console-producer.sh --bootstrap-server "$servers" --topic shop.orders --request-required-acks all \
  --property parse.key=true --property 'key.separator=|' < orders.txt > producer.out 2>&1
printf 'u1\tAda\nu2\tBob\nu1\tNULL\n' | kafka-console-producer.sh --bootstrap-server "$servers" --topic shop.users \
  --property parse.key=true --property null.marker=NULL --sync >> producer.out 2>&1

echo '== what arrived: each partition in order, offsets and keys'
for partition in 0 1 2; do
  consume --topic shop.orders --partition "$partition" --offset earliest --property print.key=true \
    --property print.offset=true --property print.partition=true > "orders.$partition"
  wc -l < "orders.$partition" && tail -n 2 "orders.$partition"
done
sort orders.txt > sorted
cut -f 3,4 orders.[012] | tr '\t' '|' | sort | cmp - sorted && echo 'no order lost, none doubled'
consume --topic shop.users --from-beginning --max-messages 3 --property print.key=true | sort

echo '== a group that reads a part; the rest is its lag'
consume --topic shop.orders --group shop-billing --from-beginning --max-messages 400 | wc -l
consume --topic shop.orders --group shop-billing | wc -l

echo '== broker 2 is drained, if there is one'
echo '{"version":1,"topics":[{"topic":"shop.orders"},{"topic":"shop.users"}]}' > move.json
reassign --generate --topics-to-move-json-file move.json --broker-list "$keep" > generated
head -n 3 generated | plain
sed '1,/^Proposed/d' generated > plan.json
grep -o '"partition":[0-9]*' plan.json
reassign --execute --reassignment-json-file plan.json | plain
until reassign --verify --reassignment-json-file plan.json --preserve-throttles > verified; ! grep -qE 'in progress|rather than' verified; do :; done
reassign --verify --reassignment-json-file plan.json | sed -E 's/(on topics) .*/\1 …/'
reassign --list
describe --topic 'shop\.(orders|users)' | grep -cE 'Replicas: [13](,[13])?[[:space:]]'

echo '== a segment'
for partition in 0 1; do
  log=$(find "$data" -path "*/shop.users-$partition/00000000000000000000.log" | sort | head -n 1)
  kafka-dump-log.sh --deep-iteration --print-data-log --files "$log" | plain
  # The indexes of a segment that is written to are set aside in full by some brokers and are empty with others.
  kafka-dump-log.sh --files "${log%.log}.index,${log%.log}.timeindex" --index-sanity-check 2> /dev/null | plain |
    sed 's/ is empty\.$/ passed sanity check./'
done

for name in shop.orders shop.users shop.audit; do topics --delete --topic "$name"; done
echo '== done'
