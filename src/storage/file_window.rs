//! A memory-mapped part of a file: half the cost of reading where each byte is needed once.
//!
//! Owns the mapping, and what happens when the file is cut or its disk fails under it: the program is not killed by
//! `SIGBUS`, missing bytes read as zeros, and [`FileWindow::check`] fails. No reference to the bytes ever leaves this
//! file, since others may be writing them: they are copied out, or a checksum is computed.
#![allow(
    unsafe_code,
    reason = "mapping, and the signal for what cannot be read; each block has its proof"
)]

use std::ffi::{c_int, c_void};
use std::fs::File;
use std::io::{self, Read};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use rustix::mm::{Advice, MapFlags, ProtFlags, madvise, mmap, mmap_anonymous, munmap};

use crate::records::batch_header::{crc_covers_from, crc_of};

/// Windows begin at multiples of this in the file, so that the kernel can map its largest pages at once.
const ALIGNMENT: u64 = 2 << 20;
/// Two alignments: from any byte of the first half on there is at least one alignment.
const WINDOW_BYTES: u64 = 2 * ALIGNMENT;
/// More than the threads of any walk.
const MOST_WINDOWS: usize = 16;

/// The mappings that the signal handler knows.
static MAPPED: [Mapped; MOST_WINDOWS] = [const { Mapped::none() }; MOST_WINDOWS];

/// Where one window is in memory.
#[derive(Debug)]
struct Mapped {
    is_taken: AtomicBool,
    /// 0 when there is nothing yet.
    start: AtomicUsize,
    end: AtomicUsize,
    /// Something in it could not be read.
    is_broken: AtomicBool,
}

impl Mapped {
    const fn none() -> Self {
        Self {
            is_taken: AtomicBool::new(false),
            start: AtomicUsize::new(0),
            end: AtomicUsize::new(0),
            is_broken: AtomicBool::new(false),
        }
    }

    fn take() -> Option<&'static Self> {
        MAPPED
            .iter()
            .find(|mapped| !mapped.is_taken.swap(true, Ordering::Acquire))
    }

    fn give_back(&self) {
        self.start.store(0, Ordering::Release);
        self.is_taken.store(false, Ordering::Release);
    }
}

/// A part of a file in memory.
#[derive(Debug)]
pub struct FileWindow {
    file: Arc<File>,
    address: NonNull<c_void>,
    /// Where it begins in the file.
    start: u64,
    len: usize,
    mapped: &'static Mapped,
}

// SAFETY: the memory belongs to the window alone, is only read, and is given back once, when the window is dropped.
unsafe impl Send for FileWindow {}
// SAFETY: as above; nothing in a window changes but atomics.
unsafe impl Sync for FileWindow {}

impl FileWindow {
    /// Maps `file` around `position`, up to `end` at most; from `position` on there are 2 MiB, or all up to `end`. Fails
    /// where files cannot be mapped, or for more windows at a time than a walk has threads.
    pub fn around(file: &Arc<File>, position: u64, end: u64) -> io::Result<Self> {
        if !catches_bus_errors() {
            return Err(io::ErrorKind::Unsupported.into());
        }
        let start = position / ALIGNMENT * ALIGNMENT;
        let len = usize::try_from(WINDOW_BYTES.min(end.saturating_sub(start)))
            .ok()
            .filter(|len| *len > 0);
        let len = len.ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
        let mapped = Mapped::take().ok_or_else(|| io::Error::other("too many windows"))?;
        // SAFETY: the kernel chooses an unused address.
        let address = unsafe {
            mmap(
                std::ptr::null_mut(),
                len,
                ProtFlags::READ,
                MapFlags::SHARED,
                file,
                start,
            )
        };
        let address = address
            .map_err(io::Error::from)
            .and_then(|address| NonNull::new(address).ok_or_else(|| io::ErrorKind::OutOfMemory.into()))
            .inspect_err(|_| mapped.give_back())?;
        mapped.is_broken.store(false, Ordering::Relaxed);
        mapped.end.store(address.as_ptr().addr() + len, Ordering::Relaxed);
        mapped
            .start
            .store(address.as_ptr().expose_provenance(), Ordering::Release);
        // SAFETY: advice on our own mapping; it changes how much is read ahead, and a refusal changes nothing.
        let _ = unsafe { madvise(address.as_ptr(), len, Advice::Sequential) };
        Ok(Self {
            file: Arc::clone(file),
            address,
            start,
            len,
            mapped,
        })
    }

