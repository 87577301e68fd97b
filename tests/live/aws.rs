//! AWS as the test bed has it: the emulator that its part `aws` runs, with a seed, behind a front.
//!
//! ```ignore
//! let aws = Aws::take();                                  // one test at a time; the seed, and nothing refused
//! aws.front.deny(["ecr:DescribeRepositories"]);           // from now on these, and no others
//! aws.front.throttle("eks:ListClusters", 2);              // its first two calls
//! aws.front.page(1);                                      // every list in pages of one
//! aws.front.extras(|extras| extras.cluster(HOME, "good")["cluster"]["version"] = "1.29".into());
//! let eks = aws_sdk_eks::Client::new(&aws.change(HOME));  // past the front, to change what there is
//! bed.posturebeat(&["scan"]).envs(aws.environment());     // the program asks the front
//! aws.front.calls()["eks:DescribeCluster"];               // how often, by IAM action
//! aws.front.keys("eks:DescribeCluster");                  // and by whom
//! ```
//!
//! [`seed`] says what there is. The front lets only reads pass, so the emulator is filled once and after each test that
//! asked for [`Aws::change`]. A test that takes the bed too takes the bed first.

mod busy;
mod calls;
mod credentials;
mod denied;
mod found;
mod front;
mod judged;
mod objects;
mod outcomes;
mod outside;
mod plain;
mod planted;
mod seed;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_types::SdkConfig;
use aws_types::region::Region;
use std::collections::BTreeMap;
use std::future::Future;
use std::sync::{Mutex, MutexGuard, PoisonError};

use front::{Extras, Front};
use seed::{HOME, Seed};

/// One emulator, so one test at a time. With what is in it, unless that was changed.
static LOCK: Mutex<Option<Planted>> = Mutex::new(None);

const KEY_ID: &str = "test";
const SECRET: &str = "secret-of-the-test-bed";

#[derive(Clone)]
struct Planted {
    seed: Seed,
    /// What the front has to add.
    extras: Extras,
}

pub struct Aws {
    planted: MutexGuard<'static, Option<Planted>>,
    /// What clients talk to.
    pub front: Front,
    /// What there is, as far as its names are not known beforehand.
    pub seed: Seed,
    emulator: String,
    runtime: tokio::runtime::Runtime,
}

impl Aws {
    /// The emulator with nothing but the seed, and a new front. Waits for other tests.
    pub fn take() -> Self {
        let mut planted = LOCK.lock().unwrap_or_else(PoisonError::into_inner);
        let emulator = crate::bed::env("TESTBED_AWS_URL");
        // The front runs on threads of its own, so a test may wait for a program that asks it.
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let Planted { seed, extras } = match planted.clone() {
            Some(there) => there,
            None => planted.insert(runtime.block_on(seed::plant(&emulator))).clone(),
        };
        let front = runtime.block_on(Front::start(&emulator, extras));
        Self { planted, front, seed, emulator, runtime }
    }

    /// What a program that is to ask the front has in its environment.
    pub fn environment(&self) -> BTreeMap<&'static str, String> {
        [
            ("AWS_ENDPOINT_URL", self.front.url()),
            ("AWS_ACCESS_KEY_ID", KEY_ID),
            ("AWS_SECRET_ACCESS_KEY", SECRET),
            ("AWS_REGION", HOME),
            ("AWS_EC2_METADATA_DISABLED", "true"),
        ]
        .map(|(name, value)| (name, value.to_owned()))
        .into()
    }

    /// A client's configuration with that environment, which asks once and never again.
    pub fn config(&self, region: &str) -> SdkConfig {
        let environment = self.environment();
        let once = aws_config::retry::RetryConfig::disabled();
        config(&environment["AWS_ENDPOINT_URL"], region).to_builder().retry_config(once).build()
    }

    /// A client's configuration that goes past the front, to change what there is until the test's end.
    pub fn change(&mut self, region: &str) -> SdkConfig {
        *self.planted = None;
        config(&self.emulator, region)
    }

    /// Waits for answers.
    pub fn block_on<T>(&self, answer: impl Future<Output = T>) -> T {
        self.runtime.block_on(answer)
    }
}

/// How clients reach `url` as if it were AWS.
fn config(url: &str, region: &str) -> SdkConfig {
    let credentials = Credentials::new(KEY_ID, SECRET, None, None, "test");
    SdkConfig::builder()
        .behavior_version(aws_config::BehaviorVersion::latest())
        .endpoint_url(url)
        .region(Region::new(region.to_owned()))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .build()
}
