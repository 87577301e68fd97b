//! `beat.*`: metrics of this process, as a Beat has them.

use rustix::process::{Resource, getrlimit};
use std::time::Instant;

use super::metrics::{Registry, Samples};

/// Registers the identity and the resource usage of this process.
pub fn register(registry: &Registry, version: &'static str, ephemeral_id: &str) {
    let (started, ephemeral_id) = (Instant::now(), ephemeral_id.to_owned());
    registry.register(move |samples| {
        samples.text("beat.info.name", "posturebeat");
        samples.text("beat.info.version", version);
        samples.text("beat.info.ephemeral_id", &ephemeral_id);
        let uptime = started.elapsed().as_millis() as u64;
        samples.gauge("beat.info.uptime.ms", "Uptime, in milliseconds", uptime);
        usage(samples);
        handles(samples);
    });
}

/// CPU time and memory; neither is known without `/proc`.
fn usage(samples: &mut Samples) {
    let Some(used) = std::fs::read_to_string("/proc/self/stat").ok().as_deref().and_then(parse) else {
        return;
    };
    let milliseconds = |ticks: u64| ticks * 1000 / rustix::param::clock_ticks_per_second().max(1);
    let (user, system) = (milliseconds(used.user), milliseconds(used.system));
    const HELP: &str = "CPU time, in milliseconds";
    samples.counter("beat.cpu.user.time.ms", HELP, user);
    samples.counter("beat.cpu.system.time.ms", HELP, system);
    samples.counter("beat.cpu.total.time.ms", HELP, user + system);
    // A Beat's ticks are milliseconds, and its log has the current value.
    samples.gauge("beat.cpu.user.ticks", HELP, user);
    samples.gauge("beat.cpu.system.ticks", HELP, system);
    samples.gauge("beat.cpu.total.ticks", HELP, user + system);
    samples.gauge("beat.cpu.total.value", HELP, user + system);
    let resident = used.resident_pages * rustix::param::page_size() as u64;
    samples.gauge("beat.memstats.rss", "Resident memory, in bytes", resident);
}

/// CPU time in ticks and memory in pages, from `/proc/self/stat`.
#[derive(Debug, PartialEq)]
struct ProcessUsage {
    user: u64,
    system: u64,
    resident_pages: u64,
}

/// proc(5): the fields 14, 15 and 24; the second, in parentheses, may hold blanks.
fn parse(stat: &str) -> Option<ProcessUsage> {
    let mut fields = stat.rsplit_once(')')?.1.split_ascii_whitespace().skip(11);
    let mut next = |skipped| fields.nth(skipped)?.parse().ok();
    Some(ProcessUsage { user: next(0)?, system: next(0)?, resident_pages: next(8)? })
}

fn handles(samples: &mut Samples) {
    if let Ok(open) = std::fs::read_dir("/proc/self/fd") {
        samples.gauge("beat.handles.open", "Open file descriptors", open.count() as u64);
    }
    let limit = getrlimit(Resource::Nofile);
    const HELP: &str = "Limit of open file descriptors";
    samples.gauge("beat.handles.limit.soft", HELP, limit.current.unwrap_or(u64::MAX));
    samples.gauge("beat.handles.limit.hard", HELP, limit.maximum.unwrap_or(u64::MAX));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_parentheses_and_spaces_shifts_no_field() {
        let stat =
            "7 (a) b) S 1 7 7 0 -1 4194560 1 2 3 4 140 15 6 7 20 0 4 0 99 1000 240 18446744073709551615 1";
        assert_eq!(parse(stat), Some(ProcessUsage { user: 140, system: 15, resident_pages: 240 }));
        assert_eq!(parse("7 (a) S 1"), None);
    }

    #[test]
    fn this_process_has_memory_and_files() {
        let registry = Registry::default();
        register(&registry, "1.2.3", "e");
        let tree = registry.read().tree();
        assert!(tree["beat"]["memstats"]["rss"].as_u64().unwrap() > 100_000, "{tree}");
        assert!(tree["beat"]["handles"]["open"].as_u64().unwrap() > 2, "{tree}");
        assert!(tree["beat"]["cpu"]["total"]["time"]["ms"].is_u64(), "{tree}");
        assert_eq!(tree["beat"]["info"]["version"], "1.2.3");
    }
}
