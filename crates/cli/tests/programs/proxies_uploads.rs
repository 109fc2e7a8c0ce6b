//! Uploads with the program `upload` to the program `serve` through real proxies. A test is skipped if
//! its proxy is not installed, except in CI.

use std::fs;
use std::net::SocketAddr;

use bits_proto_test_tools::interop::{self, Area};

use crate::application::{Application, COPY, response};
use crate::proxy::*;
use crate::proxy_client::*;
use crate::server::Server;
use crate::uploader::{Folder, upload};

/// Starts a proxy before `serve`, with the settings of the guide and these changes.
fn start(software: &Software, server: &Server, changes: &[(&str, &str)]) -> Option<Proxy> {
    Proxy::start(software, server.address, &software.settings(changes))
}

/// Uploads through a proxy, with fragments that exceed default limits and with a reply.
#[track_caller]
fn assert_uploads(software: &Software) {
    let application = Application::start(|_, notification| {
        response("200 OK", COPY, &format!("received {} bytes", notification.entity.len()))
    });
    let server = Server::start(&["--notify", &application.url]);
    let Some(proxy) = start(software, &server, &[]) else { return };
    let folder = Folder::new(5_000_000);
    let out = folder.path("out");
    let url = format!("http://{}/e", proxy.address);
    let ended = upload(&folder.file(), &url, &[&"--fragment-size", &"2M", &"--reply", &out]);
    ended.expect(0, &[]);
    assert!(!ended.output.contains("retrying"), "{}", ended.output);
    assert!(server.entity("e") == folder.bytes);
    assert_eq!(fs::read(&out).expect("the reply"), b"received 5000000 bytes");
    // The server knows the URL that the client used.
    assert_eq!(application.notification().url, url);
    assert_refuses_a_fragment(proxy.address);
    assert_accepts_packets_without_a_length(proxy.address);
    server.assert_clean();
    record(
        software,
        "upload of 5,000,000 bytes with a reply, and packets without Content-Length",
        &[&ended.command],
        "entity and reply are identical; no request is repeated",
    );
}

/// Records what was tried with a proxy.
#[track_caller]
fn record(software: &Software, action: &str, commands: &[&str], result: &str) {
    let proxy = software.command_line();
    let commands = [&[&*proxy], commands].concat();
    interop::record(Area::Proxies, software.name, action, &commands, result);
}

/// Creates a session with a request without Content-Length. Returns the field with its id.
#[track_caller]
fn create(proxy: SocketAddr) -> String {
    let created = talk(proxy, &head("/f", CREATE), b"");
    assert_eq!(created.status(), "200", "{created:?}");
    format!("BITS-Session-Id: {}\r\n", created.field("BITS-Session-Id").expect("an id"))
}

/// Sends a packet without Content-Length.
#[track_caller]
fn send(proxy: SocketAddr, packet_type: &str, session: &str) {
    let packet = head("/f", &format!("BITS-Packet-Type: {packet_type}\r\n{session}"));
    let granted = talk(proxy, &packet, b"");
    assert_eq!(granted.status(), "200", "{packet_type}: {granted:?}");
}

#[track_caller]
fn assert_accepts_packets_without_a_length(proxy: SocketAddr) {
    send(proxy, "Ping", "");
    send(proxy, "Close-Session", &create(proxy));
}

/// A fragment after a gap is refused while its body arrives.
#[track_caller]
fn assert_refuses_a_fragment(proxy: SocketAddr) {
    let session = create(proxy);
    let range = "Content-Range: bytes 500-3000499/4000000\r\nContent-Length: 3000000\r\n";
    let fragment = head("/f", &format!("BITS-Packet-Type: Fragment\r\n{session}{range}"));
    let refused = talk(proxy, &fragment, &[7; 3_000_000]);
    assert_eq!(refused.status(), "416", "{refused:?}");
    assert_eq!(refused.field("BITS-Received-Content-Range"), Some("0"), "{refused:?}");
    send(proxy, "Cancel-Session", &session);
}

