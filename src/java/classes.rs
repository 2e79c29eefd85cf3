//! Some classes of the JDK and of Kafka by name, and how Java refuses one where it needs a class of another kind.
//!
//! There is no JVM here to load classes. These are the ones that users name by mistake; any other name is refused as a
//! class that does not exist.

/// The result of `Class.getConstructor()` for a class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Constructor {
    /// A public one without arguments.
    Public,
    /// None without arguments.
    Missing,
    /// One without arguments that is not public, with its modifier.
    Hidden(&'static str),
}

use Constructor::{Hidden, Missing, Public};

/// A class that exists.
#[derive(Clone, Copy, Debug)]
pub struct Class {
    name: &'static str,
    constructor: Constructor,
    /// Whether it is an interface.
    is_interface: bool,
}

/// The class with this name, if it is known here.
pub fn find(name: &str) -> Option<Class> {
    let (is_interface, constructor, name) =
        GROUPS.iter().find_map(|(is_interface, constructor, names)| {
            let name = names.iter().find(|known| **known == name)?;
            Some((*is_interface, *constructor, *name))
        })?;
    Some(Class {
        name,
        constructor,
        is_interface,
    })
}

impl Class {
    fn is_of_jdk(self) -> bool {
        self.name.starts_with("java.")
    }

    /// Why `getConstructor().newInstance()` fails in the class `caller`: the exception's class and message; `None` if
    /// it makes an object.
    pub fn not_instantiated(self, caller: &str) -> Option<(&'static str, String)> {
        let name = self.name;
        match self.constructor {
            Public => None,
            Missing => Some(("java.lang.NoSuchMethodException", format!("{name}.<init>()"))),
            Hidden(modifier) => {
                let module = if self.is_of_jdk() {
                    " (in module java.base)"
                } else {
                    ""
                };
                let why = format!(
                    "class {caller} cannot access a member of class {name}{module} with modifiers \"{modifier}\""
                );
                Some(("java.lang.IllegalAccessException", why))
            }
        }
    }

    /// The JVM's message about an object of this class where one of `wanted`, a class of Kafka's, is needed.
    pub fn not_cast_to(self, wanted: &str) -> String {
        let name = self.name;
        let places = if self.is_of_jdk() {
            format!(
                "{name} is in module java.base of loader 'bootstrap'; {wanted} is in unnamed module of loader 'app'"
            )
        } else {
            format!("{name} and {wanted} are in unnamed module of loader 'app'")
        };
        format!("class {name} cannot be cast to class {wanted} ({places})")
    }

    /// Kafka's message about a class that it cannot configure, where one of `wanted` is needed.
    pub fn not_configured_as(self, wanted: &str) -> String {
        match self.constructor {
            Public => format!("class {} is not an instance of {wanted}", self.name),
            _ => format!(
                "Could not find a public no-argument constructor for {}",
                self.name
            ),
        }
    }

    /// `class java.lang.String`, `interface java.util.List`: Java's words for a class that is not a subclass.
    pub fn with_kind(self) -> String {
        let kind = if self.is_interface { "interface" } else { "class" };
        format!("{kind} {}", self.name)
    }
}

