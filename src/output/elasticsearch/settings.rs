//! The settings of `output.elasticsearch`, checked.

use secrecy::SecretString;
use std::time::Duration;

use super::{ElasticsearchForm, ElasticsearchOutput};
use crate::config::OutputForm as _;
use crate::output::{Delivery, Output, OutputError, OutputSettings, Tls};

/// The settings.
#[derive(Debug, Clone)]
pub struct ElasticsearchSettings {
    /// Complete URLs, with scheme and port.
    pub hosts: Vec<String>,
    /// The credentials.
    pub auth: Auth,
    /// TLS.
    pub tls: Tls,
    /// Gzip level, 0 (off) to 9.
    pub compression_level: u32,
    /// The most events in one bulk request.
    pub bulk_max_size: usize,
    /// The longest that one request may take.
    pub timeout: Duration,
    /// The first wait before a retry.
    pub backoff_init: Duration,
    /// The longest wait.
    pub backoff_max: Duration,
}

/// The credentials of requests.
#[derive(Debug, Clone)]
pub enum Auth {
    /// None.
    Anonymous,
    /// User and password.
    Basic {
        /// The user.
        username: String,
        /// The password.
        password: SecretString,
    },
    /// `id:key`, as Beats write it; it is sent in base64.
    ApiKey(SecretString),
}

impl OutputSettings for ElasticsearchSettings {
    fn name(&self) -> &'static str {
        ElasticsearchForm::NAME
    }

    /// Each event has an id that it is created under, so order does not matter and halves are as good as a whole.
    fn delivery(&self) -> Delivery {
        Delivery {
            batch_events: self.bulk_max_size,
            backoff_init: self.backoff_init,
            backoff_max: self.backoff_max,
            durable: true,
            concurrent: true,
            splits_batches: true,
        }
    }

    fn build(&self) -> Result<Box<dyn Output>, OutputError> {
        Ok(Box::new(ElasticsearchOutput::new(self)?))
    }

    fn template_target(&self) -> Option<&ElasticsearchSettings> {
        Some(self)
    }
}
