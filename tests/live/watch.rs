//! What is found between two sweeps, on real API servers: how soon, that nothing is lost, and what it costs.
//!
//! In: changes of objects, API servers that go away, forget or refuse. Out: the findings of a running posturebeat, as
//! lines of a file. The period is an hour, so whatever comes after the first sweep comes from the watch.

mod asked;
mod delays;
mod findings;
mod losses;
mod objects;
mod refusal;
