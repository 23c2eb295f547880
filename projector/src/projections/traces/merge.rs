//! Fields merge by phase, then by log order: what an ended phase said is not replaced by a started one.

use schemas::events::{PayloadField, Phase};

/// One bit a field in `ended_mask`: an ended phase has said it. The numbers are stored; they never change their meaning.
pub mod bit {
    pub const STATUS: u32 = 1 << 0;
    pub const STARTED_AT: u32 = 1 << 1;
    pub const ENDED_AT: u32 = 1 << 2;
    pub const DURATION: u32 = 1 << 3;
    pub const TOKENS: u32 = 1 << 4;
    pub const COST: u32 = 1 << 5;
    pub const LOSSY: u32 = 1 << 6;
    pub const NAME: u32 = 1 << 7;
    pub const SESSION: u32 = 1 << 8;
    pub const USER: u32 = 1 << 9;
    pub const PROJECT: u32 = 1 << 10;
    pub const ENVIRONMENT: u32 = 1 << 11;
    pub const TAGS: u32 = 1 << 12;
    pub const PARENT: u32 = 1 << 13;
    pub const SPAN_TYPE: u32 = 1 << 14;
    pub const MODEL: u32 = 1 << 15;
    pub const INPUT_TOKENS: u32 = 1 << 16;
    pub const OUTPUT_TOKENS: u32 = 1 << 17;
    pub const AGENT: u32 = 1 << 18;
    pub const PARENT_AGENT: u32 = 1 << 19;
    pub const AGENT_ROLE: u32 = 1 << 20;
    pub const CELLS: u32 = 21;
    pub const CACHE_READ_TOKENS: u32 = 1 << 27;
    pub const CACHE_WRITE_TOKENS: u32 = 1 << 28;
    pub const REASONING_TOKENS: u32 = 1 << 29;
}

pub fn cell_bit(field: PayloadField) -> u32 {
    let place = match field {
        PayloadField::Input => 0,
        PayloadField::Output => 1,
        PayloadField::Error => 2,
        PayloadField::Metadata => 3,
        PayloadField::TokenIds => 4,
        PayloadField::Logprobs => 5,
    };
    1 << (bit::CELLS + place)
}

/// The merging of one event into one row.
pub struct Merge<'a> {
    pub mask: &'a mut u32,
    pub phase: Phase,
}

impl Merge<'_> {
    /// Whether a value of this event counts for the field; an ended phase claims it.
    pub fn accepts(&mut self, bit: u32) -> bool {
        match self.phase {
            Phase::Ended => {
                *self.mask |= bit;
                true
            }
            Phase::Started => *self.mask & bit == 0,
        }
    }

    pub fn set<T>(&mut self, bit: u32, slot: &mut T, value: Option<T>) {
        if let Some(value) = value
            && self.accepts(bit)
        {
            *slot = value;
        }
    }

    pub fn set_some<T>(&mut self, bit: u32, slot: &mut Option<T>, value: Option<T>) {
        if value.is_some() && self.accepts(bit) {
            *slot = value;
        }
    }
}
