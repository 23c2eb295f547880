//! Money is a decimal with twelve fractional digits. Sums of it do not depend on their order.

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Neg, Sub, SubAssign};
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

pub const SCALE: u32 = 12;
const ONE: i128 = 1_000_000_000_000;

/// US dollars in units of 1e-12.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Money(pub i128);

#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum MoneyError {
    #[error("is not a decimal number")]
    Syntax,
    #[error("is out of range")]
    Range,
}

impl Money {
    pub const ZERO: Money = Money(0);

    /// Parses decimal text with an optional exponent, rounding half to even at the twelfth digit.
    pub fn parse(text: &str) -> Result<Money, MoneyError> {
        let (mantissa, exponent) = match text.find(['e', 'E']) {
            Some(at) => {
                let exponent = text[at + 1..].parse::<i32>().map_err(|_| MoneyError::Syntax)?;
                (&text[..at], exponent)
            }
            None => (text, 0),
        };
        let (negative, digits) = match mantissa.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, mantissa),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        if whole.is_empty() || !whole.bytes().chain(fraction.bytes()).all(|b| b.is_ascii_digit()) {
            return Err(MoneyError::Syntax);
        }
        let all: Vec<u8> = whole.bytes().chain(fraction.bytes()).map(|b| b - b'0').collect();
        let point = whole.len() as i64 + i64::from(exponent);
        let units = scaled(&all, point + i64::from(SCALE))?;
        Ok(Money(if negative { -units } else { units }))
    }

    /// `self * numerator / denominator`, rounded half to even.
    pub fn ratio(self, numerator: i128, denominator: i128) -> Option<Money> {
        Some(Money(div_half_even(self.0.checked_mul(numerator)?, denominator)))
    }
}

/// The integer made of the first `keep` digits (zeros appended where there are fewer), the rest rounded half to even.
fn scaled(digits: &[u8], keep: i64) -> Result<i128, MoneyError> {
    let significant = digits.iter().position(|d| *d != 0).unwrap_or(digits.len()) as i64;
    if significant == digits.len() as i64 || keep < significant {
        return Ok(0);
    }
    if keep - significant > 36 {
        return Err(MoneyError::Range);
    }
    let keep = keep as usize;
    let mut units: i128 = 0;
    for at in 0..keep {
        units = units * 10 + i128::from(digits.get(at).copied().unwrap_or(0));
    }
    if let Some((next, rest)) = digits.get(keep..).and_then(<[u8]>::split_first) {
        let tail = rest.iter().any(|d| *d != 0);
        if *next > 5 || (*next == 5 && (tail || units % 2 == 1)) {
            units += 1;
        }
    }
    Ok(units)
}

fn div_half_even(value: i128, by: i128) -> i128 {
    let (quotient, rest) = (value.div_euclid(by), value.rem_euclid(by));
    let twice = rest * 2;
    if twice > by || (twice == by && quotient % 2 != 0) { quotient + 1 } else { quotient }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let magnitude = self.0.unsigned_abs();
        let (whole, fraction) = (magnitude / ONE as u128, magnitude % ONE as u128);
        if self.0 < 0 {
            f.write_str("-")?;
        }
        if fraction == 0 {
            return write!(f, "{whole}");
        }
        let digits = format!("{fraction:012}");
        write!(f, "{whole}.{}", digits.trim_end_matches('0'))
    }
}

impl FromStr for Money {
    type Err = MoneyError;
    fn from_str(text: &str) -> Result<Self, MoneyError> {
        Money::parse(text)
    }
}

// Avro's decimal reads and writes as text, so that no float comes in between.
impl Serialize for Money {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Money {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        Money::parse(&text).map_err(de::Error::custom)
    }
}

impl Add for Money {
    type Output = Money;
    fn add(self, other: Money) -> Money {
        Money(self.0 + other.0)
    }
}
impl Sub for Money {
    type Output = Money;
    fn sub(self, other: Money) -> Money {
        Money(self.0 - other.0)
    }
}
impl Neg for Money {
    type Output = Money;
    fn neg(self) -> Money {
        Money(-self.0)
    }
}
impl AddAssign for Money {
    fn add_assign(&mut self, other: Money) {
        self.0 += other.0;
    }
}
impl SubAssign for Money {
    fn sub_assign(&mut self, other: Money) {
        self.0 -= other.0;
    }
}
impl Sum for Money {
    fn sum<I: Iterator<Item = Money>>(iter: I) -> Money {
        iter.fold(Money::ZERO, Add::add)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_what_clients_send() {
        for (text, units) in [
            ("0", 0),
            ("4.8e-06", 4_800_000),
            ("1", ONE),
            ("0.1", ONE / 10),
            ("12.50", 12 * ONE + ONE / 2),
            ("1E2", 100 * ONE),
            ("-0.5", -ONE / 2),
            ("0.0000000000005", 0),
            ("0.0000000000015", 2),
            ("0.00000000000051", 1),
            ("1e-400", 0),
        ] {
            assert_eq!(Money::parse(text), Ok(Money(units)), "{text}");
        }
        assert_eq!(Money::parse("1e60"), Err(MoneyError::Range));
        for bad in ["", "-", ".", "1.2.3", "NaN", "1e", "0x1", "１"] {
            assert_eq!(Money::parse(bad), Err(MoneyError::Syntax), "{bad}");
        }
    }

    #[test]
    fn shows_the_shortest_text() {
        assert_eq!(Money(4_800_000).to_string(), "0.0000048");
        assert_eq!(Money(-ONE - 1).to_string(), "-1.000000000001");
        assert_eq!(Money(7 * ONE).to_string(), "7");
    }

    #[test]
    fn ratio_rounds_half_to_even() {
        assert_eq!(Money(5).ratio(1, 2), Some(Money(2)));
        assert_eq!(Money(15).ratio(1, 10), Some(Money(2)));
        assert_eq!(Money(25).ratio(1, 10), Some(Money(2)));
        assert_eq!(Money(i128::MAX).ratio(2, 1), None);
    }
}
