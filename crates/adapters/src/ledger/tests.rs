//! Tests of both ledgers.

mod damage;
mod folder_kills;
mod folder_races;
mod port;
mod schedule;
mod support;
