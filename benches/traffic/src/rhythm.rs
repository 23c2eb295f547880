//! How many traces there are in each hour of each project: by the hour of the day, the day of the week, and chance.

use crate::cast::{Cast, Project};
use crate::clock::{DAY, HOUR, weekday};
use crate::incidents::{Incident, volume};
use crate::random::{Random, mix};
use crate::{Purpose, Shape};

/// Deviations of the logarithm: what an hour has of its own, what a day has, and how much of it the next day keeps.
const OF_HOURS: f64 = 0.15;
const OF_DAYS: f64 = 0.08;
const KEPT: f64 = 0.5;

/// Hours in order of time, the projects one after another within each; and how many traces come before each of them.
#[derive(Debug)]
pub(crate) struct Rhythm {
    start: i64,
    projects: usize,
    before: Vec<u64>,
}

impl Rhythm {
    /// Draws where each of the shape's traces belongs, so that the hours vary as independent arrivals do.
    pub(crate) fn new(shape: &Shape, cast: &Cast, incidents: &[Incident]) -> Rhythm {
        let hours = ((shape.end() - shape.start()) / HOUR) as usize;
        let projects = cast.projects.len();
        let days: Vec<Vec<f64>> = (0..projects).map(|project| levels_of_days(shape, project, hours / 24 + 2)).collect();
        let mut chance = Random::new(mix(shape.seed, Purpose::Hours as u64), 0);
        let mut cumulative = Vec::with_capacity(hours * projects);
        let mut sum = 0.0;
        for hour in 0..hours {
            let at = shape.start() + hour as i64 * HOUR;
            for (place, project) in cast.projects.iter().enumerate() {
                let noise = days[place][hour / 24] * chance.lognormal(1.0, OF_HOURS);
                sum += project.weight * level(project, at) * noise * volume(incidents, &project.id, at);
                cumulative.push(sum);
            }
        }
        let mut before = vec![0; hours * projects + 1];
        let mut draws = Random::new(mix(shape.seed, Purpose::Arrivals as u64), 0);
        for _ in 0..shape.traces {
            before[draws.weighted(&cumulative) + 1] += 1;
        }
        for place in 1..before.len() {
            before[place] += before[place - 1];
        }
        Rhythm { start: shape.start(), projects, before }
    }

    /// How many traces belong to hours that begin before a time.
    pub(crate) fn before(&self, time: i64) -> u64 {
        let hours = (time - self.start).max(0).div_euclid(HOUR) + i64::from((time - self.start).rem_euclid(HOUR) > 0);
        self.before[(hours as usize * self.projects).min(self.before.len() - 1)]
    }

    /// The hour and the project of a trace.
    pub(crate) fn place(&self, index: u64) -> (i64, usize) {
        let cell = self.before.partition_point(|before| *before <= index).saturating_sub(1);
        (self.start + (cell / self.projects) as i64 * HOUR, cell % self.projects)
    }
}

/// What the hour of the day and the day of the week make of a project's traffic.
pub(crate) fn level(project: &Project, hour: i64) -> f64 {
    let local = hour + HOUR / 2 + project.east;
    let of_day = local.rem_euclid(DAY) as f64 / HOUR as f64;
    let bump = |at: f64, width: f64| (-((of_day - at) / width).powi(2)).exp();
    let daily = 0.12 + bump(10.5, 2.6) + 0.85 * bump(15.5, 2.8);
    daily * if weekday(local) >= 5 { project.weekend } else { 1.0 }
}

/// A busy day is often followed by another.
fn levels_of_days(shape: &Shape, project: usize, days: usize) -> Vec<f64> {
    let mut random = Random::new(mix(shape.seed, Purpose::Days as u64), project as u64);
    let mut held = 0.0;
    (0..days)
        .map(|_| {
            held = KEPT * held + OF_DAYS * random.normal();
            f64::exp(held)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Traffic;

    /// 2026-11-16T00:00:00Z.
    const MONDAY: i64 = 1_794_787_200_000_000;

    fn traffic(seed: u64) -> Traffic {
        let (until, tag) = (MONDAY, String::new());
        Traffic::new(Shape {
            seed,
            until,
            days: 28,
            traces: 60_000,
            projects: 4,
            names: 4,
            models: 4,
            incidents: 0,
            tag,
        })
    }

    /// Traces of a project by the hour of its week, Monday 00:00 first.
    fn by_hour_of_week(traffic: &Traffic, project: usize) -> Vec<f64> {
        let mut counts = vec![0.0; 168];
        for index in 0..traffic.traces() {
            let (hour, of) = traffic.rhythm.place(index);
            if of == project {
                let local = hour + HOUR / 2 + traffic.cast.projects[project].east + 3 * DAY;
                counts[(local.rem_euclid(7 * DAY) / HOUR) as usize] += 1.0;
            }
        }
        counts
    }

    fn correlation(a: &[f64], b: &[f64]) -> f64 {
        let mean = |of: &[f64]| of.iter().sum::<f64>() / of.len() as f64;
        let (mean_a, mean_b) = (mean(a), mean(b));
        let of =
            |x: &[f64], mx: f64, y: &[f64], my: f64| -> f64 { x.iter().zip(y).map(|(x, y)| (x - mx) * (y - my)).sum() };
        of(a, mean_a, b, mean_b) / (of(a, mean_a, a, mean_a) * of(b, mean_b, b, mean_b)).sqrt()
    }

    #[test]
    fn the_hours_follow_the_day_and_the_week_of_their_project() {
        for seed in 0..5 {
            let traffic = traffic(seed);
            for (place, project) in traffic.cast.projects.iter().enumerate() {
                let counts = by_hour_of_week(&traffic, place);
                let monday = MONDAY - project.east;
                let wanted: Vec<f64> = (0..168).map(|hour| level(project, monday + hour * HOUR)).collect();
                let found = correlation(&counts, &wanted);
                assert!(found > 0.97, "{}: {found}", project.id);
                let sum = |hours: std::ops::Range<usize>| counts[hours].iter().sum::<f64>();
                let weekend = (sum(120..168) / 2.0) / (sum(0..120) / 5.0);
                assert!((weekend / project.weekend - 1.0).abs() < 0.2, "{weekend} for {}", project.weekend);
                let (night, noon) = (sum(2..5), sum(9..12));
                assert!(noon > 4.0 * night, "{noon} at work, {night} at night");
            }
        }
    }

    #[test]
    fn hours_vary_more_than_independent_arrivals_do() {
        let traffic = traffic(1);
        let busiest = &traffic.cast.projects[0];
        let mut counts = std::collections::BTreeMap::new();
        for index in 0..traffic.traces() {
            let (hour, project) = traffic.rhythm.place(index);
            *counts.entry(hour).or_insert(0.0) += f64::from(u8::from(project == 0));
        }
        let total: f64 = counts.values().sum();
        let levels: f64 = counts.keys().map(|hour| level(busiest, *hour)).sum();
        // Pearson's statistic by degree of freedom: 1 where arrivals were independent.
        let expected = |hour: i64| total * level(busiest, hour) / levels;
        let pearson: f64 = counts.iter().map(|(hour, n)| (n - expected(*hour)).powi(2) / expected(*hour)).sum();
        let dispersion = pearson / counts.len() as f64;
        assert!((1.3..20.0).contains(&dispersion), "{dispersion}");
    }
}
