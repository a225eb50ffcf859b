//! What the macros and the container's traits refuse, and in which words.

#[test]
fn what_cannot_be_taken_is_refused_in_words_that_say_what_to_write() {
    trybuild::TestCases::new().compile_fail("tests/compile_fail/*.rs");
}
