//! Reverse proxies as processes on loopback, with the settings that the guide `stacks` recommends.

use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;

use bits_proto_test_tools::interop;
use tempfile::TempDir;

use crate::installed;
use crate::wait::{IO_TIMEOUT, poll};

const GUIDE: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../src/guide/stacks.md"));

/// An address at which other processes rarely use a port.
const ADDRESS: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 5);

/// User and group `nobody`. Some of the proxies do not run as root.
const NOBODY: u32 = 65_534;

/// A program that forwards requests.
pub struct Software {
    /// The name in the guide.
    pub name: &'static str,
    program: &'static str,
    arguments: &'static [&'static str],
    /// The configuration around `@SETTINGS@` of the guide; the program runs in `@FOLDER@`.
    frame: &'static str,
    /// Texts in the settings of the guide and their replacements for a test.
    replaced: &'static [(&'static str, &'static str)],
}

pub const NGINX: Software = Software {
    name: "nginx",
    program: "nginx",
    arguments: &["-e", "stderr", "-p", "@FOLDER@", "-c", "@FOLDER@/settings"],
    frame: "
        daemon off;
        master_process off;
        pid @FOLDER@/pid;
        events {}
        http {
            access_log off;
            client_body_temp_path @FOLDER@/body;
            proxy_temp_path @FOLDER@/proxy;
            fastcgi_temp_path @FOLDER@/fastcgi;
            uwsgi_temp_path @FOLDER@/uwsgi;
            scgi_temp_path @FOLDER@/scgi;
            @SETTINGS@
        }",
    replaced: &[("listen 80;", "listen @LISTEN@;"), ("127.0.0.1:8080", "@SERVER@")],
};

pub const HAPROXY: Software = Software {
    name: "HAProxy",
    program: "haproxy",
    arguments: &["-db", "-f", "@FOLDER@/settings"],
    frame: "@SETTINGS@\n",
    replaced: &[("bind :80\n", "bind @LISTEN@\n"), ("127.0.0.1:8080", "@SERVER@")],
};

pub const APACHE: Software = Software {
    name: "Apache httpd",
    program: "apache2",
    arguments: &["-X", "-d", "@FOLDER@", "-f", "settings"],
    frame: "
        LoadModule mpm_event_module /usr/lib/apache2/modules/mod_mpm_event.so
        LoadModule authz_core_module /usr/lib/apache2/modules/mod_authz_core.so
        LoadModule proxy_module /usr/lib/apache2/modules/mod_proxy.so
        LoadModule proxy_http_module /usr/lib/apache2/modules/mod_proxy_http.so
        DefaultRuntimeDir @FOLDER@
        PidFile pid
        ErrorLog /dev/stderr
        ServerName localhost
        Listen @LISTEN@
        @SETTINGS@\n",
    replaced: &[("*:80>", "@LISTEN@>"), ("127.0.0.1:8080", "@SERVER@")],
};

pub const CADDY: Software = Software {
    name: "Caddy",
    program: "caddy",
    arguments: &["run", "--adapter", "caddyfile", "--config", "@FOLDER@/settings"],
    frame: "{\nadmin off\ndefault_bind @IP@\n}\n@SETTINGS@\n",
    replaced: &[(":80 {", ":@PORT@ {"), ("127.0.0.1:8080", "@SERVER@")],
};

pub const LIGHTTPD: Software = Software {
    name: "lighttpd",
    program: "lighttpd",
    arguments: &["-D", "-f", "@FOLDER@/settings"],
    frame: "
        server.document-root = \"@FOLDER@\"
        server.upload-dirs = ( \"@FOLDER@\" )
        server.bind = \"@IP@\"
        server.port = @PORT@
        @SETTINGS@\n",
    replaced: &[("8080", "@SERVER_PORT@")],
};

pub const SQUID: Software = Software {
    name: "Squid",
    program: "squid",
    arguments: &["-N", "-f", "@FOLDER@/settings"],
    frame: "
        @SETTINGS@
        pid_filename @FOLDER@/pid
        cache_log /dev/stderr
        access_log none
        coredump_dir @FOLDER@
        netdb_filename none
        pinger_enable off\n",
    replaced: &[("http_port 80 ", "http_port @LISTEN@ "), (" 8080 ", " @SERVER_PORT@ ")],
};

pub const VARNISH: Software = Software {
    name: "Varnish",
    program: "varnishd",
    arguments: &[
        "-F",
        "-a",
        "@LISTEN@",
        "-f",
        "@FOLDER@/settings",
        "-n",
        "@FOLDER@/varnish",
        "-j",
        "none",
        "-T",
        "none",
        "-s",
        "malloc,32m",
    ],
    frame: "@SETTINGS@\n",
    replaced: &[("\"8080\"", "\"@SERVER_PORT@\"")],
};

impl Software {
    /// Returns the command line, with placeholders.
    pub fn command_line(&self) -> String {
        let mut command = Command::new(self.program);
        for argument in self.arguments {
            command.arg(argument.replace("@FOLDER@", "FOLDER").replace("@LISTEN@", "HOST:PORT"));
        }
        interop::command_line(&command)
    }

    /// Returns the settings of the guide, changed in this way.
    pub fn settings(&self, changes: &[(&str, &str)]) -> String {
        let section = GUIDE.split_once(&format!("\n## {}\n", self.name)).expect("a section").1;
        let block = section.split_once("\n```text\n").expect("a block").1;
        let mut settings = block.split_once("\n```\n").expect("its end").0.to_owned();
        for (text, other) in self.replaced.iter().chain(changes) {
            assert_eq!(settings.matches(text).count(), 1, "{text:?} in {settings}");
            settings = settings.replace(text, other);
        }
        settings
    }

    /// Returns the row of the guide's table for this name, without name and version.
    pub fn row(&self, variant: &str) -> Vec<&'static str> {
        let name = format!("{}{variant}", self.name);
        let rows = GUIDE.lines().filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |"));
        let rows = rows.map(|row| row.split(" | ").collect::<Vec<_>>());
        let found = rows.filter(|cells| cells[0] == name).collect::<Vec<_>>();
        let [row] = &found[..] else { panic!("{} rows for {name}", found.len()) };
        row[2..].to_vec()
    }
}

