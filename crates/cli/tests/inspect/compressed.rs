//! The inspector with compressed files.

use std::io::Write as _;
use std::process::Output;

use crate::support::capture::{dialogue_of, plain_pcap};
use crate::support::inspector::{inspect, json_lines};
use crate::support::vectors;
use flate2::{Compression, write::GzEncoder};
use ruzstd::encoding::{CompressionLevel, compress_to_vec};

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).expect("a vector");
    encoder.finish().expect("a vector")
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    compress_to_vec(bytes, CompressionLevel::Fastest)
}

type Compress = fn(&[u8]) -> Vec<u8>;

const COMPRESS: [(&str, Compress); 2] = [("gzip", gzip), ("zstd", zstd)];

fn upload() -> Vec<u8> {
    let messages = vectors::conversation("upload.http");
    plain_pcap(&dialogue_of(50000, [1000, 2000], &messages, 1400))
}

fn explain(file: &[u8]) -> Output {
    inspect("vectors", &["--json", "-"], file)
}

#[track_caller]
fn assert_same(file: &[u8], expected: &Output) {
    let output = explain(file);
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    assert_eq!(&output, expected);
}

/// Returns the output for a damaged file, and the reason.
fn damaged(arguments: &[&str], file: &[u8]) -> (Output, String) {
    let output = inspect("vectors", &[arguments, &["--json", "-"]].concat(), file);
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{errors}");
    assert!(!errors.contains("panicked"), "{errors}");
    (output, errors)
}

#[test]
fn compressed_captures_and_messages_are_read() {
    for file in [upload(), vectors::conversation("upload.http").concat()] {
        let expected = explain(&file);
        assert!(!json_lines(&expected).is_empty());
        for (_, compress) in COMPRESS {
            assert_same(&compress(&file), &expected);
        }
    }
}

#[test]
fn files_in_several_members_or_frames_are_read_completely() {
    let file = upload();
    let expected = explain(&file);
    for (_, compress) in COMPRESS {
        let parts = file.chunks(file.len().div_ceil(3));
        assert_same(&parts.flat_map(compress).collect::<Vec<_>>(), &expected);
    }
    // A skippable frame of zstd, before and between others.
    let skippable = [&[0x53, 0x2A, 0x4D, 0x18, 5, 0, 0, 0][..], b"index"].concat();
    let (head, rest) = file.split_at(1000);
    let frames = [&skippable[..], &zstd(head), &skippable, &zstd(rest)].concat();
    assert_same(&frames, &expected);
    let (_, errors) = damaged(&[], &[&zstd(&file)[..], &skippable[..10]].concat());
    assert!(errors.contains("the zstd data is truncated; "), "{errors}");
}

#[test]
fn truncated_compressed_data_is_explained_up_to_the_damage() {
    // It consists of several blocks.
    let file = [upload(), upload()[24..].repeat(120)].concat();
    let whole = json_lines(&explain(&file));
    for (format, compress) in COMPRESS {
        let compressed = compress(&file);
        let step = compressed.len() / 40;
        for cut in (4..compressed.len()).step_by(step).chain([compressed.len() - 1]) {
            let (output, errors) = damaged(&[], &compressed[..cut]);
            let damage = format!("inspect: -: the {format} data is truncated; the first ");
            let last = errors.lines().last().and_then(|it| it.strip_prefix(&damage));
            let length = last.and_then(|it| it.strip_suffix(" decompressed bytes are explained"));
            let length: usize = length.and_then(|it| it.parse().ok()).expect(&errors);
            assert!(length <= file.len(), "{errors}");
            // Blocks have a constant ratio of compression.
            assert!(cut < compressed.len() * 3 / 4 || length > file.len() / 2, "{cut}: {errors}");
            let reports = json_lines(&output);
            let sure = reports.iter().take_while(|report| report["verdict"] != "partial").count();
            assert_eq!(reports[..sure], whole[..sure], "{format} cut at {cut}");
        }
    }
}

#[test]
fn a_truncated_zstd_frame_that_is_shorter_than_its_window_is_explained() {
    let file = upload();
    // A window of 1 MiB, and blocks without compression.
    let mut frame = vec![0x28, 0xB5, 0x2F, 0xFD, 0, 0x50];
    for block in file.chunks(1000) {
        let header = (block.len() as u32) << 3;
        frame.extend(&header.to_le_bytes()[..3]);
        frame.extend(block);
    }
    let (output, errors) = damaged(&[], &frame);
    let length = file.len();
    let damage =
        format!("data is truncated; the first {length} decompressed bytes are explained\n");
    assert!(errors.ends_with(&damage), "{errors}");
    assert_eq!(json_lines(&output), json_lines(&explain(&file)));
}

#[test]
fn corrupt_compressed_data_is_reported() {
    let file = upload();
    let last = |mut bytes: Vec<u8>, from_end: usize| {
        let at = bytes.len() - from_end;
        bytes[at] ^= 0x55;
        bytes
    };
    // The checksums: eight bytes with gzip, four with zstd.
    for (format, bytes) in [("gzip", last(gzip(&file), 8)), ("zstd", last(zstd(&file), 1))] {
        let (output, errors) = damaged(&[], &bytes);
        let length = file.len();
        let damage = format!(
            "inspect: -: the {format} data is corrupt; the first {length} decompressed bytes are explained\n"
        );
        assert_eq!(errors, damage);
        assert_eq!(json_lines(&output), json_lines(&explain(&file)));
    }
    let (_, errors) = damaged(&[], &[gzip(&file), b"other data".to_vec()].concat());
    assert!(errors.contains("the gzip data is corrupt"), "{errors}");
    let (_, errors) = damaged(&[], &[zstd(&file), b"other data".to_vec()].concat());
    assert!(errors.contains("the zstd data is corrupt"), "{errors}");
    // A frame with a window of 128 MiB, which the decoder does not support.
    let (_, errors) = damaged(&[], &[0x28, 0xB5, 0x2F, 0xFD, 0, 0x88, 1, 0, 0]);
    assert!(errors.contains("the zstd data cannot be decompressed: "), "{errors}");
}

#[test]
fn decompressed_data_is_limited() {
    const MIB: usize = 1 << 20;
    let mut file = upload();
    let expected = json_lines(&explain(&file));
    // Padding of packets that are not IP.
    let mut padding = file[24..40].to_vec();
    padding[8..16].copy_from_slice(&[0, 0x80, 0, 0, 0, 0x80, 0, 0]);
    padding.resize(16 + 0x8000, 0);
    while file.len() <= MIB {
        file.extend(&padding);
    }
    for (_, compress) in COMPRESS {
        let compressed = compress(&file);
        let (output, errors) = damaged(&["--max-decompressed", "1MiB"], &compressed);
        let limit = "the decompressed data exceeds the limit (--max-decompressed); the first 1048576 \
            decompressed bytes are explained";
        assert!(errors.contains(limit), "{errors}");
        assert_eq!(json_lines(&output), expected);
        let output =
            inspect("vectors", &["--max-decompressed", "2MiB", "--json", "-"], &compressed);
        assert_eq!(output.status.code(), Some(0));
        assert_eq!(json_lines(&output), expected);
        // The limit itself is allowed.
        let output = inspect(
            "vectors",
            &["--max-decompressed", "1MiB", "--json", "-"],
            &compress(&vec![b'\n'; MIB]),
        );
        assert_eq!(output.status.code(), Some(0));
    }
}
