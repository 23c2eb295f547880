//! Why an engine ended, in one sentence.

use std::path::PathBuf;

/// `ending` is how the process ended, `lines` the telling lines of its logs.
pub(super) fn explain(ending: &str, lines: impl Iterator<Item = String>, logs: &[PathBuf]) -> String {
    let lines: Vec<_> = lines.collect();
    let says = |text: &str| lines.iter().any(|line| line.contains(text));
    // The JVM's words for a page of a mapped file that the disk has no room for.
    if says("No space left on device") || says("unsafe memory access operation") {
        return "the disk of its data folder is full; free some space and start again".into();
    }
    if says("ddress already in use") {
        return "one of its ports is already taken; stop what uses it, or choose other ports with --port-base or RETRACE_PORT_BASE".into();
    }
    let line = lines.into_iter().next().map(|line| format!(", saying: {line}")).unwrap_or_default();
    let logs: Vec<_> = logs.iter().map(|log| log.display().to_string()).collect();
    format!("{ending}{line} (see {})", logs.join(" and "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_reasons_are_said_plainly() {
        let say =
            |line: &str| explain("it ended with exit status: 1", [line.to_owned()].into_iter(), &["/d/x.log".into()]);
        assert!(
            say("FATAL: could not write: No space left on device").starts_with("the disk of its data folder is full")
        );
        assert!(
            say("java.lang.InternalError: a fault occurred in a recent unsafe memory access operation in compiled Java code")
                .starts_with("the disk of its data folder is full")
        );
        assert!(say("java.net.BindException: Address already in use").starts_with("one of its ports is already taken"));
        assert_eq!(say("odd"), "it ended with exit status: 1, saying: odd (see /d/x.log)");
    }
}
