//! Rebuilds when `rules/` changes, because the rules are part of the binary.

fn main() {
    println!("cargo:rerun-if-changed=rules");
}
