//! `/proc/<pid>/stat` and `status`, under the names that findings have for them.
//!
//! In: the two texts. Out: the map `stat` of a process's document, every value a string.

use serde_json::{Map, Value};

/// The kernel counts a process's start in ticks of 10 ms on every architecture that Kubernetes runs on.
const TICKS_PER_SECOND: u64 = 100;

/// The kernel's data about a process.
#[derive(Debug, Clone, Default)]
pub(crate) struct ProcStat {
    /// Its name in the kernel, at most 15 characters; the process can change it.
    pub name: String,
    /// Its start, in ticks since boot.
    pub start_ticks: u64,
    /// Real and effective user.
    pub users: Option<(u32, u32)>,
    /// The process that started it.
    pub parent: Option<u32>,
    fields: Vec<(&'static str, String)>,
}

impl ProcStat {
    /// Reads both texts; `None` if `stat` has another form.
    pub(crate) fn parse(stat: &str, status: &str) -> Option<Self> {
        // The name may hold spaces and parentheses; it ends at the last parenthesis.
        let (head, tail) = stat.rsplit_once(')')?;
        let (_, name) = head.split_once('(')?;
        let values: Vec<&str> = tail.split_whitespace().collect();
        // Fields are counted from 3, the state, as in proc(5).
        let field = |number: usize| values.get(number - 3).map(|value| (*value).to_owned());
        let start_ticks = field(22)?.parse().ok()?;
        let numbers = [
            ("State", 3),
            ("Parent", 4),
            ("Group", 5),
            ("UserTime", 14),
            ("SystemTime", 15),
            ("Nice", 19),
            ("Threads", 20),
            ("StartTime", 22),
        ];
        let mut fields = Vec::new();
        for (key, number) in numbers {
            fields.push((key, field(number)?));
        }
        let ids = |key: &str| -> Vec<&str> {
            line(status, key).map(|line| line.split_whitespace().collect()).unwrap_or_default()
        };
        let (users, groups) = (ids("Uid:"), ids("Gid:"));
        for (position, user, group) in
            [(0, "RealUID", "RealGID"), (1, "EffectiveUID", "EffectiveGID"), (2, "SavedUID", "SavedGID")]
        {
            fields.push((user, users.get(position).copied().unwrap_or_default().to_owned()));
            fields.push((group, groups.get(position).copied().unwrap_or_default().to_owned()));
        }
        for (key, source) in [("ResidentSize", "VmRSS:"), ("TotalSize", "VmSize:")] {
            let kilobytes = line(status, source).and_then(|line| line.split_whitespace().next());
            fields.push((key, kilobytes.map(|number| format!("{number}000")).unwrap_or_default()));
        }
        let user = |position: usize| users.get(position)?.parse().ok();
        let parent = field(4).and_then(|parent| parent.parse().ok());
        Some(Self { name: name.to_owned(), start_ticks, users: user(0).zip(user(1)), parent, fields })
    }

    /// The map `stat` of a process's document.
    pub(crate) fn document(&self) -> Map<String, Value> {
        let mut map = Map::new();
        map.insert("Name".to_owned(), self.name.clone().into());
        map.extend(self.fields.iter().map(|(key, value)| ((*key).to_owned(), value.clone().into())));
        map
    }

    /// Its start time, given the boot time in Unix seconds.
    pub(crate) fn started(&self, boot: i64) -> Option<jiff::Timestamp> {
        let since_boot = jiff::SignedDuration::from_millis(
            i64::try_from(self.start_ticks).ok()?.checked_mul(1000 / TICKS_PER_SECOND.cast_signed())?,
        );
        jiff::Timestamp::from_second(boot).ok()?.checked_add(since_boot).ok()
    }
}

/// The boot time in the text of `/proc/stat`, in Unix seconds.
pub(crate) fn boot_time(text: &str) -> Option<i64> {
    line(text, "btime")?.trim().parse().ok()
}

/// A time in the format of documents: UTC with milliseconds.
pub(crate) fn timestamp(time: jiff::Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string()
}

fn line<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    text.lines().find_map(|line| line.strip_prefix(key))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const STAT: &str =
        "4138 (etcd) 1) S 3903 4137 4138 0 -1 4194560 9041 0 0 0 166 95 0 0 20 -5 9 0 175022 1 2";
    const STATUS: &str =
        "Name:\tetcd\nUid:\t0\t1\t2\t3\nGid:\t10\t11\t12\t13\nVmSize:\t11839320 kB\nVmRSS:\t   52124 kB\n";

    #[test]
    fn both_texts_become_strings_under_the_usual_names() {
        let stat = ProcStat::parse(STAT, STATUS).unwrap();
        assert_eq!(stat.name, "etcd) 1");
        assert_eq!(stat.users, Some((0, 1)));
        assert_eq!(
            Value::Object(stat.document()),
            serde_json::json!({
                "Name": "etcd) 1", "State": "S", "Parent": "3903", "Group": "4137", "Nice": "-5", "Threads": "9",
                "UserTime": "166", "SystemTime": "95", "StartTime": "175022",
                "RealUID": "0", "EffectiveUID": "1", "SavedUID": "2",
                "RealGID": "10", "EffectiveGID": "11", "SavedGID": "12",
                "ResidentSize": "52124000", "TotalSize": "11839320000"
            })
        );
    }

    #[test]
    fn the_start_counts_from_boot() {
        let boot = boot_time("cpu  1 2 3\nbtime 1700000000\nprocesses 5\n").unwrap();
        let started = ProcStat::parse(STAT, STATUS).unwrap().started(boot).unwrap();
        assert_eq!(timestamp(started), "2023-11-14T22:42:30.220Z");
    }

    proptest! {
        #[test]
        fn any_text_is_read(stat in "(\\PC|[ ()0-9]){0,120}", status in "(\\PC|[\t\n:]|Uid:){0,60}") {
            if let Some(stat) = ProcStat::parse(&stat, &status) {
                stat.started(i64::MAX);
            }
        }
    }
}
