//! One struct for validation and its JSON schema: schemars reads garde's attributes.

use garde::Validate;
use schemars::JsonSchema;
use serde_json::json;

#[derive(JsonSchema, Validate)]
struct NewShip {
    #[garde(length(min = 1, max = 100))]
    name: String,
    #[garde(email)]
    owner: String,
    #[garde(range(min = 1, max = 500))]
    crew: u16,
}

#[test]
fn a_schema_has_what_validation_demands() {
    let schema = schemars::schema_for!(NewShip).to_value();
    let properties = &schema["properties"];
    assert_eq!((&properties["name"]["minLength"], &properties["name"]["maxLength"]), (&json!(1), &json!(100)));
    assert_eq!(properties["owner"]["format"], "email");
    assert_eq!((&properties["crew"]["minimum"], &properties["crew"]["maximum"]), (&json!(1), &json!(500)));
}
