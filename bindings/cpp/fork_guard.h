// Tells a process from a child forked off it, without a system call: one page that the kernel wipes in a
// child. Any thread may ask.
#pragma once

#include <cstddef>

namespace pqd {

class ForkGuard {
 public:
  ForkGuard();  // false in a boolean context when there was no page
  ForkGuard(const ForkGuard&) = delete;
  ForkGuard& operator=(const ForkGuard&) = delete;
  ~ForkGuard();

  explicit operator bool() const { return page_ != nullptr; }
  bool in_child() const { return *page_ == std::byte{0}; }

 private:
  const std::byte* page_ = nullptr;
};

}  // namespace pqd
