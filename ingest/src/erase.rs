//! Placeholder until the eraser lands in this session.
