//! CPU time and memory of processes, as the kernel counts them.

use std::collections::{BTreeMap, HashMap};
use std::fs;

use serde_json::{Value, json};

/// The kernel's unit of CPU time in /proc: a constant of its interface.
const TICKS_PER_SECOND: f64 = 100.0;

#[derive(Default)]
pub struct Usage {
    /// CPU seconds and peak resident MB by name, over the watched processes and their children.
    processes: BTreeMap<String, (f64, f64)>,
    /// CPU seconds by process and thread name.
    threads: BTreeMap<String, f64>,
    /// CPU seconds of this process.
    load: f64,
    /// CPU seconds of the whole machine.
    machine: f64,
}

impl Usage {
    pub fn of(roots: &[u32]) -> Usage {
        let mut usage = Usage { load: cpu_of("/proc/self/stat"), machine: machine(), ..Usage::default() };
        for pid in with_children(roots) {
            let name = name_of(pid);
            let entry = usage.processes.entry(name.clone()).or_default();
            entry.0 += cpu_of(&format!("/proc/{pid}/stat"));
            entry.1 += peak_mb(pid);
            for task in fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten() {
                let path = task.path();
                let thread = fs::read_to_string(path.join("comm")).unwrap_or_default();
                // Numbered threads of one kind are one line.
                let thread = thread.trim().trim_end_matches(|c: char| c.is_ascii_digit() || c == '-' || c == '#');
                let cpu = path.join("stat").to_str().map_or(0.0, own_cpu_of);
                *usage.threads.entry(format!("{name}: {thread}")).or_default() += cpu;
            }
        }
        usage
    }

    pub fn since(mut self, before: &Usage) -> Usage {
        for (name, (cpu, _)) in &mut self.processes {
            *cpu -= before.processes.get(name).map_or(0.0, |old| old.0);
        }
        for (name, cpu) in &mut self.threads {
            *cpu -= before.threads.get(name).copied().unwrap_or_default();
        }
        self.load -= before.load;
        self.machine -= before.machine;
        self
    }

    pub fn json(&self) -> Value {
        let watched: f64 = self.processes.values().map(|(cpu, _)| cpu).sum();
        let threads: BTreeMap<&String, f64> =
            self.threads.iter().filter(|(_, cpu)| **cpu >= 0.5).map(|(n, c)| (n, *c)).collect();
        let processes: BTreeMap<&String, Value> = self
            .processes
            .iter()
            .map(|(name, (cpu, peak))| (name, json!({"cpu_seconds": cpu, "peak_rss_mb": peak})))
            .collect();
        json!({
            "processes": processes,
            "threads": threads,
            "load_seconds": self.load,
            "machine_seconds": self.machine,
            "others_seconds": (self.machine - self.load - watched).max(0.0),
        })
    }
}

fn with_children(roots: &[u32]) -> Vec<u32> {
    let mut children: HashMap<u32, Vec<u32>> = HashMap::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else { continue };
        let parent = fields(&format!("/proc/{pid}/stat")).get(1).and_then(|field| field.parse().ok());
        children.entry(parent.unwrap_or_default()).or_default().push(pid);
    }
    let mut found = roots.to_vec();
    let mut next = 0;
    while let Some(pid) = found.get(next).copied() {
        found.extend(children.get(&pid).into_iter().flatten().filter(|child| !roots.contains(child)));
        next += 1;
    }
    found
}

/// The program, with its subcommand where it has one.
fn name_of(pid: u32) -> String {
    let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let line = String::from_utf8_lossy(&line);
    let mut words = line.split(['\0', ' ']);
    let program =
        words.next().unwrap_or_default().rsplit('/').next().unwrap_or_default().trim_end_matches(':').to_owned();
    match words.next() {
        Some(word) if program.starts_with("retrace") && word.starts_with(|c: char| c.is_ascii_alphabetic()) => {
            format!("{program} {word}")
        }
        _ => program,
    }
}

/// The fields of a stat file from the third on: what comes before may hold spaces.
fn fields(path: &str) -> Vec<String> {
    let text = fs::read_to_string(path).unwrap_or_default();
    text.rsplit_once(')').map(|(_, rest)| rest.split_whitespace().map(str::to_owned).collect()).unwrap_or_default()
}

fn ticks(path: &str, places: std::ops::Range<usize>) -> f64 {
    let fields = fields(path);
    places.filter_map(|place| fields.get(place)?.parse::<f64>().ok()).sum::<f64>() / TICKS_PER_SECOND
}

/// With the children that have ended.
fn cpu_of(path: &str) -> f64 {
    ticks(path, 11..15)
}

fn own_cpu_of(path: &str) -> f64 {
    ticks(path, 11..13)
}

/// What these processes hold now, without their children.
pub fn resident_mb(pids: &[u32]) -> f64 {
    pids.iter().map(|pid| memory_mb(*pid, "VmRSS:")).sum()
}

fn peak_mb(pid: u32) -> f64 {
    memory_mb(pid, "VmHWM:")
}

fn memory_mb(pid: u32, what: &str) -> f64 {
    let text = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix(what));
    line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok()).unwrap_or_default() / 1024.0
}

/// Busy time of all processors: user, nice, system, interrupts and stolen, without idling and waiting.
fn machine() -> f64 {
    let text = fs::read_to_string("/proc/stat").unwrap_or_default();
    let times: Vec<f64> =
        text.lines().next().unwrap_or_default().split_whitespace().skip(1).filter_map(|t| t.parse().ok()).collect();
    [0, 1, 2, 5, 6].iter().filter_map(|place| times.get(*place)).sum::<f64>() / TICKS_PER_SECOND
}
