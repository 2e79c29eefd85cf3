package org.apache.kafka.common.test.junit;

import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.HashMap;
import java.util.Map;

import kafka.server.KafkaBroker;
import kafka.server.KafkaConfig;

import org.apache.kafka.common.test.ClusterInstance;

/**
 * What a test may know of a broker that is another process: its settings, its port, whether it runs; and it can be stopped
 * and started. A test that asks for more is given up.
 */
final class BrokerFromOutside implements InvocationHandler {
    private final ClusterInstance cluster;
    private final int id;
    private final Map<String, String> settings;

    private BrokerFromOutside(ClusterInstance cluster, int id, Map<String, String> settings) {
        this.cluster = cluster;
        this.id = id;
        this.settings = settings;
    }

    static KafkaBroker of(ClusterInstance cluster, int id, Map<String, String> settings) {
        return (KafkaBroker) Proxy.newProxyInstance(KafkaBroker.class.getClassLoader(), new Class<?>[] {KafkaBroker.class},
            new BrokerFromOutside(cluster, id, settings));
    }

    @Override
    public Object invoke(Object proxy, Method method, Object[] arguments) {
        switch (method.getName()) {
            case "config":
                return config();
            case "boundPort":
                return cluster.brokerBoundPorts().get(id);
            case "isShutdown":
                return !cluster.aliveBrokers().containsKey(id);
            case "shutdown":
                cluster.shutdownBroker(id);
                return null;
            case "startup":
                cluster.startBroker(id);
                return null;
            case "awaitShutdown":
                return null;
            default:
                throw RaftClusterInvocationContext.inside(method.getName() + " of a broker");
        }
    }

    private KafkaConfig config() {
        Map<String, String> all = new HashMap<>(settings);
        all.put("node.id", String.valueOf(id));
        all.put("process.roles", "broker");
        all.put("controller.quorum.bootstrap.servers", "localhost:9093");
        return new KafkaConfig(all, false);
    }
}
