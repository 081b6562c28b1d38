// How numbers and ids become keys: big-endian, so that RocksDB's byte order is theirs.
#pragma once

#include <array>
#include <optional>

#include "core/bytes.h"
#include "core/job_id.h"

namespace pqd::keys {

inline void put_big(uint64_t value, std::byte* out) {
  for (int i = 7; i >= 0; --i, value >>= 8) out[i] = static_cast<std::byte>(value);
}
inline uint64_t get_big(const std::byte* in) {
  uint64_t value = 0;
  for (int i = 0; i < 8; ++i) value = (value << 8) | static_cast<uint64_t>(in[i]);
  return value;
}

inline void put_big32(uint32_t value, std::byte* out) {
  for (int i = 3; i >= 0; --i, value >>= 8) out[i] = static_cast<std::byte>(value);
}
inline uint32_t get_big32(const std::byte* in) {
  uint32_t value = 0;
  for (int i = 0; i < 4; ++i) value = (value << 8) | static_cast<uint32_t>(in[i]);
  return value;
}

using NumberKey = std::array<std::byte, 8>;
inline NumberKey of(uint64_t number) {
  NumberKey key;
  put_big(number, key.data());
  return key;
}
inline std::optional<uint64_t> number(ByteView key) {
  if (key.size() != 8) return std::nullopt;
  return get_big(key.data());
}

using IdKey = std::array<std::byte, 16>;
inline IdKey of(const JobId& id) {
  IdKey key;
  put_big(id.high, key.data());
  put_big(id.low, key.data() + 8);
  return key;
}
inline std::optional<JobId> id(ByteView key) {
  if (key.size() != 16) return std::nullopt;
  return JobId{get_big(key.data()), get_big(key.data() + 8)};
}

}  // namespace pqd::keys
