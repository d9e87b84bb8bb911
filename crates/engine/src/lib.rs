//! Everything that calls models through the ports: judges, calibration, and the evaluation of a suite.

pub mod calibrate;
pub mod evaluate;
pub mod execute;
pub mod judge;
