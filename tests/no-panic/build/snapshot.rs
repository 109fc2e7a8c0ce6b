//! Functions in the snapshot of the public API.
//!
//! ```text
//! impl TRAIT for TYPE
//! pub fn TYPE::NAME<..>(ARGUMENT, ..) -> OUTPUT where ..
//! ```

/// A function of the public API. Types are Rust code.
pub struct Function<'a> {
    /// The line of the snapshot.
    pub line: &'a str,
    /// Type or module that the function belongs to.
    pub owner: &'a str,
    /// The trait that declares the function.
    pub of_trait: Option<&'a str>,
    pub name: &'a str,
    pub arguments: Vec<&'a str>,
    /// Empty for a function without a result.
    pub output: &'a str,
}

/// Returns the functions in the snapshot.
pub fn functions(snapshot: &str) -> Vec<Function<'_>> {
    let mut implemented = None;
    let mut functions = Vec::new();
    for line in snapshot.lines() {
        if let Some(header) = line.strip_prefix("impl") {
            implemented = trait_and_type(header);
        } else if let Some(function) = parse(line, implemented) {
            functions.push(function);
        }
    }
    functions
}

impl Function<'_> {
    /// Returns the path of the function without generic arguments.
    pub fn path(&self) -> String {
        let mut depth = 0_usize;
        let mut owner = String::new();
        for letter in self.owner.chars() {
            match letter {
                '<' => depth += 1,
                '>' => depth -= 1,
                _ if depth == 0 => owner.push(letter),
                _ => {}
            }
        }
        format!("{owner}::{}", self.name)
    }
}

/// Parses the part of a header after `impl`. Returns `None` for an implementation without a trait.
fn trait_and_type(header: &str) -> Option<(&str, &str)> {
    let is_generic = header.starts_with('<');
    let header = if is_generic { split_at(&header[1..], '>')?.1 } else { header };
    let (of_trait, of_type) = header.trim_start().split_once(" for ")?;
    Some((of_trait, of_type.split(" where ").next()?))
}

/// Parses a line. Returns `None` if it does not describe a function.
fn parse<'a>(line: &'a str, implemented: Option<(&'a str, &'a str)>) -> Option<Function<'a>> {
    let text = line.strip_prefix("pub ")?;
    let text = text.strip_prefix("const ").unwrap_or(text).strip_prefix("fn ")?;
    let (path, rest) = split_at(text, '(')?;
    let (arguments, rest) = split_at(rest, ')')?;
    let output = rest.trim().strip_prefix("-> ").unwrap_or_default();
    let (mut separator, mut from) = (None, 0);
    while let Some((before, _)) = split_at(&path[from..], ':') {
        separator = Some(from + before.len());
        from += before.len() + 2;
    }
    let (owner, name) = path.split_at(separator?);
    Some(Function {
        line,
        owner,
        of_trait: implemented
            .filter(|(_, of_type)| *of_type == owner)
            .map(|(of_trait, _)| of_trait),
        name: name[2..].split('<').next()?,
        arguments: list(arguments),
        output: output.split(" where ").next()?,
    })
}

/// Returns the parts between commas.
fn list(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some((part, after)) = split_at(rest, ',') {
        parts.push(part.trim());
        rest = after;
    }
    parts.extend(Some(rest.trim()).filter(|last| !last.is_empty()));
    parts
}

/// Splits before and after the first such character that is not inside of brackets.
fn split_at(text: &str, at: char) -> Option<(&str, &str)> {
    let mut depth = 0_usize;
    let mut previous = ' ';
    for (index, letter) in text.char_indices() {
        if letter == at && depth == 0 {
            return Some((&text[..index], &text[index + 1..]));
        }
        match letter {
            '<' | '(' | '[' => depth += 1,
            // An arrow is not a bracket.
            '>' if previous == '-' => {}
            '>' | ')' | ']' => depth = depth.checked_sub(1)?,
            _ => {}
        }
        previous = letter;
    }
    None
}