/// Otherwise a client could choose the URL that the application receives.
#[test]
fn forwarded_fields_of_clients_do_not_reach_the_application() {
    for software in [&NGINX, &HAPROXY, &CADDY] {
        let application = Application::start(|_, _| response("200 OK", "", ""));
        let server = Server::start(&["--notify", &application.url]);
        let Some(proxy) = start(software, &server, &[]) else { continue };
        let forged = "X-Forwarded-Host: evil.example\r\nX-Forwarded-Proto: https\r\n\
                      X-Forwarded-Prefix: /evil\r\nForwarded: host=evil.example;proto=https\r\n";
        let ask = |fields: &str, body: &[u8]| {
            let fields = format!("{forged}{fields}Content-Length: {}\r\n", body.len());
            let granted = talk(proxy.address, &head("/e", &fields), body);
            assert_eq!(granted.status(), "200", "{granted:?}");
            granted
        };
        let created = ask(CREATE, b"");
        let id = created.field("BITS-Session-Id").expect("an id");
        let range = "Content-Range: bytes 0-2/3\r\n";
        ask(&format!("BITS-Packet-Type: Fragment\r\nBITS-Session-Id: {id}\r\n{range}"), b"abc");
        let url = application.notification().url;
        assert_eq!(url, "http://uploads.example/e", "{}", software.name);
        record(
            software,
            "upload with forged Forwarded and X-Forwarded fields",
            &[],
            "application receives the URL of the client",
        );
    }
}

/// Without `client_max_body_size`, nginx rejects fragments beyond 1 MiB.
#[test]
fn fragments_shrink_below_the_limit_of_nginx() {
    let server = Server::start(&[]);
    let no_limit = ("client_max_body_size 0;", "");
    let Some(proxy) = start(&NGINX, &server, &[no_limit]) else { return };
    let folder = Folder::new(5_000_000);
    let url = format!("http://{}/e", proxy.address);
    let ended = upload(&folder.file(), &url, &[&"--fragment-size", &"3M"]);
    ended.expect(0, &[]);
    assert!(server.entity("e") == folder.bytes);
    assert!(server.log().contains("fragment stored first=0 bytes=750000"), "{}", server.log());
    server.assert_clean();
    record(
        &NGINX,
        "upload in fragments of 3 MB with the default of client_max_body_size",
        &[&ended.command],
        "413; bits upload reduces the fragments to 750,000 bytes; entity is identical",
    );
}

/// Without `proxy_http_version`, nginx sends HTTP/1.0 to the server.
#[test]
fn the_log_of_the_server_names_http_1_0_of_nginx() {
    let server = Server::start(&[]);
    let version = ("proxy_http_version 1.1;", "");
    let Some(proxy) = start(&NGINX, &server, &[version]) else { return };
    let url = format!("http://{}/e", proxy.address);
    let ended = upload(&Folder::new(1000).file(), &url, &[]);
    ended.expect(1, &["status 400 Bad Request", "considers the request invalid"]);
    let reason = "reason=\"invalid\" detail=expected HTTP/1.1, received \"HTTP/1.0\"";
    let line = server.log().lines().find(|line| line.contains(reason)).map(str::to_owned);
    let line = line.unwrap_or_else(|| panic!("{}", server.log()));
    assert!(line.contains(" INFO "), "hidden by default: {line}");
    record(
        &NGINX,
        "upload without proxy_http_version, which nginx forwards as HTTP/1.0",
        &[&ended.command],
        "400; the log of the server names the reason",
    );
}

#[test]
fn upload_reports_that_lighttpd_rejects_the_method() {
    let server = Server::start(&[]);
    let Some(proxy) = start(&LIGHTTPD, &server, &[]) else { return };
    let url = format!("http://{}/e", proxy.address);
    let ended = upload(&Folder::new(1000).file(), &url, &[]);
    ended.expect(
        1,
        &["status 501 Not Implemented", "no proxy before it rejects the method BITS_POST"],
    );
    assert!(!server.path("e").exists());
    record(
        &LIGHTTPD,
        "upload",
        &[&ended.command],
        "501; bits upload reports that a proxy rejects the method BITS_POST",
    );
}

