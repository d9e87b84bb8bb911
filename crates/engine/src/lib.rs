//! What calls models through the ports: judges, calibration, and the evaluation of a suite look by look.

pub mod calibrate;
pub mod engine;
pub mod evaluate;
pub mod judge;
