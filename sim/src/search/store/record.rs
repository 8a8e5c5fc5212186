//! Records in a file: length, checksum, content.

use xxhash_rust::xxh3::xxh3_64;

/// Length (4 bytes) and checksum (8 bytes) come before the content, the low bytes first.
const HEAD: usize = 12;

/// A record of these parts, one after the other.
///
/// # Panics
/// If the parts are longer than 4 GiB.
pub(super) fn write(parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let length = u32::try_from(content.len()).expect("a record is some kilobytes long");
    let mut record = Vec::with_capacity(HEAD + content.len());
    record.extend(length.to_le_bytes());
    record.extend(checksum(length, &content).to_le_bytes());
    record.extend(content);
    record
}

/// The length is part of it: a record of zeros is none.
fn checksum(length: u32, content: &[u8]) -> u64 {
    xxh3_64(content) ^ u64::from(length).wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// Reads record after record, up to the first that is not whole.
pub(super) struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// How many bytes the whole records so far take.
    pub(super) const fn read(&self) -> usize {
        self.at
    }

    /// The content of the next record, if it is whole.
    pub(super) fn next(&mut self) -> Option<&'a [u8]> {
        let rest = &self.bytes[self.at..];
        let (length, rest) = rest.split_first_chunk::<4>()?;
        let (sum, rest) = rest.split_first_chunk::<8>()?;
        let length = u32::from_le_bytes(*length);
        let content = rest.get(..length as usize)?;
        if checksum(length, content) != u64::from_le_bytes(*sum) {
            return None;
        }
        self.at += HEAD + content.len();
        Some(content)
    }
}
