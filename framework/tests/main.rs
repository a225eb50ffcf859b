//! The toolkit's tests: one binary, a module for each part.
