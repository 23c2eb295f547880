//! How often anomalies are reported where there are none, and where there are. Prints the tables of ADR 0010.
//!
//!     cargo run --release -p retrace-insights --example anomaly_calibration [simulations]

mod references;
#[path = "../../tests/traffic/mod.rs"]
mod traffic;

use std::io::Write;
use std::time::Instant;

use retrace_insights::anomalies::{Bounds, Detection, Kind, Verdict, Window, detect};
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

/// Simulations until so many are such that `counts` says so of their current window.
fn windows(
    traffic: Traffic,
    incident: Incident,
    simulations: u64,
    salt: u64,
    counts: impl Fn(&Window) -> bool,
) -> impl Iterator<Item = (Vec<Window>, Window)> {
    let drawn = (0..).map(move |seed| simulate(traffic, incident, &mut seeded(seed, salt)));
    drawn.filter(move |(_, current)| counts(current)).take(simulations as usize)
}

/// Shares in % of each detector's windows: anomalies, p at or below the level, no answer.
fn nothing_wrong(out: &mut impl Write, simulations: u64) -> std::io::Result<()> {
    writeln!(out, "{simulations} simulations a row: anomalies (p ≤ level; no answer), in %\n")?;
    writeln!(out, "| nothing wrong | cost | latency | errors | volume |\n|---|---|---|---|---|")?;
    let bounds = Bounds::default();
    for (salt, traffic) in NULL.into_iter().enumerate() {
        let mut counts = [[0u32; 3]; 4];
        for (baseline, current) in windows(traffic, NONE, simulations, salt as u64, |_| true) {
            for (count, detection) in counts.iter_mut().zip(detect(&baseline, &current, &bounds)) {
                let p = judged(&detection);
                count[0] += u32::from(detection.severity().is_some());
                count[1] += u32::from(p.is_some_and(|p| p <= bounds.level(detection.kind)));
                count[2] += u32::from(p.is_none());
            }
        }
        write!(out, "| {} |", traffic.name)?;
        for count in counts {
            let [anomalies, significant, silent] = count.map(|count| f64::from(count) * 100.0 / simulations as f64);
            write!(out, " {anomalies:.2} ({significant:.2}; {silent:.0}) |")?;
        }
        writeln!(out)?;
    }
    Ok(())
}

/// In %: found by the detector, and by one that is told what the traffic is like.
fn found(traffic: Traffic, incident: Incident, kind: Kind, simulations: u64) -> (f64, f64) {
    let bounds = Bounds::default();
    let (mut ours, mut told) = (0u32, 0u32);
    let enough = |window: &Window| kind == Kind::VolumeDrop || window.traces as f64 >= traffic.traces;
    for (baseline, current) in windows(traffic, incident, simulations, 99, enough) {
        let anomaly = |detection: Detection| detection.kind == kind && detection.severity().is_some();
        ours += u32::from(detect(&baseline, &current, &bounds).into_iter().any(anomaly));
        let p = if kind == Kind::ErrorSpike {
            references::told_errors(traffic, &current)
        } else {
            references::told_cost(traffic, &current)
        };
        told += u32::from(p <= bounds.level(kind));
    }
    (f64::from(ours) * 100.0 / simulations as f64, f64::from(told) * 100.0 / simulations as f64)
}

const TRACES: [f64; 6] = [10.0, 15.0, 30.0, 60.0, 100.0, 300.0];

fn cost_power(out: &mut impl Write, simulations: u64) -> std::io::Result<()> {
    writeln!(out, "\n{simulations} simulations a cell, of windows with at least so many traces; days differ by 0.1,")?;
    writeln!(out, "correlation 0.3: found, in %; in brackets one that is told levels and deviations\n")?;
    writeln!(
        out,
        "| traces | cost × 1.5 | × 2 | × 3 | × 5 | × 3, deviation 0.7 | 1.5 | two agents | heavy tail | 3 incidents | 5 |\n|---|---|---|---|---|---|---|---|---|---|---|"
    )?;
    for traces in TRACES {
        let traffic = Traffic { traces, ..DAYS_DIFFER };
        write!(out, "| {traces} |")?;
        for (times, traffic) in [
            (1.5, traffic),
            (2.0, traffic),
            (3.0, traffic),
            (5.0, traffic),
            (3.0, Traffic { deviation: 0.7, ..traffic }),
            (3.0, Traffic { deviation: 1.5, ..traffic }),
            (3.0, Traffic { shape: Shape::TwoAgents, ..traffic }),
            (3.0, Traffic { shape: Shape::HeavyTail, ..traffic }),
            (3.0, Traffic { incidents: 3, ..traffic }),
            (3.0, Traffic { incidents: 5, ..traffic }),
        ] {
            let (ours, told) = found(traffic, Incident { cost: times, ..NONE }, Kind::CostSpike, simulations);
            match traffic.shape {
                Shape::Lognormal => write!(out, " {ours:.0} ({told:.0}) |")?,
                _ => write!(out, " {ours:.0} |")?,
            }
        }
        writeln!(out)?;
    }
    Ok(())
}

