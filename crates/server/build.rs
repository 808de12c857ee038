//! The folders whose files are embedded must exist before anything compiles, if only empty.

fn main() {
    for folder in ["../../console/dist", "../../sdk/js/dist"] {
        // Without the folder the derive fails with a message that names no cure; with an empty one the server says
        // itself how the console is built.
        if let Err(error) = std::fs::create_dir_all(folder) {
            println!("cargo::error=cannot make {folder}: {error}");
        }
        println!("cargo::rerun-if-changed={folder}");
    }
}
