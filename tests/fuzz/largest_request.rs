//! The largest piece of memory that a thread has asked for at once: a length that was believed before its bytes were
//! there shows here.
#![allow(
    unsafe_code,
    reason = "an allocator is; it passes every call on as it came, so that the system's own promises hold"
)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

thread_local! {
    static LARGEST: Cell<usize> = const { Cell::new(0) };
}

struct Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn note(size: usize) {
    // A thread that ends may ask for memory after its own is gone.
    let _ = LARGEST.try_with(|largest| largest.set(largest.get().max(size)));
}

// SAFETY: every call goes to the system's allocator with the arguments that came, and `note` asks for no memory.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        note(layout.size());
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        note(layout.size());
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        note(size);
        unsafe { System.realloc(pointer, layout, size) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        unsafe { System.dealloc(pointer, layout) }
    }
}

/// Begins anew.
pub(super) fn forget() {
    LARGEST.with(|largest| largest.set(0));
}

/// In bytes, since [`forget`].
pub(super) fn of_this_thread() -> usize {
    LARGEST.with(Cell::get)
}
