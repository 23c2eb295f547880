//! Command lines of the broker and its tools.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::config::{LOG4J, SERVER};
use crate::cache::Java;

/// What one installation needs.
pub(crate) const HEAP_MB: u32 = 256;

/// What all of Kafka's programs share.
pub(super) struct Programs<'a> {
    pub(super) java: &'a Java,
    pub(super) jars: &'a [PathBuf],
    /// Holds the configuration files.
    pub(super) folder: &'a Path,
    pub(super) log_file: &'a Path,
}

impl Programs<'_> {
    /// Arguments for `java` that run a broker.
    pub(super) fn broker(&self, heap_mb: u32, jvm: &[OsString]) -> Vec<OsString> {
        let mut arguments = self.java_arguments(["-XX:+UseSerialGC", "-Xms64m", &format!("-Xmx{heap_mb}m")]);
        arguments.extend_from_slice(jvm);
        arguments.extend(["kafka.Kafka".into(), self.folder.join(SERVER).into()]);
        arguments
    }

    /// Arguments for `java` that prepare an empty data folder.
    pub(super) fn format(&self, cluster_id: &str) -> Vec<OsString> {
        let mut arguments = self.java_arguments(["-XX:+UseSerialGC", "-Xmx96m", "-XX:TieredStopAtLevel=1"]);
        arguments.extend(["kafka.tools.StorageTool", "format", "-t", cluster_id, "-c"].map(OsString::from));
        arguments.push(self.folder.join(SERVER).into());
        arguments
    }

    fn java_arguments(&self, memory: [&str; 3]) -> Vec<OsString> {
        let mut class_path = OsString::new();
        for jar in self.jars {
            if !class_path.is_empty() {
                class_path.push(":");
            }
            class_path.push(jar);
        }
        let setting = |name: &str, path: &Path| {
            let mut setting = OsString::from(name);
            setting.push(path);
            setting
        };
        let mut arguments: Vec<OsString> = memory.map(OsString::from).to_vec();
        arguments.extend(self.java.flags().iter().map(OsString::from));
        arguments.push(setting("-Dlog4j2.configurationFile=", &self.folder.join(LOG4J)));
        arguments.push(setting("-Dkafka.log.file=", self.log_file));
        arguments.extend(["-Dlog4j2.disableJmx=true".into(), "-cp".into(), class_path]);
        arguments
    }
}
