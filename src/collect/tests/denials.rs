//! The promise of the whole: no refusal ever turns into a verdict, and none vanishes.
//!
//! A complete world is observed and judged by every rule: the truth. Then parts of it are refused, broken or
//! cut off, as they are in the field, and it is observed again by the same collectors. What is said then must
//! be the truth or an error ([`verdicts`]).

mod api;
mod cluster;
mod foreign;
mod host;
mod node;
mod server;
mod threads;
mod verdicts;
