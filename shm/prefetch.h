// Asking for a line of memory before it is needed.
#pragma once

namespace pqd {

// This CPU is about to write the line of `address`: it comes, and other CPUs give up their copies of it.
// Changes nothing that can be seen, may be done to any address, and never faults.
inline void prefetch_to_write(const void* address) {
#if defined(__x86_64__)
  // Without an option that not every CPU of this kind bears, the builtin asks for a copy to read only; this
  // instruction is known to all of them, and does nothing where the CPU cannot do it.
  asm volatile("prefetchw %0" : : "m"(*static_cast<const char*>(address)));
#else
  __builtin_prefetch(address, 1);
#endif
}

}  // namespace pqd
