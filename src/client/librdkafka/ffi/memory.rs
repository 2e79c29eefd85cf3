//! How the C library's memory is managed while records move.
//!
//! Owns one call to the allocator of glibc; elsewhere nothing is to be done.
#![allow(
    unsafe_code,
    reason = "mallopt is C's; it takes two numbers and no pointer, and is safe at any time"
)]

#[cfg(all(target_os = "linux", target_env = "gnu"))]
unsafe extern "C" {
    fn mallopt(parameter: std::ffi::c_int, value: std::ffi::c_int) -> std::ffi::c_int;
}

/// Lets all threads share one heap that grows by whole megabytes: librdkafka's threads allocate what ours free and the
/// other way round, for which heaps of their own are no help, and grow and shrink by single pages with a system call
/// each. Requests of a megabyte come from it too, and not as fresh pages each.
pub(super) fn share_one_heap() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    {
        const M_TRIM_THRESHOLD: i32 = -1;
        const M_TOP_PAD: i32 = -2;
        const M_MMAP_THRESHOLD: i32 = -3;
        const M_ARENA_MAX: i32 = -8;
        const MEGABYTE: i32 = 1 << 20;
        for (parameter, value) in [
            (M_ARENA_MAX, 1),
            (M_TOP_PAD, 4 * MEGABYTE),
            (M_TRIM_THRESHOLD, 64 * MEGABYTE),
            (M_MMAP_THRESHOLD, 32 * MEGABYTE),
        ] {
            // SAFETY: the function sets a number of the allocator under the allocator's own lock.
            let _ = unsafe { mallopt(parameter, value) };
        }
    }
}
