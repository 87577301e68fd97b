//! `posturebeat.compat`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::form::{Checker, SectionForm};
use crate::config::mistake::Mistake;

/// How findings differ for readers that only know Elastic's own shipper.
pub(in crate::config) struct CompatSettings {
    pub agent_type: String,
    pub shared_aws_resource_id: bool,
}

/// The section as written.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(in crate::config) struct CompatForm {
    /// `agent.type` of the findings: `posturebeat` or `cloudbeat`.
    pub agent_type: AgentType,
    /// Give all load balancers of a cluster the same `resource.id`, and likewise all repositories and so on, as
    /// Elastic's own shipper does. Readers then keep one of them for each rule.
    pub shared_aws_resource_id: bool,
}

/// `agent.type`.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(in crate::config) enum AgentType {
    #[default]
    Posturebeat,
    Cloudbeat,
}

impl SectionForm for CompatForm {
    type Settings = CompatSettings;

    fn check(self, _: &Checker<'_>) -> Result<CompatSettings, Mistake> {
        let agent_type = match self.agent_type {
            AgentType::Posturebeat => "posturebeat",
            AgentType::Cloudbeat => "cloudbeat",
        };
        let shared_aws_resource_id = self.shared_aws_resource_id;
        Ok(CompatSettings { agent_type: agent_type.to_owned(), shared_aws_resource_id })
    }
}
