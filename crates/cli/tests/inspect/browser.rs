//! Chromium shows the page as intended: text, geometry, colours, keyboard, and no request. The tests take
//! about 20 seconds, most of which Chromium needs to start.

use std::collections::BTreeSet;
use std::path::PathBuf;

use crate::support::browser::{Browser, Key};
use crate::support::dialogues::{fragment, fragment_ack};
use crate::support::inspector::{inspect, json_lines, repository};
use crate::support::page_checks::{FAINT, OVERFLOWING, WRONG_ARROWS};
use serde_json::{Value, json};

/// Widths of a phone, a tablet and a desktop.
const WIDTHS: [u32; 3] = [360, 820, 1280];

/// Writes the page of some inputs and opens it.
fn open(browser: &Browser, inputs: &[&str]) -> PathBuf {
    let page = browser.file("page.html");
    let arguments = ["--html", page.to_str().expect("UTF-8")];
    let output = inspect("captures", &[&arguments, inputs].concat(), b"");
    assert!(page.exists(), "{output:?}");
    browser.open(&page);
    page
}

/// Writes messages to a file and opens its page.
fn open_messages(browser: &Browser, name: &str, messages: &[u8]) {
    let input = browser.file(name);
    std::fs::write(&input, messages).expect("a file");
    open(browser, &[input.to_str().expect("UTF-8")]);
}

/// Returns the result of a script as a list of strings.
#[track_caller]
fn list(browser: &Browser, script: &str) -> Vec<String> {
    let values = browser.run(script);
    let values = values.as_array().expect("a list").iter();
    values.map(|value| value.as_str().expect("a string").to_owned()).collect()
}

#[track_caller]
fn assert_is_quiet(browser: &Browser, page: &std::path::Path) {
    assert_eq!(browser.console(), [""; 0]);
    let url = url::Url::from_file_path(page).expect("a path");
    let requests = browser.requests().into_iter().filter(|it| !it.starts_with("data:"));
    assert_eq!(requests.collect::<BTreeSet<_>>(), BTreeSet::from([url.to_string()]));
}

#[test]
fn arrows_connect_the_lifelines_at_all_widths() {
    let Some(browser) = Browser::start() else { return };
    let inputs = [
        "upload.pcap",
        "faults.pcapng",
        "../vectors/notify-by-value.http",
        "../vectors/upload-reply.http",
    ];
    let page = open(&browser, &inputs);
    for width in WIDTHS {
        browser.resize(width, 900);
        assert_eq!(list(&browser, WRONG_ARROWS), [""; 0], "{width}");
        assert_eq!(list(&browser, OVERFLOWING), [""; 0], "{width}");
        browser.run("document.querySelectorAll('details').forEach((it) => it.open = true)");
        assert_eq!(list(&browser, OVERFLOWING), [""; 0], "{width} with details");
        browser.run("document.querySelectorAll('details').forEach((it) => it.open = false)");
    }
    // Requests point from the client to the server, responses back, notifications to the application.
    let directions =
        "return [...document.querySelectorAll('.arrow')].map((it) => it.innerText.split(':')[0])";
    let directions: BTreeSet<_> = list(&browser, directions).into_iter().collect();
    let expected =
        ["client to server", "server to client", "server to application", "application to server"];
    assert_eq!(directions, BTreeSet::from(expected.map(str::to_owned)));
    assert!(
        browser.run("return document.querySelectorAll('.arrow.cut').length").as_u64() > Some(0)
    );
    assert_is_quiet(&browser, &page);
}

