// A breath between two looks at a word that somebody else changes.
#pragma once

namespace pqd {

// Tells the CPU that this is a loop of looks: its other hardware thread gets more of it, and the word's
// arrival does not have to throw away what was run ahead.
inline void pause_briefly() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

}  // namespace pqd
