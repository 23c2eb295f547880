//! How many frames a connection may send: a bucket that fills with time.

use std::time::Instant;

use runtime::Settings;

pub struct Rate {
    per_second: f64,
    most: f64,
    left: f64,
    at: Instant,
}

impl Rate {
    pub fn new(settings: &Settings) -> Rate {
        let most = f64::from(settings.rate_live_burst);
        Rate { per_second: f64::from(settings.rate_live_frames_per_second), most, left: most, at: Instant::now() }
    }

    /// Whether one more is allowed at this moment.
    pub fn allows(&mut self, now: Instant) -> bool {
        self.left = (self.left + now.duration_since(self.at).as_secs_f64() * self.per_second).min(self.most);
        self.at = now;
        let allowed = self.left >= 1.0;
        if allowed {
            self.left -= 1.0;
        }
        allowed
    }

    pub fn refusal(&self) -> String {
        format!("Rate limit of {} frames a second reached: the frame is not recorded", self.per_second)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_burst_then_the_rate() {
        let settings = Settings { rate_live_frames_per_second: 10, rate_live_burst: 3, ..Settings::default() };
        let mut rate = Rate::new(&settings);
        let start = rate.at;
        let mut allowed = |ms| rate.allows(start + Duration::from_millis(ms));
        assert_eq!([0, 0, 0, 0].map(&mut allowed), [true, true, true, false]);
        assert_eq!([99, 101, 110, 202].map(&mut allowed), [false, true, false, true]);
        assert!(rate.refusal().contains("Rate limit"));
    }
}
