//! The program from the outside, without a cluster: bad input, exit codes, and what it says.

mod api;
mod input;
mod program;
mod quickstart;
mod rules;
