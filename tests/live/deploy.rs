//! What `deploy/` says, as a real API server takes it: every overlay, and the chart with every switch.
//!
//! In: the renderings of [`render`]. Out: that they are accepted and ask for no more than is said, that Helm and kustomize
//! mean the same, that the program takes each configuration, and that it finds nothing wrong with itself that is not
//! stated.

mod agree;
mod chart;
mod least;
mod narrow;
mod own_posture;
mod pods;
mod render;
mod settings;
