//! Reads texts, one a line, and prints the cluster of each; the time taken goes to standard error.

use std::collections::{BTreeMap, HashMap};
use std::io::{BufRead, Write};
use std::time::Instant;

use retrace_insights::failures::{clusters, signature};

fn main() -> std::io::Result<()> {
    let lines: Vec<String> = std::io::stdin().lock().lines().collect::<Result<_, _>>()?;
    let started = Instant::now();
    let signatures: Vec<String> = lines.iter().map(|line| signature(line)).collect();
    let places: BTreeMap<&str, usize> = signatures.iter().map(|signature| (signature.as_str(), 0)).collect();
    let distinct: Vec<&str> = places.into_keys().collect();
    let found = clusters(&distinct);
    let took = started.elapsed();
    let mut cluster_of: HashMap<&str, usize> = HashMap::new();
    for (number, cluster) in found.iter().enumerate() {
        cluster_of.extend(cluster.members.iter().map(|member| (distinct[*member], number)));
    }
    let show = std::env::args().any(|argument| argument == "--patterns");
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    for signature in &signatures {
        let number = cluster_of[signature.as_str()];
        if show { writeln!(out, "{}\t{}", found[number].pattern, signature)? } else { writeln!(out, "{number}")? }
    }
    let (lines, distinct, seconds) = (lines.len(), distinct.len(), took.as_secs_f64());
    writeln!(std::io::stderr(), "{lines} lines, {distinct} signatures, {} clusters in {seconds:.3} s", found.len())?;
    Ok(())
}
