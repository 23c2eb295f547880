//! How often anomalies are reported where there are none, and where there are. Prints the tables of ADR 0010.
//!
//!     cargo run --release -p retrace-insights --example anomaly_calibration [simulations]

#[path = "../tests/traffic/mod.rs"]
mod traffic;

use std::io::Write;

use retrace_insights::anomalies::{Bounds, Detection, Verdict, detect};
use traffic::{Incident, NONE, PLAIN, Random, Shape, Traffic, simulate};

const DAYS_DIFFER: Traffic = Traffic { common: 0.1, memory: 0.3, ..PLAIN };

const NULL: [Traffic; 17] = [
    PLAIN,
    Traffic { name: "diurnal", diurnal: true, ..PLAIN },
    Traffic { name: "weekends a third", weekend: 1.0 / 3.0, common: 0.1, ..PLAIN },
    Traffic { name: "days differ by 0.1", common: 0.1, ..PLAIN },
    Traffic { name: "overdispersed, 0.3", common: 0.3, ..PLAIN },
    Traffic { name: "autocorrelated 0.3", common: 0.3, memory: 0.3, ..PLAIN },
    Traffic { name: "autocorrelated 0.6", common: 0.3, memory: 0.6, ..PLAIN },
    Traffic { name: "sessions of 5", session: 5.0, common: 0.1, ..PLAIN },
    Traffic {
        name: "all of these",
        diurnal: true,
        weekend: 1.0 / 3.0,
        common: 0.3,
        memory: 0.6,
        session: 5.0,
        ..PLAIN
    },
    Traffic {
        name: "600 traces, all of these",
        traces: 600.0,
        diurnal: true,
        weekend: 1.0 / 3.0,
        common: 0.3,
        memory: 0.6,
        session: 5.0,
        ..PLAIN
    },
    Traffic { name: "sparse: 12 traces", traces: 12.0, common: 0.1, ..PLAIN },
    Traffic { name: "sparse: 3 traces", traces: 3.0, common: 0.1, ..PLAIN },
    Traffic { name: "errors of 0.5 %, heavy tails", error_rate: 0.005, shape: Shape::HeavyTail, common: 0.1, ..PLAIN },
    Traffic { name: "two agents", shape: Shape::TwoAgents, common: 0.1, ..PLAIN },
    Traffic { name: "8 days of history", history: 8, weekend: 1.0 / 3.0, common: 0.1, ..PLAIN },
    Traffic { name: "5 of 28 days are incidents", incidents: 5, common: 0.1, memory: 0.3, ..PLAIN },
    Traffic { name: "2 % less every day", growth: 0.98, common: 0.1, ..PLAIN },
];

fn seeded(seed: u64, salt: u64) -> Random {
    Random(seed.wrapping_mul(0xD134_2543_DE82_EF95) ^ salt.wrapping_mul(0xA24B_AED4_963E_E407))
}

fn judged(detection: &Detection) -> Option<f64> {
    match &detection.verdict {
        Verdict::Judged(finding) => Some(finding.p_value),
        Verdict::InsufficientData(_) => None,
    }
}

/// Shares in % of each detector's windows: anomalies, p at or below the level, no answer.
fn shares(traffic: Traffic, incident: Incident, simulations: u64, salt: u64) -> [[f64; 3]; 4] {
    let bounds = Bounds::default();
    let mut counts = [[0u32; 3]; 4];
    for seed in 0..simulations {
        let (baseline, current) = simulate(traffic, incident, &mut seeded(seed, salt));
        for (count, detection) in counts.iter_mut().zip(detect(&baseline, &current, &bounds)) {
            let p = judged(&detection);
            count[0] += u32::from(detection.severity().is_some());
            count[1] += u32::from(p.is_some_and(|p| p <= bounds.level));
            count[2] += u32::from(p.is_none());
        }
    }
    counts.map(|count| count.map(|count| f64::from(count) * 100.0 / simulations as f64))
}

fn nothing_wrong(out: &mut impl Write, simulations: u64) -> std::io::Result<()> {
    writeln!(out, "{simulations} simulations a row: anomalies (p ≤ level; no answer), in %\n")?;
    writeln!(out, "| nothing wrong | cost | latency | errors | volume |\n|---|---|---|---|---|")?;
    for (salt, traffic) in NULL.into_iter().enumerate() {
        write!(out, "| {} |", traffic.name)?;
        for [anomalies, significant, silent] in shares(traffic, NONE, simulations, salt as u64) {
            write!(out, " {anomalies:.2} ({significant:.2}; {silent:.0}) |")?;
        }
        writeln!(out)?;
    }
    Ok(())
}

/// Of each cell: found, in %. `what` is the detector's place.
fn found(traffic: Traffic, incident: Incident, what: usize, simulations: u64) -> f64 {
    shares(traffic, incident, simulations, 99)[what][0]
}

fn power(out: &mut impl Write, simulations: u64) -> std::io::Result<()> {
    writeln!(out, "\n{simulations} simulations a cell; days differ by 0.1, correlation 0.3: found, in %\n")?;
    writeln!(
        out,
        "| traces | cost × 1.5 | × 2 | × 3 | × 3, deviation 1.5 | × 3, two agents | × 3, 5 incidents | volume × 0.5 | × 0.3 | × 0.1 | × 0.1, 5 incidents |\n|---|---|---|---|---|---|---|---|---|---|---|"
    )?;
    for traces in [10.0, 15.0, 30.0, 60.0, 100.0, 300.0] {
        let traffic = Traffic { traces, ..DAYS_DIFFER };
        let contaminated = Traffic { incidents: 5, ..traffic };
        let cost = |cost: f64| Incident { cost, ..NONE };
        let volume = |volume: f64| Incident { volume, ..NONE };
        write!(out, "| {traces} |")?;
        for (traffic, incident, what) in [
            (traffic, cost(1.5), 0),
            (traffic, cost(2.0), 0),
            (traffic, cost(3.0), 0),
            (Traffic { deviation: 1.5, ..traffic }, cost(3.0), 0),
            (Traffic { shape: Shape::TwoAgents, ..traffic }, cost(3.0), 0),
            (contaminated, cost(3.0), 0),
            (traffic, volume(0.5), 3),
            (traffic, volume(0.3), 3),
            (traffic, volume(0.1), 3),
            (contaminated, volume(0.1), 3),
        ] {
            write!(out, " {:.0} |", found(traffic, incident, what, simulations))?;
        }
        writeln!(out)?;
    }
    Ok(())
}

fn main() -> std::io::Result<()> {
    let simulations = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(2_000);
    let mut out = std::io::stdout().lock();
    nothing_wrong(&mut out, simulations)?;
    power(&mut out, (simulations / 5).max(100))
}
