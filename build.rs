//! Makes cargo see a migration that was added: they are embedded from this folder.

fn main() {
    println!("cargo::rerun-if-changed=database/migrations");
}