#[test]
fn each_message_shows_the_values_of_json() {
    let Some(browser) = Browser::start() else { return };
    for input in ["upload.pcap", "faults.pcapng", "../vectors/upload-reply.http"] {
        open(&browser, &[input]);
        browser.run("document.querySelectorAll('details').forEach((it) => it.open = true)");
        let shown = browser.run(
            "return [...document.querySelectorAll('.message')].map((row) => ({
               index: row.querySelector('.no').innerText,
               verdict: row.querySelector('.verdict').innerText,
               values: Object.fromEntries([...row.querySelectorAll('.values tr')].map((tr) =>
                 [tr.querySelector('th').innerText, tr.querySelector('td').innerText]))}))
             .sort((a, b) => a.index.slice(1) - b.index.slice(1))",
        );
        let reports = json_lines(&inspect("captures", &["--json", input], b""));
        let expected: Vec<_> = reports.iter().map(values).collect();
        assert_eq!(shown, json!(expected), "{input}");
    }
}

/// Returns the values of a message that the page shows.
fn values(report: &Value) -> Value {
    let mut values = serde_json::Map::new();
    let elsewhere = ["file", "index", "fields", "violations", "deviations"];
    for (key, value) in report["fields"].as_object().expect("fields") {
        values.insert(key.clone(), json!(text(value)));
    }
    for (key, value) in report.as_object().expect("an object") {
        match value {
            _ if elsewhere.contains(&key.as_str()) || value.is_null() => {}
            Value::Object(object) => {
                let inner = object.iter().filter(|(_, value)| !value.is_null());
                values.extend(
                    inner.map(|(inner, value)| (format!("{key}.{inner}"), json!(text(value)))),
                );
            }
            value => drop(values.insert(key.clone(), json!(text(value)))),
        }
    }
    json!({ "index": format!("#{}", report["index"]), "verdict": report["verdict"], "values": values })
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(values) => values.iter().map(text).collect::<Vec<_>>().join(", "),
        value => value.to_string(),
    }
}

/// Returns the ids of the open details.
fn opened(browser: &Browser) -> Vec<String> {
    list(browser, "return [...document.querySelectorAll('details[open] .more')].map((it) => it.id)")
}

#[test]
fn details_open_by_click_by_key_and_by_link() {
    let Some(browser) = Browser::start() else { return };
    open(&browser, &["upload.pcap", "../vectors/pairs/received-beyond-sent.http"]);
    browser.resize(1280, 700);
    assert_eq!(opened(&browser), [""; 0]);
    let summary = "li:has(#f0-m1) summary";
    assert!(browser.text(summary).contains("session created"), "{}", browser.text(summary));
    browser.click(summary);
    assert_eq!(opened(&browser), ["f0-m1"]);
    assert!(browser.text("#f0-m1").contains("{5E8ABDC0-FCA4-4220-9050-5F6EEE510925}"));
    browser.click(summary);
    assert_eq!(opened(&browser), [""; 0]);
    // The details can be reached and opened with the keyboard.
    browser.run("document.querySelector('li:has(#f0-m1) summary').focus()");
    browser.press(":focus", Key::Tab);
    browser.press(":focus", Key::Enter);
    assert_eq!(opened(&browser), ["f0-m2"]);
    browser.press(":focus", Key::Space);
    assert_eq!(opened(&browser), [""; 0]);
    // The link of a rule opens the details, in the visible part of the page.
    browser.click("#f1 .violations a");
    assert_eq!(opened(&browser), ["f1-m1"]);
    assert!(browser.text("#f1-m1").contains("MUST received-beyond-sent"));
    let place = "const rect = document.querySelector('#f1-m1').getBoundingClientRect();
                 const names = document.querySelector('#f1 .parties').getBoundingClientRect();
                 return rect.top >= names.bottom && rect.bottom <= innerHeight";
    assert_eq!(browser.run(place), true);
}

#[test]
fn messages_without_violations_can_be_hidden() {
    let Some(browser) = Browser::start() else { return };
    open(&browser, &["../vectors/pairs/received-beyond-sent.http"]);
    let shown =
        "return [...document.querySelectorAll('.message')].filter((it) => it.checkVisibility())
                 .map((it) => it.querySelector('.no').innerText)";
    assert_eq!(list(&browser, shown), ["#0", "#1"]);
    browser.click(".filter label");
    assert_eq!(list(&browser, shown), ["#1"]);
    browser.press("#only", Key::Space);
    assert_eq!(list(&browser, shown), ["#0", "#1"]);
}

