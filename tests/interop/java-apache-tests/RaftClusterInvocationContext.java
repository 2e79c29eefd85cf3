package org.apache.kafka.common.test.junit;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

import kafka.server.ControllerServer;
import kafka.server.KafkaBroker;

import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.FeatureUpdate;
import org.apache.kafka.clients.admin.FeatureUpdate.UpgradeType;
import org.apache.kafka.clients.admin.ListTopicsOptions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.UpdateFeaturesOptions;
import org.apache.kafka.clients.consumer.GroupProtocol;
import org.apache.kafka.common.acl.AccessControlEntry;
import org.apache.kafka.common.acl.AclBinding;
import org.apache.kafka.common.acl.AclBindingFilter;
import org.apache.kafka.common.network.ListenerName;
import org.apache.kafka.common.security.auth.SecurityProtocol;
import org.apache.kafka.common.test.ClusterInstance;
import org.apache.kafka.common.test.api.ClusterConfig;
import org.apache.kafka.common.test.api.Type;
import org.apache.kafka.server.fault.FaultHandlerException;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ConditionEvaluationResult;
import org.junit.jupiter.api.extension.ExecutionCondition;
import org.junit.jupiter.api.extension.Extension;
import org.junit.jupiter.api.extension.TestTemplateInvocationContext;
import org.opentest4j.TestAbortedException;

/**
 * Stands in the place of the class of this name in Apache Kafka's own test framework: the cluster of a test is then a
 * process of the mini broker (the program that KAFKIT names), with the settings that the test asks for.
 *
 * A test that wants to see the inside of a broker is given up: it counts as aborted.
 */
public class RaftClusterInvocationContext implements TestTemplateInvocationContext {
    private static final long PATIENCE_MS = 60_000;

    private final String name;
    private final ClusterConfig config;
    private final boolean isCombined;

    public RaftClusterInvocationContext(String name, ClusterConfig config, boolean isCombined) {
        this.name = name;
        this.config = config;
        this.isCombined = isCombined;
    }

    @Override
    public String getDisplayName(int number) {
        return name + " " + number;
    }

    @Override
    public List<Extension> getAdditionalExtensions() {
        MiniCluster cluster = new MiniCluster(config);
        boolean isRepeated = isCombined && config.clusterTypes().size() > 1;
        return List.of(
            (ExecutionCondition) context -> isRepeated
                ? ConditionEvaluationResult.disabled("where controllers are makes no difference here")
                : ConditionEvaluationResult.enabled("the first of its kind"),
            (BeforeEachCallback) context -> {
                if (config.isAutoStart()) {
                    cluster.start();
                }
            },
            (AfterEachCallback) context -> cluster.stop(),
            new ClusterInstanceParameterResolver(cluster));
    }

    static TestAbortedException inside(String what) {
        return new TestAbortedException("wants the inside of a broker: " + what);
    }

    static void waitFor(String what, Callable<Boolean> condition) throws InterruptedException {
        long end = System.currentTimeMillis() + PATIENCE_MS;
        while (true) {
            try {
                if (condition.call()) {
                    return;
                }
            } catch (Exception notYet) {
                // Asked again.
            }
            if (System.currentTimeMillis() > end) {
                throw new AssertionError("no " + what);
            }
            Thread.sleep(50);
        }
    }

    private static final class MiniCluster implements ClusterInstance {
        private final ClusterConfig config;
        private Process process;
        private Path dir;
        private String bootstrap;
        private boolean isStopped;
        private final Set<Integer> stoppedNodes = new HashSet<>();

        private MiniCluster(ClusterConfig config) {
            this.config = config;
        }

        @Override
        public void start() {
            if (process != null) {
                return;
            }
            try {
                dir = Files.createTempDirectory("apache-test-");
                Files.writeString(dir.resolve("server.properties"), properties());
                process = new ProcessBuilder(command()).redirectErrorStream(true)
                    .redirectOutput(dir.resolve("log").toFile()).start();
                Path ready = dir.resolve("ready");
                waitFor("broker", () -> Files.exists(ready) || !process.isAlive());
                if (!Files.exists(ready)) {
                    throw new IllegalStateException(Files.readString(dir.resolve("log")));
                }
                bootstrap = Files.readString(ready).replaceFirst("(?s).*\"bootstrap_servers\":\\s*\"([^\"]*)\".*", "$1");
                setFeatures();
            } catch (IOException | InterruptedException | ExecutionException problem) {
                throw new IllegalStateException(problem);
            }
        }

