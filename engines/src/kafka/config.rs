//! The node's configuration files.

use std::fs;
use std::io;
use std::path::Path;

/// Small pools and one replica, for one machine; session timeouts short, for a broker that was killed is refused by
/// its own controller until its old session ends.
const COMMON: &str = "\
process.roles=broker,controller
node.id=1
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
num.network.threads=1
num.io.threads=2
num.recovery.threads.per.data.dir=2
background.threads=2
num.replica.fetchers=1
auto.create.topics.enable=false
num.partitions=1
default.replication.factor=1
min.insync.replicas=1
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
offsets.topic.segment.bytes=1048576
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=1
transaction.state.log.segment.bytes=1048576
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
share.coordinator.state.topic.num.partitions=1
group.initial.rebalance.delay.ms=0
group.coordinator.threads=1
log.retention.ms=-1
log.retention.bytes=-1
log.cleaner.threads=1
log.cleaner.dedupe.buffer.size=16777216
log.cleaner.io.buffer.size=262144
message.max.bytes=1048588
socket.request.max.bytes=16777216
initial.broker.registration.timeout.ms=60000
controlled.shutdown.enable=true
broker.session.timeout.ms=3000
broker.heartbeat.interval.ms=500
";

/// One line an event, ten megabytes a file.
const LOGGING: &str = "\
status = error
name = kafka
appender.f.type = RollingFile
appender.f.name = F
appender.f.fileName = ${sys:kafka.log.file}
appender.f.filePattern = ${sys:kafka.log.file}.%i
appender.f.layout.type = PatternLayout
appender.f.layout.pattern = %d{yyyy-MM-dd'T'HH:mm:ss.SSSXX} %-5p %c{1} %encode{%m}{CRLF} %xEx{filters()}{separator(|)}%n
appender.f.policies.type = Policies
appender.f.policies.size.type = SizeBasedTriggeringPolicy
appender.f.policies.size.size = 10MB
appender.f.strategy.type = DefaultRolloverStrategy
appender.f.strategy.max = 3
rootLogger.level = INFO
rootLogger.appenderRef.f.ref = F
logger.cfg.name = org.apache.kafka.common.config.AbstractConfig
logger.cfg.level = WARN
";

pub(super) const SERVER: &str = "server.properties";
pub(super) const LOG4J: &str = "log4j2.properties";

/// `extra` holds further lines for the broker, which win.
pub(super) fn write(folder: &Path, port: u16, controller_port: u16, extra: &str) -> io::Result<()> {
    let log = folder.join("log");
    let server = format!(
        "{COMMON}controller.quorum.voters=1@127.0.0.1:{controller_port}\n\
         listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}\n\
         advertised.listeners=PLAINTEXT://127.0.0.1:{port}\n\
         log.dirs={}\n{extra}\n",
        log.display()
    );
    fs::create_dir_all(&log)?;
    fs::write(folder.join(SERVER), server)?;
    fs::write(folder.join(LOG4J), LOGGING)
}
