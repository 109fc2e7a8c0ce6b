//! Changes the text of a source file that rustfmt has formatted.

use bits_proto_test_tools::core_sources;

use crate::edits::{Change, Edit};

pub struct Source<'f> {
    file: &'f str,
    text: String,
}

/// The parts of a function, as offsets in the text.
struct Function {
    start: usize,
    body: usize,
    end: usize,
}

impl<'f> Source<'f> {
    pub const fn new(file: &'f str, text: String) -> Self {
        Self { file, text }
    }

    pub fn into_text(self) -> String {
        self.text
    }

    /// Applies an edit. Panics if the text has changed so that it no longer applies.
    pub fn apply(&mut self, edit: &Edit) {
        if let Change::Replace(to) = edit.change {
            self.text = core_sources::replace(self.file, &self.text, edit.at, to);
            return;
        }
        let function = self.function(edit.at);
        let signature = self.text[function.start..function.body].replacen("const fn", "fn", 1);
        let body = &self.text[function.body..function.end];
        let body = match edit.change {
            Change::Runtime => body.to_string(),
            Change::Returns(expression) => {
                let returned = returned(&signature);
                // A closure, because the body may return early.
                format!("let returned: {returned} = (|| -> {returned} {{{body}}})(); {expression}")
            }
            Change::Limits(limits) => {
                limits.iter().fold(body.to_string(), |body, limit| self.limited(&body, limit))
            }
            Change::Capacity(array, limit) => {
                let slice = format!("{array}[..{}]", call(self.file, limit));
                self.replaced(body, array, &slice, |rest| {
                    array.starts_with('&') || rest.starts_with('.')
                })
            }
            Change::Replace(_) => unreachable!("handled above"),
        };
        self.text.replace_range(function.start..function.end, &(signature + &body));
    }

    fn limited(&self, body: &str, limit: &str) -> String {
        self.replaced(body, limit, &call(self.file, limit), |_| true)
    }

    /// Replaces each occurrence of an expression that is followed by a fitting text.
    fn replaced(&self, body: &str, from: &str, to: &str, fits: impl Fn(&str) -> bool) -> String {
        let is_word = |letter: char| letter.is_alphanumeric() || letter == '_';
        let (mut output, mut rest, mut count) = (String::new(), body, 0);
        while let Some(at) = rest.find(from) {
            let (before, after) = (&rest[..at], &rest[at + from.len()..]);
            output.push_str(before);
            let is_whole = !before.ends_with(is_word)
                && (!before.ends_with('.') || before.ends_with(".."))
                && !after.starts_with(is_word)
                && fits(after);
            output.push_str(if is_whole { to } else { from });
            count += u32::from(is_whole);
            rest = after;
        }
        assert!(count > 0, "{}: `{from}` does not occur", self.file);
        output + rest
    }

    /// Finds a function by its name, or by that of its type and its own: `Access::refusal`.
    fn function(&self, path: &str) -> Function {
        let (start, name) = match path.split_once("::") {
            Some((of, name)) => {
                let header = format!("impl {of} {{\n");
                (self.find(&header, 0), name)
            }
            None => (0, path),
        };
        let with = |end: &str| self.text[start..].find(&format!("fn {name}{end}"));
        let at = with("(").or_else(|| with("<"));
        let at = at.unwrap_or_else(|| panic!("{}: no function {path}", self.file)) + start;
        let line = self.text[..at].rfind('\n').map_or(0, |end| end + 1);
        let indent = self.text[line..].len() - self.text[line..].trim_start().len();
        let body = self.find("{\n", at) + 1;
        let close = format!("\n{}}}", " ".repeat(indent));
        Function { start: line, body, end: self.find(&close, body) + close.len() - 1 }
    }

    fn find(&self, text: &str, start: usize) -> usize {
        let found = self.text[start..].find(text);
        found.unwrap_or_else(|| panic!("{}: {text:?} does not occur", self.file)) + start
    }
}

/// Returns the type that a function returns.
fn returned(signature: &str) -> &str {
    let (_, returned) = signature.rsplit_once("-> ").expect("a function with a result");
    let returned = returned.split("\nwhere").next().unwrap_or(returned);
    returned.trim_end_matches('{').trim()
}

/// Returns the call that may change a limit. The name is that of the file and the field or constant.
fn call(file: &str, limit: &str) -> String {
    let name = limit.rsplit(['.', ':']).next().unwrap_or(limit);
    let file = file.trim_end_matches(".rs");
    format!("crate::mutation::limit(\"{file}::{name}\", {limit})")
}
