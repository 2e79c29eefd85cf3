# What the examples of help texts speak of. $DATA is the data directory of the broker.
set -e
kafkit topics create orders --partitions 8 -q
kafkit topics create refunds orders-dlq payments a b tmp tmp-1 --partitions 4 -q
kafkit topics create hello shop-a -q
printf '{"id":7,"total":120,"currency":"EUR"}\n{"id":8}\n{"id":9}\n{"id":10}\n{"id":11}\n' | kafkit produce orders -q -X client.id=x --header source=web
printf '1\n2\n3\n4\n5\n' | kafkit produce hello -q
kafkit consume orders -g billing -e -q > /dev/null
kafkit consume refunds -g audit -e -q > /dev/null
kafkit consume refunds -g console-consumer-1 -e -q > /dev/null
kafkit groups reset billing --to earliest --yes -q > /dev/null
printf 'x\n' | kafkit produce refunds -q -X transactional.id=copier
printf 'alice-secret\n' > alice.password
kafkit users create alice --password-file alice.password --mechanism scram-sha-256 -q
kafkit configs set topic orders retention.ms=3600000 --yes -q > /dev/null
kafkit configs set broker default log.retention.ms=604800000 --yes -q > /dev/null
printf 'id,name\n1,x\n' > big.csv
printf '<a/>\n' > one.xml
printf 'line\n' > app.log
printf 'acks=all\n' > client.properties
printf '{"version":1,"partitions":[{"topic":"payments","partition":0,"replicas":[1]}]}\n' > plan.json
cp plan.json plan.undo.json
mkdir -p config .config/kafkactl .config/rpk src/shop .local/share/kafkit .zfunc .config/fish/completions .local/share/bash-completion/completions
printf 'contexts:\n  staging:\n    brokers: [a:1]\n' > .config/kafkactl/config.yml
printf 'profiles:\n  - name: cloud\n    kafka_api: {brokers: [a:1]}\n' > .config/rpk/rpk.yaml
printf 'metadata.broker.list=a:1\n' > .config/kcat.conf
cp -r "$DATA/orders-0" orders-0
cp -r "$DATA/orders-0" .local/share/kafkit/orders-0
kafkit topics export -q > topics.toml