#[test]
fn lighttpd_forwards_post_with_the_field_of_the_method() {
    let server = Server::start(&["--lenient"]);
    let Some(proxy) = start(&LIGHTTPD, &server, &[]) else { return };
    let ask = |fields: &str, body: &[u8]| {
        let length = body.len();
        let method = "X-HTTP-Method-Override: BITS_POST\r\n";
        let head = head("/e", &format!("{fields}{method}Content-Length: {length}\r\n"));
        let head = head.replace("BITS_POST /e ", "POST /e ");
        let granted = talk(proxy.address, &head, body);
        assert_eq!(granted.status(), "200", "{granted:?}");
        granted
    };
    let created = ask(CREATE, b"");
    let id = created.field("BITS-Session-Id").expect("an id");
    let packet = |kind: &str| format!("BITS-Packet-Type: {kind}\r\nBITS-Session-Id: {id}\r\n");
    let bytes = vec![7; 2_000_000];
    ask(&(packet("Fragment") + "Content-Range: bytes 0-1999999/2000000\r\n"), &bytes);
    ask(&packet("Close-Session"), b"");
    assert!(server.entity("e") == bytes);
    server.assert_clean();
    record(
        &LIGHTTPD,
        "upload with POST and X-HTTP-Method-Override to bits serve --lenient",
        &[],
        "entity is identical",
    );
}

/// Caddy answers a request for a host that it does not know with an empty 200.
#[test]
fn upload_does_not_take_an_empty_200_of_caddy_for_success() {
    let server = Server::start(&[]);
    let other = "http://other.example:@PORT@ {";
    let Some(proxy) = start(&CADDY, &server, &[(":@PORT@ {", other)]) else { return };
    let url = format!("http://{}/e", proxy.address);
    let ended = upload(&Folder::new(1000).file(), &url, &[&"--retries", &"0"]);
    ended.expect(1, &["without BITS-Packet-Type", "Check that the URL belongs to a BITS server"]);
    record(
        &CADDY,
        "upload to a host without a site, which receives an empty 200",
        &[&ended.command],
        "bits upload fails, because the response is not from a BITS server",
    );
}

/// Clients send the whole URL to a forward proxy.
#[test]
fn squid_forwards_packets_between_the_clients_and_the_internet() {
    let server = Server::start(&[]);
    let settings = "http_port @LISTEN@\nhttp_access allow all\ncache deny all\n";
    let Some(proxy) = Proxy::start(&SQUID, server.address, settings) else { return };
    let target = format!("http://{}/e", server.address);
    let ask = |fields: &str, body: &[u8]| {
        let granted = talk(proxy.address, &head(&target, fields), body);
        assert_eq!(granted.status(), "200", "{granted:?}");
        granted
    };
    let created = ask(CREATE, b"");
    let id = created.field("BITS-Session-Id").expect("an id");
    let packet = |kind: &str| format!("BITS-Packet-Type: {kind}\r\nBITS-Session-Id: {id}\r\n");
    let range = "Content-Range: bytes 0-1999999/2000000\r\nContent-Length: 2000000\r\n";
    let bytes = vec![7; 2_000_000];
    ask(&(packet("Fragment") + range), &bytes);
    ask(&packet("Close-Session"), b"");
    assert!(server.entity("e") == bytes);
    server.assert_clean();
    record(&SQUID, "upload through a forward proxy", &[], "entity is identical");
}

#[test]
fn uploads_pass_nginx() {
    assert_uploads(&NGINX);
}

#[test]
fn uploads_pass_haproxy() {
    assert_uploads(&HAPROXY);
}

#[test]
fn uploads_pass_apache() {
    assert_uploads(&APACHE);
}

#[test]
fn uploads_pass_caddy() {
    assert_uploads(&CADDY);
}

#[test]
fn uploads_pass_squid() {
    assert_uploads(&SQUID);
}

#[test]
fn uploads_pass_varnish() {
    assert_uploads(&VARNISH);
}
