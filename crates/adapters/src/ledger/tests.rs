//! Tests of both ledgers.

mod damage;
mod folder_kills;
mod folder_races;
mod git_damage;
mod git_errors;
mod git_kills;
mod git_races;
mod git_server;
mod port;
mod releases;
mod releases_races;
mod schedule;
mod support;
