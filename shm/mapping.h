// A memory file mapped as one contiguous range of addresses in which some parts appear twice, back to back:
//
//   file     [ header | ring 0 | ring 1 | ... ]
//   memory   [ header | ring 0 | ring 0 again | ring 1 | ring 1 again | ... ]
//
// A record that begins anywhere in a ring's first copy is therefore contiguous, and none is ever split.
// Thread rule: a Mapping belongs to one thread; the bytes that it maps to whoever the ABI says.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>

#include "shm/sys_error.h"

namespace pqd {

// Consecutive parts of a file, each a multiple of the page.
struct MappingPart {
  uint64_t bytes = 0;
  uint64_t copies = 1;  // how often it appears in memory
};
struct MappingLayout {
  std::array<MappingPart, 8> parts{};
  uint64_t part_count = 0;

  constexpr void add(uint64_t bytes, uint64_t copies) { parts[part_count++] = {bytes, copies}; }
  constexpr uint64_t file_bytes() const { return file_offset(part_count); }
  constexpr uint64_t address_bytes() const { return address_offset(part_count); }
  constexpr uint64_t file_offset(uint64_t part) const {
    uint64_t sum = 0;
    for (uint64_t i = 0; i < part; ++i) sum += parts[i].bytes;
    return sum;
  }
  constexpr uint64_t address_offset(uint64_t part) const {
    uint64_t sum = 0;
    for (uint64_t i = 0; i < part; ++i) sum += parts[i].bytes * parts[i].copies;
    return sum;
  }
};

enum class Access : uint8_t { kReadOnly, kReadWrite };
// kDrop: a forked child does not have the mapping (clients). kInherit: it has (supervisor to engine).
enum class OnFork : uint8_t { kDrop, kInherit };

class Mapping {
 public:
  Mapping() noexcept;
  Mapping(Mapping&&) noexcept;
  Mapping& operator=(Mapping&&) noexcept;
  ~Mapping();

  // ENODATA: the file is shorter than the layout, so that touching it would be a SIGBUS.
  static std::expected<Mapping, SysError> map(int fd, const MappingLayout& layout, Access access,
                                              OnFork on_fork);

  // Another file of this layout in place of the one that is mapped, at the same addresses, so that pointers
  // into it stay good. Errors as map(); after one of mmap the mapping is not to be touched any more.
  std::expected<void, SysError> replace(int fd, Access access, OnFork on_fork);

  // Takes over what a process inherited by fork: a sealed file cannot be mapped writable again, but the
  // mapping made before goes on in a child, at the same address. `base` and `layout` are what the parent's
  // Mapping had. The child owns its copy: destroying it here unmaps it here only.
  static Mapping adopt(std::byte* base, const MappingLayout& layout);

  std::byte* base() const { return base_; }
  std::byte* part(uint64_t index) const { return base_ + layout_.address_offset(index); }
  const MappingLayout& layout() const { return layout_; }
  explicit operator bool() const { return base_ != nullptr; }

 private:
  struct Regions;  // what Boost holds; none when adopted

  void unmap();

  std::byte* base_ = nullptr;
  MappingLayout layout_;
  std::unique_ptr<Regions> regions_;
};

}  // namespace pqd
