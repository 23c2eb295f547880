//! The level that a window of some weekday is expected at, from windows of which some were incidents.
//!
//! A window's value is the level of its class (working days, weekend), what its weekday has of its own, an effect of the
//! day and the sampling error. Incidents are found as windows far from robust first levels, and set aside. What is left is
//! fitted by least squares; a weekday's own level is shrunk towards its class by as much as chance could have made it.

use super::spread::{Residual, by_moments, memory, robust};
use super::weekdays::{first_levels, weekend};

/// One earlier window.
pub(super) struct Point {
    pub days_back: u16,
    pub weekday: u8,
    pub value: f64,
    /// Of the value, as far as its traces explain it.
    pub sampling: f64,
}

pub(super) struct Fit {
    pub kept: Vec<bool>,
    /// Variance between windows, in units of the growth.
    pub spread: f64,
    /// By how much windows that resemble each other widen the error of their mean.
    pub widening: f64,
    /// What was estimated from the kept windows.
    pub parameters: f64,
    pub df: f64,
    precision: Vec<f64>,
    weekdays: Vec<u8>,
    split: bool,
    own: Own,
}

/// What weekdays have of their own.
#[derive(Clone, Default)]
struct Own {
    /// Its variance between weekdays.
    variance: f64,
    /// How much of what was seen is kept.
    shrinkage: [f64; 7],
}

/// Windows further away than so many standard deviations are incidents: first beside the middle half of the windows, of
/// which the deviation is known badly and incidents make it larger. Beside all others `incident` says it.
const FIRST_INCIDENT: f64 = 3.0;

/// `incident`: windows further away than so many standard deviations of the others are no part of the level.
/// `growth`: by how much a spread of 1 adds to the variance of a value, given its level.
pub(super) fn fit(points: &[Point], incident: f64, growth: impl Fn(f64) -> f64) -> Fit {
    let ends = points.iter().filter(|point| weekend(point.weekday)).count();
    let split = ends >= 2 && points.len() - ends >= 2;
    let values: Vec<(u8, f64)> = points.iter().map(|point| (point.weekday, point.value)).collect();
    let mut levels = first_levels(&values, split);
    let residuals = |levels: &[f64]| -> Vec<Residual> {
        let residual = |(point, level): (&Point, &f64)| Residual {
            value: point.value - level,
            sampling: point.sampling,
            growth: growth(*level),
        };
        points.iter().zip(levels).map(residual).collect()
    };
    let first = residuals(&levels);
    let (mut kept, mut spread) = (vec![true; points.len()], 0.0);
    for _ in 0..3 {
        let left: Vec<Residual> = first.iter().zip(&kept).filter(|(_, kept)| **kept).map(|(left, _)| *left).collect();
        spread = robust(&left);
        kept = without_incidents(&first, spread, FIRST_INCIDENT);
    }
    let mut fit = Fit {
        kept,
        spread,
        widening: 1.0,
        parameters: 1.0,
        df: 1.0,
        precision: Vec::new(),
        weekdays: points.iter().map(|point| point.weekday).collect(),
        split,
        own: Own::default(),
    };
    // Levels, spread and what is an incident depend on each other.
    for _ in 0..5 {
        fit.split &= fit.keeps(true) && fit.keeps(false);
        fit.weigh(&residuals(&levels));
        fit.own = fit.own_levels(points);
        levels = points.iter().map(|point| fit.mean(point.weekday, |place| points[place].value)).collect();
        let spread = fit.estimate_spread(points, &residuals(&levels));
        fit.kept = without_incidents(&residuals(&levels), spread, incident);
    }
    fit.split &= fit.keeps(true) && fit.keeps(false);
    fit.weigh(&residuals(&levels));
    fit
}

/// At most a third of the windows are incidents: if more are far away, the nearest of them are not.
fn without_incidents(residuals: &[Residual], spread: f64, incident: f64) -> Vec<bool> {
    let size = |place: usize| residuals[place].standard(spread).abs();
    let mut order: Vec<usize> = (0..residuals.len()).collect();
    order.sort_by(|a, b| size(*b).total_cmp(&size(*a)));
    let mut kept = vec![true; residuals.len()];
    for place in order.into_iter().take(residuals.len() / 3) {
        kept[place] = size(place) <= incident;
    }
    kept
}

impl Fit {
    fn weigh(&mut self, residuals: &[Residual]) {
        let weight =
            |(residual, kept): (&Residual, &bool)| if *kept { 1.0 / residual.variance(self.spread) } else { 0.0 };
        self.precision = residuals.iter().zip(&self.kept).map(weight).collect();
    }

    fn keeps(&self, end: bool) -> bool {
        self.weekdays.iter().zip(&self.kept).any(|(weekday, kept)| *kept && weekend(*weekday) == end)
    }