    /// Where it begins in the file.
    pub fn start(&self) -> u64 {
        self.start
    }

    /// Where it ends in the file.
    pub fn end(&self) -> u64 {
        self.start + self.len as u64
    }

    /// Fails if the file has become shorter than the window, or if a byte that was accessed could not be read.
    pub fn check(&self) -> io::Result<()> {
        if self.file.metadata()?.len() < self.end() {
            return Err(cut());
        }
        if self.mapped.is_broken.load(Ordering::Acquire) {
            return Err(rustix::io::Errno::IO.into());
        }
        Ok(())
    }

    /// Copies from the file's byte `at` on; returns how many bytes were inside the window.
    pub fn copy(&self, at: u64, out: &mut [u8]) -> usize {
        let bytes = self.bytes(at, out.len() as u64);
        if let Some(out) = out.get_mut(..bytes.len()) {
            out.copy_from_slice(bytes);
        }
        bytes.len()
    }

    /// A part that holds a whole batch: `size` bytes from the file's byte `at` on.
    pub fn batch(&self, at: u64, size: usize) -> MappedBatch<'_> {
        MappedBatch {
            window: self,
            at,
            size: size as u64,
        }
    }

    /// Up to `len` bytes from the file's byte `at` on, as many as the window has. Never leaves this file: see above.
    fn bytes(&self, at: u64, len: u64) -> &[u8] {
        let inside = at.clamp(self.start, self.end()) - self.start;
        let len = len.min(self.len as u64 - inside);
        // SAFETY: `inside + len` is at most the mapping's length, and the mapping lives as long as `self`; what the
        // file no longer has is replaced by zeros before the access continues. Another process may write the file
        // meanwhile: each caller reads each byte once, and only copies it or adds it to a checksum.
        unsafe {
            std::slice::from_raw_parts(
                self.address.as_ptr().cast::<u8>().add(inside as usize),
                len as usize,
            )
        }
    }
}

impl Drop for FileWindow {
    fn drop(&mut self) {
        self.mapped.give_back();
        // SAFETY: exactly what was mapped, and no reference to it is left.
        let _ = unsafe { munmap(self.address.as_ptr(), self.len) };
    }
}

/// The error for a file that was truncated while it was read.
pub(super) fn cut() -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, "the file was cut while it was read")
}

/// A whole batch in a window.
#[derive(Clone, Copy, Debug)]
pub struct MappedBatch<'w> {
    window: &'w FileWindow,
    at: u64,
    size: u64,
}

impl MappedBatch<'_> {
    /// The batch without its first `skip` bytes.
    #[must_use]
    pub fn behind(self, skip: usize) -> Self {
        let skip = self.size.min(skip as u64);
        Self {
            window: self.window,
            at: self.at + skip,
            size: self.size - skip,
        }
    }

    /// Bytes of the whole batch.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The checksum that the header of a batch of format `magic` should hold.
    pub fn computed_crc(&self, magic: i8) -> u32 {
        let from = crc_covers_from(magic) as u64;
        crc_of(
            magic,
            self.window.bytes(self.at + from, self.size.saturating_sub(from)),
        )
    }
}

/// Copies of its bytes, from the first on.
impl Read for MappedBatch<'_> {
    fn read(&mut self, place: &mut [u8]) -> io::Result<usize> {
        let most = place.len().min(usize::try_from(self.size).unwrap_or(usize::MAX));
        let read = self
            .window
            .copy(self.at, place.get_mut(..most).unwrap_or_default());
        self.at += read as u64;
        self.size -= read as u64;
        self.window.check()?;
        Ok(read)
    }
}

/// The previous action for `SIGBUS`; `None` if ours cannot be installed.
static BEFORE: OnceLock<Option<libc::sigaction>> = OnceLock::new();

