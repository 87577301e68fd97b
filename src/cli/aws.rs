//! stub

pub(super) async fn test(_: &crate::config::Settings) -> anyhow::Result<std::process::ExitCode> {
    anyhow::bail!("stub")
}
