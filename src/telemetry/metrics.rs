//! Metrics of all rooms, read at one moment.
//!
//! In: sources, which the rooms register. Out: [`Samples`], as a tree under a Beat's names, as OpenMetrics text, or as
//! the difference to earlier samples. A metric has one name, its path in the tree; in OpenMetrics the dots become
//! underscores.

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, MetricEncoder, NoLabelSet, text};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Registry as Exposition;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::sync::{PoisonError, RwLock};

/// Adds the samples of one room, all taken at the same moment.
type SampleSource = Box<dyn Fn(&mut Samples) + Send + Sync>;

/// The sources of all metrics.
#[derive(Default)]
pub struct Registry {
    sources: RwLock<Vec<SampleSource>>,
}

impl Registry {
    /// Adds a source, which is called at each reading.
    pub fn register(&self, source: impl Fn(&mut Samples) + Send + Sync + 'static) {
        self.sources.write().unwrap_or_else(PoisonError::into_inner).push(Box::new(source));
    }

    /// Reads all metrics.
    pub fn read(&self) -> Samples {
        let mut samples = Samples::default();
        for source in self.sources.read().unwrap_or_else(PoisonError::into_inner).iter() {
            source(&mut samples);
        }
        samples
    }
}

/// Metrics at one moment.
#[derive(Debug, Clone, Default)]
pub struct Samples(Vec<Sample>);

#[derive(Debug, Clone)]
struct Sample {
    path: &'static str,
    help: &'static str,
    /// Labels with few possible values, never a resource's name.
    labels: Vec<(&'static str, String)>,
    reading: Reading,
}

#[derive(Debug, Clone, PartialEq)]
enum Reading {
    /// Never decreases.
    Counter(u64),
    Gauge(u64),
    Fraction(f64),
    Text(String),
}

impl Samples {
    /// Adds a counter: a number that never decreases.
    pub fn counter(&mut self, path: &'static str, help: &'static str, number: u64) {
        self.add(path, help, &[], Reading::Counter(number));
    }

