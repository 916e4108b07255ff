//! JSON Schema as tables for people.

use serde_json::{Map, Value};

use super::{super::json::prose, lower, rows};

/// Types that have a section of their own, in its order.
const SECTIONS: &[&str] = &[
    "Cursor",
    "Resume",
    "Limits",
    "User",
    "Device",
    "DeviceClass",
    "Session",
    "SessionEnd",
    "EndReason",
    "Room",
    "RoomKind",
    "Role",
    "Marker",
    "Preview",
    "PublicRoom",
    "Member",
    "TimelineItem",
    "Recalled",
    "Draft",
    "Presence",
    "PresenceState",
    "Invite",
    "ActivityDay",
    "ActiveRoom",
    "ActivePerson",
    "SignInWay",
    "SessionPolicy",
    "SessionScope",
    "PasswordRules",
    "ErrorObject",
    "ErrorData",
    "Problem",
];

/// The schema of every type.
pub(super) struct Schemas(Map<String, Value>);

impl Schemas {
    pub(super) fn new(schemas: Map<String, Value>) -> Self {
        Self(schemas)
    }

    fn schema(&self, name: &str) -> &Value {
        self.0.get(name).unwrap_or_else(|| panic!("{name} is not in types.rs"))
    }

    /// The variants of an enum by the word in their `tag`.
    pub(super) fn variants<'a>(
        &'a self,
        name: &str,
        tag: &'a str,
    ) -> impl Iterator<Item = (&'a str, &'a Value)> {
        let variants = self.schema(name)["oneOf"].as_array().into_iter().flatten();
        variants.filter_map(move |variant| Some((variant["properties"][tag]["const"].as_str()?, variant)))
    }

    /// What a word of an enum means.
    pub(super) fn word(&self, name: &str, word: &str) -> String {
        let words = self.schema(name)["oneOf"].as_array().into_iter().flatten();
        let mut words = words.filter(|known| known["const"] == word);
        words.next().and_then(|known| known["description"].as_str()).map(prose).unwrap_or_default()
    }

    /// The fields of params, of a result or of a body, to stand after its title; one or two need no table.
    pub(super) fn inline(&self, name: &str) -> String {
        if SECTIONS.contains(&name) {
            return format!(": {}.\n", link(name));
        }
        let schema = self.schema(name);
        match fields(schema).len() {
            0 => ": an empty object.\n".to_owned(),
            1 | 2 => format!(": {}.\n", described(schema, "", "; ")),
            _ => format!("\n{}", table(schema, &[])),
        }
    }

    /// A section for each type that several others mention.
    pub(super) fn sections(&self) -> String {
        SECTIONS.iter().map(|name| self.section(name)).collect::<Vec<_>>().join("\n")
    }

    fn section(&self, name: &str) -> String {
        let schema = self.schema(name);
        let text = schema["description"].as_str().map(prose).unwrap_or_default();
        let fields = match name {
            "TimelineItem" => {
                let of_entry = ["stream", "seq", "id", "at", "sender", "key"];
                format!("\nThe members of an [entry](#entries), and:\n{}", table(schema, &of_entry))
            }
            _ if schema["properties"].is_object() => table(schema, &[]),
            _ => words(schema),
        };
        format!("### {name}\n\n{text}\n{fields}")
    }
}

struct Field<'a> {
    name: &'a str,
    /// `?` when it may be absent.
    mark: &'static str,
    kind: String,
    text: String,
}

/// The fields of an object: those it must have in the order of the type, then the others by name.
fn fields(schema: &Value) -> Vec<Field<'_>> {
    let required: Vec<&str> =
        schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let mut optional: Vec<&str> = super::members(&schema["properties"])
        .map(|(name, _)| name.as_str())
        .filter(|name| !required.contains(name))
        .collect();
    optional.sort_unstable();
    let field = |name, mark| {
        let field = &schema["properties"][name];
        let text = field["description"].as_str().map(prose).unwrap_or_default().replace('|', "\\|");
        Field { name, mark, kind: kind(field), text }
    };
    let required = required.into_iter().map(|name| field(name, ""));
    required.chain(optional.into_iter().map(|name| field(name, "?"))).collect()
}

/// A table of the fields of an object, but for some.
fn table(schema: &Value, but: &[&str]) -> String {
    let fields = fields(schema).into_iter().filter(|field| !but.contains(&field.name));
    let row =
        |field: Field| format!("| `{}`{} | {} | {} |\n", field.name, field.mark, field.kind, field.text);
    format!("\n{}\n", rows::table(&["field", "type", "meaning"], fields.map(row)))
}

/// The fields of an object but its tag, without a table.
pub(super) fn described(schema: &Value, tag: &str, between: &str) -> String {
    let fields = fields(schema).into_iter().filter(|field| field.name != tag);
    let described =
        fields.map(|field| format!("`{}`{} ({}) {}", field.name, field.mark, field.kind, lower(&field.text)));
    described.collect::<Vec<_>>().join(between)
}

/// The words of an enum, or its variants by their tag.
fn words(schema: &Value) -> String {
    let variants = schema["oneOf"].as_array().into_iter().flatten();
    let lines = variants.map(|variant| {
        let text = variant["description"].as_str().map(prose).unwrap_or_default();
        let tag = super::members(&variant["properties"])
            .find_map(|(tag, field)| Some((tag, field["const"].as_str()?)));
        let Some((tag, word)) = tag else {
            return format!("| `{}` | {text} |\n", variant["const"].as_str().unwrap_or_default());
        };
        let own = fields(variant).into_iter().filter(|field| field.name != tag);
        let own: Vec<_> = own.map(|field| format!(" `{}`: {}", field.name, lower(&field.text))).collect();
        format!("| `{tag}`: `{word}` | {text}{} |\n", own.join(""))
    });
    format!("\n{}\n", rows::table(&["word", "meaning"], lines))
}

fn link(name: &str) -> String {
    format!("[{name}](#{})", super::anchor(name))
}

/// The type of a field, in a few words.
fn kind(schema: &Value) -> String {
    if let Some(reference) = schema["$ref"].as_str() {
        let name = reference.rsplit('/').next().unwrap_or_default();
        return match name {
            "Reason" => "[reason](#errors)".to_owned(),
            "Entry" => "[entry](#entries)".to_owned(),
            name if SECTIONS.contains(&name) => link(name),
            "StreamId" => "stream".to_owned(),
            "Seq" => "seq".to_owned(),
            "Epoch" => "epoch".to_owned(),
            name => format!("{} id", name.trim_end_matches("Id").to_lowercase()),
        };
    }
    if let Some(any) = schema["anyOf"].as_array() {
        let known = any.iter().find(|one| one["type"] != "null");
        return known.map(kind).unwrap_or_default();
    }
    let may_be_absent = schema["type"].as_array().is_some_and(|types| types.contains(&"array".into()));
    if schema["type"] == "array" || may_be_absent {
        return format!("list of {}", kind(&schema["items"]));
    }
    let values = [&schema["additionalProperties"]]
        .into_iter()
        .chain(super::members(&schema["patternProperties"]).map(|(_, v)| v));
    if let Some(values) = values.into_iter().find(|values| values.is_object()) {
        return format!("map from stream to {}", kind(values));
    }
    let plain = schema["type"].as_array().and_then(|types| types.first()).unwrap_or(&schema["type"]);
    plain.as_str().unwrap_or("any").to_owned()
}
