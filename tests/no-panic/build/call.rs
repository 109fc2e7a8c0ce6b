//! Code that calls a function with arguments of concrete types.

use crate::snapshot::Function;

/// Generic parameters: a part of the path of a function, the parameter, and the types in its place.
const PARAMETERS: [(&str, &str, &[&str]); 14] = [
    (
        "http1::Head::",
        "L",
        &["bits_proto::http1::RequestLine<'_>", "bits_proto::http1::StatusLine<'_>"],
    ),
    ("http1::Head", "V", &["bits_proto::message::Fields<'_>", "bits_proto::download::Fields<'_>"]),
    ("", "N", &["64"]),
    ("download::Download", "R", &["crate::types::Ranges"]),
    ("download::Download", "P", &["crate::types::Sources"]),
    ("message::Extras", "S", &["crate::types::ExtrasBytes"]),
    ("server::Sessions::", "S", &["crate::types::OneRecord"]),
    ("state_machine::IllegalEvent", "S", &["bits_proto::server::State"]),
    ("state_machine::IllegalEvent", "M", &["bits_proto::server::State"]),
    ("http1::Progress", "T", &["usize"]),
    ("deviation::Deviation", "T", &["bits_proto::deviation::Deviations"]),
    ("deviation::Deviation", "I", &["crate::types::DeviationIter"]),
    ("server::Step", "A", &["bits_proto::message::Ack<'_>"]),
    ("server::SessionsError", "E", &["core::convert::Infallible"]),
];

/// Arguments of any type that implements a trait, and the type in its place.
const IMPLEMENTED: [(&str, &str); 9] = [
    (
        "impl core::iter::traits::collect::IntoIterator<Item = (&'b str, &'b [u8])> + core::clone::Clone",
        "crate::types::Fields<'_>",
    ),
    (
        "impl core::iter::traits::collect::IntoIterator<Item = (&'b str, &'b [u8])>",
        "crate::types::Fields<'_>",
    ),
    ("impl core::iter::traits::collect::IntoIterator<Item = (N, V)>", "crate::types::Fields<'_>"),
    ("impl bits_proto::message::ExtrasStorage", "crate::types::ExtrasBytes"),
    ("impl core::convert::AsRef<str>", "&str"),
    ("impl core::convert::AsRef<[u8]>", "&[u8]"),
    ("impl bytes::buf::buf_mut::BufMut", "&mut [u8]"),
    ("impl bits_proto::http1::HttpRequest", "http::request::Parts"),
    ("impl bits_proto::http1::HttpResponse", "http::response::Parts"),
];

/// Arguments that are closures, and the function that is passed.
const CLOSURES: [(&str, &str); 4] = [
    ("impl core::ops::function::FnMut(bits_proto::error::Error)", "consume"),
    ("impl core::ops::function::FnMut(bits_proto::observer::Violation)", "consume"),
    ("impl core::ops::function::FnMut(&str, &[u8])", "|name, value| consume((name, value))"),
    ("impl core::ops::function::FnOnce() -> [u8; 16]", "|| core::hint::black_box([0; 16])"),
];

/// Private modules in the paths of traits, and the modules that export them.
const MODULES: [(&str, &str); 7] = [
    ("core::num::nonzero::", "core::num::"),
    ("core::iter::traits::iterator::", "core::iter::"),
    ("core::iter::traits::collect::", "core::iter::"),
    ("core::iter::traits::exact_size::", "core::iter::"),
    ("core::ops::bit::", "core::ops::"),
    ("core::ops::arith::", "core::ops::"),
    ("core::str::traits::", "core::str::"),
];

/// Returns closures that call the function with a tuple of its arguments, one for each choice of types.
pub fn closures(function: &Function<'_>) -> Vec<String> {
    let mut closures = vec![closure(function)];
    let path = function.path();
    for (part, parameter, types) in PARAMETERS {
        if path.contains(part) {
            closures = closures.iter().flat_map(|code| replace(code, parameter, types)).collect();
        }
    }
    closures
}

fn closure(function: &Function<'_>) -> String {
    let (mut patterns, mut types, mut arguments) = (String::new(), String::new(), String::new());
    for (index, argument) in function.arguments.iter().enumerate() {
        if let Some((_, closure)) = CLOSURES.iter().find(|(of, _)| of == argument) {
            arguments += &format!("{closure}, ");
            continue;
        }
        let is_generic =
            argument.contains("impl ") || argument.ends_with(", N>") || *argument == "I";
        let concrete =
            IMPLEMENTED.iter().fold(argument.to_string(), |it, (from, to)| it.replace(from, to));
        patterns += &format!("a{index}, ");
        arguments += &format!("a{index}, ");
        types += &format!("{}, ", if is_generic { &concrete } else { "_" });
    }
    let is_module = function.owner.rsplit("::").next().is_some_and(|last| {
        last.starts_with(|first: char| first.is_ascii_lowercase()) && function.owner.contains("::")
    });
    let path = match (function.of_trait, is_module) {
        (Some(of_trait), _) => format!("<{} as {of_trait}>::{}", function.owner, function.name),
        (None, true) => format!("{}::{}", function.owner, function.name),
        (None, false) => format!("<{}>::{}", function.owner, function.name),
    };
    // Iterators without a name are consumed.
    let consume = match function.output {
        output if output.starts_with("impl ") => ".count()",
        output if output.contains("<impl ") => ".into_iter().flatten().count()",
        _ => "",
    };
    let code = format!("|({patterns}): ({types})| {path}({arguments}){consume}");
    MODULES.iter().fold(without_lifetimes(&code), |code, (from, to)| code.replace(from, to))
}

/// Replaces the names of lifetimes, so that they are inferred.
fn without_lifetimes(code: &str) -> String {
    let mut parts = code.split('\'');
    let mut inferred = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let rest =
            part.trim_start_matches(|letter: char| letter.is_ascii_alphanumeric() || letter == '_');
        inferred += "'_";
        inferred += rest;
    }
    inferred
}

/// Replaces a generic parameter with each of the types.
fn replace(code: &str, parameter: &str, types: &[&str]) -> Vec<String> {
    let is_word = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    let is_parameter = |at: usize| {
        !code[..at].ends_with(is_word) && !code[at + parameter.len()..].starts_with(is_word)
    };
    let places: Vec<_> =
        code.match_indices(parameter).map(|(at, _)| at).filter(|at| is_parameter(*at)).collect();
    if places.is_empty() {
        return vec![code.to_owned()];
    }
    let with = |concrete: &&str| {
        let mut replaced = code.to_owned();
        for at in places.iter().rev() {
            replaced.replace_range(*at..at + parameter.len(), concrete);
        }
        replaced
    };
    types.iter().map(with).collect()
}
