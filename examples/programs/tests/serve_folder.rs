//! `serve`: its files on disk, and their recovery after a crash at any point.

use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bits_proto::field::ContentRange;
use bits_proto::message::{Ack, CreateSession, Fragment, Request};
use bits_proto::server::{
    Access, HostError, Policy, RequestContext, SessionLimits, Sessions, State, Step, Store as _,
    StoreBytes,
};
use bits_proto_programs::host_error::host_error;
use bits_proto_programs::serve::folder::{Folder, Found, file_name};
use bits_proto_programs::serve::path::destination;
use bits_proto_programs::serve::storage::Storage;
use cap_std::ambient_authority;
use cap_std::fs::Dir;
use tempfile::TempDir;
use uuid::Uuid;

const NOW: Duration = Duration::from_secs(1_700_000_000);
const CONTEXT: RequestContext<'_> =
    RequestContext::new("e", Access::Granted, NOW).with_principal(Some("alice"));

type Table = Sessions<'static, Folder>;

fn open(dir: &Path) -> (Folder, Found) {
    let dir = Dir::open_ambient_dir(dir, ambient_authority()).expect("the folder");
    Folder::open(Arc::new(dir), false).expect("what is in the folder")
}

fn table(dir: &Path) -> Table {
    Sessions::new(open(dir).0, Policy::DEFAULT, SessionLimits::default())
}

fn create(table: &mut Table, random: u8) -> Uuid {
    let request = Request::from(CreateSession::default());
    let step = table.handle_request(&request, &CONTEXT, || [random; 16]).expect("a session");
    let Step::Answer(answer) = step else { panic!("{step:?}") };
    match answer.ack() {
        Ack::CreateSession(ack) => ack.session_id.guid().expect("a GUID"),
        ack => panic!("{ack:?}"),
    }
}

fn begin(table: &mut Table, id: Uuid, first: u64, last: u64, total: u64) -> StoreBytes {
    let range = ContentRange::new(first, last, total).expect("a range");
    let request = Request::from(Fragment::new(id.into(), range));
    let step = table.handle_request(&request, &CONTEXT, Default::default).expect("a step");
    let Step::Store(bytes) = step else { panic!("{step:?}") };
    bytes
}

fn names(dir: &Path) -> Vec<String> {
    let entries = fs::read_dir(dir).expect("the folder");
    let mut names: Vec<_> = entries
        .map(|entry| entry.expect("an entry").file_name().into_string().expect("a name"))
        .collect();
    names.sort();
    names
}

#[test]
fn sessions_outlive_the_folder() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut before = table(dir.path());
    let (one, other) = (create(&mut before, 1), create(&mut before, 2));
    let bytes = begin(&mut before, one, 0, 99, 300);
    let step = before.handle_stored(bytes.token, 40, NOW).expect("a step");
    assert!(matches!(step, Step::Store(StoreBytes { offset: 40, take: 60, .. })));

    let (after, found) = open(dir.path());
    assert_eq!(found, Found::default());
    assert_eq!(after.session_count(), 2);
    assert_eq!(after.count(Some("alice")).ok(), Some(2));
    assert_eq!(after.count(Some("bob")).ok(), Some(0));
    let session = after.get(one).expect("the session").session;
    assert_eq!((session.received().0, session.total()), (40, Some(300)));
    assert_eq!(session.state(), State::Receiving, "unfinished work is undone");
    assert_eq!(after.get(other), before.store().get(other));
    assert_eq!(names(dir.path()), [file_name(one, "json"), file_name(other, "json")]);
}

#[test]
fn the_start_of_a_fragment_is_not_written() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut table = table(dir.path());
    let id = create(&mut table, 1);
    let file = dir.path().join(file_name(id, "json"));
    let before = fs::read(&file).expect("the record");
    let bytes = begin(&mut table, id, 0, 99, 300);
    assert_eq!(fs::read(&file).expect("the record"), before);
    let _ = table.handle_stored(bytes.token, 1, NOW).expect("a step");
    assert_ne!(fs::read(&file).expect("the record"), before);
    // In memory the session is busy for other requests at once.
    assert!(table.store().get(id).expect("the session").session.is_busy(NOW));
}