#[test]
fn messages_are_distinguished_by_lines_and_colours() {
    let Some(browser) = Browser::start() else { return };
    let skipped = browser.file("skipped.http");
    std::fs::write(&skipped, [b"garbage\n", &fragment(0, 1, 1)[..], b"x"].concat())
        .expect("a file");
    open(&browser, &["faults.pcapng", skipped.to_str().expect("UTF-8")]);
    let line = |class: &str| {
        let style = "return getComputedStyle(document.querySelector";
        let of = |property| {
            let value = browser.run(&format!("{style}('{class} .line')).borderTop{property}"));
            value.as_str().expect("a value").to_owned()
        };
        [of("Style"), of("Color")]
    };
    let [whole, right] = line(".message:not(.bad) .right.whole");
    let [repeated, same] = line(".message:not(.bad) .right.repeated");
    let [cut, red] = line(".bad .cut");
    assert_eq!([&whole, &repeated, &cut], ["solid", "dashed", "solid"]);
    assert_eq!(line(".skipped")[0], "dotted");
    assert_eq!(right, same);
    let [_, left] = line(".message:not(.bad) .left.whole");
    assert!(left != right && red != left && red != right, "{left} {right} {red}");
    let back = |selector: &str| {
        browser.run(&format!(
            "return getComputedStyle(document.querySelector('{selector}')).backgroundColor"
        ))
    };
    assert_ne!(back(".bad summary"), back(".message:not(.bad) summary"));
    assert_ne!(back(".violations .chip.must"), back(".chip.ok"));
    browser.prefer("dark");
    let axis = "return getComputedStyle(document.querySelector('.plot polyline')).stroke";
    assert_ne!(browser.run(axis), "rgb(0, 0, 0)");
}

#[test]
fn hostile_text_is_shown_and_not_interpreted() {
    let Some(browser) = Browser::start() else { return };
    let hostile = "<script>hacked=1</script><img/src=x/onerror=hacked=1>";
    let bidi = "\u{202E}\u{2066}\u{061C}";
    let mut messages = format!(
        "BITS_POST /{hostile} HTTP/1.1\r\nBITS-Packet-Type: Create-Session\r\nContent-Name: {hostile}{bidi}\r\n\
         BITS-Session-Id: {hostile}\r\nContent-Length: 0\r\n\r\nHTTP/1.1 200 {hostile}\r\nContent-Length: 0\r\n\r\n"
    )
    .into_bytes();
    messages.extend(
        b"BITS_POST /\xFF HTTP/1.1\r\nBITS-Packet-Type: Ping\r\nContent-Name: \xFF\xFE<b>\r\n\r\n",
    );
    messages.extend(b"\xFF\x00<svg onload=hacked=1>");
    let name = "<img src=x onerror=hacked=1>\u{202E}&quot;.http";
    open_messages(&browser, name, &messages);
    browser.run("document.querySelectorAll('details').forEach((it) => it.open = true)");
    let elements =
        "return document.querySelectorAll('script, img, b b, li svg, iframe, object').length";
    assert_eq!(browser.run(elements), 0);
    assert_eq!(browser.run("return typeof hacked"), "undefined");
    assert!(browser.text("h1").contains("<img src=x onerror=hacked=1>\u{FFFD}&quot;.http"));
    assert!(
        browser.text("#f0-m0").contains(&format!("content_name {hostile}\u{FFFD}\u{FFFD}\u{FFFD}"))
    );
    assert!(browser.text("main").contains("<svg onload=hacked=1>"));
    for width in WIDTHS {
        browser.resize(width, 900);
        assert_eq!(list(&browser, OVERFLOWING), [""; 0], "{width}");
    }
    assert_eq!(browser.console(), [""; 0]);
    assert!(
        browser.requests().iter().all(|url| url.starts_with("file:") || url.starts_with("data:"))
    );
}

