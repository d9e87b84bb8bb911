//! Drives the real executable against real files, real git and real local servers, with a scrubbed environment.

mod browser;
mod calibrate;
mod ci;
mod compare;
mod configuration;
mod git;
mod hostile;
mod html;
mod init;
mod interrupt;
mod judges;
mod large;
mod layering;
mod looks;
mod never_green;
mod offline;
mod pace;
mod plan;
mod policy_from;
mod readme;
mod schemas;
mod servers;
mod shards;
mod store;
mod support;
mod wire;
