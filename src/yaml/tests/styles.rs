//! The same value in every style that YAML has for it: comments, anchors, flow or block, and the order of keys never
//! change what is read, nor where each value is found.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use crate::yaml;

/// Choices, taken in turn; the first ones again when they have run out.
struct Style {
    choices: Vec<u8>,
    next: usize,
    /// Values with an anchor, by its number.
    anchors: Vec<Value>,
}

impl Style {
    fn pick(&mut self, of: u8) -> u8 {
        self.next += 1;
        self.choices[self.next % self.choices.len()] % of
    }

    /// A value as a node: what follows a key or a dash, up to the end of its last line.
    fn node(&mut self, value: &Value, indent: usize, flow: bool) -> String {
        if let Some(known) = self.anchors.iter().position(|known| known == value)
            && self.pick(2) == 0
        {
            return format!("*a{known} ");
        }
        let anchored = self.pick(4) == 0;
        let text = match value {
            Value::Object(map) if !map.is_empty() => self.collection(Some(map), &[], indent, flow),
            Value::Array(items) if !items.is_empty() => self.collection(None, items, indent, flow),
            Value::String(text) if self.pick(2) == 0 && !text.contains('\n') => {
                format!("'{}'", text.replace('\'', "''"))
            }
            scalar => scalar.to_string(),
        };
        if !anchored {
            return text;
        }
        self.anchors.push(value.clone());
        format!("&a{} {text}", self.anchors.len() - 1)
    }

    fn collection(
        &mut self,
        map: Option<&Map<String, Value>>,
        items: &[Value],
        indent: usize,
        flow: bool,
    ) -> String {
        let flow = flow || self.pick(2) == 0;
        let mut entries: Vec<(Option<&str>, &Value)> = match map {
            Some(map) => map.iter().map(|(key, value)| (Some(key.as_str()), value)).collect(),
            None => items.iter().map(|item| (None, item)).collect(),
        };
        if map.is_some() {
            let by = usize::from(self.pick(7)) % entries.len();
            entries.rotate_left(by);
        }
        let blank = " ".repeat(indent);
        let mut out = String::new();
        for (number, (key, value)) in entries.into_iter().enumerate() {
            let key = key.map(|key| format!("{}: ", json!(key))).unwrap_or_default();
            let comments = format!("\n{blank}# why: {{a: [b, 'c").repeat(usize::from(self.pick(4)) * 20);
            let value = self.node(value, indent + 2, flow);
            if flow {
                let comma = if number > 0 { "," } else { "" };
                out.push_str(&format!("{comma}{comments}\n{blank}{key}{value}"));
            } else {
                let dash = if map.is_none() { "- " } else { "" };
                out.push_str(&format!("{comments}\n{blank}{dash}{key}{value}"));
            }
        }
        match (flow, map.is_some()) {
            (true, true) => format!("{{{out}\n{blank}}}"),
            (true, false) => format!("[{out}\n{blank}]"),
            (false, _) => out,
        }
    }
}

fn values() -> impl Strategy<Value = Value> {
    let text = prop_oneof![
        "[a-z]{0,6}",
        Just("yes".to_owned()),
        Just("# x: \"y\"\n\té'".to_owned()),
        Just("<<".to_owned())
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        text.prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 5, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            proptest::collection::btree_map("[a-z]{1,3}", inner, 0..5)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

/// The places of all values in a document.
fn places(value: &Value, place: &[String], out: &mut Vec<Vec<String>>) {
    out.push(place.to_vec());
    let children: Vec<(String, &Value)> = match value {
        Value::Object(map) => map.iter().map(|(key, value)| (key.clone(), value)).collect(),
        Value::Array(items) => {
            items.iter().enumerate().map(|(index, item)| (index.to_string(), item)).collect()
        }
        _ => Vec::new(),
    };
    for (step, child) in children {
        places(child, &[place, &[step]].concat(), out);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn style_never_changes_what_is_read(value in values(), choices in proptest::collection::vec(any::<u8>(), 1..40)) {
        let value = json!({"root": value});
        let text = Style { choices, next: 0, anchors: Vec::new() }.node(&value, 0, false) + "\n";
        let read = yaml::from_str::<Value>(&text);
        prop_assert_eq!(read.as_ref(), Ok(&value), "{}", text);
        let own = yaml::all_of_own_str::<Value>(&text);
        prop_assert_eq!(own.as_deref(), Ok(&[value.clone()][..]), "{}", text);
        let mut all = Vec::new();
        places(&value, &[], &mut all);
        let tree = &yaml::positions(&text).unwrap()[0];
        for place in all {
            prop_assert_eq!(tree.locate(&place).1, place.len(), "{:?} in {}", place, text);
        }
    }
}