    fn precision_of(&self, belongs: impl Fn(u8) -> bool) -> f64 {
        self.weekdays
            .iter()
            .zip(&self.precision)
            .filter(|(day, _)| belongs(**day))
            .map(|(_, precision)| precision)
            .sum()
    }

    fn same_class(&self, a: u8, b: u8) -> bool {
        !self.split || weekend(a) == weekend(b)
    }

    /// Weights of the windows in the level of a weekday; they add up to 1.
    pub fn weights(&self, weekday: u8) -> Vec<f64> {
        let class = self.precision_of(|day| self.same_class(day, weekday));
        let own = self.precision_of(|day| day == weekday);
        let kept = if own > 0.0 { self.own.shrinkage[usize::from(weekday)] } else { 0.0 };
        let weight = |(day, precision): (&u8, &f64)| {
            let common = if self.same_class(*day, weekday) { (1.0 - kept) * precision / class } else { 0.0 };
            common + if *day == weekday && kept > 0.0 { kept * precision / own } else { 0.0 }
        };
        self.weekdays.iter().zip(&self.precision).map(weight).collect()
    }

    /// The level of a weekday, of whatever the windows have.
    pub fn mean(&self, weekday: u8, of: impl Fn(usize) -> f64) -> f64 {
        self.weights(weekday)
            .iter()
            .enumerate()
            .filter(|(_, weight)| **weight > 0.0)
            .map(|(place, weight)| weight * of(place))
            .sum()
    }

    /// Of a weekday's level, by what of its own was not kept.
    pub fn shrinkage_variance(&self, weekday: u8) -> f64 {
        self.own.variance * (1.0 - self.own.shrinkage[usize::from(weekday)])
    }

    /// Variance between weekdays by the method of moments (DerSimonian and Laird, 1986).
    fn own_levels(&self, points: &[Point]) -> Own {
        let weights: Vec<f64> = (0..7).map(|weekday| self.precision_of(|day| day == weekday)).collect();
        let present = weights.iter().filter(|weight| **weight > 0.0).count();
        let windows = self.precision.iter().filter(|precision| **precision > 0.0).count();
        let classes = if self.split { 2 } else { 1 };
        if windows < 2 * present || present <= classes {
            return Own::default();
        }
        let (mut squares, mut scale) = (0.0, 0.0);
        for weekday in (0..7u8).filter(|weekday| weights[usize::from(*weekday)] > 0.0) {
            let sum = |belongs: &dyn Fn(u8) -> bool| -> f64 {
                let of_them = points.iter().zip(&self.precision).filter(|(point, _)| belongs(point.weekday));
                of_them.map(|(point, precision)| precision * point.value).sum()
            };
            let (own, class) = (weights[usize::from(weekday)], self.precision_of(|day| self.same_class(day, weekday)));
            let apart = sum(&|day| day == weekday) / own - sum(&|day| self.same_class(day, weekday)) / class;
            squares += own * apart * apart;
            scale += own * (1.0 - own / class);
        }
        let variance = ((squares - (present - classes) as f64) / scale.max(1e-12)).max(0.0);
        let mut shrinkage = [0.0; 7];
        for (held, weight) in shrinkage.iter_mut().zip(weights) {
            *held = variance * weight / (1.0 + variance * weight);
        }
        Own { variance, shrinkage }
    }

    /// Gives the spread as if no window resembled another, too: by the other, which is wide where that is in doubt, incidents
    /// would pass.
    fn estimate_spread(&mut self, points: &[Point], residuals: &[Residual]) -> f64 {
        let kept: Vec<(u16, Residual)> = points
            .iter()
            .zip(residuals)
            .zip(&self.kept)
            .filter(|(_, kept)| **kept)
            .map(|((point, residual), _)| (point.days_back, *residual))
            .collect();
        let standard: Vec<(u16, f64)> =
            kept.iter().map(|(day, residual)| (*day, residual.standard(self.spread))).collect();
        let memory = memory(&standard);
        let windows = kept.len() as f64;
        self.parameters = if self.split { 2.0 } else { 1.0 };
        for weekday in 0..7u8 {
            let class = self.precision_of(|day| self.same_class(day, weekday));
            let share = self.precision_of(|day| day == weekday) / class.max(1e-12);
            self.parameters += self.own.shrinkage[usize::from(weekday)] * (1.0 - share);
        }
        self.widening = (1.0 + memory) / (1.0 - memory);
        self.df = ((windows - self.parameters) * (1.0 - memory * memory) / (1.0 + memory * memory)).max(1.0);
        let residuals: Vec<Residual> = kept.into_iter().map(|(_, residual)| residual).collect();
        self.spread = by_moments(&residuals, self.freedom());
        by_moments(&residuals, (windows - self.parameters).max(1.0))
    }

    /// What the squares of the kept windows' residuals add up to, in their variances.
    pub fn freedom(&self) -> f64 {
        let windows = self.kept.iter().filter(|kept| **kept).count() as f64;
        (windows - self.widening * self.parameters).max(windows / 4.0)
    }
}