fn count_power(out: &mut impl Write, simulations: u64) -> std::io::Result<()> {
    writeln!(
        out,
        "\n| traces | errors 2 % × 5 | 5 % × 2 | 5 % × 5 | 10 % × 5 | 5 % × 5, 5 incidents | volume × 0.5 | × 0.3 | × 0.1 | × 0.1, 5 incidents |\n|---|---|---|---|---|---|---|---|---|---|"
    )?;
    for traces in TRACES {
        let traffic = Traffic { traces, ..DAYS_DIFFER };
        write!(out, "| {traces} |")?;
        for (error_rate, errors, incidents) in
            [(0.02, 5.0, 0), (0.05, 2.0, 0), (0.05, 5.0, 0), (0.1, 5.0, 0), (0.05, 5.0, 5)]
        {
            let traffic = Traffic { error_rate, incidents, ..traffic };
            let (ours, told) = found(traffic, Incident { errors, ..NONE }, Kind::ErrorSpike, simulations);
            write!(out, " {ours:.0} ({told:.0}) |")?;
        }
        for (volume, incidents) in [(0.5, 0), (0.3, 0), (0.1, 0), (0.1, 5)] {
            let incident = Incident { volume, ..NONE };
            let (ours, _) = found(Traffic { incidents, ..traffic }, incident, Kind::VolumeDrop, simulations);
            write!(out, " {ours:.0} |")?;
        }
        writeln!(out)?;
    }
    Ok(())
}

/// Every twentieth window has an incident, and so have two of 28 earlier days.
fn among_incidents(out: &mut impl Write, simulations: u64) -> std::io::Result<()> {
    writeln!(out, "\n{simulations} windows a row, 5 % with an incident, 2 of 28 earlier days too; all cycles:")?;
    writeln!(out, "\n| traces | | recall | precision |\n|---|---|---|---|")?;
    let planted_in = [
        (Kind::CostSpike, Incident { cost: 3.0, ..NONE }),
        (Kind::LatencySpike, Incident { latency: 3.0, ..NONE }),
        (Kind::ErrorSpike, Incident { errors: 5.0, ..NONE }),
        (Kind::VolumeDrop, Incident { volume: 0.1, ..NONE }),
    ];
    for (least, most) in [(30.0f64, 100.0f64), (100.0, 1_000.0)] {
        for (salt, (kind, incident)) in planted_in.into_iter().enumerate() {
            let (mut planted, mut right, mut reported) = (0u32, 0u32, 0u32);
            let mut drawn = 0;
            for seed in 0.. {
                let mut random = seeded(seed, 500 + salt as u64);
                let traces = least * (most / least).powf(random.uniform());
                let wrong = random.uniform() < 0.05;
                let traffic = Traffic { traces, weekend: 0.5, diurnal: true, incidents: 2, ..DAYS_DIFFER };
                let (baseline, current) = simulate(traffic, if wrong { incident } else { NONE }, &mut random);
                let usual = if kind == Kind::VolumeDrop { traces } else { current.traces as f64 };
                if usual < least || usual > most {
                    continue;
                }
                let alarm = references::this(kind, &baseline, &current);
                planted += u32::from(wrong);
                reported += u32::from(alarm);
                right += u32::from(alarm && wrong);
                drawn += 1;
                if drawn == simulations {
                    break;
                }
            }
            let share = |of: u32| f64::from(right) * 100.0 / f64::from(of.max(1));
            let name = kind.name();
            writeln!(out, "| {least} to {most} | {name} | {:.1} | {:.1} |", share(planted), share(reported))?;
        }
    }
    Ok(())
}

/// What simpler detectors would do with the same traffic.
fn simpler(out: &mut impl Write, simulations: u64) -> std::io::Result<()> {
    writeln!(out, "\n{simulations} simulations a cell: reported, in %\n")?;
    writeln!(
        out,
        "| | weekends a third | overdispersed | sessions | found: 30 traces | 100, 3 incidents | 100, heavy tail | 60, two agents |\n|---|---|---|---|---|---|---|---|"
    )?;
    let at = |traces: f64| Traffic { traces, ..DAYS_DIFFER };
    let found = [
        at(30.0),
        Traffic { incidents: 3, ..at(100.0) },
        Traffic { shape: Shape::HeavyTail, ..at(100.0) },
        Traffic { shape: Shape::TwoAgents, ..at(60.0) },
    ];
    let spikes = Incident { cost: 3.0, errors: 5.0, ..NONE };
    for (name, kind, detector) in references::SIMPLER {
        let incident = if kind == Kind::VolumeDrop { Incident { volume: 0.1, ..NONE } } else { spikes };
        write!(out, "| {name} |")?;
        for (traffic, incident) in [NULL[2], NULL[4], NULL[7]]
            .map(|traffic| (traffic, NONE))
            .into_iter()
            .chain(found.map(|traffic| (traffic, incident)))
        {
            let reported = windows(traffic, incident, simulations, 700, |_| true)
                .filter(|(baseline, current)| detector(baseline, current));
            write!(out, " {:.1} |", reported.count() as f64 * 100.0 / simulations as f64)?;
        }
        writeln!(out)?;
    }
    Ok(())
}

fn main() -> std::io::Result<()> {
    let simulations = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(2_000);
    let (baseline, current) = simulate(Traffic { traces: 10_000.0, ..DAYS_DIFFER }, NONE, &mut Random(1));
    let started = Instant::now();
    detect(&baseline, &current, &Bounds::default());
    writeln!(std::io::stderr(), "windows of 10,000 traces take {:?}", started.elapsed())?;
    let mut out = std::io::stdout().lock();
    nothing_wrong(&mut out, simulations)?;
    cost_power(&mut out, (simulations / 5).max(50))?;
    count_power(&mut out, (simulations / 5).max(50))?;
    among_incidents(&mut out, simulations * 2)?;
    simpler(&mut out, simulations / 2)
}
