// A tour of kafkajs against one broker: node tour.js BOOTSTRAP STEP. Its packages are found by NODE_PATH.

const assert = require('node:assert')
const { Kafka, CompressionCodecs, CompressionTypes, ConfigResourceTypes, logLevel } = require('kafkajs')
const snappy = require('snappyjs')
const lz4 = require('lz4js')
const xxhash = require('lz4js/xxh32')
const zstd = require('@bokuweb/zstd-wasm')

const [, , bootstrap, step] = process.argv
const kafka = new Kafka({ clientId: 'tour', brokers: [bootstrap], logLevel: logLevel.NOTHING })
const admin = kafka.admin()
const deadline = Date.now() + 60_000

// kafkajs brings gzip alone.
CompressionCodecs[CompressionTypes.Snappy] = () => ({
  compress: async ({ buffer }) => snappy.compress(buffer),
  decompress: async (bytes) => snappy.uncompress(bytes),
})
CompressionCodecs[CompressionTypes.LZ4] = () => ({
  compress: async ({ buffer }) => withIndependentBlocks(Buffer.from(lz4.compress(buffer))),
  decompress: async (bytes) => Buffer.from(lz4.decompress(bytes)),
})
CompressionCodecs[CompressionTypes.ZSTD] = () => ({
  compress: async ({ buffer }) => Buffer.from(zstd.compress(buffer)),
  decompress: async (bytes) => Buffer.from(zstd.decompress(bytes)),
})

// Apache Kafka asks for frames whose blocks stand alone; these have one block, and need to say so.
function withIndependentBlocks(frame) {
  frame[4] |= 0x20
  frame[6] = (xxhash.hash(0, frame, 4, 2) >>> 8) & 0xff
  return frame
}

async function until(held, what) {
  while (!(await held())) {
    assert(Date.now() < deadline, what)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

async function create(topic, numPartitions) {
  assert(await admin.createTopics({ topics: [{ topic, numPartitions }], waitForLeaders: true }))
}

async function produce(topic, messages, settings = {}, sending = {}) {
  const producer = kafka.producer(settings)
  await producer.connect()
  const sent = await producer.send({ topic, messages, ...sending })
  await producer.disconnect()
  return sent
}

// A member of a group that notes what it reads and what it has.
async function join(groupId, topic) {
  const consumer = kafka.consumer({ groupId, sessionTimeout: 10_000, heartbeatInterval: 200, maxWaitTimeInMs: 100 })
  const member = { consumer, messages: [], partitions: [], joins: 0 }
  consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
    member.joins += 1
    member.partitions = payload.memberAssignment[topic] ?? []
  })
  await consumer.connect()
  await consumer.subscribe({ topics: [topic], fromBeginning: true })
  await consumer.run({ eachMessage: async ({ message }) => void member.messages.push(message) })
  return member
}

async function records() {
  await zstd.init()
  for (const [name, compression] of Object.entries(CompressionTypes)) {
    const topic = `kafkajs-${name}`
    await create(topic, 1)
    const sent = Array.from({ length: 100 }, (_, i) => ({
      key: `${i}`,
      value: i % 7 === 0 ? null : `value ${i}`,
      headers: { n: `${i}`, many: ['a', 'b'] },
    }))
    const settings = { idempotent: true, maxInFlightRequests: 1 }
    const [{ baseOffset }] = await produce(topic, sent, settings, { compression, acks: -1 })
    assert.equal(baseOffset, '0')
    const large = 'x'.repeat(900_000)
    await produce(topic, [{ value: large }], {}, { compression })
    const member = await join(`kafkajs-${name}`, topic)
    await until(() => member.messages.length === 101, `${name}: ${member.messages.length} messages`)
    await member.consumer.disconnect()
    member.messages.slice(0, 100).forEach(({ key, value, headers }, i) => {
      assert.equal(key.toString(), sent[i].key)
      assert.equal(value === null ? null : value.toString(), sent[i].value)
      assert.equal(headers.n.toString(), `${i}`)
      assert.deepEqual(headers.many.map(String), ['a', 'b'])
    })
    assert.equal(member.messages[100].value.toString(), large)
  }
  const refused = produce('kafkajs-None', [{ value: 'y'.repeat(2_000_000) }])
  await assert.rejects(refused, (error) => error.type === 'MESSAGE_TOO_LARGE')
}

async function groups() {
  const topic = 'kafkajs-group'
  await create(topic, 4)
  const spread = (from, to) => Array.from({ length: to - from }, (_, i) => ({ value: `${from + i}`, partition: i % 4 }))
  await produce(topic, spread(0, 40))
  const members = [await join('kafkajs-g', topic), await join('kafkajs-g', topic)]
  const two = (member) => member.partitions.length === 2
  await until(() => members.every(two), 'two partitions each')
  const seen = () => new Set(members.flatMap(({ messages }) => messages.map(({ value }) => value.toString())))
  await until(() => seen().size === 40, 'forty messages')
  const { groups: [described] } = await admin.describeGroups(['kafkajs-g'])
  assert.equal(described.state, 'Stable')
  assert.equal(described.members.length, 2)
  await members[0].consumer.disconnect()
  await until(() => members[1].partitions.length === 4, 'the one left has all')
  await members[1].consumer.disconnect()
  await produce(topic, spread(40, 44))
  const third = await join('kafkajs-g', topic)
  await until(() => third.messages.length >= 4, 'the four that came meanwhile')
  assert.deepEqual(third.messages.map(({ value }) => value.toString()).sort(), ['40', '41', '42', '43'])
  await third.consumer.disconnect()
  const listed = await admin.listGroups()
  assert(listed.groups.some(({ groupId }) => groupId === 'kafkajs-g'))
  await admin.deleteGroups(['kafkajs-g'])
  await assert.rejects(admin.deleteGroups(['kafkajs-g']), (error) => error.groups[0].error.type === 'GROUP_ID_NOT_FOUND')
}