/// Installs [`on_bus_error`] as the handler for reads of missing parts of a mapped file; returns whether it is
/// installed.
fn catches_bus_errors() -> bool {
    BEFORE
        .get_or_init(|| {
            // SAFETY: all zeros are a valid `sigaction`.
            let (mut before, mut action) =
                unsafe { std::mem::zeroed::<(libc::sigaction, libc::sigaction)>() };
            action.sa_sigaction =
                on_bus_error as extern "C" fn(c_int, *mut libc::siginfo_t, *mut c_void) as usize;
            action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
            // SAFETY: the handler does only what a handler may, see there; `before` receives the previous action.
            let changed = unsafe { libc::sigaction(libc::SIGBUS, &raw const action, &raw mut before) };
            (changed == 0).then_some(before)
        })
        .is_some()
}

/// Maps zeros over a window that cannot be read, and lets the read continue; a fault outside of all windows is left to
/// the previous action. Reads atomics and makes at most two system calls, so it is async-signal-safe.
extern "C" fn on_bus_error(_: c_int, info: *mut libc::siginfo_t, _: *mut c_void) {
    // SAFETY: the kernel passes a valid description of the signal.
    let address = unsafe { (*info).si_addr() }.addr();
    let hit = MAPPED.iter().find_map(|mapped| {
        let start = mapped.start.load(Ordering::Acquire);
        let end = mapped.end.load(Ordering::Relaxed);
        (start != 0 && (start..end).contains(&address)).then_some((mapped, start, end))
    });
    if let Some((mapped, start, end)) = hit {
        mapped.is_broken.store(true, Ordering::Release);
        // SAFETY: replaces a window by pages of the same protection; it is alive, since a thread is reading it.
        let zeros = unsafe {
            mmap_anonymous(
                std::ptr::with_exposed_provenance_mut(start),
                end - start,
                ProtFlags::READ,
                MapFlags::PRIVATE | MapFlags::FIXED,
            )
        };
        if zeros.is_ok() {
            return;
        }
    }
    if let Some(Some(before)) = BEFORE.get() {
        // SAFETY: restores the previous action, which handles the access when it fails again.
        unsafe { libc::sigaction(libc::SIGBUS, before, std::ptr::null_mut()) };
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn a_file_that_is_cut_under_a_window_reads_as_zeros_and_is_told() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&vec![7; 100_000]).unwrap();
        let file = Arc::new(file);
        let window = FileWindow::around(&file, 0, 100_000).unwrap();
        let mut read = [0; 4];
        assert_eq!(window.copy(99_998, &mut read), 2);
        assert_eq!(read, [7, 7, 0, 0]);
        window.check().unwrap();

        file.set_len(10).unwrap();
        let whole = window.batch(0, 100_000).computed_crc(2);
        window.check().unwrap_err();
        assert_ne!(whole, crc_of(2, &vec![7; 100_000 - 21]));
        assert_eq!(window.copy(50_000, &mut read), 4);
        assert_eq!(read, [0; 4]);
    }

    #[test]
    fn windows_begin_at_large_pages_and_are_not_longer_than_asked_for() {
        let file = Arc::new(tempfile::tempfile().unwrap());
        file.set_len(ALIGNMENT * 5).unwrap();
        let window = FileWindow::around(&file, ALIGNMENT + 5, ALIGNMENT * 5).unwrap();
        assert_eq!((window.start(), window.end()), (ALIGNMENT, ALIGNMENT * 3));
        let last = FileWindow::around(&file, ALIGNMENT * 4 + 1, ALIGNMENT * 4 + 7).unwrap();
        assert_eq!((last.start(), last.end()), (ALIGNMENT * 4, ALIGNMENT * 4 + 7));
        FileWindow::around(&file, ALIGNMENT * 9, ALIGNMENT * 4).unwrap_err();
    }

    #[test]
    fn windows_that_are_dropped_make_room_for_others() {
        let file = Arc::new(tempfile::tempfile().unwrap());
        file.set_len(ALIGNMENT).unwrap();
        for _ in 0..MOST_WINDOWS * 4 {
            FileWindow::around(&file, 0, ALIGNMENT).unwrap();
        }
    }
}