    /// Adds a counter with labels; in the tree the labels' values are keys below `path`.
    pub fn counter_of(
        &mut self,
        path: &'static str,
        help: &'static str,
        labels: &[(&'static str, &str)],
        number: u64,
    ) {
        self.add(path, help, labels, Reading::Counter(number));
    }

    /// Adds a gauge: a number that may also decrease.
    pub fn gauge(&mut self, path: &'static str, help: &'static str, number: u64) {
        self.add(path, help, &[], Reading::Gauge(number));
    }

    /// Adds a gauge that is not a whole number.
    pub fn fraction(&mut self, path: &'static str, help: &'static str, number: f64) {
        self.add(path, help, &[], Reading::Fraction(number));
    }

    /// Adds a gauge with labels.
    pub fn gauge_of(
        &mut self,
        path: &'static str,
        help: &'static str,
        labels: &[(&'static str, &str)],
        number: u64,
    ) {
        self.add(path, help, labels, Reading::Gauge(number));
    }

    /// Adds a gauge with labels that is not a whole number.
    pub fn fraction_of(
        &mut self,
        path: &'static str,
        help: &'static str,
        labels: &[(&'static str, &str)],
        number: f64,
    ) {
        self.add(path, help, labels, Reading::Fraction(number));
    }

    /// Adds a text that is constant while the program runs.
    pub fn text(&mut self, path: &'static str, text: &str) {
        self.add(path, "", &[], Reading::Text(text.to_owned()));
    }

    fn add(
        &mut self,
        path: &'static str,
        help: &'static str,
        labels: &[(&'static str, &str)],
        reading: Reading,
    ) {
        let labels = labels.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        self.0.push(Sample { path, help, labels, reading });
    }

    /// As nested objects, one for each part of a path.
    pub fn tree(&self) -> Value {
        let mut tree = Map::new();
        for sample in &self.0 {
            let labels = sample.labels.iter().map(|(_, value)| value.as_str());
            let keys: Vec<&str> = sample.path.split('.').chain(labels).collect();
            put(&mut tree, &keys, sample.reading.json());
        }
        Value::Object(tree)
    }

    /// The metrics of a period: the increase of counters since `earlier`, and the current value of gauges, without those
    /// that are 0. Texts stay, as they identify the process.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        let before: BTreeMap<_, _> =
            earlier.0.iter().map(|sample| ((sample.path, &sample.labels), &sample.reading)).collect();
        let new = |sample: &Sample| {
            let before = before.get(&(sample.path, &sample.labels));
            let reading = match (&sample.reading, before) {
                (Reading::Counter(now), Some(Reading::Counter(then))) => {
                    Reading::Counter(now.saturating_sub(*then))
                }
                (reading, _) => reading.clone(),
            };
            let is_zero = matches!(reading, Reading::Counter(0) | Reading::Gauge(0))
                || reading == Reading::Fraction(0.0);
            (!is_zero).then(|| Sample { reading, ..sample.clone() })
        };
        Self(self.0.iter().filter_map(new).collect())
    }

    /// As OpenMetrics text, which Prometheus reads.
    pub fn openmetrics(&self) -> String {
        let mut exposition = Exposition::default();
        exposition.register_collector(Box::new(self.clone()));
        let mut out = String::new();
        // Writing to a String cannot fail.
        let _ = text::encode(&mut out, &exposition);
        out
    }
}

impl Reading {
    fn json(&self) -> Value {
        match self {
            Self::Counter(number) | Self::Gauge(number) => json!(number),
            Self::Fraction(number) => json!(number),
            Self::Text(text) => json!(text),
        }
    }

    fn encode(&self, encoder: &mut MetricEncoder<'_>) -> std::fmt::Result {
        match self {
            Self::Counter(number) => encoder.encode_counter::<NoLabelSet, _, f64>(number, None),
            Self::Gauge(number) => encoder.encode_gauge(number),
            Self::Fraction(number) => encoder.encode_gauge(number),
            // Texts are encoded as labels of an info metric, see below.
            Self::Text(_) => Ok(()),
        }
    }
}

fn put(tree: &mut Map<String, Value>, keys: &[&str], value: Value) {
    match keys {
        [] => {}
        [last] => {
            tree.insert((*last).to_owned(), value);
        }
        [first, rest @ ..] => {
            let below = tree.entry(*first).or_insert_with(|| json!({}));
            if let Value::Object(below) = below {
                put(below, rest, value);
            }
        }
    }
}

/// Each path is a metric family; the texts of one section are the labels of one info metric.
impl Collector for Samples {
    fn encode(&self, mut encoder: DescriptorEncoder) -> std::fmt::Result {
        let mut families: BTreeMap<&str, Vec<&Sample>> = BTreeMap::new();
        let mut texts: BTreeMap<&str, Vec<(&str, &str)>> = BTreeMap::new();
        for sample in &self.0 {
            match (&sample.reading, sample.path.rsplit_once('.')) {
                (Reading::Text(text), Some((section, name))) => {
                    texts.entry(section).or_default().push((name, text));
                }
                _ => families.entry(sample.path).or_default().push(sample),
            }
        }
        for (section, labels) in texts {
            let name = section.replace('.', "_");
            // The format adds this suffix.
            let name = name.strip_suffix("_info").unwrap_or(&name);
            let help = "Constant facts about the process";
            encoder.encode_descriptor(name, help, None, MetricType::Info)?.encode_info(&labels)?;
        }
        for (path, samples) in families {
            let Some(first) = samples.first() else { continue };
            let name = path.replace('.', "_");
            let (name, kind) = match first.reading {
                // The format adds this suffix.
                Reading::Counter(_) => (name.strip_suffix("_total").unwrap_or(&name), MetricType::Counter),
                _ => (name.as_str(), MetricType::Gauge),
            };
            let mut family = encoder.encode_descriptor(name, first.help, None, kind)?;
            for sample in samples {
                if sample.labels.is_empty() {
                    sample.reading.encode(&mut family)?;
                } else {
                    sample.reading.encode(&mut family.encode_family(&sample.labels)?)?;
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples(published: u64, active: u64) -> Samples {
        let registry = Registry::default();
        registry.register(|samples| samples.text("beat.info.version", "1.2.3"));
        registry.register(move |samples| {
            samples.counter("pipe.events.total", "Events", published);
            samples.gauge("pipe.events.active", "Events under way", active);
            samples.fraction_of("score", "Score", &[("benchmark", "a@1.0")], 33.3);
            samples.gauge_of("outcomes", "Outcomes", &[("benchmark", "a@1.0"), ("outcome", "passed")], 2);
            samples.gauge_of("outcomes", "Outcomes", &[("benchmark", "b\"\n"), ("outcome", "passed")], 0);
        });
        registry.read()
    }

    #[test]
    fn a_path_is_a_position_in_the_tree() {
        assert_eq!(
            samples(3, 1).tree(),
            json!({
                "beat": {"info": {"version": "1.2.3"}},
                "pipe": {"events": {"total": 3, "active": 1}},
                "score": {"a@1.0": 33.3},
                "outcomes": {"a@1.0": {"passed": 2}, "b\"\n": {"passed": 0}},
            })
        );
    }

    #[test]
    fn the_text_is_openmetrics() {
        assert_eq!(
            samples(3, 1).openmetrics(),
            "# HELP beat Constant facts about the process\n# TYPE beat info\nbeat_info{version=\"1.2.3\"} 1\n\
             # HELP outcomes Outcomes\n# TYPE outcomes gauge\n\
             outcomes{benchmark=\"a@1.0\",outcome=\"passed\"} 2\n\
             outcomes{benchmark=\"b\\\"\\n\",outcome=\"passed\"} 0\n\
             # HELP pipe_events_active Events under way\n# TYPE pipe_events_active gauge\npipe_events_active 1\n\
             # HELP pipe_events Events\n# TYPE pipe_events counter\npipe_events_total 3\n\
             # HELP score Score\n# TYPE score gauge\nscore{benchmark=\"a@1.0\"} 33.3\n# EOF\n"
        );
    }

    #[test]
    fn a_period_has_the_increase_of_counters_and_the_value_of_gauges() {
        let news = samples(5, 7).since(&samples(3, 9)).tree();
        assert_eq!(news["pipe"], json!({"events": {"total": 2, "active": 7}}));
        assert_eq!(news["beat"]["info"]["version"], "1.2.3");
        assert_eq!(news["outcomes"], json!({"a@1.0": {"passed": 2}}));
        let quiet = samples(5, 0).since(&samples(5, 0)).tree();
        assert_eq!(quiet.get("pipe"), None);
    }
}
