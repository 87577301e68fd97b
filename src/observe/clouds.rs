//! The clouds of this build.

use crate::collect::cloud::{CloudProvider, Env};
use crate::config::Aws;
use crate::resource::Gap;

/// The cloud that managed clusters are looked up in, by its section of the configuration.
#[cfg(feature = "aws")]
#[allow(clippy::unnecessary_wraps, reason = "a build without this cloud has none to give")]
pub(crate) fn configured(aws: &Aws, env: Env<'_>) -> Result<Box<dyn CloudProvider>, Gap> {
    Ok(Box::new(crate::collect::aws::AwsProvider::new(aws, env)))
}

/// The cloud that managed clusters are looked up in: this build has none.
#[cfg(not(feature = "aws"))]
pub(crate) fn configured(_: &Aws, _: Env<'_>) -> Result<Box<dyn CloudProvider>, Gap> {
    let what = "this build has no AWS support; use a build with the `aws` feature";
    Err(Gap::new(crate::resource::Reason::Missing, what))
}