async function offsets() {
  const topic = 'kafkajs-offsets'
  await create(topic, 1)
  await produce(topic, Array.from({ length: 10 }, (_, i) => ({ value: `${i}`, timestamp: `${1000 + i}` })))
  assert.deepEqual(await admin.fetchTopicOffsetsByTimestamp(topic, 1005), [{ partition: 0, offset: '5' }])
  await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '4' }] })
  assert.deepEqual(await admin.fetchTopicOffsets(topic), [{ partition: 0, offset: '10', high: '10', low: '4' }])
  await admin.setOffsets({ groupId: 'kafkajs-o', topic, partitions: [{ partition: 0, offset: '6' }] })
  const [committed] = await admin.fetchOffsets({ groupId: 'kafkajs-o', topics: [topic] })
  assert.equal(committed.partitions[0].offset, '6')
  const [nothing] = await admin.fetchOffsets({ groupId: 'kafkajs-nobody', topics: [topic] })
  assert.equal(nothing.partitions[0].offset, '-1')
  const member = await join('kafkajs-o', topic)
  await until(() => member.messages.length === 4, 'from the committed offset on')
  member.consumer.seek({ topic, partition: 0, offset: '8' })
  await until(() => member.messages.length === 6, 'from the place sought on')
  assert.deepEqual(member.messages.map(({ value }) => value.toString()), ['6', '7', '8', '9', '8', '9'])
  await member.consumer.disconnect()
}

async function administration() {
  const topic = 'kafkajs-admin'
  await create(topic, 2)
  assert.equal(await admin.createTopics({ topics: [{ topic, numPartitions: 2 }] }), false)
  await admin.createPartitions({ topicPartitions: [{ topic, count: 5 }] })
  const described = async () => (await admin.fetchTopicMetadata({ topics: [topic] })).topics[0]
  await until(async () => (await described()).partitions.length === 5, 'five partitions')
  const resource = { type: ConfigResourceTypes.TOPIC, name: topic }
  const configEntries = [{ name: 'retention.ms', value: '60000' }]
  await admin.alterConfigs({ validateOnly: false, resources: [{ ...resource, configEntries }] })
  const retention = async () => {
    const configs = await admin.describeConfigs({ resources: [resource], includeSynonyms: true })
    return configs.resources[0].configEntries.find(({ configName }) => configName === 'retention.ms').configValue
  }
  await until(async () => (await retention()) === '60000', 'the config')
  const cluster = await admin.describeCluster()
  assert.equal(cluster.brokers.length, 1)
  await admin.deleteTopics({ topics: [topic] })
  await until(async () => !(await admin.listTopics()).includes(topic), 'the topic is gone')
}

// "one" is committed, "two" aborted, "three" committed, each with a place in the input.
async function transactions() {
  const topic = 'kafkajs-transactions'
  await create(topic, 1)
  const producer = kafka.producer({ transactionalId: 'kafkajs', maxInFlightRequests: 1, idempotent: true })
  await producer.connect()
  for (const [value, commits] of [['one', true], ['two', false], ['three', true]]) {
    const transaction = await producer.transaction()
    await transaction.send({ topic, messages: [{ value }] })
    const partitions = [{ partition: 0, offset: commits ? '7' : '9' }]
    await transaction.sendOffsets({ consumerGroupId: 'kafkajs-places', topics: [{ topic, partitions }] })
    await (commits ? transaction.commit() : transaction.abort())
  }
  await producer.disconnect()
  const seen = []
  const consumer = kafka.consumer({ groupId: 'kafkajs-committed', maxWaitTimeInMs: 100, readUncommitted: false })
  await consumer.connect()
  await consumer.subscribe({ topic, fromBeginning: true })
  await consumer.run({ eachMessage: async ({ message }) => seen.push(message.value.toString()) })
  await until(() => seen.length === 2, 'what was committed')
  assert.deepEqual(seen, ['one', 'three'])
  await consumer.disconnect()
  const [{ partitions }] = await admin.fetchOffsets({ groupId: 'kafkajs-places', topics: [topic] })
  assert.equal(partitions[0].offset, '7')
}

async function main() {
  await admin.connect()
  await { records, groups, offsets, admin: administration, transactions }[step]()
  await admin.disconnect()
  console.log('done')
  process.exit(0)
}

main().catch((error) => {
  console.error(error)
  process.exit(1)
})
