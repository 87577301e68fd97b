//! The program from the outside, without a cluster: bad input, exit codes, and what it says.

#![allow(unreachable_pub, reason = "a test binary exports nothing, and its modules share by `pub`")]
#![allow(clippy::unwrap_used, reason = "a test ends where something is not as it must be")]

mod api;
mod applied;
mod blanked;
mod delivered;
mod exceptions;
mod input;
mod keystore;
mod manifests;
mod monitoring;
mod output;
mod parts;
mod program;
mod quickstart;
mod rules;
mod scale;