#[test]
fn ids_are_unique_and_removed_sessions_leave_no_files() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut table = table(dir.path());
    let id = create(&mut table, 1);
    fs::write(dir.path().join(file_name(id, "placed")), "").expect("a mark");
    let mut store = table.into_store();
    let record = store.get(id).expect("the session").clone();
    assert_eq!(store.insert(record).ok(), Some(false));
    assert_eq!(store.expired(NOW).ok(), Some(vec![]));
    assert_eq!(store.expired(NOW + Policy::DEFAULT.session_timeout).ok(), Some(vec![id]));
    store.remove(id).expect("removed");
    assert!(store.get(id).is_none());
    assert_eq!(store.update(id, |_| ()).ok(), Some(None));
    assert_eq!(names(dir.path()), [""; 0]);
}

#[test]
fn a_change_that_cannot_be_written_has_no_effect() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut table = table(dir.path());
    let id = create(&mut table, 1);
    let bytes = begin(&mut table, id, 0, 99, 300);
    let new = dir.path().join(file_name(id, "new"));
    fs::create_dir(&new).expect("an obstacle");
    assert!(table.handle_stored(bytes.token, 10, NOW).is_err());
    assert_eq!(table.store().get(id).expect("the session").session.received().0, 0);
    fs::remove_dir(&new).expect("no obstacle");
    assert!(table.handle_stored(bytes.token, 10, NOW).is_ok());
}

#[test]
fn damaged_records_are_renamed_and_leftover_files_are_removed() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = |name: &str| dir.path().join(name);
    let mut before = table(dir.path());
    let (whole, cut, swapped) =
        (create(&mut before, 1), create(&mut before, 2), create(&mut before, 3));
    let record = fs::read(path(&file_name(whole, "json"))).expect("the record");
    fs::write(path(&file_name(cut, "json")), &record[..record.len() / 2]).expect("cut");
    fs::write(path(&file_name(swapped, "json")), &record).expect("another's");
    let orphan = Uuid::from_bytes([0xAB; 16]);
    let removed = [
        file_name(cut, "entity"),
        file_name(orphan, "entity"),
        file_name(orphan, "reply"),
        file_name(orphan, "placed"),
        file_name(orphan, "new"),
        file_name(whole, "new"),
    ];
    let kept = [
        file_name(whole, "entity"),
        file_name(whole, "reply"),
        file_name(whole, "placed"),
        "notes.txt".into(),
        "notes.entity".into(),
        format!("{orphan:X}.entity"),
    ];
    for name in removed.iter().chain(&kept) {
        fs::write(path(name), "x").expect("a file");
    }

    let (folder, found) = open(dir.path());
    let mut damaged = found.damaged.clone();
    damaged.sort();
    let mut renamed = [file_name(cut, "damaged"), file_name(swapped, "damaged")];
    renamed.sort();
    assert_eq!(damaged, renamed);
    assert_eq!(found.removed, removed.len());
    assert_eq!(folder.session_count(), 1);
    let mut expected: Vec<_> = kept.into_iter().chain(renamed).collect();
    expected.push(file_name(whole, "json"));
    expected.sort();
    assert_eq!(names(dir.path()), expected);
    // The next process finds nothing to clean up.
    let (_, found) = open(dir.path());
    assert_eq!(found, Found::default());
}

/// A root and a folder of sessions with the bytes of one entity.
struct Disk {
    folder: TempDir,
    storage: Storage,
    session: Uuid,
}

impl Disk {
    fn new(overwrites: bool, entity: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        fs::create_dir(folder.path().join("root")).expect("the root");
        let storage = Storage::open(&folder.path().join("root"), None, overwrites, true);
        let disk = Self {
            folder,
            storage: storage.expect("the storage"),
            session: Uuid::from_bytes([7; 16]),
        };
        fs::write(disk.entity(), entity).expect("the entity");
        disk
    }