        private String properties() {
            return settings().entrySet().stream().map(entry -> entry.getKey() + "=" + entry.getValue() + "\n")
                .collect(Collectors.joining());
        }

        private Map<String, String> settings() {
            String listener = config.brokerListenerName().value();
            SecurityProtocol protocol = config.brokerSecurityProtocol();
            Map<String, String> given = new LinkedHashMap<>();
            given.put("node.id", "0");
            given.put("listeners", listener + "://localhost:0");
            given.put("advertised.listeners", listener + "://localhost:0");
            given.put("listener.security.protocol.map", listener + ":" + protocol + ",CONTROLLER:PLAINTEXT");
            given.put("inter.broker.listener.name", listener);
            given.put("controller.listener.names", "CONTROLLER");
            // Apache Kafka's defaults, where those of the mini broker are made for a local one.
            given.put("group.initial.rebalance.delay.ms", "3000");
            given.put("group.min.session.timeout.ms", "6000");
            given.put("group.consumer.heartbeat.interval.ms", "5000");
            if (protocol == SecurityProtocol.SASL_PLAINTEXT) {
                given.put("sasl.enabled.mechanisms", "PLAIN");
                given.put("listener.name." + listener.toLowerCase() + ".plain.sasl.jaas.config",
                    "org.apache.kafka.common.security.plain.PlainLoginModule required "
                        + "user_plain-admin=\"plain-admin-secret\" user_plain-user1=\"plain-user1-secret\";");
                given.put("authorizer.class.name", "org.apache.kafka.metadata.authorizer.StandardAuthorizer");
                given.put("super.users", "User:plain-admin");
            } else if (protocol != SecurityProtocol.PLAINTEXT) {
                throw inside("keys for " + protocol);
            }
            given.putAll(config.serverProperties());
            return given;
        }

        private List<String> command() {
            List<String> command = new ArrayList<>(List.of(System.getenv("KAFKIT"), "broker",
                "--config", dir.resolve("server.properties").toString(),
                "--data-dir", dir.resolve("data").toString(),
                "--ready-file", dir.resolve("ready").toString(),
                "--nodes", String.valueOf(config.numBrokers())));
            List<String> racks = new ArrayList<>();
            config.perServerOverrideProperties().forEach((id, own) -> own.forEach((key, value) -> {
                if (!key.equals("broker.rack")) {
                    throw inside(key + " of one node");
                }
                racks.add(value);
            }));
            if (!racks.isEmpty()) {
                command.addAll(List.of("--racks", String.join(",", racks)));
            }
            return command;
        }

        private void setFeatures() throws InterruptedException, ExecutionException {
            if (config.features().isEmpty()) {
                return;
            }
            try (Admin admin = admin()) {
                var levels = admin.describeFeatures().featureMetadata().get().finalizedFeatures();
                Map<String, FeatureUpdate> updates = new LinkedHashMap<>();
                config.features().forEach((feature, level) -> {
                    var range = levels.get(feature.featureName());
                    int now = range == null ? 0 : range.maxVersionLevel();
                    if (level != now) {
                        UpgradeType type = level < now ? UpgradeType.SAFE_DOWNGRADE : UpgradeType.UPGRADE;
                        updates.put(feature.featureName(), new FeatureUpdate(level, type));
                    }
                });
                if (!updates.isEmpty()) {
                    admin.updateFeatures(updates, new UpdateFeaturesOptions()).all().get();
                }
            }
        }

        @Override
        public void stop() {
            isStopped = true;
            try {
                if (process != null) {
                    process.destroy();
                    if (!process.waitFor(PATIENCE_MS, TimeUnit.MILLISECONDS)) {
                        process.destroyForcibly();
                        throw new AssertionError("the broker does not stop");
                    }
                }
                if (dir != null) {
                    try (var files = Files.walk(dir)) {
                        files.sorted(Comparator.reverseOrder()).map(Path::toFile).forEach(File::delete);
                    }
                }
            } catch (IOException | InterruptedException problem) {
                throw new IllegalStateException(problem);
            }
        }

        private void node(String verb, int id) {
            try {
                Process done = new ProcessBuilder(System.getenv("KAFKIT"), "broker", "node", verb, String.valueOf(id),
                    "--data-dir", dir.resolve("data").toString()).redirectErrorStream(true).start();
                String said = new String(done.getInputStream().readAllBytes());
                if (done.waitFor() != 0) {
                    throw new AssertionError(said);
                }
            } catch (IOException | InterruptedException problem) {
                throw new IllegalStateException(problem);
            }
        }