#[test]
fn long_captures_stay_usable() {
    let Some(browser) = Browser::start() else { return };
    let count = 1500;
    let messages = (0..count).flat_map(|first| {
        [[fragment(first, 1, count), b"x".to_vec()].concat(), fragment_ack(first + 1)]
    });
    open_messages(&browser, "long.http", &messages.collect::<Vec<_>>().concat());
    assert_eq!(browser.run("return document.querySelectorAll('.message').length"), 2000);
    assert_eq!(
        browser.text(".gap"),
        "1000 messages between #1990 and #2989 are left out of this page"
    );
    assert_eq!(list(&browser, WRONG_ARROWS), [""; 0]);
    // The plot covers all messages, and the last one can be opened.
    assert!(browser.text(".plot").contains("1.5 kB"), "{}", browser.text(".plot"));
    browser.click("li:has(#f0-m2999) summary");
    assert_eq!(opened(&browser), ["f0-m2999"]);
}

/// The picture of the README and of `docs/INSPECT.md`. After a change of the page:
///
/// ```sh
/// BITS_BLESS=1 cargo test -p bits-cli --all-features --test inspect picture
/// ```
#[test]
fn the_picture_of_the_page_is_small() {
    let path = repository().join("docs/inspect.png");
    if std::env::var_os("BITS_BLESS").is_some() {
        let browser = Browser::start().expect("Chromium and chromedriver");
        open(&browser, &["faults.pcapng"]);
        browser.resize(1080, 1840);
        std::fs::write(&path, browser.screenshot()).expect("a picture");
    }
    let picture = std::fs::read(path).expect("docs/inspect.png");
    assert!(picture.starts_with(b"\x89PNG") && picture.len() < 300_000, "{} bytes", picture.len());
    let width = picture[16..20].iter().fold(0, |width, byte| width << 8 | u32::from(*byte));
    assert_eq!(width, 1080);
}

#[test]
fn the_checks_notice_requests_errors_and_misplaced_elements() {
    let Some(browser) = Browser::start() else { return };
    let page = browser.file("wrong.html");
    let wrong = "<!DOCTYPE html><title>x</title><style>body { background: #fff; color: #999 }</style>
        <script>console.error('noticed')</script><img src=missing.png alt=x>
        <p style='width: 200vw'>wide</p>
        <div class=ladder><div class=lifelines><div class=lane style='position: relative'>
        <i class=client style='position: absolute; left: 0'></i>
        <i class=server style='position: absolute; left: 300px'></i></div></div>
        <span class='arrow right client-server' style='display: block; width: 200px; position: relative'>
        <span class=label>label</span><i class=line style='display: block; height: 2px'></i></span></div>";
    std::fs::write(&page, wrong).expect("a page");
    browser.open(&page);
    assert!(browser.console().iter().any(|message| message.contains("noticed")));
    assert!(browser.requests().iter().any(|url| url.ends_with("missing.png")));
    assert_eq!(list(&browser, WRONG_ARROWS).len(), 1);
    assert!(list(&browser, OVERFLOWING).len() >= 2);
    assert!(!list(&browser, FAINT).is_empty());
}

#[test]
fn the_page_is_readable_in_light_and_dark_mode() {
    let Some(browser) = Browser::start() else { return };
    let page = open(
        &browser,
        &["faults.pcapng", "../vectors/pairs/received-beyond-sent.http", "missing.http"],
    );
    browser.run("document.querySelectorAll('details').forEach((it) => it.open = true)");
    let mut backgrounds = BTreeSet::new();
    for scheme in ["light", "dark"] {
        browser.prefer(scheme);
        assert_eq!(list(&browser, FAINT), [""; 0], "{scheme}");
        let background = browser.run("return getComputedStyle(document.body).backgroundColor");
        backgrounds.insert(background.to_string());
    }
    assert_eq!(backgrounds.len(), 2);
    assert_is_quiet(&browser, &page);
}
