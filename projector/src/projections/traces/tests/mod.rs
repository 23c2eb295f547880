//! The commit protocol under attack: random histories through the real fold and the real flush, over a store that crashes
//! between any two rows, at random batch boundaries; what it then holds is compared with the reference fold. And each
//! clause taken away, to see it fail.

mod attacks;
mod compare;
mod history;
mod memory;
