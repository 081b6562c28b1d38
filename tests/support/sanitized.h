// Whether this build has a sanitizer. They reserve terabytes of address space, look at memory through a pipe,
// for which they take a descriptor, and make a fork slow. Any thread.
#pragma once

namespace pqd::test {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool kSanitized = true;
#else
inline constexpr bool kSanitized = false;
#endif

}  // namespace pqd::test
