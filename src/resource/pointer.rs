//! Values by their place, for what is done to every object.

use serde_json::Value;

/// What is at `/metadata/name`. As [`Value::pointer`], which allocates twice for each key, but without its escapes: a key
/// with a slash or a tilde cannot be named.
pub fn at<'v>(value: &'v Value, pointer: &str) -> Option<&'v Value> {
    pointer.strip_prefix('/')?.split('/').try_fold(value, |value, key| match value {
        Value::Object(map) => map.get(key),
        Value::Array(elements) => elements.get(key.parse::<usize>().ok()?),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_value_is_found_as_by_a_json_pointer() {
        let value = json!({"a": {"b": [1, {"c": null}]}, "": 2});
        for pointer in ["/a", "/a/b", "/a/b/0", "/a/b/1/c", "/a/b/2", "/a/b/x", "/a/c", "/", "a", "/a/b/0/c"]
        {
            assert_eq!(at(&value, pointer), value.pointer(pointer), "{pointer}");
        }
    }
}
