//! Running a package client, with failures told in one sentence.

use std::io::ErrorKind;
use std::process::{Command, Stdio};

use anyhow::{Context, bail};

/// Runs a command to its end and gives what it wrote to stdout.
pub(super) fn run(command: &mut Command, purpose: &str) -> anyhow::Result<String> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = match command.stdin(Stdio::null()).output() {
        Ok(output) => output,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            bail!(
                "{program}, needed for {purpose}, is not installed; install it with: apt-get install -y {}",
                package_of(&program)
            )
        }
        Err(error) => {
            return Err(error).with_context(|| format!("{program}, needed for {purpose}, cannot be started"));
        }
    };
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.success() {
        return Ok(stdout);
    }
    let stderr = String::from_utf8_lossy(&output.stderr);
    let reason = telling_line(&stderr).or_else(|| telling_line(&stdout)).unwrap_or("it gave no reason");
    bail!("{purpose} failed ({program}: {reason}); check the network and run the command again")
}

fn package_of(program: &str) -> &str {
    match program {
        "mvn" => "maven",
        "python3" => "python3-pip",
        other => other,
    }
}

/// The first line that looks like the cause, else the last that says anything.
fn telling_line(text: &str) -> Option<&str> {
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    lines.clone().find(|line| line.to_ascii_lowercase().contains("error")).or_else(|| lines.next_back())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_are_one_sentence() {
        let error = run(&mut Command::new("no-such-program"), "Fetching x").unwrap_err();
        assert_eq!(
            error.to_string(),
            "no-such-program, needed for Fetching x, is not installed; install it with: apt-get install -y no-such-program"
        );
        let error =
            run(Command::new("sh").args(["-c", "echo 'ERROR: no route' >&2; exit 3"]), "Fetching x").unwrap_err();
        assert_eq!(
            error.to_string(),
            "Fetching x failed (sh: ERROR: no route); check the network and run the command again"
        );
    }
}
