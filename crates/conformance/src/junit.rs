//! Reports for CI systems.

use std::io;

use quick_xml::Writer;
use quick_xml::events::BytesText;

use crate::{CaseReport, Report, Verdict};

impl Report {
    /// Returns the report in the XML format of `JUnit`, which CI systems read. A suite is an area, and the
    /// evidence is the text of a failure.
    ///
    /// # Errors
    ///
    /// None in practice: the output is memory.
    pub fn to_junit(&self) -> io::Result<String> {
        let mut writer = Writer::new_with_indent(Vec::new(), b' ', 2);
        let count = |is: fn(&CaseReport) -> bool| self.cases.iter().filter(|it| is(it)).count();
        writer
            .create_element("testsuites")
            .with_attribute(("name", self.peer.as_str()))
            .with_attribute(("tests", self.cases.len().to_string().as_str()))
            .with_attribute(("failures", count(|it| it.verdict.is_fail()).to_string().as_str()))
            .write_inner_content(|writer| {
                for cases in self.cases.chunk_by(|a, b| a.case.area() == b.case.area()) {
                    write_suite(writer, cases)?;
                }
                Ok(())
            })?;
        Ok(String::from_utf8_lossy(&writer.into_inner()).into_owned())
    }
}

fn write_suite(writer: &mut Writer<Vec<u8>>, cases: &[CaseReport]) -> io::Result<()> {
    let name = cases.first().map_or("", |first| first.case.area());
    let failures = cases.iter().filter(|it| it.verdict.is_fail()).count();
    let skipped = cases
        .iter()
        .filter(|it| matches!(it.verdict, Verdict::Skipped(_) | Verdict::NotApplicable(_)));
    writer
        .create_element("testsuite")
        .with_attribute(("name", name))
        .with_attribute(("tests", cases.len().to_string().as_str()))
        .with_attribute(("failures", failures.to_string().as_str()))
        .with_attribute(("skipped", skipped.count().to_string().as_str()))
        .write_inner_content(|writer| {
            cases.iter().try_for_each(|report| write_case(writer, report))
        })?;
    Ok(())
}

fn write_case(writer: &mut Writer<Vec<u8>>, report: &CaseReport) -> io::Result<()> {
    let element = writer
        .create_element("testcase")
        .with_attribute(("name", report.case.id))
        .with_attribute(("classname", report.case.level.name()));
    match &report.verdict {
        Verdict::Pass => element.write_empty()?,
        Verdict::Fail(reason) => element.write_inner_content(|writer| {
            writer
                .create_element("failure")
                .with_attribute(("message", reason.as_str()))
                .write_text_content(BytesText::new(&details(report)))?;
            Ok(())
        })?,
        Verdict::Skipped(reason) | Verdict::NotApplicable(reason) => {
            element.write_inner_content(|writer| {
                writer
                    .create_element("skipped")
                    .with_attribute(("message", reason.as_str()))
                    .write_empty()?;
                Ok(())
            })?
        }
    };
    Ok(())
}

/// Returns the advice, the sections and the conversation.
fn details(report: &CaseReport) -> String {
    let mut text = format!("{}\n{}\n", report.case.advice, report.case.sections().join(", "));
    for message in &report.evidence {
        text.push_str(&format!("{message}\n"));
    }
    text
}