/// Whether they are interfaces, their constructor, their names.
const GROUPS: &[(bool, Constructor, &[&str])] = &[
    (
        false,
        Public,
        &[
            "java.io.ByteArrayOutputStream",
            "java.lang.Exception",
            "java.lang.Object",
            "java.lang.RuntimeException",
            "java.lang.String",
            "java.lang.StringBuffer",
            "java.lang.StringBuilder",
            "java.lang.Thread",
            "java.util.ArrayDeque",
            "java.util.ArrayList",
            "java.util.BitSet",
            "java.util.Date",
            "java.util.HashMap",
            "java.util.HashSet",
            "java.util.Hashtable",
            "java.util.LinkedHashMap",
            "java.util.LinkedList",
            "java.util.PriorityQueue",
            "java.util.Properties",
            "java.util.Random",
            "java.util.Stack",
            "java.util.TreeMap",
            "java.util.TreeSet",
            "java.util.Vector",
            "java.util.concurrent.ConcurrentHashMap",
            "java.util.concurrent.atomic.AtomicInteger",
            "java.util.concurrent.atomic.AtomicLong",
            "org.apache.kafka.clients.consumer.CooperativeStickyAssignor",
            "org.apache.kafka.clients.consumer.RangeAssignor",
            "org.apache.kafka.clients.consumer.RoundRobinAssignor",
            "org.apache.kafka.clients.consumer.StickyAssignor",
            "org.apache.kafka.clients.producer.RoundRobinPartitioner",
            "org.apache.kafka.common.metrics.JmxReporter",
            "org.apache.kafka.common.serialization.BooleanDeserializer",
            "org.apache.kafka.common.serialization.BooleanSerializer",
            "org.apache.kafka.common.serialization.ByteArrayDeserializer",
            "org.apache.kafka.common.serialization.ByteArraySerializer",
            "org.apache.kafka.common.serialization.ByteBufferDeserializer",
            "org.apache.kafka.common.serialization.ByteBufferSerializer",
            "org.apache.kafka.common.serialization.BytesDeserializer",
            "org.apache.kafka.common.serialization.BytesSerializer",
            "org.apache.kafka.common.serialization.DoubleDeserializer",
            "org.apache.kafka.common.serialization.DoubleSerializer",
            "org.apache.kafka.common.serialization.FloatDeserializer",
            "org.apache.kafka.common.serialization.FloatSerializer",
            "org.apache.kafka.common.serialization.IntegerDeserializer",
            "org.apache.kafka.common.serialization.IntegerSerializer",
            "org.apache.kafka.common.serialization.LongDeserializer",
            "org.apache.kafka.common.serialization.LongSerializer",
            "org.apache.kafka.common.serialization.ShortDeserializer",
            "org.apache.kafka.common.serialization.ShortSerializer",
            "org.apache.kafka.common.serialization.StringDeserializer",
            "org.apache.kafka.common.serialization.StringSerializer",
            "org.apache.kafka.common.serialization.UUIDDeserializer",
            "org.apache.kafka.common.serialization.UUIDSerializer",
            "org.apache.kafka.common.serialization.VoidDeserializer",
            "org.apache.kafka.common.serialization.VoidSerializer",
            "org.apache.kafka.tools.ConsoleProducer",
            "org.apache.kafka.tools.LineMessageReader",
            "org.apache.kafka.tools.consumer.ConsoleConsumer",
            "org.apache.kafka.tools.consumer.DefaultMessageFormatter",
            "org.apache.kafka.tools.consumer.LoggingMessageFormatter",
            "org.apache.kafka.tools.consumer.NoOpMessageFormatter",
        ],
    ),
    (
        false,
        Missing,
        &[
            "java.io.File",
            "java.lang.Boolean",
            "java.lang.Byte",
            "java.lang.Character",
            "java.lang.Double",
            "java.lang.Float",
            "java.lang.Integer",
            "java.lang.Long",
            "java.lang.Short",
            "java.util.Scanner",
            "java.util.UUID",
            "org.apache.kafka.clients.consumer.KafkaConsumer",
            "org.apache.kafka.clients.producer.KafkaProducer",
        ],
    ),
    (
        false,
        Hidden("private"),
        &[
            "java.lang.Math",
            "java.lang.Runtime",
            "java.lang.System",
            "java.util.Arrays",
            "java.util.Collections",
            "java.util.Objects",
        ],
    ),
    (
        false,
        Hidden("protected"),
        &[
            "java.util.AbstractList",
            "java.util.AbstractMap",
            "java.util.AbstractSet",
        ],
    ),
    (
        true,
        Missing,
        &[
            "java.io.Serializable",
            "java.lang.CharSequence",
            "java.lang.Comparable",
            "java.lang.Iterable",
            "java.lang.Runnable",
            "java.util.Collection",
            "java.util.Iterator",
            "java.util.List",
            "java.util.Map",
            "java.util.Set",
            "java.util.concurrent.Callable",
            "org.apache.kafka.clients.consumer.ConsumerInterceptor",
            "org.apache.kafka.clients.consumer.ConsumerPartitionAssignor",
            "org.apache.kafka.clients.producer.Partitioner",
            "org.apache.kafka.clients.producer.ProducerInterceptor",
            "org.apache.kafka.common.MessageFormatter",
            "org.apache.kafka.common.metrics.MetricsReporter",
            "org.apache.kafka.common.serialization.Deserializer",
            "org.apache.kafka.common.serialization.Serializer",
            "org.apache.kafka.tools.api.RecordReader",
        ],
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    const FORMATTER: &str = "org.apache.kafka.common.MessageFormatter";

    /// Recorded from the console consumer of Apache Kafka 4.3.1.
    #[test]
    fn refusals_are_the_jvm_s() {
        let caller = "org.apache.kafka.tools.consumer.ConsoleConsumerOptions";
        let refusal = |name: &str| {
            let class = find(name).unwrap();
            let why = class.not_instantiated(caller).map(|(_, why)| why);
            why.unwrap_or_else(|| class.not_cast_to(FORMATTER))
        };
        assert_eq!(
            refusal("java.lang.String"),
            "class java.lang.String cannot be cast to class org.apache.kafka.common.MessageFormatter (java.lang.String \
             is in module java.base of loader 'bootstrap'; org.apache.kafka.common.MessageFormatter is in unnamed module \
             of loader 'app')"
        );
        assert_eq!(
            refusal("org.apache.kafka.tools.consumer.ConsoleConsumer"),
            "class org.apache.kafka.tools.consumer.ConsoleConsumer cannot be cast to class \
             org.apache.kafka.common.MessageFormatter (org.apache.kafka.tools.consumer.ConsoleConsumer and \
             org.apache.kafka.common.MessageFormatter are in unnamed module of loader 'app')"
        );
        assert_eq!(refusal("java.util.List"), "java.util.List.<init>()");
        assert_eq!(
            refusal("java.util.AbstractList"),
            "class org.apache.kafka.tools.consumer.ConsoleConsumerOptions cannot access a member of class \
             java.util.AbstractList (in module java.base) with modifiers \"protected\""
        );
        assert!(find("no.Such").is_none());
    }
}