/// A running proxy, which is killed at the end of the test.
pub struct Proxy {
    process: Child,
    pub address: SocketAddr,
    folder: TempDir,
}

impl Proxy {
    /// Starts a proxy before a server. Returns `None` if it is not installed, except in CI.
    pub fn start(software: &Software, server: SocketAddr, settings: &str) -> Option<Self> {
        let program = installed::find(software.program)?;
        let started = (0..20).find_map(|_| Self::try_start(software, &program, server, settings));
        Some(started.unwrap_or_else(|| panic!("{} does not start", software.name)))
    }

    /// Starts the process. Returns `None` if it ends, usually because another process uses the port.
    fn try_start(
        software: &Software,
        program: &Path,
        server: SocketAddr,
        settings: &str,
    ) -> Option<Self> {
        let free = TcpListener::bind((ADDRESS, 0)).expect("a free port");
        let address = free.local_addr().expect("an address");
        drop(free);
        let folder = tempfile::tempdir().expect("a folder");
        let fill = |text: &str| {
            text.replace("@SETTINGS@", settings)
                .replace("@FOLDER@", folder.path().to_str().expect("text"))
                .replace("@LISTEN@", &address.to_string())
                .replace("@IP@", &address.ip().to_string())
                .replace("@PORT@", &address.port().to_string())
                .replace("@SERVER@", &server.to_string())
                .replace("@SERVER_PORT@", &server.port().to_string())
        };
        fs::write(folder.path().join("settings"), fill(software.frame)).expect("a file");
        let log = File::create(log(&folder)).expect("a log");
        let mut command = Command::new(program);
        command
            .args(software.arguments.iter().map(|argument| fill(argument)))
            .current_dir(&folder)
            .env("HOME", folder.path())
            .env("TMPDIR", folder.path())
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a second handle"))
            .stderr(log);
        if rustix::process::geteuid().is_root() {
            for path in [folder.path(), &self::log(&folder)] {
                chown(path, Some(NOBODY), Some(NOBODY)).expect("a path of nobody");
            }
            command.uid(NOBODY).gid(NOBODY);
        }
        let process = command.spawn().expect("a program that starts");
        let mut proxy = Self { process, address, folder };
        let is_running = poll("the proxy or its end", || {
            let has_ended = proxy.process.try_wait().expect("its status").is_some();
            (has_ended || responds(address)).then_some(!has_ended)
        });
        if !is_running {
            eprintln!("{}", proxy.log());
        }
        is_running.then_some(proxy)
    }

    /// Returns the folder of the process, from which it can read.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    fn log(&self) -> String {
        String::from_utf8_lossy(&fs::read(log(&self.folder)).expect("a log")).into_owned()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        if thread::panicking() {
            eprintln!("{}", self.log());
        }
    }
}

/// Returns whether a request is answered.
fn responds(address: SocketAddr) -> bool {
    let Ok(mut stream) = TcpStream::connect(address) else { return false };
    let answered = stream
        .set_read_timeout(Some(IO_TIMEOUT))
        .and_then(|()| stream.write_all(b"GET /ready HTTP/1.1\r\nHost: uploads.example\r\n\r\n"))
        .and_then(|()| stream.read(&mut [0; 100]));
    answered.is_ok_and(|read| read > 0)
}

fn log(folder: &TempDir) -> PathBuf {
    folder.path().join("log")
}
