// How records lie in a ring (the whole picture: shm/ring.h).
#pragma once

#include <cstdint>

namespace pqd {

inline constexpr uint32_t kRecordAlign = 8;
inline constexpr uint32_t kRecordBytesMin = 8;

// Half the ring, so that one record can be written while the one before it is still being made durable.
constexpr uint32_t record_bytes_max(uint32_t capacity) { return capacity / 2; }

constexpr uint64_t padded_record_bytes(uint32_t bytes) {
  return (uint64_t{bytes} + (kRecordAlign - 1)) & ~uint64_t{kRecordAlign - 1};
}

}  // namespace pqd