    fn sessions(&self) -> std::path::PathBuf {
        self.folder.path().join(".root.bits-sessions")
    }

    fn entity(&self) -> std::path::PathBuf {
        self.sessions().join(file_name(self.session, "entity"))
    }

    fn mark(&self) -> std::path::PathBuf {
        self.sessions().join(file_name(self.session, "placed"))
    }

    fn root(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join("root").join(name)
    }

    fn commit(&self, total: u64, target: &str) -> Result<(), HostError> {
        let destination = destination(target).expect("a destination");
        let committed = self.storage.commit(self.session, total, &destination);
        committed.map_err(|error| host_error(&error))
    }
}

#[test]
fn publishing_an_entity_twice_has_no_further_effect() {
    for overwrites in [false, true] {
        let disk = Disk::new(overwrites, "entity");
        assert_eq!(disk.commit(6, "/e"), Ok(()));
        assert_eq!(fs::read(disk.root("e")).expect("the entity"), b"entity");
        assert!(!disk.entity().exists());
        // As after a crash before the result was recorded; the entity was removed meanwhile.
        fs::remove_file(disk.root("e")).expect("removed");
        assert_eq!(disk.commit(6, "/e"), Ok(()));
        assert!(!disk.root("e").exists());
        // Without the mark, the entity counts as lost.
        fs::remove_file(disk.mark()).expect("the mark");
        assert_eq!(disk.commit(6, "/e"), Err(HostError::EntityLost));
    }
}

#[test]
fn publication_recovers_from_a_crash_before_and_after_the_link() {
    let disk = Disk::new(false, "entity");
    // A crash after the mark was created.
    fs::write(disk.mark(), "").expect("the mark");
    assert_eq!(disk.commit(6, "/e"), Ok(()));
    assert_eq!(fs::read(disk.root("e")).expect("the entity"), b"entity");
    // A crash before the name in the folder of sessions was removed.
    fs::hard_link(disk.root("e"), disk.entity()).expect("the other name");
    assert_eq!(disk.commit(6, "/e"), Ok(()));
    assert!(!disk.entity().exists());
    assert_eq!(fs::read(disk.root("e")).expect("the entity"), b"entity");
}

#[test]
fn an_existing_file_is_replaced_only_if_that_is_allowed() {
    let disk = Disk::new(false, "entity");
    fs::write(disk.root("e"), "other").expect("another entity");
    assert_eq!(disk.storage.access(&destination("/e").unwrap()), Access::GrantedOverExisting);
    assert_eq!(disk.commit(6, "/e"), Err(HostError::DestinationExists));
    assert_eq!(fs::read(disk.root("e")).expect("the other"), b"other");
    assert!(disk.entity().exists());

    let disk = Disk::new(true, "entity");
    fs::write(disk.root("e"), "other").expect("another entity");
    assert_eq!(disk.commit(6, "/e"), Ok(()));
    assert_eq!(fs::read(disk.root("e")).expect("the entity"), b"entity");
}

#[test]
fn a_published_entity_has_the_acknowledged_length() {
    let disk = Disk::new(false, "entity and unreported bytes");
    assert_eq!(disk.commit(6, "/e"), Ok(()));
    assert_eq!(fs::read(disk.root("e")).expect("the entity"), b"entity");
    let disk = Disk::new(false, "entit");
    assert_eq!(disk.commit(6, "/e"), Err(HostError::EntityLost));
    assert!(!disk.root("e").exists());
    // An empty entity has no file.
    fs::remove_file(disk.entity()).expect("nothing");
    assert_eq!(disk.commit(0, "/empty"), Ok(()));
    assert_eq!(fs::read(disk.root("empty")).expect("the entity"), b"");
    // Writing after a gap means that bytes are lost.
    let gap = disk.storage.entity(disk.session, 1);
    assert_eq!(gap.map(drop).map_err(|error| error.kind()), Err(io::ErrorKind::NotFound));
}