        @Override
        public void shutdownBroker(int id) {
            if (config.numBrokers() == 1) {
                throw inside("the end of the only node");
            }
            node("stop", id);
            stoppedNodes.add(id);
        }

        @Override
        public void startBroker(int id) {
            node("start", id);
            stoppedNodes.remove(id);
        }

        @Override
        public void createTopic(String topic, int partitions, short replicas, Map<String, String> configs)
                throws InterruptedException {
            try (Admin admin = admin()) {
                admin.createTopics(List.of(new NewTopic(topic, partitions, replicas).configs(configs)));
            }
            waitTopicCreation(topic, partitions);
        }

        @Override
        public void deleteTopic(String topic) throws InterruptedException, ExecutionException {
            try (Admin admin = admin()) {
                admin.deleteTopics(List.of(topic)).all().get();
            }
            waitTopicDeletion(topic);
        }

        @Override
        public void waitTopicCreation(String topic, int partitions) throws InterruptedException {
            try (Admin admin = admin()) {
                waitFor("topic " + topic, () -> admin.describeTopics(List.of(topic)).allTopicNames().get()
                    .get(topic).partitions().size() == partitions);
            }
        }

        @Override
        public void waitTopicDeletion(String topic) throws InterruptedException {
            try (Admin admin = admin()) {
                ListTopicsOptions all = new ListTopicsOptions().listInternal(true);
                waitFor("end of topic " + topic, () -> !admin.listTopics(all).names().get().contains(topic));
            }
        }

        @Override
        public void waitAcls(AclBindingFilter filter, Collection<AccessControlEntry> entries)
                throws InterruptedException {
            try (Admin admin = admin()) {
                waitFor("ACLs", () -> admin.describeAcls(filter).values().get().stream().map(AclBinding::entry)
                    .collect(Collectors.toSet()).equals(Set.copyOf(entries)));
            }
        }

        @Override
        public String clusterId() {
            try (Admin admin = admin()) {
                return admin.describeCluster().clusterId().get();
            } catch (InterruptedException | ExecutionException problem) {
                throw new IllegalStateException(problem);
            }
        }

        @Override
        public String bootstrapServers() {
            return bootstrap;
        }

        @Override
        public List<Integer> brokerBoundPorts() {
            return Arrays.stream(bootstrap.split(","))
                .map(address -> Integer.valueOf(address.substring(address.lastIndexOf(':') + 1))).toList();
        }

        @Override
        public Set<Integer> brokerIds() {
            return IntStream.range(0, config.numBrokers()).boxed().collect(Collectors.toSet());
        }

        @Override
        public Set<GroupProtocol> supportedGroupProtocols() {
            return Set.of(GroupProtocol.CLASSIC, GroupProtocol.CONSUMER);
        }

        @Override
        public Type type() {
            return Type.KRAFT;
        }

        @Override
        public ClusterConfig config() {
            return config;
        }

        @Override
        public ListenerName clientListener() {
            return config.brokerListenerName();
        }

        @Override
        public ListenerName controllerListenerName() {
            return config.controllerListenerName();
        }

        @Override
        public boolean started() {
            return process != null;
        }

        @Override
        public boolean stopped() {
            return isStopped;
        }

        @Override
        public void waitForReadyBrokers() {
            // Ready is who wrote the file.
        }

        @Override
        public void ensureConsistentMetadata() {
            // There is one image for all nodes.
        }

        @Override
        public Optional<FaultHandlerException> firstFatalException() {
            return Optional.empty();
        }

        @Override
        public Optional<FaultHandlerException> firstNonFatalException() {
            return Optional.empty();
        }

        @Override
        public Map<Integer, KafkaBroker> brokers() {
            return brokerIds().stream()
                .collect(Collectors.toMap(id -> id, id -> BrokerFromOutside.of(this, id, settings())));
        }

        @Override
        public Map<Integer, KafkaBroker> aliveBrokers() {
            Map<Integer, KafkaBroker> alive = brokers();
            alive.keySet().removeAll(stoppedNodes);
            return alive;
        }

        @Override
        public Map<Integer, ControllerServer> controllers() {
            throw inside("controllers");
        }

        @Override
        public Set<Integer> controllerIds() {
            throw inside("controllers");
        }

        @Override
        public String bootstrapControllers() {
            throw inside("controllers");
        }
    }
}