#[test]
fn folders_are_not_created_and_not_replaced() {
    let disk = Disk::new(true, "entity");
    fs::create_dir(disk.root("dir")).expect("a folder");
    let access = |target| disk.storage.access(&destination(target).expect("a destination"));
    assert_eq!(access("/dir"), Access::Denied);
    assert_eq!(access("/none/e"), Access::Denied);
    assert_eq!(access("/dir/e"), Access::Granted);
    assert_eq!(disk.commit(6, "/none/e"), Err(HostError::AccessDenied));
    assert!(!disk.root("none").exists());
    assert_eq!(disk.commit(6, "/dir"), Err(HostError::Other));
    assert!(disk.root("dir").is_dir());
    assert_eq!(disk.commit(6, "/dir/e"), Ok(()));
}

#[cfg(unix)]
#[test]
fn links_do_not_lead_out_of_the_root() {
    let disk = Disk::new(true, "entity");
    let outside = disk.folder.path().join("outside");
    fs::create_dir(&outside).expect("a folder");
    fs::write(outside.join("e"), "outside").expect("a file");
    let link = |to: &Path, name| std::os::unix::fs::symlink(to, disk.root(name)).expect("a link");
    link(&outside, "dir");
    link(Path::new("../outside"), "relative");
    link(&outside.join("e"), "e");
    link(Path::new("/proc/self/root"), "system");
    for target in ["/dir/e", "/relative/e", "/e", "/system/etc"] {
        let destination = destination(target).expect("a destination");
        assert!(disk.storage.published(&destination).is_err(), "{target}");
    }
    for target in ["/dir/new", "/relative/new", "/system/tmp/new"] {
        let access = disk.storage.access(&destination(target).expect("a destination"));
        assert_eq!(access, Access::Denied, "{target}");
        assert_eq!(disk.commit(6, target), Err(HostError::AccessDenied), "{target}");
    }
    // The link itself is replaced, not its target.
    assert_eq!(disk.commit(6, "/e"), Ok(()));
    assert_eq!(fs::read(outside.join("e")).expect("the file"), b"outside");
    assert_eq!(names(&outside), ["e"]);
}

#[test]
fn the_folder_of_sessions_must_be_outside_the_root() {
    let folder = tempfile::tempdir().expect("a folder");
    let inside = folder.path().join("sessions");
    let opened = Storage::open(folder.path(), Some(&inside), false, false);
    let error = opened.map(drop).expect_err("a folder in the root");
    assert!(error.to_string().contains("must be outside the root"), "{error}");
    assert_eq!(names(folder.path()), [""; 0], "it is not created either");
}

#[cfg(unix)]
#[test]
fn two_servers_cannot_share_a_folder_of_sessions() {
    let Disk { folder, storage, .. } = Disk::new(false, "entity");
    let open = || Storage::open(&folder.path().join("root"), None, false, false).map(drop);
    let error = open().expect_err("a folder in use");
    assert!(error.to_string().contains("another server uses this folder"), "{error}");
    drop(storage);
    assert!(open().is_ok());
}

/// Uses the file system in memory that Linux has at a known path.
#[cfg(target_os = "linux")]
#[test]
fn the_folder_of_sessions_must_be_on_the_file_system_of_the_root() {
    use std::os::unix::fs::MetadataExt as _;
    let (here, there) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir_in("/dev/shm"));
    let Ok(there) = there else { return println!("skipped: there is no /dev/shm") };
    let device = |dir: &TempDir| dir.path().metadata().expect("the folder").dev();
    if device(&here) == device(&there) {
        return println!("skipped: temporary files are in /dev/shm");
    }
    let opened = Storage::open(here.path(), Some(there.path()), false, false);
    let error = opened.map(drop).expect_err("another file system");
    assert!(error.to_string().contains("on one file system"), "{error}");
    assert_eq!(names(here.path()), [""; 0]);
    assert_eq!(names(there.path()), [""; 0]);
}
